"""Reads our own WARC files: one record at a place, or all in order."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from locum_spider.errors import IntegrityError
from locum_spider.items import Exchange, LedgerEntry, Source
from locum_spider.warc.wire import read_head

OPEN = ".open"
"""Follows the name of a file that is being written."""

VISIT = "Locum-Visit"
"""The header that says to which visit a record belongs: `SITE CRAWL REQUEST`."""

HEAD = "Locum-Head"
"""The header of a file's first record that says which head the ledger had before it, `NUMBER:CHAIN`."""

SOFTWARE = "locum-spider"
"""What the first record of our files names as its software."""

TOMBSTONE = "application/vnd.locum-spider.tombstone+json"
"""The content type of records that replace a removed one."""

STATED_DIGEST = "Locum-Stated-Digest"
"""The header of a capture by others that has another digest than its writer states."""

EVENT = "application/vnd.locum-spider.event+json"
"""The content type of records of events, what happens beside the exchanges."""


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


def read_exchange(folder: Path, name: str, offset: int) -> Exchange:
    """The capture of the response record at an offset, without its request headers.

    Raises IntegrityError if no response record can be read there, or if its body is not the one that was written.
    """
    with open_warc(folder, name) as file:
        file.seek(offset)
        try:
            record = _record(name, offset, *_member(file))
        except ValueError as error:
            raise IntegrityError(f"{folder / name}: no record can be read at byte {offset:,}: {error}") from None
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


def digest_at(folder: Path, entry: LedgerEntry) -> str:
    """The sha256 of what lies in a record's place. Raises IntegrityError if its file is missing."""
    with open_warc(folder, entry.file) as file:
        file.seek(entry.offset)
        return hashlib.sha256(file.read(entry.length)).hexdigest()


def is_ours(path: Path) -> bool:
    """Whether this program wrote a WARC file; no if nothing in it can be read."""
    for record in read_records(path):
        if isinstance(record, Broken):
            continue
        kind, content_type = record.entry.type, record.headers.get("Content-Type", "")
        if kind == "warcinfo":
            return f"software: {SOFTWARE}/".encode() in record.block
        if kind == "metadata":
            return content_type in {EVENT, TOMBSTONE}
        if kind != "request":
            return VISIT in record.headers
    return False


def read_records(path: Path, end: int | None = None, start: int = 0) -> Iterator[Record | Broken]:
    """Every record of a file from byte `start` to `end`, and its broken places, in order and in flat memory."""
    name = path.name.removesuffix(OPEN)
    offset, size = start, path.stat().st_size if end is None else end
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
    head = read_head(record.block)
    header = record.headers.get
    uri = header("WARC-Source-URI")
    return Exchange(
        url=header("WARC-Target-URI", ""), method="GET", request_headers=(), status=head.status if head else 0,
        response_headers=head.headers if head else (), body=record.block[head.end :] if head else record.block,
        fetched_at=header("WARC-Date", ""), protocol=head.protocol if head else "", ip=header("WARC-IP-Address"),
        source=None if uri is None else Source(uri, header("WARC-Creation-Date")), truncated=header("WARC-Truncated"),
        response_head=head.raw if head else None,
        stated_digest=header(STATED_DIGEST),
    )  # fmt: skip
