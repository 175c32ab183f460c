"""Obeys robots.txt."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from locum_spider.crawl.faults import explain
from locum_spider.errors import PageError
from locum_spider.warc.codings import decode_content

log = logging.getLogger(__name__)

_ROBOTS_BYTES = 512_000


class RobotsRefusal(IgnoreRequest):
    """Raised if robots.txt, or a server that fails to send it, forbids a request."""


class RobotsUnreachable(IgnoreRequest):
    """Raised if the network fails to bring robots.txt: nothing may be fetched then (RFC 9309)."""


class PoliteRobotsTxtMiddleware(RobotsTxtMiddleware):
    """Scrapy's robots.txt, with Crawl-delay, compressed bodies and RFC 9309's rules for a failing server."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._unreachable: dict[str, str] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def process_request(self, request: Request) -> None:
        await super().process_request(request)
        netloc = urlparse_cached(request).netloc
        if netloc in self._unreachable and not request.meta.get("dont_obey_robotstxt"):
            raise RobotsUnreachable(f"robots.txt cannot be fetched: {self._unreachable[netloc]}")

    async def robot_parser(self, request: Request) -> Any:
        """The rules of a host: its first request fetches them, the others wait.

        In Scrapy all wait for one Deferred, which gives its result to the first, and to the others None, which allows
        everything.
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
            log.warning("%s answers %s; nothing is fetched from that host", response.url, response.status)
        elif response.status < 400:
            try:
                body = decode_content(response.body, coding, limit=_ROBOTS_BYTES)
            except PageError as error:
                log.warning("%s cannot be read: %s", response.url, error)
        headers = response.headers.copy()
        headers.pop(b"Content-Encoding", None)
        await super()._parse_robots(response.replace(body=body, headers=headers), netloc, request)

    def process_request_2(self, rp: Any, request: Request) -> None:
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as refusal:
            raise RobotsRefusal("robots.txt forbids it") from refusal
        # Again for each request: Scrapy forgets a host's slot after a minute without requests.
        if rp is not None and (delay := rp.crawl_delay(self._robotstxt_useragent)):
            _, slot = self.crawler.engine.downloader._get_slot(request)  # noqa: SLF001 - AutoThrottle does the same
            slot.delay = max(slot.delay, float(delay))
