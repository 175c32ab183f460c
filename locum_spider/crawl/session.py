"""One crawl's connection to the recorder, which spider, scheduler, pipeline and middlewares share."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from locum_spider.errors import LocumError
from locum_spider.items import Visit
from locum_spider.recorder.client import RecorderClient
from locum_spider.recorder.messages import Close, Open, Opened, Recorded, Report
from locum_spider.store.frontier import Request


class CrawlSession:
    """A crawl of one site as the recorder knows it: its id, the requests leased to it, how it ended.

    `leased` holds requests that are not fetched yet; `waiting` more are in the frontier. `error` is why the crawl could
    not begin or go on, `report` what it did, once it has ended.
    """

    def __init__(self, site: str, settings: Any) -> None:
        self.site = site
        self.crawl_id = 0
        self.resumed = False
        self.warning: str | None = None
        self.report: Report | None = None
        self.error: LocumError | None = None
        self.waiting = 0
        self._settings = settings
        self.leased: deque[Request] = deque()
        self._recorder: RecorderClient | None = None

    async def open(self) -> None:
        """Start the recorder, and begin or resume the crawl. Raises the recorder's error."""
        try:
            self._recorder = RecorderClient.start(
                Path(self._settings["LOCUM_ARCHIVE"]),
                durable=self._settings.getbool("LOCUM_DURABLE"),
                warc_bytes=self._settings.getint("LOCUM_WARC_BYTES"),
                min_free=self._settings.getint("LOCUM_MIN_FREE"),
            )
            opened: Opened = await self._recorder.ask(Open(self.site))
        except LocumError as error:
            self.error = error
            raise
        self.crawl_id, self.resumed, self.warning = opened.crawl_id, opened.resumed, opened.warning
        self._take(opened)

    async def record(self, visit: Visit) -> Recorded:
        """Have a visit stored, and take the requests that the recorder leases next. Raises the recorder's error."""
        if self._recorder is None:
            raise LocumError("the crawl is not open")
        recorded: Recorded = await self._recorder.ask(visit)
        self._take(recorded)
        return recorded

    async def close(self, *, complete: bool) -> None:
        """End the crawl in the archive and let go of the recorder, which closes its files."""
        if self._recorder is None:
            return
        try:
            if self.crawl_id:
                self.report = await self._recorder.ask(Close(self.crawl_id, complete))
        except LocumError as error:
            self.error = error
        await self._recorder.close()
        self.error = self.error or self._recorder.error

    @property
    def pending(self) -> int:
        """Requests not yet fetched: leased, or still in the frontier."""
        return len(self.leased) + self.waiting

    def _take(self, answer: Opened | Recorded) -> None:
        self.leased.extend(answer.requests)
        self.waiting = answer.waiting
