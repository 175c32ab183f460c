"""Scrapy's scheduler over the archive's own frontier table, through the recorder."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from pathlib import Path
from typing import Any, Self

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from twisted.internet.defer import Deferred

from locum_spider.errors import LocumError
from locum_spider.items import Visit
from locum_spider.recorder.client import RecorderClient
from locum_spider.recorder.messages import Close, Open, Opened, Recorded, Report
from locum_spider.store import frontier

log = logging.getLogger(__name__)

REQUEST_ID = "locum_request"
"""Key in a request's meta: the frontier's row."""


class FrontierScheduler(BaseScheduler):
    """Hands out the requests that the recorder leases to it, a few at a time; the rest wait on disk.

    Retries and redirects of a request in flight come back through `enqueue_request` and stay in memory: until the
    recorder has stored the visit, the frontier's row is still queued, so a kill loses nothing.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.stats = crawler.stats
        self.crawl_id = 0
        self._recorder: RecorderClient | None = None
        self._ours: deque[Request] = deque()
        self._leased: deque[frontier.Request] = deque()
        self._waiting = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def open(self, spider: Spider) -> Deferred[None]:
        """Start the recorder and begin or resume the crawl."""
        return Deferred.fromFuture(asyncio.ensure_future(self._open(spider)))

    async def _open(self, spider: Spider) -> None:
        settings = self.crawler.settings
        try:
            self._recorder = await RecorderClient.start(
                Path(settings["LOCUM_ARCHIVE"]),
                durable=settings.getbool("LOCUM_DURABLE"),
                warc_bytes=settings.getint("LOCUM_WARC_BYTES"),
                min_free=settings.getint("LOCUM_MIN_FREE"),
            )
            opened: Opened = await self._recorder.ask(Open(spider.site.name))
        except LocumError as error:
            self.fail(error)
            raise
        self.crawl_id = opened.crawl_id
        self.stats.set_value("locum/crawl_id", opened.crawl_id)
        self.stats.set_value("locum/resumed", opened.resumed)
        if opened.resumed:
            log.info("Going on with crawl %s of %s", opened.crawl_id, spider.site.name)
        self._take(opened.requests, opened.waiting)

    def close(self, reason: str) -> Deferred[None]:
        """End the crawl in the archive and let the recorder close its files."""
        return Deferred.fromFuture(asyncio.ensure_future(self._close(reason)))

    async def _close(self, reason: str) -> None:
        if self._recorder is None:
            return
        try:
            if self._recorder.error is None and self.crawl_id:
                report: Report = await self._recorder.ask(Close(self.crawl_id, reason))
                self.stats.set_value("locum/report", report)
            elif self._recorder.error is not None:
                self.fail(self._recorder.error)
        except LocumError as error:
            self.fail(error)
        finally:
            await self._recorder.close()

    async def record(self, visit: Visit) -> Recorded:
        """Have a visit stored, and take on what it leads to. Raises the recorder's error."""
        if self._recorder is None:
            raise LocumError("the crawl is not open")
        recorded: Recorded = await self._recorder.ask(visit)
        self._take(recorded.requests, recorded.waiting)
        return recorded

    def fail(self, error: LocumError) -> None:
        """Note why the crawl could not go on; the command line tells it."""
        self.stats.set_value("locum/error", error)

    def _take(self, requests: list[frontier.Request], waiting: int) -> None:
        self._leased.extend(requests)
        self._waiting = waiting

    # -- Scrapy's interface ------------------------------------------------------------------------------------

    def has_pending_requests(self) -> bool:
        return bool(self._ours or self._leased)

    @property
    def pending(self) -> int:
        """Requests not yet handed to the downloader, on disk and here."""
        return len(self._ours) + len(self._leased) + self._waiting

    def enqueue_request(self, request: Request) -> bool:
        self._ours.append(request)
        return True

    def next_request(self) -> Request | None:
        if self._ours:
            return self._ours.popleft()
        if not self._leased:
            return None
        leased = self._leased.popleft()
        spider: Any = self.crawler.spider
        headers = {}
        if leased.etag:
            headers["If-None-Match"] = leased.etag
        if leased.last_modified:
            headers["If-Modified-Since"] = leased.last_modified
        meta = {REQUEST_ID: leased.id}
        try:
            return Request(leased.url, callback=spider.parse, errback=spider.failed, meta=meta, headers=headers)
        except ValueError as error:  # an address that Scrapy cannot ask for
            visit = Visit(self.crawl_id, leased.id, error=f"not an address that can be asked for: {error}")
            self._refused = asyncio.ensure_future(self.record(visit))
            return self.next_request()
