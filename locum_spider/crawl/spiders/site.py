"""The one spider: it fetches what the frontier hands out and passes on what came."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar, Self

from scrapy import Spider
from scrapy.http import Request, Response
from twisted.python.failure import Failure

from locum_spider.crawl.faults import explain
from locum_spider.crawl.middlewares.capture import EXCHANGES
from locum_spider.crawl.middlewares.retry import Interrupted
from locum_spider.crawl.middlewares.robots import RobotsRefusal
from locum_spider.crawl.scheduler import REQUEST_ID
from locum_spider.crawl.session import CrawlSession
from locum_spider.items import Visit
from locum_spider.sites.site import Site


class SiteSpider(Spider):
    """A spider for one declared site. It neither reads pages nor stores them."""

    site: ClassVar[Site]
    session: CrawlSession

    @classmethod
    def update_settings(cls, settings: Any) -> None:
        """The site's own politeness, unless the command line sets another."""
        super().update_settings(settings)
        policy = cls.site.crawl
        language = cls.site.language if cls.site.language == "en" else f"{cls.site.language}, en;q=0.5"
        for name, value in (
            ("DOWNLOAD_DELAY", policy.delay),
            ("CONCURRENT_REQUESTS", policy.concurrency),
            ("CONCURRENT_REQUESTS_PER_DOMAIN", policy.concurrency),
            ("DOWNLOAD_MAXSIZE", policy.max_bytes),
            ("DEFAULT_REQUEST_HEADERS", {**settings.getdict("DEFAULT_REQUEST_HEADERS"), "Accept-Language": language}),
        ):
            settings.set(name, value, priority="spider")

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Self:
        """A spider with its crawl's session, which the other components find here."""
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.session = CrawlSession(cls.site.name, crawler.settings)
        return spider

    async def start(self) -> AsyncIterator[Any]:
        """No requests: those come from the frontier."""
        nothing: tuple[Any, ...] = ()
        for item in nothing:  # makes this a generator, as Scrapy wants it
            yield item

    def parse(self, response: Response) -> Iterator[Visit]:
        """A final response, error pages included."""
        yield self._visit(response.request)

    def failed(self, failure: Failure) -> Iterator[Visit]:
        """No final response: refused, or unreachable."""
        request = failure.request
        if failure.check(Interrupted):
            return
        yield self._visit(request, error=explain(failure.value), refused=bool(failure.check(RobotsRefusal)))

    def _visit(self, request: Request, error: str | None = None, *, refused: bool = False) -> Visit:
        meta = request.meta
        return Visit(self.session.crawl_id, meta[REQUEST_ID], tuple(meta.get(EXCHANGES, ())), error, refused)


def spider_class(site: Site) -> type[SiteSpider]:
    """The spider class of a site, `LocumTodaySpider` for `locum-today`."""
    name = "".join(part.capitalize() for part in site.name.split("-")) + "Spider"
    names = {
        "name": site.name,
        "site": site,
        "allowed_domains": list(site.hosts),
        "__module__": "locum_spider.crawl.spiders",
    }
    return type(name, (SiteSpider,), names)
