"""Runs crawls in this process, for the command line. Scrapy starts and ends here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scrapy.crawler import AsyncCrawlerProcess
from scrapy.settings import Settings
from twisted.logger import globalLogBeginner

from locum_spider.crawl import settings as ours
from locum_spider.crawl.session import CrawlSession
from locum_spider.crawl.spiders.site import spider_class
from locum_spider.crawl.watch import warned
from locum_spider.errors import ExitCode, InterruptedCrawl, LocumError
from locum_spider.items import Outcome
from locum_spider.recorder.messages import Report
from locum_spider.sites.site import Site

_NEVER_USED = {
    "EXTENSIONS_BASE": ("scrapy.extensions.remote_control.RemoteControl", "scrapy.extensions.feedexport.FeedExporter"),
    "DOWNLOADER_MIDDLEWARES_BASE": ("scrapy.downloadermiddlewares.cookies.CookiesMiddleware",),
}
"""The settings switch them off, but Scrapy would still import them, and with them aiohttp and requests."""


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """What a user may set for one run, instead of the site's declaration. `delay` in seconds, `concurrency` per host.

    `min_free` is how many bytes must stay free on the disk.
    """

    delay: float | None = None
    concurrency: int | None = None
    contact: str | None = None
    durable: bool = False
    log: bool = False
    min_free: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one crawl is."""

    site: str
    captures: int
    new: int
    changed: int
    unchanged: int
    failed: int
    pending: int


@dataclass(frozen=True, slots=True)
class Result:
    """How one crawl ended: its report, or the error that stopped it."""

    site: str
    report: Report | None
    error: LocumError | None

    @property
    def exit_code(self) -> ExitCode:
        if self.error is not None:
            return self.error.exit_code
        return self.report.exit_code if self.report is not None else ExitCode.FAULT


def run_crawls(
    sites: Sequence[Site],
    archive: Path,
    options: CrawlOptions,
    *,
    on_progress: Callable[[list[Progress]], None] | None = None,
    every: float = 0.25,
    on_warning: Callable[[str, str], None] | None = None,
) -> list[Result]:
    """Crawl sites at the same time into one archive, until all are done or a signal stops them.

    `on_progress` is called in the reactor's thread every `every` seconds, `on_warning` with a `site` and a `text` that
    its user should know at once.
    """
    process = _Process(_settings(archive, options))
    _quieten(options)
    crawlers = [process.create_crawler(spider_class(site)) for site in sites]
    for crawler in crawlers:
        if on_warning is not None:
            crawler.signals.connect(on_warning, warned, weak=False)
        process.crawl(crawler).add_done_callback(_take_error)
    if on_progress is not None:
        asyncio.get_event_loop().create_task(_report(crawlers, on_progress, every))
    process.start()
    return [_result(site, crawler, stopped=process.stopped) for site, crawler in zip(sites, crawlers, strict=True)]


class _Process(AsyncCrawlerProcess):
    """Scrapy's process, which remembers a Ctrl-C: one that came before a crawl began leaves no other trace."""

    stopped = False

    def _signal_shutdown(self, signum: int, frame: Any) -> None:
        self.stopped = True
        super()._signal_shutdown(signum, frame)


def _quieten(options: CrawlOptions) -> None:
    """Set the log levels that Scrapy's start-up has reset. Without a log file, the report says what goes wrong."""
    # Or critical events go to stderr.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    for name in ("scrapy", "twisted", "locum_spider"):
        logging.getLogger(name).setLevel(logging.INFO if options.log else logging.CRITICAL + 1)


def _settings(archive: Path, options: CrawlOptions) -> Settings:
    settings = Settings()
    settings.setmodule(ours, priority="project")
    for name, components in _NEVER_USED.items():
        for component in components:
            settings[name].pop(component, None)
    given = {
        "LOCUM_ARCHIVE": str(archive), "LOCUM_DURABLE": options.durable, "LOCUM_MIN_FREE": options.min_free,
        "DOWNLOAD_DELAY": options.delay, "CONCURRENT_REQUESTS": options.concurrency,
        "CONCURRENT_REQUESTS_PER_DOMAIN": options.concurrency, "LOG_ENABLED": False,
        "USER_AGENT": ours.user_agent(options.contact) if options.contact else None,
    }  # fmt: skip
    for name, value in given.items():
        if value is not None:  # else the declaration of the site counts, or our settings
            settings.set(name, value, priority="cmdline")
    return settings


def _take_error(task: asyncio.Task[None]) -> None:
    """Take the error of a failed start-up, or asyncio would log that nobody did; the result reports it."""
    if not task.cancelled() and (error := task.exception()) is not None and not isinstance(error, LocumError):
        logging.getLogger(__name__).error("The crawl could not start", exc_info=error)


async def _report(crawlers: list[Any], on_progress: Callable[[list[Progress]], None], every: float) -> None:
    while True:
        on_progress([_progress(crawler) for crawler in crawlers])
        await asyncio.sleep(every)


def _progress(crawler: Any) -> Progress:
    stats = crawler._stats  # noqa: SLF001 - the public attribute raises until the crawl has begun
    get = stats.get_value if stats is not None else (lambda _key, default=0: default)

    def count(*outcomes: Outcome) -> int:
        return sum(get(f"locum/outcome/{outcome}", 0) for outcome in outcomes)

    return Progress(
        crawler.spidercls.name, get("locum/captures", 0), count(Outcome.NEW), count(Outcome.CHANGED),
        count(Outcome.UNCHANGED), count(Outcome.FAILED, Outcome.NOT_ARTICLE), get("locum/pending", 0),
    )  # fmt: skip


def _result(site: Site, crawler: Any, *, stopped: bool) -> Result:
    session: CrawlSession | None = getattr(crawler.spider, "session", None)
    report, error = (session.report, session.error) if session is not None else (None, None)
    if report is None and error is None:
        stop = InterruptedCrawl(f"the crawl of {site.name} was stopped; run the same command again to go on")
        error = stop if stopped else LocumError(f"the crawl of {site.name} could not start; run with --log to see why")
    return Result(site.name, report, error)
