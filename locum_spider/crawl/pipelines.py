"""The item pipeline: gives each visit to the recorder and waits until it is stored."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Self

from itemadapter import ItemAdapter
from scrapy.crawler import Crawler

from locum_spider.crawl.session import CrawlSession
from locum_spider.crawl.watch import Watch, warned
from locum_spider.errors import LocumError
from locum_spider.items import Visit

log = logging.getLogger(__name__)


class RecorderPipeline:
    """Only passes visits on, and logs what became of each; the recorder decides what they mean."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._session: CrawlSession = crawler.spider.session
        self._watch = Watch()

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        """Store a Visit. If the recorder cannot go on, stop the crawl; the visit stays in the frontier."""
        try:
            recorded = await self._session.record(Visit(**ItemAdapter(item)))
        except LocumError as error:
            if self._session.error is None:
                self._session.error = error
                log.error("%s", error)
                # Not awaited: the engine waits for this item before it closes.
                self._stopping = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason="recorder_failed"))
            return item
        why = f": {recorded.reason}" if recorded.reason else ""
        log.info("%s %s%s", recorded.outcome, recorded.url, why)
        if (text := self._watch.take(recorded.outcome, recorded.reason)) is not None:
            log.warning("%s", text)
            self.crawler.signals.send_catch_log(warned, site=self._session.site, text=text)
        self.crawler.stats.inc_value(f"locum/outcome/{recorded.outcome}")
        self.crawler.stats.set_value("locum/pending", self._session.pending)
        return item
