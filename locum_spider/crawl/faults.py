"""Why there is no response, in words for a report."""

from __future__ import annotations

import re

from scrapy.exceptions import IgnoreRequest

_TLS = re.compile(r"\b(OpenSSL|SSL|TLS|certificate|SSLError|VerificationError)\b")
_WORDS = {
    "CannotResolveHostError": "the host's name cannot be resolved",
    "DownloadConnectionRefusedError": "the connection was refused",
    "DownloadTimeoutError": "no answer in time",
    "ResponseDataLossError": "the answer ended too early",
    "ResponseFailed": "the connection broke",
    "DownloadFailedError": "the download failed",
    "UnsupportedURLSchemeError": "the address is neither http nor https",
}


def explain(error: Exception, limit: int | None = None) -> str:
    """Why there is no response, in words for a report."""
    name = type(error).__name__
    detail = " ".join(str(error).split())
    if isinstance(error, IgnoreRequest):  # in our own words already
        return detail or name
    if _TLS.search(detail):
        return f"the TLS connection failed: {detail}"
    if name == "DownloadCancelledError" and limit is not None:
        return f"the body is longer than the limit of {limit:,} bytes (crawl.max_bytes)"
    words = _WORDS.get(name)
    if words is None:
        return detail or name
    return f"{words} ({detail})" if detail else words
