"""Obeys robots.txt."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.httpobj import urlparse_cached

from locum_spider.crawl.faults import explain
from locum_spider.crawl.http.handler import CapturedResponse
from locum_spider.crawl.robots_text import robots_text
from locum_spider.errors import PageError

log = logging.getLogger(__name__)


class RobotsRefusal(IgnoreRequest):
    """Raised if robots.txt, or a server that fails to send one that can be read, forbids a request."""


class RobotsUnreachable(IgnoreRequest):
    """Raised if the network fails to bring robots.txt: nothing may be fetched then (RFC 9309)."""


class PoliteRobotsTxtMiddleware(RobotsTxtMiddleware):
    """Scrapy's robots.txt, with Crawl-delay, odd wrappings and RFC 9309's rules for a failing server."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._without_rules: dict[str, IgnoreRequest] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def process_request(self, request: Request) -> None:
        await super().process_request(request)
        why = self._without_rules.get(urlparse_cached(request).netloc)
        if why is not None and not request.meta.get("dont_obey_robotstxt"):
            raise type(why)(*why.args)

    async def robot_parser(self, request: Request) -> Any:
        """The rules of a host: its first request fetches them, the others wait.

        In Scrapy all wait for one Deferred, which gives its result to the first, and to the others None, which allows
        everything.
        """
        async with self._asking.setdefault(urlparse_cached(request).netloc, asyncio.Lock()):
            return await super().robot_parser(request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        if not isinstance(exc, RobotsRefusal):
            exc = RobotsUnreachable(f"robots.txt cannot be fetched: {explain(exc)}")
        log.warning("Nothing is fetched from %s: %s", netloc, exc)
        self._without_rules[netloc] = exc
        super()._robots_error(exc, netloc)

    async def _parse_robots(self, response: CapturedResponse, netloc: str, request: Request) -> None:
        exchange, text = response.exchange, ""
        if exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RobotsRefusal(
                f"robots.txt answers HTTP {exchange.status}: nothing may be fetched until it can be read"
            )
        if exchange.truncated is not None and exchange.truncated != "length":  # the rule for us may be missing
            raise RobotsUnreachable(f"robots.txt cannot be fetched: the answer ended too early ({exchange.truncated})")
        if exchange.status < HTTPStatus.BAD_REQUEST:
            try:
                text = robots_text(exchange.body, exchange.coding, name=self._robotstxt_useragent)
            except PageError as error:
                raise RobotsRefusal(f"robots.txt cannot be read, so nothing may be fetched: {error}") from error
        await super()._parse_robots(response.replace(body=text.encode()), netloc, request)

    def process_request_2(self, rp: Any, request: Request) -> None:
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as refusal:
            raise RobotsRefusal("robots.txt forbids it") from refusal
        # Again for each request: Scrapy forgets a host's slot after a minute without requests.
        if rp is not None and (delay := rp.crawl_delay(self._robotstxt_useragent)):
            _, slot = self.crawler.engine.downloader._get_slot(request)  # noqa: SLF001 - AutoThrottle does the same
            slot.delay = max(slot.delay, float(delay))
