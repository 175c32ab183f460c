"""Reads WARC and ARC files made by others: of any writer, damaged anywhere.

Everything is streamed. What cannot be read is reported with its place, and reading goes on at the next record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from locum_spider.importing import captures
from locum_spider.importing.answers import Answers
from locum_spider.importing.captures import KINDS, Item, PassedOver, Writers
from locum_spider.importing.compression import CHUNK, UnreadableError
from locum_spider.importing.fields import address
from locum_spider.importing.formats import ARC, LONGEST_HEAD, WARC, format_of, read_fields
from locum_spider.importing.stream import Mark, Unpacked
from locum_spider.warc.reader import Broken

LIMIT = 64_000_000
"""Bytes; longer records are not read."""

_LONGEST_LINE = 1 << 13
_MOST_LIES = 4
"""From so many false lengths on, a file's lengths are not believed if that takes reading far ahead."""

_OTHER_KINDS = frozenset({"warcinfo", "request", "metadata", "conversion", "continuation"})
_FIRST_LINE = 1 << 10
_MOST_BLANK = 1 << 12
"""Bytes of line ends behind a record that are read together with it."""


def read_captures(
    stream: BinaryIO,
    *,
    wanted: Callable[[str], bool] = lambda _url: True,
    limit: int = LIMIT,
    digests: dict[str, str] | None = None,
    damaged: bool = False,
) -> Iterator[Item]:
    """Every page of a file of records made by others, and its broken places, in order and in flat memory.

    Chunked framing is undone, content codings stay. A record of more than `limit` bytes is not read. A page that a web
    archive sent without changes is a capture of the site. `digests` maps payload digests of the writer to ours, and
    carries them from file to file. With `damaged`, records whose digest is wrong are captures that say so.
    """
    try:
        reader = _Reader(stream, limit, Writers({} if digests is None else digests, damaged=damaged))
    except UnreadableError as error:
        return iter([Broken(0, str(error))])
    return reader.read(wanted)


class _NoHead(NamedTuple):
    """Why the head of a record cannot be read, and from which byte on to look for the next record."""

    fault: str
    end: int = 1


