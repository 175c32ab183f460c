"""Redirects, within the site; those of robots.txt also to others, but never to a special address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest

from locum_spider.crawl.http.handler import ONLY_PUBLIC, CapturedResponse
from locum_spider.crawl.middlewares.capture import EXCHANGES
from locum_spider.crawl.scheduler import REQUEST_ID
from locum_spider.urls import as_browsers_read

_TWICE = 2
_LOCATION = b"Location"


class SiteRefusal(IgnoreRequest):
    """Raised when a redirect leaves the site, or leads nowhere."""


class SameSiteRedirectMiddleware(RedirectMiddleware):
    """Scrapy's redirects, but only within the site's hosts. For robots.txt RFC 9309 wants others followed, too."""

    def process_response(self, request: Request, response: CapturedResponse) -> Any:
        location = response.headers.get(_LOCATION)
        if location is not None and b"\\" in location:
            response.headers[_LOCATION] = as_browsers_read(location.decode("latin-1")).encode("latin-1")
        try:
            result = super().process_response(request, response)
        except IgnoreRequest as error:
            raise SiteRefusal(f"it has too many redirects{_cookies(request)}") from error
        if isinstance(result, Request):
            visited = [*request.meta.get("redirect_urls", ()), request.url]
            if visited.count(result.url) >= _TWICE:  # once may be chance: servers behind one address differ
                raise SiteRefusal(f"its redirects lead in a circle, back to {result.url}{_cookies(request)}")
            self._keep_to_site(request, result)
        return result

    def _keep_to_site(self, request: Request, redirected: Request) -> None:
        site = self.crawler.spider.site
        if REQUEST_ID not in request.meta:  # robots.txt
            hosts = tuple(urlsplit(f"//{host}").hostname or "" for host in site.hosts)
            redirected.meta[ONLY_PUBLIC] = None if site.owns(redirected.url) else hosts
            return
        if not site.owns(redirected.url):
            raise SiteRefusal(f"it leads to another site, {redirected.url}")
        if redirected.url != request.url:
            for name in (b"If-None-Match", b"If-Modified-Since"):  # these are about the page at the old address
                redirected.headers.pop(name, None)


def _cookies(request: Request) -> str:
    """What to add if the redirects set a cookie: they may wait for it to come back."""
    sets = any(exchange.header(b"set-cookie") is not None for exchange in request.meta.get(EXCHANGES, ()))
    return "; it sets a cookie and may want it back, but a crawl keeps no cookies" if sets else ""
