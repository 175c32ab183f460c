"""Redirects, within the site."""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from locum_spider.crawl.scheduler import REQUEST_ID


class SiteRefusal(IgnoreRequest):
    """Raised when a redirect leaves the site."""


class SameSiteRedirectMiddleware(RedirectMiddleware):
    """Scrapy's redirects, but only within the site's hosts."""

    def process_response(self, request: Request, response: Response) -> Any:
        result = super().process_response(request, response)
        if isinstance(result, Request) and REQUEST_ID in request.meta:
            site = self.crawler.spider.site
            if not site.owns(result.url):
                raise SiteRefusal(f"it leads to another site, {result.url}")
            if result.url != request.url:
                for name in (b"If-None-Match", b"If-Modified-Since"):  # these are about the page at the old address
                    result.headers.pop(name, None)
        return result
