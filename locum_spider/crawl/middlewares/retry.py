"""Retries, with a pause before each."""

from __future__ import annotations

import asyncio
import email.utils
import logging
import random
import time
from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached

from locum_spider.crawl.http.handler import CapturedResponse

log = logging.getLogger(__name__)

_BACKOFF = 0.5
_LONGEST_BACKOFF = 60.0
_POLL = 0.25
_LONGEST_NUMBER = 12
_WORTH_A_TRY = frozenset({"disconnect", "time", "unspecified"})  # a body over the limit would be so again


class Interrupted(IgnoreRequest):
    """Raised for a request that waits when the crawl stops; it stays in the frontier."""


class PatientRetryMiddleware(RetryMiddleware):
    """Scrapy's retries, with a growing pause before each; the whole host waits as long as Retry-After says."""

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self._not_before: dict[str, float] = {}
        self._longest = settings.getfloat("LOCUM_MAX_RETRY_AFTER")

    async def process_request(self, request: Request) -> None:
        host = urlparse_cached(request).netloc
        while (pause := self._not_before.get(host, 0.0) - time.monotonic()) > 0:
            if not self.crawler.engine.running:
                raise Interrupted("the crawl is being stopped")
            await asyncio.sleep(min(pause, _POLL))

    async def process_response(self, request: Request, response: CapturedResponse) -> Any:
        if response.status in self.retry_http_codes:
            wait = retry_after(response.headers.get(b"Retry-After"), time.time())
            if wait is not None and wait > self._longest:
                log.warning("%s asks us to wait %d s, which is too long; it is not fetched", request.url, wait)
                return response
            self._pause(request, wait)
        elif response.exchange.truncated in _WORTH_A_TRY:
            self._pause(request, None)
            return self._retry(request, "the answer was cut") or response
        return super().process_response(request, response)

    def process_exception(self, request: Request, exception: Exception) -> Any:
        result = super().process_exception(request, exception)
        if result is not None:
            self._pause(request, None)
        return result

    def _pause(self, request: Request, wait: float | None) -> None:
        tries = request.meta.get("retry_times", 0)
        backoff = min(_BACKOFF * 2**tries, _LONGEST_BACKOFF) * random.uniform(1.0, 1.5)  # noqa: S311 - no secret
        host = urlparse_cached(request).netloc
        until = time.monotonic() + (wait if wait is not None else backoff)
        self._not_before[host] = max(self._not_before.get(host, 0.0), until)


def retry_after(value: bytes | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date; None if it is neither.

    >>> retry_after(b"120", 0.0), retry_after(b"Thu, 01 Jan 1970 00:01:00 GMT", 0.0), retry_after(b"soon", 0.0)
    (120.0, 60.0, None)
    """
    text = (value or b"").decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text[:_LONGEST_NUMBER])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (ValueError, TypeError):
        return None
