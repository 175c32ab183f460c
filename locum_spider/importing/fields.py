"""Values in the fields of WARC records, as the many writers of them write them: digests and times."""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

_STAMP = len("20180410154500")
_UNWRITABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]")


def agrees(stated: str, data: bytes) -> bool | None:
    """Whether bytes have the digest that is stated of them; None where it is of no kind that we know."""
    algorithm, _, value = stated.strip().lower().partition(":")
    algorithm = algorithm.replace("-", "")
    if algorithm not in {"md5", "sha1", "sha256", "sha512"}:
        return None
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    base32 = b32encode(digest).decode().lower()
    return value in {digest.hex(), base32, base32.rstrip("=")}


def address(stated: str) -> str:
    """An address without the brackets of old writers, and with nothing in it that cannot stand in a header line.

    >>> address(" <http://a.example/x> "), address("http://a.example/a b\\r\\nWARC-Truncated: length")
    ('http://a.example/x', 'http://a.example/a%20b%0D%0AWARC-Truncated:%20length')
    """
    return _UNWRITABLE.sub(lambda found: quote(found[0]), stated.strip("<> "))


def as_ours(stated: str) -> str | None:
    """A digest in the way we write it.

    >>> as_ours("SHA1:da39a3ee5e6b4b0d3255bfef95601890afd80709"), as_ours("")
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
    >>> second("2018-04-10"), second("yesterday"), second("201804101545")
    ('2018-04-10T00:00:00Z', None, None)
    """
    text = re.sub(r"[.,]\d+", "", date.strip(), count=1)
    if text.isdigit() and len(text) != _STAMP:  # strptime takes fewer digits, and makes other times of them
        return None
    try:
        return _utc(datetime.strptime(text, "%Y%m%d%H%M%S") if text.isdigit() else datetime.fromisoformat(text))  # noqa: DTZ007 - UTC then
    except (ValueError, OverflowError):
        return None


def http_second(date: str) -> str | None:
    """A date of an HTTP header in the same form.

    >>> http_second("Mon, 02 May 2016 10:00:00 GMT"), http_second("once")
    ('2016-05-02T10:00:00Z', None)
    """
    try:
        return _utc(parsedate_to_datetime(date))
    except (ValueError, OverflowError):
        return None


def _utc(time: datetime) -> str | None:
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time.year > 999 else None
