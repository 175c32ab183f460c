"""Fields of WARC records as their many writers write them: digests and addresses."""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from urllib.parse import quote

_LINE_END = re.compile(rb"\r?\n")
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]")


def header_pairs(head: bytes) -> list[tuple[bytes, bytes]]:
    """The header lines of a head, behind its first line, as pairs: folded lines joined, lines without a name left out.

    >>> header_pairs(b"WARC/1.0\\r\\nA: 1\\r\\n\\t2\\nB:\\n: 3")
    [(b'A', b'1 2'), (b'B', b'')]
    """
    pairs: list[tuple[bytes, bytes]] = []
    for line in _LINE_END.split(head)[1:]:
        if line[:1] in (b" ", b"\t") and pairs:
            name, value = pairs[-1]
            pairs[-1] = name, (value + b" " + line.strip()).strip()
            continue
        name, colon, value = line.partition(b":")
        if colon and name.strip():
            pairs.append((name.strip(), value.strip()))
    return pairs


def agrees(stated: str, data: bytes) -> bool | None:
    """Whether bytes have the stated digest; None if its algorithm is not known."""
    algorithm, _, value = stated.strip().lower().partition(":")
    algorithm = algorithm.replace("-", "")
    if algorithm not in {"md5", "sha1", "sha256", "sha512"}:
        return None
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    base32 = b32encode(digest).decode().lower()
    return value in {digest.hex(), base32, base32.rstrip("=")}


def address(stated: str) -> str:
    """An address without the brackets of old writers; what a header line cannot hold is escaped.

    >>> address(" <http://a.example/x> "), address("http://a.example/a b\\r\\nWARC-Truncated: length")
    ('http://a.example/x', 'http://a.example/a%20b%0D%0AWARC-Truncated:%20length')
    """
    return _UNWRITABLE.sub(lambda match: quote(match[0]), stated.strip("<> "))


def as_ours(stated: str) -> str | None:
    """A digest as we write it; None if there is none.

    >>> as_ours("SHA1:da39a3ee5e6b4b0d3255bfef95601890afd80709"), as_ours("")
    ('sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ', None)
    """
    algorithm, _, value = stated.strip().partition(":")
    if algorithm.lower() not in {"sha1", "sha-1"}:
        return stated.strip() or None
    if re.fullmatch("[0-9a-fA-F]{40}", value):
        value = b32encode(bytes.fromhex(value)).decode()
    return f"sha1:{value.upper()}"
