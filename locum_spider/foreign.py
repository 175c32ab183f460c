"""WARC files made by others, read as forgivingly as they must be: compressed or not, of any writer, damaged anywhere.

Everything is streamed. What cannot be read is named with its place, and reading goes on at the next record.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from base64 import b32encode
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from locum_spider.content import undo_chunks
from locum_spider.items import Exchange
from locum_spider.warc import Broken, payload_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from locum_spider.items import Headers

LIMIT = 64_000_000
"""Bytes of a record that is still read."""

_CHUNK = 1 << 16
_PIECE = 64
_SEARCHED = 1 << 20
_LONGEST_HEAD = 1 << 16
_REMEMBERED = 50_000
_GZIP = b"\x1f\x8b\x08"
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NEXT = re.compile(rb"WARC/[01]\.\d+\r?\n(?=[A-Za-z-]+:)")
_NEXT_SIZE = 64
_LINE_END = re.compile(rb"\r?\n")
_STATUS = re.compile(rb"(HTTP/\d(?:\.\d)?)[ \t]+(\d{3})(?!\d)")
_STREAM_FAULTS = (OSError, EOFError, ValueError, RuntimeError, zlib.error, zipfile.BadZipFile)
_KINDS = {"response", "resource", "revisit"}


@dataclass(frozen=True, slots=True)
class Revisit:
    """A record without a body, which an earlier one has: the one with that digest, or that address and time.

    The status of `exchange` is 0 where the record does not tell it.
    """

    exchange: Exchange
    not_modified: bool
    digest: str | None
    url: str | None
    fetched_at: str | None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A capture of an address that was not wanted; nothing of it was read."""

    url: str


Found = Exchange | Revisit | PassedOver | Broken


def is_warc(stream: BinaryIO) -> bool:
    """Whether a WARC record begins in the first megabyte, compressed or not."""
    try:
        return _packing(stream) is not None
    except _STREAM_FAULTS:
        return False


def read_foreign(
    stream: BinaryIO,
    *,
    wanted: Callable[[str], bool] = lambda _url: True,
    limit: int = LIMIT,
    digests: dict[str, str] | None = None,
) -> Iterator[Found]:
    """Every HTTP response of a WARC made by others, in flat memory; broken places in between.

    Chunked framing is undone, content codings stay as they came. A record of more than `limit` bytes is not read.
    `digests` carries over, from file to file, what other digests the writer has for payloads than we.
    """
    reader = _Reader(stream, limit, {} if digests is None else digests)
    return reader.read(wanted)


# -- bytes -------------------------------------------------------------------------------------------------------------


class _Mark(NamedTuple):
    """A place: byte of the file where the gzip member begins, and byte in what it unpacks to."""

    member: int
    inside: int


class _Unpacked:
    """The bytes of a file without their gzip members, a stretch without damage at a time.

    `buffer` holds what was unpacked and not yet let go; `fault` is why no more comes, "" at the end of the file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.packed = _packing(stream) is not False
        self.go_to(_Mark(0, 0))

    def go_to(self, mark: _Mark) -> None:
        """Read on from a place."""
        self.buffer = bytearray()
        self.fault: str | None = None
        self._start = 0  # of the buffer, in bytes unpacked since this call
        self._raw = b""
        self._raw_at = mark.member
        self._members: deque[tuple[int, int]] = deque()
        self._inflate: zlib._Decompress | None = None
        self._backup: zlib._Decompress | None = None
        if not self.packed:
            self._raw_at += mark.inside
            self._members.append((0, self._raw_at))
        self._seek(self._raw_at)
        if self.packed:
            self.let_go(mark.inside)

    def _seek(self, position: int) -> None:
        try:
            self._stream.seek(position)
        except _STREAM_FAULTS as error:
            self.fault = f"it cannot be read: {error}"

    def fill(self, length: int) -> bool:
        """Have at least that many bytes in the buffer; False where the stretch ends before."""
        while len(self.buffer) < length:
            if self.fault is not None:
                return False
            self._more()
        return True

    def let_go(self, length: int) -> bool:
        """Pass over bytes; False where the stretch ends before."""
        while length:
            if not self.fill(1):
                return False
            step = min(length, len(self.buffer))
            del self.buffer[:step]
            self._start += step
            length -= step
        return True

    @property
    def mark(self) -> _Mark:
        """The place of the buffer's first byte."""
        while len(self._members) > 1 and self._members[1][0] <= self._start:
            self._members.popleft()
        if not self._members:
            return _Mark(self._raw_at, 0)
        start, member = self._members[0]
        return _Mark(member, self._start - start)

    def begins_member(self, index: int) -> bool:
        """Whether a gzip member begins, or was to begin, at that byte of the buffer."""
        return self.packed and any(start == self._start + index for start, _ in self._members)

    def next_stretch(self) -> bool:
        """Go on behind the damage; False where nothing follows."""
        after = self._members[-1][1] if self._members else self._raw_at
        try:
            found = _next_member(self._stream, after + 1) if self.packed and self.fault else None
        except _STREAM_FAULTS:
            found = None
        if found is None:
            return False
        self.go_to(_Mark(found, 0))
        return True

    def _more(self) -> None:
        if not self._raw:
            try:
                self._raw = self._stream.read(_CHUNK)
            except _STREAM_FAULTS as error:
                self.fault = f"it cannot be read: {error}"
                return
        if not self._raw:
            self.fault = "the file ends in the middle of a gzip member" if self._inflate else ""
        elif not self.packed:
            self.buffer += self._raw
            self._raw = b""
        else:
            self._inflate_more()

    def _inflate_more(self) -> None:
        if self._inflate is None:
            padding = len(self._raw) - len(self._raw.lstrip(b"\0"))
            self._raw, self._raw_at = self._raw[padding:], self._raw_at + padding
            if not self._raw:
                return
            self._members.append((self._start + len(self.buffer), self._raw_at))
            self._inflate, self._backup = zlib.decompressobj(31), None
        else:
            self._backup = self._inflate.copy()
        try:
            self.buffer += self._inflate.decompress(self._raw)
        except zlib.error as error:
            self._salvage()
            self.fault = f"the compressed data is damaged ({error})"
            return
        rest = self._inflate.unused_data
        self._raw_at += len(self._raw) - len(rest)
        self._raw = rest
        if self._inflate.eof:
            self._inflate = None

    def _salvage(self) -> None:
        """Take what comes out of a damaged piece before the damage."""
        inflate = self._backup or zlib.decompressobj(31)
        try:
            for at in range(0, len(self._raw), _PIECE):
                self.buffer += inflate.decompress(self._raw[at : at + _PIECE])
        except zlib.error:
            return


