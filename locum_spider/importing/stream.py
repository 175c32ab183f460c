"""The uncompressed bytes of a file of records, of any writer, damaged anywhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import BinaryIO, NamedTuple

from locum_spider.importing import compression
from locum_spider.importing.compression import STREAM_FAULTS, DamagedUnitError, Unit

_FIRST_PIECE = 1 << 12
_MOST_TIMES = 200
_FREE = 1 << 26
"""A file may unpack to that many bytes, and beyond to `_MOST_TIMES` its size; no archive of pages comes near."""


class Mark(NamedTuple):
    """A place: byte of the file where a unit of its compression begins, and byte of what the unit unpacks to."""

    unit: int
    inside: int


class Unpacked:
    """The uncompressed bytes of a file, one stretch without damage at a time. Raises UnreadableError.

    `buffer` holds what was unpacked and not yet let go; `fault` is why the stretch ends, "" at the end of the file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._compression = compression.compression_of(stream) or compression.PLAIN
        self.packed = self._compression is not compression.PLAIN
        self._credit = _FREE
        self.go_to(Mark(0, 0))

    def go_to(self, mark: Mark) -> None:
        """Read on from a place."""
        self.buffer = bytearray()
        self.fault: str | None = None
        self._start = 0  # of the buffer, in bytes unpacked since this call
        self._raw, self._next = b"", 0
        self._raw_at = mark.unit
        self._units: deque[tuple[int, int]] = deque()
        self._starts: set[int] = set()
        self._unit: Unit | None = None
        if not self.packed:
            self._raw_at += mark.inside
            self._units.append((0, self._raw_at))
        try:
            self._stream.seek(self._raw_at)
        except STREAM_FAULTS as error:
            self.fault = f"it cannot be read: {error}"
        if self.packed:
            self.let_go(mark.inside)

    def fill(self, length: int) -> bool:
        """Have at least that many bytes in the buffer; False if the stretch ends before."""
        while len(self.buffer) < length:
            if self.fault is not None:
                return False
            self._more()
        return True

    def let_go(self, length: int) -> bool:
        """Let go of bytes; False if the stretch ends before."""
        while length:
            if not self.fill(1):
                return False
            step = min(length, len(self.buffer))
            del self.buffer[:step]
            self._start += step
            length -= step
        return True

    @property
    def position(self) -> int:
        """The bytes let go since the last `go_to`."""
        return self._start

    @property
    def mark(self) -> Mark:
        """The place of the buffer's first byte."""
        while len(self._units) > 1 and self._units[1][0] <= self._start:
            self._starts.discard(self._units.popleft()[0])
        if not self._units:
            return Mark(self._raw_at, 0)
        start, member = self._units[0]
        return Mark(member, self._start - start)

    def begins_unit(self, index: int) -> bool:
        """Whether a unit of the compression begins, or should begin, at that byte of the buffer."""
        return self.packed and self._start + index in self._starts

    def next_stretch(self) -> bool:
        """Go on behind the damage; False if nothing follows."""
        after = self._units[-1][1] if self._units else self._raw_at
        begin = (
            compression.next_unit(self._stream, self._compression, after + 1) if self.packed and self.fault else None
        )
        if begin is None:
            return False
        self.go_to(Mark(begin, 0))
        return True

    def _more(self) -> None:
        unit = self._unit
        if unit is not None and unit.has_more:
            self._unpack_more(unit, b"")
            return
        if self._next >= len(self._raw):
            try:
                self._raw, self._next = self._stream.read(compression.CHUNK), 0
            except STREAM_FAULTS as error:
                self.fault = f"it cannot be read: {error}"
                return
        if not self._raw:
            self.fault = f"the file ends in the middle of a {self._compression.unit}" if unit is not None else ""
        elif self._compression.begin is None:
            self.buffer += self._raw
            self._raw = b""
        elif unit is not None:
            self._unpack_more(unit, self._raw[self._next :])
        elif (unit := self._next_unit(self._compression.begin)) is not None:
            # What lies behind a unit is given back, so that many small units would copy a large piece many times.
            self._unpack_more(unit, self._raw[self._next : self._next + _FIRST_PIECE])

    def _next_unit(self, begin: Callable[[], Unit]) -> Unit | None:
        """The unit that begins with the bytes just read, behind padding; None if there is only padding."""
        if self._raw[self._next] == 0:
            rest = self._raw[self._next :]
            padding = len(rest) - len(rest.lstrip(b"\0"))
            self._next, self._raw_at = self._next + padding, self._raw_at + padding
            if padding == len(rest):
                return None
        start = self._start + len(self.buffer)
        if self._units and self._units[-1][0] == start:  # the one before was empty
            self._units.pop()
        self._units.append((start, self._raw_at))
        self._starts.add(start)
        self._unit = begin()
        return self._unit

    def _unpack_more(self, unit: Unit, piece: bytes) -> None:
        try:
            unpacked = unit.unpack(piece)
        except DamagedUnitError as damaged:
            self.buffer += damaged.salvaged
            self.fault = f"the compressed data is damaged ({damaged})"
            return
        self.buffer += unpacked
        used = len(piece) - len(unit.unused)
        self._next += used
        self._raw_at += used
        if unit.eof:
            self._unit = None
        self._credit += _MOST_TIMES * used - len(unpacked)
        if self._credit < 0:
            self._credit = 0
            self.fault = f"it unpacks to more than {_MOST_TIMES} times its size"
