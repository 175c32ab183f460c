"""Content and transfer codings: bodies without compression and chunks."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from locum_spider.errors import PageError
from locum_spider.warc.wire import Chunks

ACCEPTED = "gzip, deflate"
"""What we ask for: some readers of WARC fail on `br` and `zstd`. Captures made by others may have them."""

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_MEMBER, _ZLIB, _RAW = 31, 15, -15
_ZEROS = re.compile(rb"\0*")
_FIRST_PIECE, _LARGEST_PIECE = 1 << 9, 1 << 16
_SALVAGED_PIECE = 1 << 5
# The bytes that no text has, https://mimesniff.spec.whatwg.org/#binary-data-byte
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SNIFFED = 1445
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_END_OF_PAGE = re.compile(
    rb"</(?:html|rss|feed|urlset|sitemapindex|rdf:RDF)\s*>(?:\s|<!--(?:(?!-->).)*-->)*\Z", re.IGNORECASE | re.DOTALL
)
_TAIL = 1 << 11


def decode_content(body: bytes, coding: str | None, *, limit: int, salvage: bool = False) -> bytes:
    """The body without its `Content-Encoding`, at most `limit` bytes long.

    The bytes decide, not the name: servers mix the names up, give names to plain text, and make names up. Raises
    PageError if a coding cannot be undone, the data is broken, or there is more than the limit. With `salvage`, what
    comes before the break or the limit is enough.

    >>> decode_content(b"plain", None, limit=10), decode_content(b"plain", "gzip, utf-8", limit=10)
    (b'plain', b'plain')
    >>> import gzip; decode_content(gzip.compress(b"text"), "gzip", limit=10)
    b'text'
    """
    unknown = None
    for name in reversed([c.strip(' \t"').lower() for c in (coding or "").split(",")]):
        if (undo := _UNDO.get(name)) is not None:
            body = undo(body, limit, salvage)
        elif name not in {"", "identity"}:
            unknown = name
            if not (is_text(body) or _is_marked(body)):
                break
    if body.startswith(_GZIP):  # packed once more than is said
        try:
            body = _inflate(body, _MEMBER, limit, salvage)[0]
        except PageError:
            if coding is None:
                raise
    if unknown is not None and not is_text(body):
        raise PageError(f"its content coding {unknown!r} is not known and cannot be undone")
    if len(body) > limit and not salvage:
        raise PageError(f"the body has {len(body):,} bytes, more than the limit of {limit:,} (crawl.max_bytes)")
    return body[:limit]


def is_text(data: bytes) -> bool:
    """Whether the first bytes could be those of a text, in any charset.

    >>> is_text(b"Caf\\xe9"), is_text(b"\\xff\\xfe<\\0"), is_text(b"\\x89PNG\\r\\n\\x1a\\n")
    (True, True, False)
    """
    return data.startswith(_WIDE) or _BINARY.search(data, 0, _SNIFFED) is None


def is_whole(body: bytes, coding: str | None, *, limit: int) -> bool:
    """Whether a body shows by itself that its end is there: its compression ends, or else its page.

    >>> is_whole(b"<html>1</html>\\n", None, limit=99), is_whole(b"<html>1", None, limit=99)
    (True, False)
    """
    try:
        plain = decode_content(body, coding, limit=limit)
    except PageError:
        return False
    return (plain != body and bool(plain)) or _END_OF_PAGE.search(plain, max(len(plain) - _TAIL, 0)) is not None


def _too_much(limit: int) -> PageError:
    return PageError(f"the body unpacks to more than the limit of {limit:,} bytes (crawl.max_bytes)")


def _broken(error: Exception) -> PageError:
    return PageError(f"its compressed body is broken: {error}")


def _too_early() -> PageError:
    return PageError("its compressed body ends too early")


def _is_marked(body: bytes) -> bool:
    """Whether a body begins as gzip, Zstandard and zlib do; raw deflate and Brotli have no mark."""
    zlib_mark = len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
    return zlib_mark or body.startswith((_GZIP, _ZSTD))


def _undo_zlib(body: bytes, limit: int, salvage: bool) -> bytes:
    """Undo gzip, deflate or zstd, by the first bytes."""
    if body.startswith(_ZSTD):
        return unzstd(body, limit, salvage=salvage)
    if body.startswith(_GZIP):
        return _inflate(body, _MEMBER, limit, salvage)[0]
    if _is_marked(body):
        return _or_text(body, lambda: _inflate(body, _ZLIB, limit, salvage))
    return _or_text(body, lambda: _inflate(body, _RAW, limit, salvage))


def _undo_brotli(body: bytes, limit: int, salvage: bool) -> bytes:
    if body.startswith((_GZIP, _ZSTD)):
        return _undo_zlib(body, limit, salvage)
    return _or_text(body, lambda: (_unbrotli(body, limit, salvage), len(body)))


def _undo_zstd(body: bytes, limit: int, salvage: bool) -> bytes:
    if body.startswith(_ZSTD) or not is_text(body):
        return unzstd(body, limit, salvage=salvage) if not body.startswith(_GZIP) else _undo_zlib(body, limit, salvage)
    return body


_UNDO: dict[str, Callable[[bytes, int, bool], bytes]] = {
    "gzip": _undo_zlib, "x-gzip": _undo_zlib, "deflate": _undo_zlib, "br": _undo_brotli, "zstd": _undo_zstd,
}  # fmt: skip


def _or_text(body: bytes, unpack: Callable[[], tuple[bytes, int]]) -> bytes:
    """What a body without a mark unpacks to; the body, if it reads like a text and is not packed from end to end."""
    if not body or not is_text(body):
        return unpack()[0] if body else body
    try:
        unpacked, end = unpack()
    except PageError:
        return body
    return unpacked if end == len(body) else body


def _inflate(body: bytes, wbits: int, limit: int, salvage: bool) -> tuple[bytes, int]:
    """What a deflate stream or gzip members unpack to, and where they end. Bytes behind the last one do not count.

    It goes on in pieces, from small ones: what lies behind a member is copied, and there may be many members.
    """
    out, position = bytearray(), 0
    while position == 0 or (wbits == _MEMBER and body.startswith(_GZIP, position)):
        inflate, before, begin = zlib.decompressobj(wbits), len(out), position
        piece = _SALVAGED_PIECE if salvage else _FIRST_PIECE
        try:
            while not inflate.eof and position < len(body):
                data = body[position : position + piece]
                out += inflate.decompress(data, limit + 1 - len(out))
                position += len(data) - len(inflate.unused_data)
                piece = piece if salvage else min(2 * piece, _LARGEST_PIECE)
                if len(out) > limit:
                    if salvage:
                        return bytes(out), position
                    raise _too_much(limit)
        except zlib.error as error:
            if salvage and out:
                return bytes(out), position
            if before:  # behind a whole member
                return bytes(out[:before]), begin
            raise _broken(error) from None
        if not inflate.eof:
            if salvage and out:
                break
            raise _too_early()
        position = _ZEROS.match(body, position).end()  # type: ignore[union-attr]  # it matches everywhere
    return bytes(out), position


def _unbrotli(body: bytes, limit: int, salvage: bool) -> bytes:
    from fastwarc.stream_io import BrotliReader  # comes with the WARC library; two packages have the name `brotli`

    reader = BrotliReader(io.BytesIO(body))
    out = bytearray()
    try:
        while len(out) <= limit and (more := reader.read(_SALVAGED_PIECE if salvage else limit + 1 - len(out))):
            out += more
    except OSError as error:
        if not (salvage and out):
            raise _broken(error) from None
    if len(out) > limit and not salvage:
        raise _too_much(limit)
    return bytes(out)


@cache
def zstd_library() -> Any:
    """Python's Zstandard, or its backport before 3.14."""
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]  # Python 3.14
    except ImportError:
        from backports import zstd
    return zstd


