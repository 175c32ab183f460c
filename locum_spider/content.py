"""Content codings: what a body says once the server's compression is undone."""

from __future__ import annotations

import zlib

from locum_spider.errors import PageError

ACCEPTED = "gzip, deflate"
"""What we ask for: readers of WARC stumble over `br` and `zstd`."""


def decode_content(body: bytes, coding: str | None, *, limit: int) -> bytes:
    """The body without its `Content-Encoding`, at most `limit` bytes long.

    Raises PageError for a coding that cannot be undone, broken data, or more than the limit.

    >>> decode_content(b"plain", None, limit=10)
    b'plain'
    >>> import gzip; decode_content(gzip.compress(b"text"), "gzip", limit=10)
    b'text'
    """
    for name in reversed([c.strip().lower() for c in (coding or "").split(",") if c.strip()]):
        if name == "identity":
            continue
        if name not in {"gzip", "x-gzip", "deflate"}:
            raise PageError(f"its content coding {name!r} is none we asked for ({ACCEPTED}) and cannot be undone")
        body = _inflate(body, limit)
    if len(body) > limit:
        raise PageError(f"the body has {len(body):,} bytes, more than the limit of {limit:,} (crawl.max_bytes)")
    return body


def _inflate(body: bytes, limit: int) -> bytes:
    """gzip or deflate by its first bytes: servers mix the names up, and some send plain text under them."""
    if not body:
        return b""
    if body[:2] == b"\x1f\x8b":
        wbits = 31
    elif body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0:
        wbits = 15
    elif body.lstrip()[:1] == b"<":
        return body
    else:
        wbits = -15
    out = bytearray()
    while body:
        inflate = zlib.decompressobj(wbits)
        try:
            out += inflate.decompress(body, limit + 1 - len(out))
        except zlib.error as error:
            if out:  # bytes behind the last member are no part of it
                return bytes(out)
            raise PageError(f"its compressed body is broken: {error}") from None
        if len(out) > limit:
            raise PageError(f"the body unpacks to more than the limit of {limit:,} bytes (crawl.max_bytes)")
        if not inflate.eof:
            raise PageError("its compressed body ends too early")
        body = inflate.unused_data.lstrip(b"\0")
    return bytes(out)