class _Reader:
    """Finds records in bytes."""

    def __init__(self, stream: BinaryIO, limit: int, writers: Writers) -> None:
        self._bytes = Unpacked(stream)
        self._limit, self._writers = limit, writers
        self._answers = Answers()
        self._reported = False
        self._lies = 0
        self._searched = 0  # no head ends before this byte of the stretch
        self._bytes.fill(LONGEST_HEAD)
        self._format = format_of(self._bytes.buffer)

    def read(self, wanted: Callable[[str], bool]) -> Iterator[Item]:
        while True:
            self._skip_blank_lines()
            if self._bytes.fill(1):
                self._record(wanted)
                yield from self._answers.release()
                continue
            if self._bytes.fault and not self._reported:
                self._break(self._bytes.mark, self._bytes.fault)
            self._reported = False
            yield from self._answers.release()
            if not self._bytes.next_stretch():
                yield from self._answers.release(everything=True)
                return
            self._searched = 0

    def _skip_blank_lines(self) -> None:
        while self._bytes.fill(1) and self._bytes.buffer[0] in b"\r\n":
            blank = len(self._bytes.buffer) - len(self._bytes.buffer.lstrip(b"\r\n"))
            self._bytes.let_go(blank)

    def _break(self, mark: Mark, fault: str) -> None:
        self._reported = True
        if self._bytes.packed and mark.inside:
            self._answers.add(Broken(mark.unit, f"{fault} (byte {mark.inside:,} of what is packed there)"))
        else:
            self._answers.add(Broken(mark.unit + mark.inside, fault))

    def _record(self, wanted: Callable[[str], bool]) -> None:
        """Read one record from its first byte; stop behind it, or at the next place that can be read."""
        data, mark = self._bytes, self._bytes.mark
        head = self._head()
        if isinstance(head, _NoHead):
            self._break(mark, head.fault)
            self._search(head.end)
            return
        end, fields = head
        length = int(fields["content-length"])
        url = address(fields.get("warc-target-uri", ""))
        is_capture = fields["warc-type"].lower() in KINDS and url.lower().startswith(("http://", "https://"))
        target = captures.target_of(url, wanted) if is_capture else None
        if fields["warc-type"].lower() == "request":
            data.fill(end + min(length, _FIRST_LINE))
            self._answers.note_request(fields, bytes(data.buffer[end : end + min(length, _FIRST_LINE)]))
        if length > self._limit:
            self._too_long(mark, end, length, owned=target is not None)
            return
        whole = data.fill(end + length)
        fault = self._fault_behind(end + length) if whole else self._cut_short(end, length)
        if fault is not None:
            self._break(mark, fault)
            self._search(end)
            return
        self._reported = False
        if target is not None:
            self._take(mark, target, fields, bytes(memoryview(data.buffer)[end : end + length]))
        elif is_capture:
            self._answers.add(PassedOver(url))
        data.let_go(end + length)

    def _take(self, mark: Mark, target: captures.Target, fields: dict[str, str], block: bytes) -> None:
        try:
            capture = captures.read_capture(target, fields, block, self._writers)
        except Exception as error:  # noqa: BLE001 - reported with its place: no record stops an import
            capture = f"a bug in locum: {type(error).__name__}: {error}; please report it"
        if isinstance(capture, str):
            self._break(mark, capture)
        else:
            self._answers.add(capture, fields)

    def _head(self) -> tuple[int, dict[str, str]] | _NoHead:
        """Where the block begins, and the record's fields."""
        data, head_end = self._bytes, self._format.head_end
        data.fill(5 if self._format is WARC else _LONGEST_LINE)
        if not self._format.begins(data.buffer):
            return _NoHead(f"a{'n' * (self._format is ARC)} {self._format.name} record does not begin there")
        while (found := head_end.search(data.buffer, max(self._searched - data.position, 0))) is None:
            self._searched = data.position + max(len(data.buffer) - 3, 0)
            if len(data.buffer) > LONGEST_HEAD or not data.fill(max(1024, len(data.buffer) + 1)):
                return _NoHead(data.fault or "the record's header has no end")
        head = bytes(data.buffer[: found.start()])
        fields = read_fields(self._format, head)
        fault = fields if isinstance(fields, str) else self._faulty(fields)
        if isinstance(fields, str) or fault is not None:
            # Half a head may stand before a whole one. To try every one between would read the last as often.
            starts = [start.start() for start in self._format.record.finditer(head, 1)]
            return _NoHead(fault or "", starts[-1] if starts else found.end())
        return found.end(), fields

    def _faulty(self, fields: dict[str, str]) -> str | None:
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
        return None

    def _cut_short(self, end: int, length: int) -> str:
        there = len(self._bytes.buffer) - end
        why = f": {self._bytes.fault}" if self._bytes.fault else ""
        return f"the record ends after {there:,} of {length:,} bytes{why}"

    def _fault_behind(self, end: int) -> str | None:
        """What is wrong where a record ends; None if enough line ends, another record or nothing follow."""
        data = self._bytes
        line_ends = 0
        most = end + _MOST_BLANK
        while end < most and data.fill(end + 1) and not data.begins_unit(end) and data.buffer[end] in b"\r\n":
            line_ends += data.buffer[end] == ord("\n")
            end += 1
        if data.begins_unit(end):
            return None
        follows = data.fill(end + 5)
        if line_ends >= self._format.line_ends and (follows or data.fault == ""):
            return None  # the file may be cut right behind
        if self._format is ARC:
            data.fill(end + _LONGEST_LINE)
        if self._format.begins(data.buffer, end):
            return None
        if len(data.buffer) > end:
            return data.fault or "the record does not end where its Content-Length says"
        return data.fault or None

    def _too_long(self, mark: Mark, end: int, length: int, *, owned: bool) -> None:
        data = self._bytes
        whole = self._lies < _MOST_LIES and data.let_go(end + length)
        if whole:
            self._skip_blank_lines()
            data.fill(5 if self._format is WARC else _LONGEST_LINE)
            whole = self._format.begins(data.buffer) if data.buffer else not data.fault or data.begins_unit(0)
        if whole:
            if owned:
                self._break(mark, f"the record has {length:,} bytes, more than the limit of {self._limit:,}")
            return
        self._break(mark, f"the record does not end where its Content-Length says, after {length:,} bytes")
        if self._lies < _MOST_LIES:
            self._lies += 1
            self._searched = 0
            data.go_to(mark)
        self._search(end)

    def _search(self, start: int) -> None:
        """Go to the next place from byte `start` on where a record seems to begin, or to the stretch's end."""
        data = self._bytes
        data.let_go(start)
        while True:
            record = self._format.record.search(data.buffer)
            if record is not None:
                data.let_go(record.start())
                return
            data.let_go(max(len(data.buffer) - self._format.overlap, 0))
            before = len(data.buffer)
            data.fill(before + CHUNK)  # much at a time, or many small units would be searched many times
            if len(data.buffer) == before:
                data.let_go(before)
                return
