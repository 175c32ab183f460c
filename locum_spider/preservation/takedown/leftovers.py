"""Looks through every file of an archive's folder that a takedown does not rewrite: what it left there is named."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from locum_spider.preservation.takedown.mentions import MentionFinder
from locum_spider.store.files import DATABASE, NEW, OLD

_CHUNK = 1 << 20
_OVERLAP = 1 << 12
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_REWRITTEN = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")


def leftovers(folder: Path, finder: MentionFinder, rewritten: Iterable[str]) -> list[Path]:
    """The files in a folder that still name an article, or that cannot be looked into.

    An older database is always one of them. `rewritten` are the names of the WARC files that the takedown went through.
    """
    done = {*_REWRITTEN, *rewritten}
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in done)
    return [path for path in paths if path.name in {OLD, NEW} or _may_hold(path, finder)]


def _may_hold(path: Path, finder: MentionFinder) -> bool:
    try:
        return any(finder.names(b"\r\n\r\n\r\n\r\n" + piece, "") for piece in _pieces(path))
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError):
        return True  # damaged, encrypted or packed in an unknown way: what cannot be read may hold it


def _pieces(path: Path) -> Iterator[bytes]:
    """What a file holds, unpacked if it is packed, in pieces that overlap: a name may stand on the edge of one."""
    with path.open("rb") as file:
        start = file.read(len(_ZIP))
        file.seek(0)
        if start != _ZIP:
            yield from _overlapping(_unpacked(iter(lambda: file.read(_CHUNK), b"")))
            return
        with zipfile.ZipFile(file) as package:
            for name in package.namelist():
                with package.open(name) as member:
                    yield from _overlapping(_unpacked(iter(lambda: member.read(_CHUNK), b"")))


def _overlapping(pieces: Iterable[bytes]) -> Iterator[bytes]:
    before = b""
    for piece in pieces:
        whole = before + piece
        yield whole
        before = whole[-_OVERLAP:]


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a file; of one in gzip, its members unpacked up to the first damage."""
    inflate = None
    for chunk in chunks:
        if inflate is None and not chunk.startswith(_GZIP):
            yield chunk
            continue
        rest = chunk
        while rest:
            inflate = zlib.decompressobj(31) if inflate is None or inflate.eof else inflate
            try:
                yield inflate.decompress(rest, _CHUNK)
            except zlib.error:
                yield rest
                break
            rest = inflate.unconsumed_tail or inflate.unused_data
