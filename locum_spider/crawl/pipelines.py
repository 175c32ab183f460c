"""The item pipeline: hands each visit to the recorder and waits until it is stored."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Self

from itemadapter import ItemAdapter
from scrapy.crawler import Crawler

from locum_spider.errors import LocumError
from locum_spider.items import Visit

log = logging.getLogger(__name__)


class RecorderPipeline:
    """Only passes on; what a visit means is decided by the recorder."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    async def process_item(self, item: Any) -> Any:
        """Store a Visit. Stops the crawl where nothing more can be kept; the visit stays in the frontier then."""
        adapter = ItemAdapter(item)
        stats, scheduler = self.crawler.stats, self.crawler.engine.scheduler
        visit = Visit(**{name: adapter[name] for name in adapter.field_names()})
        try:
            recorded = await scheduler.record(visit)
        except LocumError as error:
            if stats.get_value("locum/error") is None:
                scheduler.fail(error)
                log.error("%s", error)
                # Not awaited: the engine waits for this very item before it closes.
                self._stopping = asyncio.ensure_future(self.crawler.engine.close_spider_async(reason="recorder_failed"))
            return item
        stats.inc_value(f"locum/outcome/{recorded.outcome}")
        stats.set_value("locum/pending", scheduler.pending)
        return item
