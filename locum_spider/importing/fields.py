"""Fields of records as their many writers write them: digests, addresses, header lines."""

from __future__ import annotations

import hashlib
import re
from base64 import b32decode, b32encode, urlsafe_b64decode
from urllib.parse import quote

_SIZES = {name: hashlib.new(name, usedforsecurity=False).digest_size for name in
          ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")}  # fmt: skip
"""The length of a digest in bytes tells how it is written: no two writings have the same number of characters."""

_MARK = re.compile(r"[?&]__(?:wb|warc|pywb)_(?:method=(?P<method>[A-Za-z]+)|post_data=)")
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]")


def digest_value(stated: str) -> tuple[str, bytes] | None:
    """Algorithm and value of a digest in any writing (hex, base32, base64); None if it is not known.

    >>> digest_value("SHA-1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=") == digest_value("sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ")
    True
    """
    algorithm, _, value = "".join(stated.split()).partition(":")  # a long one may be folded
    algorithm, value = algorithm.lower().replace("-", "").replace("_", ""), value.rstrip("=")
    size = _SIZES.get(algorithm)
    if size is None:
        return None
    try:
        if len(value) == 2 * size:
            return algorithm, bytes.fromhex(value)
        if len(value) == -(-8 * size // 5):
            return algorithm, b32decode(value.upper() + "=" * (-len(value) % 8))
        if len(value) == -(-8 * size // 6):
            return algorithm, urlsafe_b64decode(value.replace("+", "-").replace("/", "_") + "=" * (-len(value) % 4))
    except ValueError:
        return None
    return None


def agrees(stated: str, data: bytes) -> bool | None:
    """Whether bytes have the stated digest; None if its algorithm or its writing is not known.

    A value that no writing gives is a wrong one.
    """
    known = digest_value(stated)
    if known is not None:
        return hashlib.new(known[0], data, usedforsecurity=False).digest() == known[1]
    algorithm = stated.strip().lower().partition(":")[0].replace("-", "").replace("_", "")
    return False if algorithm in _SIZES else None


def address(stated: str) -> str:
    """An address without the brackets of old writers; what a header line cannot hold is escaped.

    >>> address(" <http://a.example/x> "), address("http://a.example/a b\\r\\nWARC-Truncated: length")
    ('http://a.example/x', 'http://a.example/a%20b%0D%0AWARC-Truncated:%20length')
    """
    return _UNWRITABLE.sub(lambda match: quote(match[0]), stated.strip("<> "))


def method_in(url: str) -> str | None:
    """The method of a request that a web archive has put into an address; None if there is none.

    >>> method_in("http://a.example/?x=1&__wb_method=POST&y=2"), method_in("http://a.example/?__wb_post_data=eD0x")
    ('POST', 'POST')
    >>> method_in("http://a.example/?method=POST")
    """
    mark = _MARK.search(url)
    return None if mark is None else (mark["method"] or "POST").upper()


def as_ours(stated: str) -> str | None:
    """A digest in the one form that we compare, for SHA-1 that of our own records; None if there is none.

    >>> as_ours("SHA1:da39a3ee5e6b4b0d3255bfef95601890afd80709"), as_ours("")
    ('sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ', None)
    """
    known = digest_value(stated)
    if known is None:
        return stated.strip() or None
    algorithm, value = known
    return f"sha1:{b32encode(value).decode()}" if algorithm == "sha1" else f"{algorithm}:{value.hex()}"
