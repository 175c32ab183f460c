"""Values in the fields of WARC records, as the many writers of them write them: digests and times."""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def agrees(stated: str, data: bytes) -> bool | None:
    """Whether bytes have the digest that is stated of them; None where it is of no kind that we know."""
    algorithm, _, value = stated.strip().lower().partition(":")
    algorithm = algorithm.replace("-", "")
    if algorithm not in {"md5", "sha1", "sha256", "sha512"}:
        return None
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    base32 = b32encode(digest).decode().lower()
    return value in {digest.hex(), base32, base32.rstrip("=")}


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
    >>> second("2018-04-10"), second("yesterday")
    ('2018-04-10T00:00:00Z', None)
    """
    text = re.sub(r"[.,]\d+", "", date.strip(), count=1)
    try:
        time = datetime.strptime(text, "%Y%m%d%H%M%S") if text.isdigit() else datetime.fromisoformat(text)  # noqa: DTZ007 - UTC below
    except ValueError:
        return None
    return _utc(time)


def http_second(date: str) -> str | None:
    """A date of an HTTP header in the same form.

    >>> http_second("Mon, 02 May 2016 10:00:00 GMT"), http_second("once")
    ('2016-05-02T10:00:00Z', None)
    """
    try:
        return _utc(parsedate_to_datetime(date))
    except ValueError:
        return None


def _utc(time: datetime) -> str | None:
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time.year > 999 else None
