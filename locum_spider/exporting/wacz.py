"""Exports an archive as WACZ: captures, their index and a list of pages, which other programs can replay.

The layout is that of WACZ 1.1.1: `archive/`, `indexes/index.cdx`, `pages/pages.jsonl`, `datapackage.json`.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from locum_spider.clock import utc_now
from locum_spider.errors import IntegrityError, NoSuchArticleError, UsageError
from locum_spider.store import exports
from locum_spider.store.connection import Connection, begin, connect_reading
from locum_spider.store.files import WARCS, disk_error
from locum_spider.system import sync
from locum_spider.urls import surt
from locum_spider.version import __version__
from locum_spider.warc.reader import open_warc

_CHUNK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same archive gives the same members: they do not have the time of the export


@dataclass(slots=True)
class _Package:
    """A WACZ being written: each member is hashed on its way into the ZIP."""

    container: zipfile.ZipFile
    resources: list[dict[str, object]] = field(default_factory=list)

    def add(self, path: str, chunks: Iterable[bytes], *, compress: bool = False) -> None:
        info = zipfile.ZipInfo(path, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
        digest, size = hashlib.sha256(), 0
        with self.container.open(info, "w", force_zip64=True) as member:
            for chunk in chunks:
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        name = path.rpartition("/")[2].lower()  # the rule of data packages for names
        self.resources.append({"name": name, "path": path, "hash": f"sha256:{digest.hexdigest()}", "bytes": size})

    def finish(self, title: str) -> None:
        package = {
            "profile": "data-package", "wacz_version": "1.1.1", "title": title, "created": utc_now(),
            "software": f"locum-spider/{__version__}", "resources": self.resources,
        }  # fmt: skip
        text = json.dumps(package, ensure_ascii=False, indent=2).encode()
        self.container.writestr(zipfile.ZipInfo("datapackage.json", _EPOCH), text)
        seal = {"path": "datapackage.json", "hash": f"sha256:{hashlib.sha256(text).hexdigest()}"}
        self.container.writestr(zipfile.ZipInfo("datapackage-digest.json", _EPOCH), json.dumps(seal))


@dataclass(frozen=True, slots=True)
class Exported:
    """What was exported: the file, the number of its captures and pages, its size in bytes."""

    path: Path
    captures: int
    pages: int
    bytes: int


def export_wacz(archive: Path, destination: Path, *, article_id: int | None = None, force: bool = False) -> Exported:
    """Export the whole archive, or one article with all its captures, as a WACZ file.

    The file gets its name only when it is complete. Raises UsageError if it exists and `force` is not set,
    NoSuchArticleError if there is no such article, NoSpaceError if the disk is full, IntegrityError if a WARC file is
    too short.
    """
    if destination.exists() and not force:
        raise UsageError(f"{destination} exists; name another file or add --force")
    db = connect_reading(archive)
    part = destination.with_name(destination.name + ".part")
    try:
        begin(db)
        contents = exports.whole_archive(db) if article_id is None else exports.one_article(db, article_id)
        if contents is None:
            raise NoSuchArticleError(str(article_id), archive)
        with zipfile.ZipFile(part, "w") as container:
            package = _Package(container)
            for name, pieces in contents.pieces.items():
                package.add(f"archive/{name}", _read(archive / WARCS, pieces))
            package.add("indexes/index.cdx", _index(db), compress=True)
            package.add("pages/pages.jsonl", _pages(db, article_id), compress=True)
            package.finish(contents.title)
        sync(part)
        part.rename(destination)
        return Exported(destination, contents.captures, contents.pages, destination.stat().st_size)
    except OSError as error:
        raise disk_error(error, destination) or UsageError(
            f"{destination} cannot be written: {error.strerror}"
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()
        db.close()


def _read(folder: Path, pieces: list[exports.Piece]) -> Iterator[bytes]:
    for name, offset, length in pieces:
        with open_warc(folder, name) as file:
            file.seek(offset)
            while length > 0:
                chunk = file.read(min(_CHUNK, length))
                if not chunk:
                    raise IntegrityError(
                        f"{folder / name} ends {length:,} bytes too early; run `locum verify` and repair the archive"
                    )
                length -= len(chunk)
                yield chunk


def _index(db: Connection) -> Iterator[bytes]:
    """The index in CDXJ, in the order that its readers expect."""
    for capture in exports.index(db, surt):
        stamp = "".join(c for c in capture.fetched_at if c.isdigit())[:14]
        mime = "warc/revisit" if capture.same_as else (capture.content_type or "unk").split(";")[0].strip()
        entry = {
            "url": capture.url, "mime": mime, "status": str(capture.status), "digest": capture.digest,
            "length": str(capture.length), "offset": str(capture.offset), "filename": capture.file,
        }  # fmt: skip
        yield f"{surt(capture.url)} {stamp} {json.dumps(entry, ensure_ascii=False)}\n".encode()


def _pages(db: Connection, article_id: int | None) -> Iterator[bytes]:
    """One page for each revision of each article, at the time of its capture."""
    yield b'{"format": "json-pages-1.0", "id": "pages", "title": "Articles"}\n'
    for revision_id, url, fetched_at, title in exports.pages(db, article_id):
        page = {"id": f"r{revision_id}", "url": url, "ts": fetched_at, "title": title}
        yield json.dumps(page, ensure_ascii=False).encode() + b"\n"
