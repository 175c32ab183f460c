"""Our own WARC files read from their first byte to their last: records, and the visits and events they stand for.

The order of the records is the order in which they were stored, so whoever stores these steps in turn has the same
database again.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from locum_spider.items import Exchange, Visit
from locum_spider.warc.writer import EVENT, OPEN, VISIT, Broken, Location, Written, with_provenance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from locum_spider.items import Headers

FOREIGN = "import"
"""In `Locum-Visit`, the place of the frontier's row, where the capture was made by others."""

_GZIP_MEMBER = b"\x1f\x8b\x08"
_GZIP = 31
_CHUNK = 1 << 14
_RETRIED = frozenset({301, 302, 303, 307, 308, 408, 425, 429, 500, 502, 503, 504, 522, 524})
"""Answers that another one of the same visit follows, as a rule."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record with what the ledger says of it; header names as they were written."""

    written: Written
    headers: dict[str, str]
    block: bytes = field(repr=False)

    @property
    def end(self) -> int:
        return self.written.offset + self.written.length


@dataclass(frozen=True, slots=True)
class Event:
    """What a metadata record says: a crawl's begin, its end, a takedown."""

    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One exchange of a visit and where it lies. A `revisit` has no body: an earlier capture has it."""

    exchange: Exchange
    place: Location
    revisit: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """A visit as it was stored. `foreign`: made by others. `key`: the frontier's address, where no exchange says it."""

    site: str | None
    crawl_id: int
    request_id: int | None
    parts: tuple[Part, ...] = ()
    error: str | None = None
    refused: bool = False
    foreign: bool = False
    key: str | None = None

    def belongs_with(self, crawl_id: int, request_id: int | None) -> bool:
        """Whether records of that crawl and row of the frontier are of this visit; robots.txt has no row."""
        return request_id is not None and (self.crawl_id, self.request_id) == (crawl_id, request_id)

    @property
    def visit(self) -> Visit:
        """What the crawl handed to the recorder."""
        exchanges = tuple(part.exchange for part in self.parts)
        return Visit(self.crawl_id, self.request_id, exchanges, self.error, self.refused)


Step = Event | Stored


def warc_files(folder: Path) -> list[Path]:
    """The WARC files of an archive in the order they were written, open ones too."""
    found = [*folder.glob("*.warc.gz"), *folder.glob(f"*.warc.gz{OPEN}")]
    return sorted(found, key=lambda path: path.name.removesuffix(OPEN))


def read_records(path: Path, end: int | None = None) -> Iterator[Record | Broken]:
    """Every record of a file up to a byte, one gzip member each, in flat memory; what cannot be read in between."""
    name = path.name.removesuffix(OPEN)
    offset, size = 0, path.stat().st_size if end is None else end
    with path.open("rb") as file:
        while offset < size:
            file.seek(offset)
            try:
                raw, data = _member(file)
                yield _record(name, offset, raw, data)
                offset += len(raw)
            except ValueError as error:
                following = _next_member(path, offset + 1)
                yield Broken(offset, f"{error}; {(following or size) - offset:,} bytes are passed over")
                offset = following or size


def _member(file: Any) -> tuple[bytes, bytes]:
    """The gzip member at a file's position, as it stands and unpacked."""
    unpacker = zlib.decompressobj(_GZIP)
    raw, data = [], []
    while not unpacker.eof:
        chunk = file.read(_CHUNK)
        if not chunk:
            raise ValueError("the record is cut short")
        try:
            data.append(unpacker.decompress(chunk))
        except zlib.error as error:
            raise ValueError(f"the record is damaged ({error})") from None
        raw.append(chunk)
    rest = len(unpacker.unused_data)
    if rest:
        raw[-1] = raw[-1][:-rest]
    return b"".join(raw), b"".join(data)


def _record(name: str, offset: int, raw: bytes, data: bytes) -> Record:
    head, separator, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    length = headers.get("Content-Length", "")
    if not separator or not lines[0].startswith("WARC/1") or not length.isdigit() or len(rest) < int(length):
        raise ValueError("what stands there is no whole WARC record")
    kind = headers.get("WARC-Type", "")
    written = Written(name, offset, len(raw), kind, hashlib.sha256(raw).hexdigest())
    return Record(written, headers, rest[: int(length)])


