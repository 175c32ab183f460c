"""Reads WARC files made by others: of any writer, damaged anywhere.

Everything is streamed. What cannot be read is reported with its place, and reading goes on at the next record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from locum_spider.importing import captures
from locum_spider.importing.captures import KINDS, Item, PassedOver
from locum_spider.importing.compression import NEXT_RECORD, UnreadableError
from locum_spider.importing.fields import address, header_pairs
from locum_spider.importing.stream import Mark, Unpacked
from locum_spider.warc.reader import Broken

LIMIT = 64_000_000
"""Bytes; longer records are not read."""

_LONGEST_HEAD = 1 << 16
_OTHER_KINDS = frozenset({"warcinfo", "request", "metadata", "conversion", "continuation"})
_NEXT_SIZE = 64
_MOST_BLANK = 1 << 12
"""Bytes of line ends behind a record that are read together with it."""


def read_captures(
    stream: BinaryIO,
    *,
    wanted: Callable[[str], bool] = lambda _url: True,
    limit: int = LIMIT,
    digests: dict[str, str] | None = None,
) -> Iterator[Item]:
    """Every HTTP response of a WARC made by others, and its broken places, in order and in flat memory.

    Chunked framing is undone, content codings stay. A record of more than `limit` bytes is not read. A page that a web
    archive sent without changes is a capture of the site. `digests` maps payload digests of the writer to ours, and
    carries them from file to file.
    """
    try:
        reader = _Reader(stream, limit, {} if digests is None else digests)
    except UnreadableError as error:
        return iter([Broken(0, str(error))])
    return reader.read(wanted)


class _Reader:
    """Finds records in bytes."""

    def __init__(self, stream: BinaryIO, limit: int, digests: dict[str, str]) -> None:
        self._bytes = Unpacked(stream)
        self._limit, self._digests = limit, digests
        self._reported = False

    def read(self, wanted: Callable[[str], bool]) -> Iterator[Item]:
        while True:
            self._skip_blank_lines()
            if self._bytes.fill(1):
                yield from self._record(wanted)
                continue
            if self._bytes.fault and not self._reported:
                yield self._broken(self._bytes.mark, self._bytes.fault)
            self._reported = False
            if not self._bytes.next_stretch():
                return

    def _skip_blank_lines(self) -> None:
        while self._bytes.fill(1) and self._bytes.buffer[0] in b"\r\n":
            blank = len(self._bytes.buffer) - len(self._bytes.buffer.lstrip(b"\r\n"))
            self._bytes.let_go(blank)

    def _broken(self, mark: Mark, fault: str) -> Broken:
        self._reported = True
        if self._bytes.packed and mark.inside:
            return Broken(mark.unit, f"{fault} (byte {mark.inside:,} of what is packed there)")
        return Broken(mark.unit + mark.inside, fault)

    def _record(self, wanted: Callable[[str], bool]) -> Iterator[Item]:
        """Read one record from its first byte; stop behind it, or at the next place that can be read."""
        data, mark = self._bytes, self._bytes.mark
        head = self._head()
        if isinstance(head, str):
            yield self._broken(mark, head)
            self._search(1)
            return
        end, fields = head
        length = int(fields["content-length"])
        url = address(fields.get("warc-target-uri", ""))
        is_capture = fields["warc-type"].lower() in KINDS and url.lower().startswith(("http://", "https://"))
        target = captures.target_of(url, wanted) if is_capture else None
        if length > self._limit:
            yield from self._too_long(mark, end, length, owned=target is not None)
            return
        whole = data.fill(end + length)
        fault = self._fault_behind(end + length) if whole else self._cut_short(end, length)
        if fault is not None:
            yield self._broken(mark, fault)
            self._search(end)
            return
        self._reported = False
        if target is not None:
            block = bytes(memoryview(data.buffer)[end : end + length])
            try:
                capture = captures.read_capture(target, fields, block, self._digests)
            except Exception as error:  # noqa: BLE001 - reported with its place: no record stops an import
                capture = f"a bug in locum: {type(error).__name__}: {error}; please report it"
            yield self._broken(mark, capture) if isinstance(capture, str) else capture
        elif is_capture:
            yield PassedOver(url)
        data.let_go(end + length)

    def _head(self) -> tuple[int, dict[str, str]] | str:
        """Where the block begins, and the record's fields; a sentence if they cannot be read."""
        data = self._bytes
        data.fill(5)
        if not data.buffer.startswith(b"WARC/"):
            return "a WARC record does not begin there"
        while (head_end := captures.HEAD_END.search(data.buffer)) is None:
            if len(data.buffer) > _LONGEST_HEAD or not data.fill(max(1024, len(data.buffer) + 1)):
                return data.fault or "the record's header has no end"
        fields: dict[str, str] = {}
        for name, value in header_pairs(bytes(data.buffer[: head_end.start()])):
            fields.setdefault(name.decode("utf-8", "replace").strip().lower(), value.decode("utf-8", "replace").strip())
        length = fields.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 19):
            return f"the record's Content-Length is not a number: {length!r}" if length else "it has no Content-Length"
        kind = fields.get("warc-type", "").lower()
        if not kind:
            return "it has no WARC-Type"
        if kind not in KINDS | _OTHER_KINDS and "msgtype=response" in fields.get("content-type", ""):
            return f"it holds a response, but its WARC-Type is not in the standard: {kind!r}"
        if kind in KINDS and not fields.get("warc-target-uri"):
            return "it has no WARC-Target-URI"
        return head_end.end(), fields

    def _cut_short(self, end: int, length: int) -> str:
        there = len(self._bytes.buffer) - end
        why = f": {self._bytes.fault}" if self._bytes.fault else ""
        return f"the record ends after {there:,} of {length:,} bytes{why}"

    def _fault_behind(self, end: int) -> str | None:
        """What is wrong where a record ends; None if two line ends, another record or nothing follow."""
        data = self._bytes
        line_ends = 0
        most = end + _MOST_BLANK
        while end < most and data.fill(end + 1) and not data.begins_unit(end) and data.buffer[end] in b"\r\n":
            line_ends += data.buffer[end] == ord("\n")
            end += 1
        if data.begins_unit(end):
            return None
        follows = data.fill(end + 5)
        if line_ends >= 2 and (follows or data.fault == ""):  # the file may be cut right behind
            return None
        if follows and data.buffer.startswith(b"WARC/", end):
            return None
        if len(data.buffer) > end:
            return data.fault or "the record does not end where its Content-Length says"
        return data.fault or None

    def _too_long(self, mark: Mark, end: int, length: int, *, owned: bool) -> Iterator[Item]:
        data = self._bytes
        whole = data.let_go(end + length)
        if whole:
            self._skip_blank_lines()
            whole = data.buffer.startswith(b"WARC/") if data.fill(5) else not data.fault or data.begins_unit(0)
        if whole:
            if owned:
                yield self._broken(mark, f"the record has {length:,} bytes, more than the limit of {self._limit:,}")
            return
        yield self._broken(mark, f"the record does not end where its Content-Length says, after {length:,} bytes")
        data.go_to(mark)
        self._search(end)

    def _search(self, start: int) -> None:
        """Go to the next place from byte `start` on where a record seems to begin, or to the stretch's end."""
        data = self._bytes
        data.let_go(start)
        while True:
            record = NEXT_RECORD.search(data.buffer)
            if record is not None:
                data.let_go(record.start())
                return
            data.let_go(max(len(data.buffer) - _NEXT_SIZE, 0))
            if not data.fill(len(data.buffer) + 1):
                data.let_go(len(data.buffer))
                return