def _packing(stream: BinaryIO) -> bool | None:
    """True for gzip, False for plain WARC, None where neither begins in the first megabyte."""
    stream.seek(0)
    start = stream.read(_SEARCHED)
    if start.startswith(b"WARC/"):
        return False
    if start.startswith(_GZIP) and _begins_record(start):
        return True
    member = _next_member(stream, 0, _SEARCHED)
    plain = _NEXT.search(start)
    if member is not None and (plain is None or member < plain.start()):
        return True
    return False if plain else None


def _begins_record(data: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(data, 16).lstrip(b"\r\n").startswith(b"WARC/")
    except zlib.error:
        return False


def _next_member(stream: BinaryIO, position: int, within: int | None = None) -> int | None:
    """Where the next gzip member with a WARC record at its start begins."""
    end = None if within is None else position + within
    while end is None or position < end:
        stream.seek(position)
        data = stream.read(_CHUNK)
        found = data.find(_GZIP)
        while found >= 0:
            candidate = data[found : found + _CHUNK // 4]
            if len(candidate) < _CHUNK // 4:
                stream.seek(position + found)
                candidate = stream.read(_CHUNK // 4)
            if _begins_record(candidate):
                return position + found
            found = data.find(_GZIP, found + 1)
        if len(data) < len(_GZIP):
            return None
        position += len(data) - len(_GZIP) + 1
    return None


# -- records -----------------------------------------------------------------------------------------------------------


class _Reader:
    """Finds the records in the bytes."""

    def __init__(self, stream: BinaryIO, limit: int, digests: dict[str, str]) -> None:
        self._bytes = _Unpacked(stream)
        self._limit, self._digests = limit, digests
        self._told = False

    def read(self, wanted: Callable[[str], bool]) -> Iterator[Found]:
        while True:
            self._skip_blank_lines()
            if self._bytes.fill(1):
                yield from self._record(wanted)
                continue
            if self._bytes.fault and not self._told:
                yield self._broken(self._bytes.mark, self._bytes.fault)
            self._told = False
            if not self._bytes.next_stretch():
                return

    def _skip_blank_lines(self) -> None:
        while self._bytes.fill(1) and self._bytes.buffer[0] in b"\r\n":
            blank = len(self._bytes.buffer) - len(self._bytes.buffer.lstrip(b"\r\n"))
            self._bytes.let_go(blank)

    def _broken(self, mark: _Mark, fault: str) -> Broken:
        self._told = True
        if self._bytes.packed and mark.inside:
            return Broken(mark.member, f"{fault} (byte {mark.inside:,} of what is packed there)")
        return Broken(mark.member + mark.inside, fault)

    def _record(self, wanted: Callable[[str], bool]) -> Iterator[Found]:
        """One record, from its first byte; afterwards the bytes stand behind it, or where reading can go on."""
        data, mark = self._bytes, self._bytes.mark
        head = self._head()
        if isinstance(head, str):
            yield self._broken(mark, head)
            self._search(1)
            return
        end, fields = head
        length = int(fields["content-length"])
        url = fields.get("warc-target-uri", "").strip("<> ")
        if length > self._limit:
            yield from self._too_long(mark, end, length, fields, owned=wanted(url))
            return
        whole = data.fill(end + length)
        fault = self._fault_behind(end + length) if whole else self._cut_short(end, length)
        if fault is not None:
            yield self._broken(mark, fault)
            self._search(end)
            return
        self._told = False
        kind = fields.get("warc-type", "").lower()
        if kind in _KINDS and url.startswith(("http://", "https://")):
            if wanted(url):
                found = self._capture(kind, url, fields, bytes(memoryview(data.buffer)[end : end + length]))
                yield self._broken(mark, found) if isinstance(found, str) else found
            else:
                yield PassedOver(url)
        data.let_go(end + length)

    def _head(self) -> tuple[int, dict[str, str]] | str:
        """Where the block begins and the record's fields; a sentence where none can be read."""
        data = self._bytes
        data.fill(5)
        if not data.buffer.startswith(b"WARC/"):
            return "no WARC record begins there"
        wanted = 1024
        while (found := _HEAD_END.search(data.buffer)) is None:
            if len(data.buffer) > _LONGEST_HEAD or not data.fill(max(wanted, len(data.buffer) + 1)):
                return data.fault or "the record's head has no end"
        fields: dict[str, str] = {}
        name = ""
        for line in _LINE_END.split(bytes(data.buffer[: found.start()]))[1:]:
            text = line.decode("utf-8", "replace")
            if text[:1] in {" ", "\t"} and name:
                fields[name] += " " + text.strip()
                continue
            name, _, value = text.partition(":")
            name = name.strip().lower()
            fields.setdefault(name, value.strip())
        length = fields.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 19):
            return f"the record's Content-Length is no number: {length!r}" if length else "it has no Content-Length"
        return found.end(), fields

    def _cut_short(self, end: int, length: int) -> str:
        there = len(self._bytes.buffer) - end
        why = f": {self._bytes.fault}" if self._bytes.fault else ""
        return f"the record ends after {there:,} of {length:,} bytes{why}"

    def _fault_behind(self, end: int) -> str | None:
        """What is wrong with the place where a record ends: two line ends, another record, or nothing must follow."""
        data = self._bytes
        line_ends = 0
        while data.fill(end + 1) and not data.begins_member(end) and data.buffer[end] in b"\r\n":
            line_ends += data.buffer[end] == ord("\n")
            end += 1
        if data.begins_member(end):
            return None
        if data.fill(end + 5) and (line_ends >= 2 or data.buffer.startswith(b"WARC/", end)):
            return None
        if len(data.buffer) > end:
            return data.fault or "the record does not end where its Content-Length says"
        return data.fault or None

    def _too_long(self, mark: _Mark, end: int, length: int, fields: dict[str, str], *, owned: bool) -> Iterator[Found]:
        data = self._bytes
        whole = data.let_go(end + length)
        if whole:
            self._skip_blank_lines()
            whole = data.buffer.startswith(b"WARC/") if data.fill(5) else not data.fault or data.begins_member(0)
        if whole:
            if owned and fields.get("warc-type", "").lower() in _KINDS:
                yield self._broken(mark, f"the record has {length:,} bytes, more than the limit of {self._limit:,}")
            return
        yield self._broken(mark, f"the record does not end where its Content-Length says, after {length:,} bytes")
        data.go_to(mark)
        self._search(end)

    def _search(self, start: int) -> None:
        """Stand at the next place, not before byte `start`, where a record seems to begin, or at the stretch's end."""
        data = self._bytes
        data.let_go(start)
        while True:
            found = _NEXT.search(data.buffer)
            if found is not None:
                data.let_go(found.start())
                return
            data.let_go(max(len(data.buffer) - _NEXT_SIZE, 0))
            if not data.fill(len(data.buffer) + 1):
                data.let_go(len(data.buffer))
                return

    # -- captures ------------------------------------------------------------------------------------------------------

    def _capture(self, kind: str, url: str, fields: dict[str, str], block: bytes) -> Exchange | Revisit | str:
        """What a record says; a sentence where it is damaged."""
        fetched_at = second(fields.get("warc-date", ""))
        if fetched_at is None:
            return f"the record's WARC-Date is no time: {fields.get('warc-date', '')!r}"
        if _agrees(fields.get("warc-block-digest", ""), block) is False:
            return "the record is damaged: its WARC-Block-Digest is that of other bytes"
        ip = fields.get("warc-ip-address")
        if kind == "resource":
            coding = fields.get("content-type", "application/octet-stream").encode("latin-1", "replace")
            return Exchange(url, "GET", (), 200, ((b"Content-Type", coding),), block, fetched_at, ip=ip)
        separator = _HEAD_END.search(block)
        head, body = (block[: separator.start()], block[separator.end() :]) if separator else (block, b"")
        lines = _LINE_END.split(head)
        status = _STATUS.match(lines[0])
        if status is None and (kind == "response" or head.strip()):
            return "the record holds no HTTP response"
        exchange = Exchange(
            url=url, method="GET", request_headers=(), status=int(status[2]) if status else 0,
            response_headers=_pairs(lines[1:]), body=body, fetched_at=fetched_at,
            protocol=status[1].decode() if status else "HTTP/1.1", ip=ip,
        )  # fmt: skip
        stated = fields.get("warc-payload-digest", "")
        if kind == "revisit":
            return self._revisit(exchange, fields, stated)
        return self._response(exchange, fields, stated)

    def _response(self, exchange: Exchange, fields: dict[str, str], stated: str) -> Exchange | str:
        codings = b",".join(v for k, v in exchange.response_headers if k.lower() == b"transfer-encoding").lower()
        framed = exchange.body
        body = undo_chunks(framed) if b"chunked" in codings else framed
        ours = payload_digest(body)
        if stated and stated != ours:
            agrees = _agrees(stated, framed) or _agrees(stated, body)
            # Some digest what stood there before it was cut, or unpacked; only a record's own block says for sure.
            sure = {"warc-block-digest", "warc-truncated"} & fields.keys() or exchange.header(b"content-encoding")
            if agrees is False and not sure:
                return "the record is damaged: its WARC-Payload-Digest is that of other bytes"
            if len(self._digests) >= _REMEMBERED:
                self._digests.clear()
            self._digests[stated] = ours
        return Exchange(
            exchange.url, "GET", (), exchange.status, exchange.response_headers, body, exchange.fetched_at,
            exchange.protocol, exchange.ip,
        )  # fmt: skip

    def _revisit(self, exchange: Exchange, fields: dict[str, str], stated: str) -> Revisit:
        return Revisit(
            exchange,
            not_modified=fields.get("warc-profile", "").strip("<> ").endswith("server-not-modified"),
            digest=self._digests.get(stated, _as_ours(stated)),
            url=fields.get("warc-refers-to-target-uri", "").strip("<> ") or None,
            fetched_at=second(fields.get("warc-refers-to-date", "")),
        )


def _pairs(lines: list[bytes]) -> Headers:
    """Header lines, folded ones put together; what has no name is left out."""
    pairs: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and pairs:
            name, value = pairs[-1]
            pairs[-1] = name, (value + b" " + line.strip()).strip()
            continue
        name, colon, value = line.partition(b":")
        if colon and name.strip():
            pairs.append((name.strip(), value.strip().replace(b"\r", b" ")))
    return tuple(pairs)


def _agrees(stated: str, data: bytes) -> bool | None:
    """Whether bytes have the digest that is stated of them; None where it is of no kind that we know."""
    algorithm, _, value = stated.strip().lower().partition(":")
    algorithm = algorithm.replace("-", "")
    if algorithm not in {"md5", "sha1", "sha256", "sha512"}:
        return None
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    base32 = b32encode(digest).decode().lower()
    return value in {digest.hex(), base32, base32.rstrip("=")}


def _as_ours(stated: str) -> str | None:
    """A digest in the way we write it.

    >>> _as_ours("SHA1:da39a3ee5e6b4b0d3255bfef95601890afd80709"), _as_ours("")
    ('sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ', None)
    """
    algorithm, _, value = stated.strip().partition(":")
    if algorithm.lower() not in {"sha1", "sha-1"}:
        return stated.strip() or None
    if re.fullmatch("[0-9a-fA-F]{40}", value):
        value = b32encode(bytes.fromhex(value)).decode()
    return f"sha1:{value.upper()}"


def second(date: str) -> str | None:
    """A WARC-Date in UTC to the second: others write fractions and offsets, and some leave out what they do not know.

    >>> second("2018-04-10T15:45:00.123456789Z"), second("2018-04-10T15:45:00+01:00"), second("20180410154500")
    ('2018-04-10T15:45:00Z', '2018-04-10T14:45:00Z', '2018-04-10T15:45:00Z')
    >>> second("2018-04-10"), second("yesterday")
    ('2018-04-10T00:00:00Z', None)
    """
    text = re.sub(r"[.,]\d+", "", date.strip(), count=1)
    try:
        time = datetime.strptime(text, "%Y%m%d%H%M%S") if text.isdigit() else datetime.fromisoformat(text)  # noqa: DTZ007 - UTC below
    except ValueError:
        return None
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time.year > 999 else None
