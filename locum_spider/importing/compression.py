"""How the records of a WARC are compressed: in gzip members, Zstandard frames, or not at all. A unit is often a record.

`.warc.zst` is https://iipc.github.io/warc-specifications/specifications/warc-zstd/: a skippable
first frame may hold the dictionary of all others.
"""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

from locum_spider.errors import PageError
from locum_spider.warc.codings import unzstd, zstd_library

NEXT_RECORD = re.compile(rb"WARC/[01]\.\d+\r?\n(?=[A-Za-z-]+:)")
STREAM_FAULTS = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
CHUNK = 1 << 16
_PIECE = 64
_AT_ONCE = 1 << 20
_SEARCHED = 1 << 20
_DICTIONARY_FRAME = (0x184D2A5D).to_bytes(4, "little")
_ZSTD = b"\x28\xb5\x2f\xfd"
_LARGEST_DICTIONARY = 1 << 26  # eight times what the specification asks of a reader


class DamagedUnitError(Exception):
    """Raised when data cannot be unpacked any further; `salvaged` is what comes before the damage."""

    def __init__(self, fault: str, salvaged: bytes = b"") -> None:
        super().__init__(fault)
        self.salvaged = salvaged


class UnreadableError(Exception):
    """Raised if nothing of a file can be unpacked: its compression, or the dictionary at its start, is damaged."""


class Unit(ABC):
    """A gzip member or frame that is being unpacked."""

    has_more = False
    """Whether more can be unpacked before more is given."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder

    @property
    def eof(self) -> bool:
        """Whether its end was reached."""
        return bool(self._decoder.eof)

    @property
    def unused(self) -> bytes:
        """What was given beyond its end."""
        return bytes(self._decoder.unused_data)

    @abstractmethod
    def unpack(self, data: bytes) -> bytes:
        """Unpack some data. Raises DamagedUnitError."""


@dataclass(frozen=True, slots=True)
class Compression:
    """A compression: what a unit is called and begins with, and how it is unpacked. Without `begin`, no compression.

    `enough` is how many packed bytes are sure to give the first unpacked ones.
    """

    unit: str
    magic: bytes = b""
    begin: Callable[[], Unit] | None = None
    enough: int = 0

    def begins_record(self, data: bytes) -> bool:
        """Whether a unit begins there that begins with a record."""
        if self.begin is None or not data.startswith(self.magic):
            return False
        try:
            return self.begin().unpack(data[: self.enough]).lstrip(b"\r\n").startswith(b"WARC/")
        except DamagedUnitError as damaged:
            return damaged.salvaged.lstrip(b"\r\n").startswith(b"WARC/")


class _GzipMember(Unit):
    def __init__(self) -> None:
        super().__init__(zlib.decompressobj(31))
        self._begun = False

    def unpack(self, data: bytes) -> bytes:
        before = self._decoder.copy() if self._begun else None
        self._begun = True
        try:
            return bytes(self._decoder.decompress(data))
        except zlib.error as error:
            raise DamagedUnitError(str(error), _salvage(before or zlib.decompressobj(31), data)) from None


def _salvage(inflate: zlib._Decompress, data: bytes) -> bytes:
    """What a damaged piece unpacks to before the damage."""
    out = bytearray()
    with suppress(zlib.error):
        for at in range(0, len(data), _PIECE):
            out += inflate.decompress(data[at : at + _PIECE])
    return bytes(out)


class _ZstdFrame(Unit):
    def __init__(self, dictionary: Any = None) -> None:
        super().__init__(zstd_library().ZstdDecompressor(zstd_dict=dictionary))

    def unpack(self, data: bytes) -> bytes:
        try:
            unpacked = bytes(self._decoder.decompress(data, max_length=_AT_ONCE))
        except zstd_library().ZstdError as error:
            raise DamagedUnitError(str(error)) from None
        self.has_more = not (self.eof or self._decoder.needs_input)
        return unpacked


PLAIN = Compression("byte")
GZIP = Compression("gzip member", b"\x1f\x8b\x08", _GzipMember, 1 << 14)
_LONGEST_BLOCK = 1 << 17


def _zstd(dictionary: Any = None) -> Compression:
    return Compression("zstd frame", _ZSTD, partial(_ZstdFrame, dictionary), 2 * _LONGEST_BLOCK)


def compression_of(stream: BinaryIO) -> Compression | None:
    """How a file is compressed; None if no record begins in its first megabyte. Raises UnreadableError."""
    start = _start(stream)
    if start.startswith(b"WARC/"):
        return PLAIN
    if start.startswith(_DICTIONARY_FRAME):  # which may hold words of records uncompressed
        dictionary, end = _dictionary(stream, start)
        zstd = _zstd(dictionary)
        if next_unit(stream, zstd, end, _SEARCHED) is None:
            raise UnreadableError("nothing in it can be unpacked with its Zstandard dictionary")
        return zstd
    candidates = []
    for compression in (GZIP, _zstd()):
        if compression.begins_record(start):
            return compression
        if (unit := next_unit(stream, compression, 0, _SEARCHED)) is not None:
            candidates.append((unit, compression))
    if plain := NEXT_RECORD.search(start):
        candidates.append((plain.start(), PLAIN))
    return min(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def _start(stream: BinaryIO) -> bytes:
    """The first megabyte, or what can be read of it: in a ZIP file, the file's own compression may be damaged."""
    start = bytearray()
    try:
        stream.seek(0)
        while len(start) < _SEARCHED and (more := stream.read(CHUNK)):
            start += more
    except STREAM_FAULTS as error:
        if not start:
            raise UnreadableError(f"it cannot be unpacked: {error}") from None
        # Else the next read reports it.
    return bytes(start)


def _dictionary(stream: BinaryIO, start: bytes) -> tuple[Any, int]:
    """The dictionary of a file's frames, and where its frame ends."""
    size = int.from_bytes(start[4:8], "little")
    if size > _LARGEST_DICTIONARY:
        raise UnreadableError(f"its Zstandard dictionary is too large: {size:,} bytes")
    zstd = zstd_library()
    try:
        stream.seek(8)
        data = stream.read(size)
        if data.startswith(_ZSTD):
            data = unzstd(data, limit=_LARGEST_DICTIONARY)
        dictionary = zstd.ZstdDict(data)
        _ZstdFrame(dictionary)  # some damage shows only when it is used
        return dictionary, 8 + size
    except (zstd.ZstdError, PageError, *STREAM_FAULTS) as error:
        raise UnreadableError(f"its Zstandard dictionary is damaged: {error}") from None


def next_unit(stream: BinaryIO, compression: Compression, position: int, within: int | None = None) -> int | None:
    """Where the next unit begins that begins with a WARC record; None if there is none, or the file cannot be read."""
    end = None if within is None else position + within
    with suppress(*STREAM_FAULTS):
        while end is None or position < end:
            stream.seek(position)
            data = stream.read(CHUNK)
            index = data.find(compression.magic)
            while index >= 0:
                candidate = data[index : index + compression.enough]
                if len(candidate) < compression.enough:
                    stream.seek(position + index)
                    candidate = stream.read(compression.enough)
                if compression.begins_record(candidate):
                    return position + index
                index = data.find(compression.magic, index + 1)
            if len(data) < len(compression.magic):
                return None
            position += len(data) - len(compression.magic) + 1
    return None
