"""Why there is no response, in words for a report."""

from __future__ import annotations

import re

from scrapy.exceptions import IgnoreRequest

_TLS = re.compile(r"\b(OpenSSL|SSL|TLS|certificate|SSLError|VerificationError)\b")
_PLACE_IN_CODE = re.compile(r" \(_\w+\.c:\d+\)")
_WORDS = {
    "CannotResolveHostError": "the host's name cannot be resolved",
    "DownloadConnectionRefusedError": "the connection was refused",
    "DownloadTimeoutError": "no answer in time",
}


def explain(error: Exception) -> str:
    """Why there is no response, in words for a report."""
    name = type(error).__name__
    detail = _PLACE_IN_CODE.sub("", " ".join(str(error).split()))
    if isinstance(error, IgnoreRequest):  # in our own words already
        return detail or name
    if _TLS.search(detail):
        return f"the TLS connection failed: {detail}"
    words = _WORDS.get(name)
    if words is None:
        return detail or name
    return f"{words} ({detail})" if detail else words
