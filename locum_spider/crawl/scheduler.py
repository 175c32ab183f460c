"""Scrapy's scheduler over the archive's own frontier, which the recorder leases to the crawl."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.utils.defer import deferred_f_from_coro_f

from locum_spider.crawl.session import CrawlSession
from locum_spider.crawl.watch import warned
from locum_spider.items import Visit

log = logging.getLogger(__name__)

REQUEST_ID = "locum_request"
"""Key in a request's meta: the frontier's row."""


class FrontierScheduler(BaseScheduler):
    """Hands out the requests that the recorder leases to the crawl, some at a time; the rest wait on disk.

    Retries and redirects of a request in flight come back through `enqueue_request` and stay in memory. The row in
    the frontier stays queued until the recorder has stored the visit, so a kill loses nothing.
    """

    def __init__(self, spider: Any) -> None:
        self._spider, self._signals = spider, spider.crawler.signals
        self._session: CrawlSession = spider.session
        self._ours: deque[Request] = deque()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler.spider)

    @deferred_f_from_coro_f
    async def open(self, spider: Spider) -> None:  # noqa: ARG002 - Scrapy's interface
        """Start the recorder and begin or resume the crawl."""
        await self._session.open()
        if self._session.resumed:
            log.info("Resuming crawl %s of %s", self._session.crawl_id, self._session.site)
        if self._session.warning is not None:
            log.warning("%s", self._session.warning)
            self._signals.send_catch_log(warned, site=self._session.site, text=self._session.warning)

    @deferred_f_from_coro_f
    async def close(self, reason: str) -> None:
        """End the crawl in the archive."""
        await self._session.close(complete=reason == "finished")

    def has_pending_requests(self) -> bool:
        return bool(self._ours or self._session.leased)

    def enqueue_request(self, request: Request) -> bool:
        self._ours.append(request)
        return True

    def next_request(self) -> Request | None:
        if self._ours:
            return self._ours.popleft()
        if not self._session.leased:
            return None
        leased = self._session.leased.popleft()
        headers = {"If-None-Match": leased.etag, "If-Modified-Since": leased.last_modified}
        try:
            return Request(
                leased.url,
                callback=self._spider.parse,
                errback=self._spider.failed,
                meta={REQUEST_ID: leased.id},
                headers={name: value for name, value in headers.items() if value},
            )
        except ValueError as error:  # an address that Scrapy cannot fetch
            fault = f"the address cannot be fetched: {error}"
            visit = Visit(self._session.crawl_id, leased.id, error=fault)
            self._refused = asyncio.ensure_future(self._session.record(visit))
            return self.next_request()
