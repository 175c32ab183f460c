"""How records of others are compressed: in gzip members, Zstandard or LZ4 frames, or not at all.

A unit, that is a member or frame, is often a record. `.warc.zst` is
https://iipc.github.io/warc-specifications/specifications/warc-zstd/: a skippable first frame may hold the dictionary of
all others.
"""

from __future__ import annotations

import lzma
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO

import lz4.frame

from locum_spider.errors import PageError
from locum_spider.importing.formats import begins_record, format_of
from locum_spider.warc.codings import unzstd, zstd_library

STREAM_FAULTS = (OSError, EOFError, ValueError, RuntimeError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
CHUNK = 1 << 16
_PIECE = 64
_AT_ONCE = 1 << 18
_SEARCHED = 1 << 20
_DICTIONARY_FRAME = (0x184D2A5D).to_bytes(4, "little")
_ZSTD = b"\x28\xb5\x2f\xfd"
_LZ4 = b"\x04\x22\x4d\x18"
_FIRST_BYTES = 1 << 12
_STEPS = (1 << 6, 1 << 10, 1 << 12, 1 << 22)
"""How much of a place that may be a unit is unpacked to see if it is one: most show in the first bytes."""
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
        return bytes(self._decoder.unused_data or b"")

    @abstractmethod
    def unpack(self, data: bytes, most: int = _AT_ONCE) -> bytes:
        """Unpack some data, to about `most` bytes at a time. Raises DamagedUnitError."""


@dataclass(frozen=True, slots=True)
class Compression:
    """A compression: what a unit is called and begins with, and how it is unpacked. Without `begin`, no compression.

    `enough` is how many packed bytes are sure to give the first unpacked ones.
    """

    unit: str
    magic: bytes = b""
    begin: Callable[[], Unit] | None = None
    enough: int = 0

    def begins_record(self, data: bytes, start: int = 0) -> bool:
        """Whether a unit begins at that byte that begins with a record."""
        if self.begin is None or not data.startswith(self.magic, start):
            return False
        unit, unpacked, done = self.begin(), b"", start
        for step in _STEPS:
            end, is_over = min(start + step, start + self.enough, len(data)), False
            try:
                unpacked += unit.unpack(data[done:end], _FIRST_BYTES)
            except DamagedUnitError as damaged:
                unpacked, is_over = unpacked + damaged.salvaged, True
            if begins_record(unpacked.lstrip(b"\r\n")):
                return True
            if is_over or unit.eof or end == done or len(unpacked) >= _FIRST_BYTES:
                return False
            done = end
        return False


class _GzipMember(Unit):
    def __init__(self) -> None:
        super().__init__(zlib.decompressobj(31))
        self._begun = False
        self._rest = b""

    def unpack(self, data: bytes, most: int = _AT_ONCE) -> bytes:
        data = self._rest + data
        before = self._decoder.copy() if self._begun else None
        self._begun = True
        try:
            unpacked = bytes(self._decoder.decompress(data, most))
        except zlib.error as error:
            raise DamagedUnitError(str(error), _salvage(before or zlib.decompressobj(31), data)) from None
        self._rest = self._decoder.unconsumed_tail
        self.has_more = not self.eof and (bool(self._rest) or len(unpacked) == most)
        return unpacked


def _salvage(inflate: zlib._Decompress, data: bytes) -> bytes:
    """What a damaged piece unpacks to before the damage."""
    out = bytearray()
    with suppress(zlib.error):
        for at in range(0, len(data), _PIECE):
            out += inflate.decompress(inflate.unconsumed_tail + data[at : at + _PIECE], _AT_ONCE)
    return bytes(out)


class _Frame(Unit):
    """A frame of a library whose decoders have the interface of Python's own."""

    def __init__(self, decoder: Any, error: type[Exception]) -> None:
        super().__init__(decoder)
        self._error = error

    def unpack(self, data: bytes, most: int = _AT_ONCE) -> bytes:
        try:
            unpacked = bytes(self._decoder.decompress(data, max_length=most))
        except self._error as error:
            raise DamagedUnitError(str(error)) from None
        self.has_more = not (self.eof or self._decoder.needs_input)
        return unpacked


def _zstd_frame(dictionary: Any = None) -> Unit:
    return _Frame(zstd_library().ZstdDecompressor(zstd_dict=dictionary), zstd_library().ZstdError)


def _lz4_frame() -> Unit:
    return _Frame(lz4.frame.LZ4FrameDecompressor(), RuntimeError)


PLAIN = Compression("byte")
GZIP = Compression("gzip member", b"\x1f\x8b\x08", _GzipMember, 1 << 12)
LZ4 = Compression("lz4 frame", _LZ4, _lz4_frame, 1 << 22)
_LONGEST_BLOCK = 1 << 17


def _zstd(dictionary: Any = None) -> Compression:
    return Compression("zstd frame", _ZSTD, partial(_zstd_frame, dictionary), 2 * _LONGEST_BLOCK)


def compression_of(stream: BinaryIO) -> Compression | None:
    """How a file is compressed; None if no record begins in its first megabyte. Raises UnreadableError."""
    start = _start(stream)
    if begins_record(start):
        return PLAIN
    if start.startswith(_DICTIONARY_FRAME):  # which may hold words of records uncompressed
        dictionary, end = _dictionary(stream, start)
        zstd = _zstd(dictionary)
        if next_unit(stream, zstd, end, _SEARCHED) is None:
            raise UnreadableError("nothing in it can be unpacked with its Zstandard dictionary")
        return zstd
    candidates = []
    for compression in (GZIP, _zstd(), LZ4):
        if compression.begins_record(start):
            return compression
        if (unit := next_unit(stream, compression, 0, _SEARCHED)) is not None:
            candidates.append((unit, compression))
    if plain := format_of(start).record.search(start):
        candidates.append((plain.start(), PLAIN))
    return min(candidates, key=lambda candidate: candidate[0])[1] if candidates else None


def _start(stream: BinaryIO) -> bytes:
    """The first megabyte, or what can be read of it: in a ZIP file, the file's own compression may be damaged."""
    try:
        stream.seek(0)
        return _read(stream, _SEARCHED)
    except STREAM_FAULTS as error:
        raise UnreadableError(f"it cannot be unpacked: {error}") from None


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
        _zstd_frame(dictionary)  # some damage shows only when it is used
        return dictionary, 8 + size
    except (zstd.ZstdError, PageError, *STREAM_FAULTS) as error:
        raise UnreadableError(f"its Zstandard dictionary is damaged: {error}") from None


def next_unit(stream: BinaryIO, compression: Compression, position: int, within: int | None = None) -> int | None:
    """Where the next unit begins that begins with a WARC record; None if there is none, or the file cannot be read."""
    end = None if within is None else position + within
    with suppress(*STREAM_FAULTS):
        while end is None or position < end:
            stream.seek(position)
            data = _read(stream, 2 * compression.enough)
            index = data.find(compression.magic)
            is_last = len(data) < 2 * compression.enough
            while 0 <= index < (len(data) if is_last else compression.enough):
                if compression.begins_record(data, index):
                    return position + index
                index = data.find(compression.magic, index + 1)
            if is_last:
                return None
            position += compression.enough
    return None


def _read(stream: BinaryIO, length: int) -> bytes:
    """That many bytes, or all to the end or to the first that cannot be read."""
    data = bytearray()
    try:
        while len(data) < length and (more := stream.read(min(length - len(data), CHUNK))):
            data += more
    except STREAM_FAULTS:
        if not data:
            raise
    return bytes(data)
