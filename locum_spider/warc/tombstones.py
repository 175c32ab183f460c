"""What stands in a WARC file in place of a removed record: a record of exactly its length that says why it is gone.

It is made of the same bytes every time, so that a takedown cut short can be finished later.
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
from locum_spider.warc.reader import locate

TOMBSTONE = "application/vnd.locum-spider.tombstone+json"
_STORED = 65_535
_COMMENT = 0x10


def tombstone(file: str, offset: int, length: int, *, at: str, reason: str) -> bytes:
    """One gzip member of that length with a metadata record. A reason that does not fit is cut short.

    Raises ValueError where not even a record without a reason fits; `shortest` says how long that is.

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
    """Write tombstones over what lies in their places, down to the disk; `places` are in order.

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
    """Bytes that a tombstone takes at least."""
    return _member_length(_record(uuid.UUID(int=0), "2026-11-22T05:22:00Z", b"{}"))


def read_json_member(member: bytes) -> dict[str, Any]:
    """The JSON block of a metadata record. Raises ValueError where the bytes are none."""
    try:
        _, _, block = zlib.decompress(member, 31).partition(b"\r\n\r\n")
        value = json.loads(block)
    except (zlib.error, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
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
    """Blanks behind the JSON fill all but a few bytes; a comment in the gzip header, which may be long in no reader's
    eyes, fills those."""
    spare = length - _member_length(_record(record_id, at, block))
    while _member_length(content := _record(record_id, at, block + b" " * spare)) > length:
        spare -= _member_length(content) - length
    rest = length - _member_length(content)
    header = bytes([0x1F, 0x8B, 8, _COMMENT if rest else 0, 0, 0, 0, 0, 0, 255])
    comment = b"\0".rjust(rest, b" ") if rest else b""
    trailer = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return header + comment + _stored(content) + trailer


def _stored(content: bytes) -> bytes:
    """A deflate stream that only copies: the same bytes whatever version of zlib is at hand."""
    parts = []
    for start in range(0, len(content), _STORED):
        part = content[start : start + _STORED]
        last = start + _STORED >= len(content)
        parts.append(struct.pack("<?HH", last, len(part), len(part) ^ 0xFFFF) + part)
    return b"".join(parts)


def removal_facts(removed: str) -> dict[str, Any]:
    """What the ledger says of a removed record (`reason`, `at`, `digest`, `member`); nothing if that is damaged."""
    try:
        value = json.loads(removed)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def tombstone_digest(removed: str | None) -> str | None:
    """Digest of what a takedown put in a record's place, out of the ledger's `removed`; None if there is none."""
    digest = removal_facts(removed).get("digest") if removed is not None else None
    return digest if isinstance(digest, str) else None