def _next_member(path: Path, position: int) -> int | None:
    """Where the next member that can be unpacked begins."""
    overlap = len(_GZIP_MEMBER) - 1
    with path.open("rb") as file:
        while True:
            file.seek(position)
            data = file.read(_CHUNK)
            if len(data) <= overlap:
                return None
            found = data.find(_GZIP_MEMBER)
            if found >= 0 and _begins_record(file, position + found):
                return position + found
            position += found + 1 if found >= 0 else len(data) - overlap


def _begins_record(file: Any, offset: int) -> bool:
    file.seek(offset)
    try:
        return zlib.decompressobj(_GZIP).decompress(file.read(_CHUNK), 8).startswith(b"WARC/1")
    except zlib.error:
        return False


# -- records to steps ---------------------------------------------------------------------------------------------


class Steps:
    """Puts the records of one file together to steps. `take` gives those that a record completes."""

    def __init__(self) -> None:
        self._open: Stored | None = None
        self.begin = 0
        """Where the visit begins that is still being put together."""

    def take(self, record: Record) -> Iterator[Step]:
        """The steps that are whole now that this record has come."""
        kind = record.written.type
        if kind in {"response", "revisit"}:
            yield from self._exchange(record)
        elif kind == "metadata" and record.headers.get("Content-Type") == EVENT:
            yield from self._event(json.loads(record.block))

    def rest(self) -> Iterator[Step]:
        """What the last records of a file stand for."""
        if self._open is not None:
            yield self._open
            self._open = None

    @property
    def unsettled(self) -> bool:
        """Whether the last visit looks as if more was to come: nothing says that it was ever acknowledged."""
        return self._open is not None and self._open.parts[-1].exchange.status in _RETRIED

    def _exchange(self, record: Record) -> Iterator[Step]:
        name = record.headers.get(VISIT, "").split(" ")
        if len(name) != 3 or not name[1].isdigit():
            yield from self.rest()
            return
        crawl_id, request_id = int(name[1]), int(name[2]) if name[2].isdigit() else None
        part = Part(exchange_of(record), _place(record), record.written.type == "revisit")
        if self._open is not None and self._open.belongs_with(crawl_id, request_id):
            self._open = replace(self._open, parts=(*self._open.parts, part))
            return
        yield from self.rest()
        self.begin = record.written.offset
        self._open = Stored(name[0], crawl_id, request_id, (part,), foreign=name[2] == FOREIGN)

    def _event(self, data: dict[str, Any]) -> Iterator[Step]:
        if data.get("event") != "visit-failed":
            yield from self.rest()
            yield Event(data)
            return
        crawl_id, request_id = data["crawl_id"], data["request_id"]
        if self._open is None or not self._open.belongs_with(crawl_id, request_id):
            yield from self.rest()
            self._open = Stored(None, crawl_id, request_id)
        error, refused = data.get("error"), bool(data.get("refused"))
        self._open = replace(self._open, error=error, refused=refused, key=data.get("url"))
        yield from self.rest()


def _place(record: Record) -> Location:
    at = record.written
    return Location(at.file, at.offset, at.length, record.headers.get("WARC-Payload-Digest", ""))


def exchange_of(record: Record) -> Exchange:
    """The response in a record, its headers byte for byte; a revisit has no body of its own."""
    head, _, body = record.block.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    protocol, _, rest = first.decode("latin-1").partition(" ")
    exchange = Exchange(
        url=record.headers.get("WARC-Target-URI", ""), method="GET", request_headers=(),
        status=int(rest[:3]) if rest[:3].isdigit() else 0, response_headers=_pairs(lines), body=body,
        fetched_at=record.headers.get("WARC-Date", ""), protocol=protocol, ip=record.headers.get("WARC-IP-Address"),
    )  # fmt: skip
    return with_provenance(exchange, record.headers.get)


def _pairs(lines: Iterable[bytes]) -> Headers:
    pairs = (line.partition(b": ") for line in lines)
    return tuple((name, value) for name, separator, value in pairs if separator)
