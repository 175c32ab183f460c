"""Downloader middlewares: keep every exchange, stay on the site, obey robots.txt, wait when asked to."""

from __future__ import annotations

import asyncio
import email.utils
import logging
import random
import re
import time
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached

from locum_spider.crawl.scheduler import REQUEST_ID
from locum_spider.errors import PageError
from locum_spider.items import Exchange, Visit
from locum_spider.store.connection import utc_now
from locum_spider.warc.codings import decode_content

if TYPE_CHECKING:
    from typing import Any, Self

    from scrapy.crawler import Crawler
    from scrapy.http import Response

log = logging.getLogger(__name__)

EXCHANGES = "locum_exchanges"
"""Key in a request's meta: the exchanges so far, shared by its retries and redirects."""

_ROBOTS_BYTES = 512_000
_BACKOFF = 0.5
_LONGEST_BACKOFF = 60.0
_POLL = 0.25
_LONGEST_NUMBER = 12


class RobotsRefusal(IgnoreRequest):
    """Raised where robots.txt, or its absence by a server fault, forbids a request."""


class SiteRefusal(IgnoreRequest):
    """Raised where a redirect leaves the site."""


class Interrupted(IgnoreRequest):
    """Raised in a request that waits while the crawl is being stopped; it stays in the frontier."""


class CaptureMiddleware:
    """Only notes exchanges as they came over the wire; the recorder keeps them with the visit they belong to."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_response(self, request: Request, response: Response) -> Response:
        exchange = Exchange(
            url=request.url,
            method=request.method,
            request_headers=_pairs(request.headers, request),
            status=response.status,
            response_headers=_pairs(response.headers),
            body=response.body,
            fetched_at=utc_now(),
            protocol=response.protocol or "HTTP/1.1",
            ip=str(response.ip_address) if response.ip_address and "proxy" not in request.meta else None,
        )
        self.crawler.stats.inc_value("locum/captures")
        if REQUEST_ID in request.meta:
            request.meta.setdefault(EXCHANGES, []).append(exchange)
        else:  # robots.txt belongs to no row of the frontier
            scheduler = self.crawler.engine.scheduler
            await scheduler.record(Visit(scheduler.crawl_id, None, (exchange,)))
        return response


def _pairs(headers: Any, request: Request | None = None) -> tuple[tuple[bytes, bytes], ...]:
    pairs = [(name, value) for name, values in headers.items() for value in values]
    if request is not None:
        pairs.insert(0, (b"Host", urlparse_cached(request).netloc.encode()))
        pairs = [pair for pair in pairs if pair[0].lower() != b"proxy-authorization"]
    return tuple(pairs)


class SameSiteRedirectMiddleware(RedirectMiddleware):
    """Scrapy's redirects, but none that leaves the site's hosts."""

    def process_response(self, request: Request, response: Response) -> Any:
        result = super().process_response(request, response)
        if isinstance(result, Request) and REQUEST_ID in request.meta:
            site = self.crawler.spider.site
            if not site.owns(result.url):
                raise SiteRefusal(f"it leads to another site, {result.url}")
            if result.url != request.url:
                for name in (b"If-None-Match", b"If-Modified-Since"):  # what we have of the address that was left
                    result.headers.pop(name, None)
        return result


class RobotsUnreachable(IgnoreRequest):
    """Raised where robots.txt cannot be had for a fault of the network: nothing may be fetched then (RFC 9309)."""


class PoliteRobotsTxtMiddleware(RobotsTxtMiddleware):
    """Scrapy's robots.txt, with Crawl-delay, compressed bodies and RFC 9309's rules for a faulty server."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._unreachable: dict[str, str] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def process_request(self, request: Request) -> None:
        await super().process_request(request)
        netloc = urlparse_cached(request).netloc
        if netloc in self._unreachable and not request.meta.get("dont_obey_robotstxt"):
            raise RobotsUnreachable(f"robots.txt cannot be had: {self._unreachable[netloc]}")

    async def robot_parser(self, request: Request) -> Any:
        """One request of a host asks for its rules, the others wait for it.

        Scrapy has them wait for one Deferred, which gives its result to the first of them and None, which allows
        everything, to the rest.
        """
        async with self._asking.setdefault(urlparse_cached(request).netloc, asyncio.Lock()):
            return await super().robot_parser(request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        self._unreachable[netloc] = explain(exc)
        super()._robots_error(exc, netloc)

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        coding = (response.headers.get(b"Content-Encoding") or b"").decode("latin-1")
        body = b""
        if response.status >= 500:
            body = b"User-agent: *\nDisallow: /\n"
            log.warning("%s answers %s; nothing is fetched from there", response.url, response.status)
        elif response.status < 400:
            try:
                body = decode_content(response.body, coding, limit=_ROBOTS_BYTES)
            except PageError as error:
                log.warning("%s is not readable: %s", response.url, error)
        headers = response.headers.copy()
        headers.pop(b"Content-Encoding", None)
        await super()._parse_robots(response.replace(body=body, headers=headers), netloc, request)

    def _slow_down(self, parser: Any, request: Request) -> None:
        # For each request anew: Scrapy forgets a host's slot after a minute without requests.
        delay = parser.crawl_delay(self._robotstxt_useragent)
        if delay:
            _, slot = self.crawler.engine.downloader._get_slot(request)  # noqa: SLF001 - AutoThrottle does the same
            slot.delay = max(slot.delay, float(delay))

    def process_request_2(self, rp: Any, request: Request) -> None:
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as refusal:
            raise RobotsRefusal("robots.txt forbids it") from refusal
        if rp is not None:
            self._slow_down(rp, request)


class PatientRetryMiddleware(RetryMiddleware):
    """Scrapy's retries, with a growing pause in between; the whole host waits as long as Retry-After says."""

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

    async def process_response(self, request: Request, response: Response) -> Any:
        if response.status in self.retry_http_codes:
            wait = retry_after(response.headers.get(b"Retry-After"), time.time())
            if wait is not None and wait > self._longest:
                log.warning("%s asks us to come back in %d s; not waited for", request.url, wait)
                return response
            self._pause(request, wait)
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


_TLS = re.compile(r"\b(OpenSSL|SSL|TLS|certificate|SSLError|VerificationError)\b")
_WORDS = {
    "CannotResolveHostError": "the host's name cannot be resolved",
    "DownloadConnectionRefusedError": "the connection was refused",
    "DownloadTimeoutError": "no answer in time",
    "ResponseDataLossError": "the answer ended too early",
    "ResponseFailed": "the connection broke",
    "DownloadFailedError": "the download failed",
    "UnsupportedURLSchemeError": "its scheme is none we can ask",
}


def explain(error: Exception, limit: int | None = None) -> str:
    """Why there is no response, in words for a report."""
    name = type(error).__name__
    detail = " ".join(str(error).split())
    if isinstance(error, IgnoreRequest):  # our own words, with an address in them
        return detail or name
    if _TLS.search(detail):
        return f"the TLS connection failed: {detail}"
    if name == "DownloadCancelledError" and limit is not None:
        return f"the body is longer than the limit of {limit:,} bytes (crawl.max_bytes)"
    words = _WORDS.get(name)
    if words is None:
        return detail or name
    return f"{words} ({detail})" if detail else words


def retry_after(value: bytes | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date; None where it says neither.

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
