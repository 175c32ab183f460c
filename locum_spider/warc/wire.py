"""HTTP/1 messages as servers write them, which is not always as the standard says. Pure: no sockets, no files.

A crawl reads what comes over the wire with these functions, and an archive what is in its records, so that both see the
same status and the same headers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from locum_spider.items import Headers

_HEAD_END = re.compile(rb"\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
# `HTTP 200` is NCSA's, `ICY 200` that of streaming servers; blanks vary, and so does the case.
_STATUS = re.compile(rb"[ \t]*(HTTP(?:/?\d+(?:\.\d+)?)?|ICY)[ \t]+(\d{1,3})(?!\d)", re.IGNORECASE)
_FOLLOWING = re.compile(rb"[\r\n]*" + _STATUS.pattern, re.IGNORECASE)
_INTERIM = frozenset(range(100, 200)) - {101}  # after 101 the connection speaks no HTTP any more
_UP_TO_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
_LARGEST_SIZE_LINE = 1 << 12
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?", re.DOTALL)


class Head(NamedTuple):
    """Status line and headers of a response.

    `raw` are their bytes with the blank line behind them; `end` is where the body begins in what was read.
    """

    protocol: str
    status: int
    headers: Headers
    raw: bytes
    end: int


def read_head(data: bytes | bytearray, *, is_whole: bool = True) -> Head | None:
    """The head of the response that begins there, behind blank lines and interim answers (`100 Continue`).

    None if the response is not HTTP. If more may follow (not `is_whole`), also None until the blank line is there;
    else everything is the head of a response without it.

    >>> read_head(b"HTTP 200 Fine\\nA : 1\\n 2\\n\\nBody")
    Head(protocol='HTTP', status=200, headers=((b'A', b'1 2'),), raw=b'HTTP 200 Fine\\nA : 1\\n 2\\n\\n', end=24)
    >>> read_head(b"HTTP/1.1 100 Continue\\r\\n\\r\\nhttp/1.0  404\\r\\n\\r\\n")[:2]
    ('http/1.0', 404)
    >>> read_head(b"<html>"), read_head(b"HTTP/1.1 200 OK\\r\\nA: 1\\r\\n", is_whole=False)
    (None, None)
    """
    start = 0
    while True:
        while data[start : start + 1] in (b"\r", b"\n"):
            start += 1
        status = _STATUS.match(data, start)
        blank = _HEAD_END.search(data, start)
        if status is None or (blank is None and not is_whole):
            return None
        end = blank.end() if blank else len(data)
        code = int(status[2])
        if code in _INTERIM and (not is_whole or _FOLLOWING.match(data, end)):
            start = end
            continue
        raw = bytes(data[start:end])
        return Head(status[1].decode(), code, header_pairs(raw), raw, end)


def header_pairs(head: bytes) -> Headers:
    """The header lines of a head, behind its first line, as pairs: folded lines joined, lines without a name left out.

    >>> header_pairs(b"HTTP/1.1 200 OK\\r\\nA: 1\\r\\n\\t2\\nB :\\n: 3")
    ((b'A', b'1 2'), (b'B', b''))
    """
    fields: list[tuple[bytes, list[bytes]]] = []
    for line in _LINE_END.split(head)[1:]:
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(line.strip())
            continue
        name, colon, value = line.partition(b":")
        if colon and (name := name.strip()):
            fields.append((name, [value.strip()]))
    return tuple((name, b" ".join(values).strip()) for name, values in fields)


def without_lines(head: bytes, names: frozenset[bytes]) -> bytes:
    """A head without the header lines of those (lower-case) names; all others stay byte for byte.

    >>> without_lines(b"HTTP/1.1 200 OK\\r\\nA: 1\\r\\n 2\\r\\nb:3\\r\\n\\r\\n", frozenset({b"a"}))
    b'HTTP/1.1 200 OK\\r\\nb:3\\r\\n\\r\\n'
    """
    kept, dropping = [], False
    for line in head.splitlines(keepends=True):
        if line[:1] not in (b" ", b"\t"):  # else it goes on with the header of the line before
            dropping = line.partition(b":")[0].strip().lower() in names
        if not dropping:
            kept.append(line)
    return b"".join(kept)


def all_values(headers: Headers, name: bytes) -> list[bytes]:
    """The values of a header in order, those in one line that commas part too.

    >>> all_values(((b"Content-Length", b"7, 7"), (b"content-length", b"8")), b"content-length")
    [b'7', b'7', b'8']
    """
    lines = (value for key, value in headers if key.lower() == name)
    return [value.strip() for line in lines for value in line.split(b",") if value.strip()]


def request_line(method: str, url: str, base: str = "") -> str:
    """The first line of a request for an address: a server wants its path and query, a proxy a `base` before them.

    >>> request_line("GET", "http://a.example"), request_line("GET", "http://a.example/x?y=1#z")
    ('GET / HTTP/1.1', 'GET /x?y=1 HTTP/1.1')
    >>> request_line("GET", "http://a.example?y=1", "http://a.example")
    'GET http://a.example/?y=1 HTTP/1.1'
    """
    path = _UP_TO_HOST.sub("", url.partition("#")[0])
    return f"{method} {base}{path if path.startswith('/') else f'/{path}'} HTTP/1.1"


def write_head(first_line: str, headers: Headers) -> bytes:
    """The bytes of a head: a line for each header, and the blank line."""
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return first_line.encode("latin-1", "replace") + b"\r\n" + lines + b"\r\n"


class Chunks:
    """Undoes the chunked framing of a body, piece by piece. `body` is what was in the chunks.

    `is_last` says that the last chunk has come, `is_done` that the trailer behind it has, too.
    """

    def __init__(self) -> None:
        self.body = bytearray()
        self.is_last = self.is_done = False
        self._left = 0
        self._line = bytearray()

    def feed(self, data: bytes) -> bytes:
        """Take more bytes; returns those behind the end. Raises ValueError if there is no size where one must be."""
        position = 0
        while position < len(data) and not self.is_done:
            if self._left:
                piece = data[position : position + self._left]
                self.body += piece
                self._left -= len(piece)
                position += len(piece)
                continue
            end = data.find(b"\n", position) + 1
            self._line += data[position : end or len(data)]
            position = end or len(data)
            if end:
                self._end_line()
            elif len(self._line) > _LARGEST_SIZE_LINE:
                raise ValueError("the size of a chunk has no end")
        return data[position:]

    def _end_line(self) -> None:
        line = bytes(self._line).rstrip(b"\n")
        self._line.clear()
        if self.is_last:
            self.is_done = not line.strip()
        elif line not in (b"", b"\r") or not self.body:  # the line end behind a chunk
            size = _CHUNK_SIZE.fullmatch(line)
            if size is None:
                raise ValueError(f"a chunk has no size, but {line[:20]!r}")
            self._left = int(size[1], 16)
            self.is_last = self._left == 0
