"""Content and transfer codings: bodies without compression and chunks."""

from __future__ import annotations

import io
import zlib
from typing import Any

from locum_spider.errors import PageError

ACCEPTED = "gzip, deflate"
"""What we ask for: some readers of WARC fail on `br` and `zstd`. Captures made by others may have them."""


def decode_content(body: bytes, coding: str | None, *, limit: int) -> bytes:
    """The body without its `Content-Encoding`, at most `limit` bytes long.

    Raises PageError if a coding cannot be undone, the data is broken, or there is more than the limit.

    >>> decode_content(b"plain", None, limit=10)
    b'plain'
    >>> import gzip; decode_content(gzip.compress(b"text"), "gzip", limit=10)
    b'text'
    """
    for name in reversed([c.strip().lower() for c in (coding or "").split(",") if c.strip()]):
        if name in {"gzip", "x-gzip", "deflate"}:
            body = _inflate(body, limit)
        elif name == "br":
            body = _unbrotli(body, limit)
        elif name == "zstd":
            body = unzstd(body, limit)
        elif name != "identity":
            raise PageError(f"its content coding {name!r} is not known and cannot be undone")
    if len(body) > limit:
        raise PageError(f"the body has {len(body):,} bytes, more than the limit of {limit:,} (crawl.max_bytes)")
    return body


def _too_much(limit: int) -> PageError:
    return PageError(f"the body unpacks to more than the limit of {limit:,} bytes (crawl.max_bytes)")


def _inflate(body: bytes, limit: int) -> bytes:
    """Undo gzip or deflate, by the first bytes: servers confuse the names, and some send plain text under them."""
    if not body:
        return b""
    if body[:2] == b"\x1f\x8b":
        wbits = 31
    elif body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0:
        wbits = 15
    else:
        wbits = -15
    out = bytearray()
    while body:
        inflate = zlib.decompressobj(wbits)
        try:
            out += inflate.decompress(body, limit + 1 - len(out))
        except zlib.error as error:
            if out:  # bytes behind the last member do not count
                return bytes(out)
            if wbits == -15 and body.lstrip()[:1] == b"<":
                return body
            raise PageError(f"its compressed body is broken: {error}") from None
        if len(out) > limit:
            raise _too_much(limit)
        if not inflate.eof:
            raise PageError("its compressed body ends too early")
        body = inflate.unused_data.lstrip(b"\0")
    return bytes(out)


def _unbrotli(body: bytes, limit: int) -> bytes:
    from fastwarc.stream_io import BrotliReader  # comes with the WARC library; two packages have the name `brotli`

    reader = BrotliReader(io.BytesIO(body))
    out = bytearray()
    try:
        while len(out) <= limit and (more := reader.read(limit + 1 - len(out))):
            out += more
    except OSError as error:
        raise PageError(f"its compressed body is broken: {error}") from None
    if len(out) > limit:
        raise _too_much(limit)
    return bytes(out)


def zstd_library() -> Any:
    """Python's Zstandard, or its backport before 3.14."""
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]  # Python 3.14
    except ImportError:
        from backports import zstd
    return zstd


def unzstd(body: bytes, limit: int) -> bytes:
    """Unpack whole Zstandard frames. Raises PageError if they are broken or unpack to more than the limit."""
    zstd = zstd_library()
    out = bytearray()
    try:
        while body:
            decoder = zstd.ZstdDecompressor()
            out += decoder.decompress(body, max_length=limit + 1 - len(out))
            if len(out) > limit:
                raise _too_much(limit)
            if not decoder.eof:
                raise PageError("its compressed body ends too early")
            body = decoder.unused_data
    except zstd.ZstdError as error:
        raise PageError(f"its compressed body is broken: {error}") from None
    return bytes(out)


def undo_chunks(body: bytes) -> bytes:
    """A body without its chunked framing; unchanged if it has none, or a broken one.

    >>> undo_chunks(b"4\\r\\nWiki\\r\\n0\\r\\n\\r\\n"), undo_chunks(b"<html>")
    (b'Wiki', b'<html>')
    """
    out, position = bytearray(), 0
    while True:
        end = body.find(b"\r\n", position)
        try:
            size = int(body[position:end].split(b";")[0].strip() or b"x", 16) if end >= 0 else -1
        except ValueError:
            return body
        if size == 0:
            return bytes(out)
        if size < 0 or end + 2 + size > len(body):
            return body
        out += body[end + 2 : end + 2 + size]
        position = end + 4 + size
