"""Notes every exchange that a crawl makes."""

from __future__ import annotations

from typing import Any, Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from locum_spider.clock import utc_now
from locum_spider.crawl.scheduler import REQUEST_ID
from locum_spider.crawl.session import CrawlSession
from locum_spider.items import Exchange, Visit

EXCHANGES = "locum_exchanges"
"""Key in a request's meta: its exchanges so far, those of its retries and redirects included."""


class CaptureMiddleware:
    """Only notes exchanges as they came over the wire; the recorder stores them with their visit."""

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
        else:  # robots.txt has no row in the frontier
            session: CrawlSession = self.crawler.spider.session
            await session.record(Visit(session.crawl_id, None, (exchange,)))
        return response


def _pairs(headers: Any, request: Request | None = None) -> tuple[tuple[bytes, bytes], ...]:
    pairs = [(name, value) for name, values in headers.items() for value in values]
    if request is not None:
        pairs.insert(0, (b"Host", urlparse_cached(request).netloc.encode()))
        pairs = [pair for pair in pairs if pair[0].lower() != b"proxy-authorization"]
    return tuple(pairs)
