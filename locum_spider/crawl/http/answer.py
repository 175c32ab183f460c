"""Reads one response from the bytes of a connection. Knows no sockets."""

from __future__ import annotations

import re

from locum_spider.items import Headers
from locum_spider.warc.codings import is_whole
from locum_spider.warc.wire import Chunks, Head, all_values, read_head

LARGEST_HEAD = 1 << 20
_BLANK_LINE = re.compile(rb"\n\r?\n")
_WITHOUT_BODY = frozenset({101, 204, 304})
_PART_OF_SIZE = re.compile(rb"[ \t]*[0-9A-Fa-f]*[ \t]*(?:;[^\n]*)?\r?\n?")
_LENGTH = re.compile(rb"\+?(\d{1,18})\b")


class NoAnswerError(Exception):
    """Raised if what comes over the wire is not the response that was asked for, in words for a report."""


class Answer:
    """One response while it comes. `body` has no chunks any more, and at most `limit` bytes.

    `truncated` is why the body is not whole, in a word of WARC's. A connection on which a whole response has come that
    says where it ends `is_reusable`. `only_head`: none has a body.
    """

    def __init__(self, limit: int, *, only_head: bool = False) -> None:
        self.head: Head | None = None
        self.body = bytearray()
        self.truncated: str | None = None
        self.is_complete = self.is_reusable = False
        self._limit, self._only_head = limit, only_head
        self._waiting = bytearray()
        self._chunks: Chunks | None = None
        self._left: int | None = None

    @property
    def has_begun(self) -> bool:
        """Whether any byte has come."""
        return self.head is not None or bool(self._waiting)

    def feed(self, data: bytes) -> None:
        """Take what has come. Raises NoAnswerError if it is not HTTP."""
        if self.head is None:
            searched = max(len(self._waiting) - 2, 0)
            self._waiting += data
            if _BLANK_LINE.search(self._waiting, searched) is None or not self._begin(is_whole=False):
                if len(self._waiting) > LARGEST_HEAD:
                    raise self._no_answer()
                return
            data = bytes(self._waiting)
            self._waiting.clear()
        self._take(data)

    def end(self) -> None:
        """Take note that the connection was closed. Raises NoAnswerError if no response has come."""
        self.is_reusable = False
        if self.head is None:
            if not self._begin(is_whole=True):
                raise self._no_answer()
            self.cut("disconnect")
            return
        if self._chunks is not None and self._waiting and not _PART_OF_SIZE.fullmatch(self._waiting):
            self._chunks = None
            self._take(bytes(self._waiting))
        if (self._chunks is not None and not self._chunks.is_last) or (self._chunks is None and self._left):
            self.cut("disconnect")
        self.is_complete = True

    def cut(self, why: str) -> None:
        """Take what has come for all that comes; it is not cut if its end is there all the same."""
        self.is_complete, self.is_reusable = True, False
        if not self.shows_its_end():
            self.truncated = why

    def shows_its_end(self) -> bool:
        """Whether the body is whole by its own bytes, whatever the headers say of its length."""
        if self.head is None or not self.body:
            return False
        coding = b",".join(all_values(self.head.headers, b"content-encoding")).decode("latin-1")
        return is_whole(bytes(self.body), coding, limit=self._limit)

    def _no_answer(self) -> NoAnswerError:
        start = bytes(self._waiting[:40].lstrip())
        if not start:
            return NoAnswerError("the connection was closed without an answer")
        if not start.upper().startswith((b"HTTP", b"ICY")):
            return NoAnswerError(f"the answer is not HTTP; it begins with {start!r}")
        return NoAnswerError(f"the answer has no status, or headers of more than {LARGEST_HEAD:,} bytes: {start!r}")

    def _begin(self, *, is_whole: bool) -> bool:
        """Read the head, if it is there, and see where the body ends."""
        self.head = head = read_head(self._waiting, is_whole=is_whole)
        if head is None:
            return False
        del self._waiting[: head.end]
        options = {value.lower() for value in all_values(head.headers, b"connection")}
        persistent = head.protocol.upper() == "HTTP/1.1" or b"keep-alive" in options
        lengths = {match[1] for value in all_values(head.headers, b"content-length") if (match := _LENGTH.match(value))}
        is_empty = self._only_head or head.status in _WITHOUT_BODY
        if is_empty:
            self._left = 0
        elif len(lengths) == 1:
            self._left = int(lengths.pop())
        if not is_empty and _is_chunked(head.headers):
            self._chunks = Chunks()
        self.is_reusable = persistent and b"close" not in options and (self._chunks or self._left) is not None
        if self._chunks is None and self._left is not None and self._left > self._limit:
            self._stop_at_limit()
        return True

    def _take(self, data: bytes) -> None:
        if self._chunks is not None:
            data = self._take_chunks(self._chunks, data)
        if self._chunks is None and not self.is_complete:
            self.body += data if self._left is None else data[: self._left]
            if self._left is not None:
                self.is_reusable = self.is_reusable and len(data) <= self._left
                self._left = max(self._left - len(data), 0)
                self.is_complete = self._left == 0
        if len(self.body) > self._limit:
            self._stop_at_limit()

    def _take_chunks(self, chunks: Chunks, data: bytes) -> bytes:
        """Take chunks; if there are none, though the head says so, returns the bytes for what they are."""
        if not (chunks.body or chunks.is_last):  # they are read again until the first chunk is there
            self._waiting += data
            chunks, data = Chunks(), bytes(self._waiting)
        try:
            behind = chunks.feed(data)
        except ValueError:
            if chunks.body:
                self.body = chunks.body
                self.cut("unspecified")
                return b""
            self._chunks, self.is_reusable = None, False
            return data
        self._chunks, self.body = chunks, chunks.body
        if chunks.body or chunks.is_last:
            self._waiting.clear()
        if chunks.is_done:
            self.is_complete, self.is_reusable = True, self.is_reusable and not behind
        return b""

    def _stop_at_limit(self) -> None:
        del self.body[self._limit :]
        self.truncated, self.is_complete, self.is_reusable = "length", True, False


def _is_chunked(headers: Headers) -> bool:
    return any(b"chunked" in coding.lower() for coding in all_values(headers, b"transfer-encoding"))
