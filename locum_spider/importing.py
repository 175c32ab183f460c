"""Captures made by others (wget, Heritrix, Browsertrix, Common Crawl, the Wayback Machine) into the archive."""

from __future__ import annotations

import sqlite3
import zipfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from locum_spider.errors import LocumError, UsageError
from locum_spider.foreign import PassedOver, Revisit, is_warc, read_foreign
from locum_spider.recorder.interpret import Reading, interpret
from locum_spider.recorder.recorder import Recorder
from locum_spider.sites import load_sites
from locum_spider.store.connection import disk_error, writer_lock
from locum_spider.warc import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from locum_spider.extract.site import Site
    from locum_spider.items import Exchange
    from locum_spider.recorder.ingest import Crawl

_BATCH = 64
_HEADS = 1_000_000
"""What a record may have beside its body, in bytes."""


@dataclass(slots=True)
class Imported:
    """What an import did with one file: outcomes of its captures, records of no declared site, what was broken.

    `bodiless` counts revisits whose body is nowhere: neither in the archive nor before them in the files.
    """

    file: str
    outcomes: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    bodiless: int = 0
    broken: list[str] = field(default_factory=list)


def import_files(
    archive: Path, files: list[Path], *, on_progress: Callable[[Imported], None] | None = None
) -> list[Imported]:
    """Take the responses of declared sites out of WARC, WARC.gz and WACZ files into the archive.

    Streamed: memory does not grow with a file. A capture that the archive has already is passed over, so an import
    that was cut short is simply run again. Broken records are reported and skipped. Raises UsageError for a file
    that is none of these, before anything is written.
    """
    for path in files:
        _check(path)
    sites = list(load_sites(archive).values())
    with writer_lock(archive):
        recorder = Recorder(archive)
        session = _Session(recorder, sites)
        try:
            results = [session.run(path, on_progress) for path in files]
            session.end()
            recorder.close()
        except (OSError, sqlite3.Error) as error:
            raise disk_error(error, archive) or LocumError(f"{archive}: cannot be written: {error}") from None
        finally:
            recorder.db.close()
        return results


class _Session:
    """One import run: a crawl row for each site of which something is stored."""

    def __init__(self, recorder: Recorder, sites: list[Site]) -> None:
        self._recorder, self._sites = recorder, sites
        self._limit = max((site.crawl.max_bytes for site in sites), default=0) + _HEADS
        self._digests: dict[str, str] = {}
        self._crawls: dict[str, Crawl] = {}
        self._batch: list[tuple[Crawl, Exchange, Reading]] = []

    def run(self, path: Path, on_progress: Callable[[Imported], None] | None) -> Imported:
        imported = Imported(path.name)
        for name, stream in _streams(path):
            if isinstance(stream, str):
                imported.broken.append(f"{name}: {stream}")
                continue
            found = read_foreign(stream, wanted=self._is_ours, limit=self._limit, digests=self._digests)
            for each in found:
                if isinstance(each, Broken):
                    imported.broken.append(f"{name}, byte {each.offset:,}: {each.fault}")
                elif isinstance(each, PassedOver):
                    imported.elsewhere[_host(each.url)] += 1
                else:
                    self._take(each, imported)
                if on_progress is not None:
                    on_progress(imported)
        self._flush(imported)
        return imported

    def end(self) -> None:
        """Note what each site got."""
        for crawl in self._crawls.values():
            self._recorder.end_import(crawl)

    def _site(self, url: str) -> Site | None:
        return next((site for site in self._sites if site.owns(url)), None)

    def _is_ours(self, url: str) -> bool:
        return self._site(url) is not None

    def _take(self, found: Exchange | Revisit, imported: Imported) -> None:
        if isinstance(found, Revisit) or found.status == HTTPStatus.NOT_MODIFIED:
            self._flush(imported)  # the body it stands for may be the one that came just before
        exchange = self._recorder.with_body(found) if isinstance(found, Revisit) else found
        if exchange is None:
            imported.bodiless += 1
            return
        if self._recorder.is_known(exchange):
            imported.outcomes["known"] += 1
            return
        site = self._site(exchange.url)
        assert site is not None  # noqa: S101 - only what is wanted is read
        if site.name not in self._crawls:
            self._flush(imported)
            self._crawls[site.name] = self._recorder.begin_import(site)
        reading = interpret(site, self._recorder.to_read(exchange))
        self._batch.append((self._crawls[site.name], exchange, reading))
        if len(self._batch) >= _BATCH:
            self._flush(imported)

    def _flush(self, imported: Imported) -> None:
        if self._batch:
            imported.outcomes.update(self._recorder.record_foreign(self._batch))
            self._batch = []


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "?").removeprefix("www.")
    except ValueError:
        return "?"


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            is_zip = file.read(4) == b"PK\x03\x04"
            readable = is_zip or is_warc(file)
    except OSError as error:
        raise UsageError(f"{path}: cannot be opened: {error.strerror}") from None
    if not readable:
        raise UsageError(f"{path}: neither WARC, WARC.gz nor WACZ; name files that hold captures")
    if is_zip and not _members(path):
        raise UsageError(f"{path}: a ZIP file without WARCs in it; a WACZ has them in archive/")


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as container:
            return [name for name in container.namelist() if name.endswith((".warc", ".warc.gz"))]
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not readable as a WACZ: {error}") from None


def _streams(path: Path) -> Iterator[tuple[str, BinaryIO | str]]:
    """The WARCs of a file, itself or those inside a WACZ, each with its name; why one cannot be read in its place."""
    with path.open("rb") as stream:
        if stream.read(4) != b"PK\x03\x04":
            yield path.name, stream
            return
    with zipfile.ZipFile(path) as container:
        for name in _members(path):
            try:
                member = container.open(name)
            except (OSError, RuntimeError, zipfile.BadZipFile) as error:
                yield f"{path.name}/{name}", f"cannot be unpacked: {error}"
                continue
            member._expected_crc = None  # type: ignore[attr-defined]  # noqa: SLF001 - else one flipped bit takes all
            with closing(member):
                yield f"{path.name}/{name}", cast("BinaryIO", member)
