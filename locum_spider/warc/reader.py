"""Reads our own WARC files: one record at a place, or all in order."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from locum_spider.errors import IntegrityError
from locum_spider.items import Exchange, Headers, LedgerEntry, Source

OPEN = ".open"
"""Follows the name of a file that is being written."""

VISIT = "Locum-Visit"
"""The header that says to which visit a record belongs: `SITE CRAWL REQUEST`."""

EVENT = "application/vnd.locum-spider.event+json"
"""The content type of records of events, what happens beside the exchanges."""


def with_provenance(exchange: Exchange, header: Callable[[str], str | None]) -> Exchange:
    """An exchange with source and truncation from the headers of its record; `header` gives the value of one."""
    uri, truncated = header("WARC-Source-URI"), header("WARC-Truncated")
    if uri is None and truncated is None:
        return exchange
    source = Source(uri, header("WARC-Creation-Date")) if uri is not None else None
    return replace(exchange, source=source, truncated=truncated)


def locate(folder: Path, name: str) -> Path:
    """The file of that name, closed or still open. Raises IntegrityError if there is none."""
    for path in (folder / name, folder / (name + OPEN)):
        if path.exists():
            return path
    raise IntegrityError(f"{folder / name} is missing; restore it from a backup, then run `locum verify`")


def open_warc(folder: Path, name: str) -> BinaryIO:
    """The file of that name, opened for reading. Raises IntegrityError if there is none."""
    try:
        return locate(folder, name).open("rb")
    except FileNotFoundError:  # a crawl has just closed it, so it has its final name now
        return locate(folder, name).open("rb")


def read_record(folder: Path, name: str, offset: int) -> Record:
    """The record at an offset of a file. Raises IntegrityError if none can be read there."""
    with open_warc(folder, name) as file:
        file.seek(offset)
        try:
            return _record(name, offset, *_member(file))
        except ValueError as error:
            raise IntegrityError(f"{folder / name}: no record can be read at byte {offset:,}: {error}") from None


def read_exchange(folder: Path, name: str, offset: int) -> Exchange:
    """The capture of the response record at an offset, without its request headers.

    Raises IntegrityError if no response record can be read there, or if its body is not the one that was written.
    """
    record = read_record(folder, name, offset)
    if record.entry.type != "response":
        raise IntegrityError(f"{folder / name}: the record at byte {offset:,} is a {record.entry.type}, not a response")
    exchange = exchange_of(record)
    if exchange.digest != record.headers.get("WARC-Payload-Digest"):
        raise IntegrityError(f"{folder / name}: the response record at byte {offset:,} is damaged; run `locum verify`")
    return exchange


@dataclass(frozen=True, slots=True)
class Broken:
    """A place in a WARC that cannot be read: byte in the file, and why."""

    offset: int
    fault: str


_GZIP_MEMBER = b"\x1f\x8b\x08"
_GZIP = 31
_CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class Record:
    """One record with its ledger entry; header names as written."""

    entry: LedgerEntry
    headers: dict[str, str]
    block: bytes = field(repr=False)

    @property
    def end(self) -> int:
        return self.entry.end


def warc_files(folder: Path) -> list[Path]:
    """The WARC files of an archive, open ones too, in the order of writing."""
    paths = [*folder.glob("*.warc.gz"), *folder.glob(f"*.warc.gz{OPEN}")]
    return sorted(paths, key=lambda path: path.name.removesuffix(OPEN))


def read_records(path: Path, end: int | None = None) -> Iterator[Record | Broken]:
    """Every record of a file up to byte `end`, and its broken places, in order and in flat memory."""
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
    """The gzip member at a file's position, packed and unpacked."""
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
        raise ValueError("it is not a whole WARC record")
    kind = headers.get("WARC-Type", "")
    entry = LedgerEntry(name, offset, len(raw), kind, hashlib.sha256(raw).hexdigest())
    return Record(entry, headers, rest[: int(length)])


def _next_member(path: Path, position: int) -> int | None:
    """Where the next member begins that can be unpacked; None if there is none."""
    overlap = len(_GZIP_MEMBER) - 1
    with path.open("rb") as file:
        while True:
            file.seek(position)
            data = file.read(_CHUNK)
            if len(data) <= overlap:
                return None
            index = data.find(_GZIP_MEMBER)
            if index >= 0 and _begins_record(file, position + index):
                return position + index
            position += index + 1 if index >= 0 else len(data) - overlap


def _begins_record(file: Any, offset: int) -> bool:
    file.seek(offset)
    try:
        return zlib.decompressobj(_GZIP).decompress(file.read(_CHUNK), 8).startswith(b"WARC/1")
    except zlib.error:
        return False


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
