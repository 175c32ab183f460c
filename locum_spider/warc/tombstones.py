"""Tombstones: records that replace a removed one in a WARC file, of the same length, and say why it is gone.

Its bytes are the same every time, so that a takedown that was interrupted can be finished later.
"""

from __future__ import annotations

import json
import struct
import uuid
import zlib
from collections.abc import Iterable
from itertools import chain, groupby
from pathlib import Path
from typing import Any, NamedTuple

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import IntegrityError
from locum_spider.system import sync
from locum_spider.warc.reader import TOMBSTONE, locate

_STORED = 65_535
_COMMENT = 0x10


def tombstone(file: str, offset: int, length: int, *, at: str, reason: str) -> bytes:
    """A metadata record in a gzip member of that length. A reason that does not fit is shortened.

    Raises ValueError if not even a record without a reason fits; `shortest` is its length.

    >>> member = tombstone("a.warc.gz", 120, 500, at="2026-11-22T05:22:00Z", reason="by order of a court")
    >>> len(member), json.loads(zlib.decompress(member, 31).split(b"\\r\\n\\r\\n")[1])
    (500, {'removed': 'by order of a court'})
    """
    record_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{file} {offset} {length} {at}")
    shorter = (_block(reason[:end] + "…") for end in range(min(len(reason), length), 0, -1))
    for block in chain((_block(reason),), shorter, (b"{}",)):
        if _member_length(_record(record_id, at, block)) <= length:
            return _pad(record_id, at, block, length)
    raise ValueError(f"{file}: {length} bytes at byte {offset:,} are too few for a tombstone")


class Place(NamedTuple):
    """Where a tombstone belongs and what it says."""

    file: str
    offset: int
    length: int
    at: str
    reason: str


def write_tombstones(folder: Path, places: Iterable[Place]) -> None:
    """Write tombstones over the records in their places, and sync the files; `places` are in order.

    Raises IntegrityError if a file is missing or too short.
    """
    for name, group in groupby(places, key=lambda place: place.file):
        path = locate(folder, name)
        size = path.stat().st_size
        with path.open("r+b") as file:
            for place in group:
                if place.offset + place.length > size:
                    raise IntegrityError(f"{path} ends before byte {place.offset:,}; restore it from a backup")
                file.seek(place.offset)
                file.write(tombstone(*place[:3], at=place.at, reason=place.reason))
                checkpoint("takedown-record")
            file.flush()
            sync(file.fileno())


def shortest() -> int:
    """The length of the shortest tombstone, in bytes."""
    return _member_length(_record(uuid.UUID(int=0), "2026-11-22T05:22:00Z", b"{}"))


def read_json_member(member: bytes) -> dict[str, Any]:
    """The JSON block of a metadata record. Raises ValueError if there is none."""
    try:
        _, _, block = zlib.decompress(member, 31).partition(b"\r\n\r\n")
        value = json.loads(block)
    except (zlib.error, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _block(reason: str) -> bytes:
    return json.dumps({"removed": reason}, ensure_ascii=False).encode()


def _record(record_id: uuid.UUID, at: str, block: bytes) -> bytes:
    head = (
        f"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:uuid:{record_id}>\r\nWARC-Date: {at}\r\n"
        f"Content-Type: {TOMBSTONE}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def _member_length(content: bytes) -> int:
    """Length of a gzip member that holds its content uncompressed."""
    return 18 + 5 * max(1, -(-len(content) // _STORED)) + len(content)


def _pad(record_id: uuid.UUID, at: str, block: bytes, length: int) -> bytes:
    """Fill all but a few bytes with blanks behind the JSON, and those with a comment in the gzip header, which must
    be short for some readers."""
    spare = length - _member_length(_record(record_id, at, block))
    while _member_length(content := _record(record_id, at, block + b" " * spare)) > length:
        spare -= _member_length(content) - length
    rest = length - _member_length(content)
    header = bytes([0x1F, 0x8B, 8, _COMMENT if rest else 0, 0, 0, 0, 0, 0, 255])
    comment = b"\0".rjust(rest, b" ") if rest else b""
    trailer = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return header + comment + _stored(content) + trailer


def _stored(content: bytes) -> bytes:
    """A deflate stream that only copies: the same bytes with every version of zlib."""
    parts = []
    for start in range(0, len(content), _STORED):
        part = content[start : start + _STORED]
        last = start + _STORED >= len(content)
        parts.append(struct.pack("<?HH", last, len(part), len(part) ^ 0xFFFF) + part)
    return b"".join(parts)


def removal_facts(removed: str) -> dict[str, Any]:
    """What the ledger says of a removed record (`reason`, `at`, `digest`, `member`); empty if that is damaged."""
    try:
        value = json.loads(removed)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def tombstone_digest(removed: str | None) -> str | None:
    """Digest of the tombstone of a record, from the ledger's `removed`; None if there is none."""
    digest = removal_facts(removed).get("digest") if removed is not None else None
    return digest if isinstance(digest, str) else None