def unzstd(body: bytes, limit: int, *, salvage: bool = False) -> bytes:
    """Unpack whole Zstandard frames, piece by piece as `_inflate` does.

    Raises PageError if they are broken or unpack to more than the limit.
    """
    zstd = zstd_library()
    out, position = bytearray(), 0
    try:
        while position < len(body):
            decoder, piece = zstd.ZstdDecompressor(), _FIRST_PIECE
            while not decoder.eof and position < len(body):
                data = body[position : position + piece]
                out += decoder.decompress(data, max_length=limit + 1 - len(out))
                position += len(data) - len(decoder.unused_data)
                piece = min(2 * piece, _LARGEST_PIECE)
                if len(out) > limit:
                    raise _too_much(limit)
            if not decoder.eof:
                raise _too_early()
    except (zstd.ZstdError, PageError) as error:
        if salvage and out:
            return bytes(out)
        raise error if isinstance(error, PageError) else _broken(error) from None
    return bytes(out)


def undo_chunks(body: bytes) -> bytes:
    """A body without its chunked framing; unchanged if it has none, or a broken one.

    >>> undo_chunks(b"4 \\r\\nWiki\\r\\n0\\r\\n\\r\\n"), undo_chunks(b"<html>"), undo_chunks(b"9\\r\\nWiki\\r\\n")
    (b'Wiki', b'<html>', b'9\\r\\nWiki\\r\\n')
    """
    chunks = Chunks()
    try:
        chunks.feed(body)
    except ValueError:
        return body
    return bytes(chunks.body) if chunks.is_last else body
