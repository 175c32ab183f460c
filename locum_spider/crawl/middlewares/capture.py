"""Notes every exchange that a crawl makes."""

from __future__ import annotations

from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler

from locum_spider.crawl.http.handler import CapturedResponse
from locum_spider.crawl.scheduler import REQUEST_ID
from locum_spider.crawl.session import CrawlSession
from locum_spider.items import Visit

EXCHANGES = "locum_exchanges"
"""Key in a request's meta: its exchanges so far, those of its retries and redirects included."""


class CaptureMiddleware:
    """Only notes exchanges as they came over the wire; the recorder stores them with their visit."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_response(self, request: Request, response: CapturedResponse) -> CapturedResponse:
        self.crawler.stats.inc_value("locum/captures")
        if REQUEST_ID in request.meta:
            request.meta.setdefault(EXCHANGES, []).append(response.exchange)
        else:  # robots.txt has no row in the frontier
            session: CrawlSession = self.crawler.spider.session
            await session.record(Visit(session.crawl_id, None, (response.exchange,)))
        return response
