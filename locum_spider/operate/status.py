"""How the sites of an archive stand: their last crawls, when they are due, and what is wrong with that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from locum_spider.archive import Archive
from locum_spider.clock import utc
from locum_spider.errors import ExitCode
from locum_spider.items import CrawlOutcome
from locum_spider.operate.schedule import is_due, is_late, next_due
from locum_spider.store.lock import is_being_written


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """One site. `articles` counts all, `gone` those of them that the site no longer serves.

    `next_due` is in UTC; `due` is True if that time has come. `fault` says what is wrong, and `exit_code` how wrong.
    """

    site: str
    articles: int
    gone: int
    last_crawl: dict[str, Any] | None
    last_import: dict[str, Any] | None
    every: str | None
    next_due: str | None
    due: bool
    fault: str | None
    exit_code: ExitCode


def site_statuses(archive: Archive, now: datetime) -> list[SiteStatus]:
    """The sites that have articles, crawls or a schedule, by name."""
    counts, gone, schedules = archive.counts(), archive.counts("gone"), archive.schedules()
    running = is_being_written(archive.path)
    statuses = []
    for site in sorted({crawl["site"] for crawl in archive.crawls()} | set(counts) | set(schedules)):
        last = next(iter(archive.crawls(site, 1, imports=False)), None)
        imported = (crawl for crawl in archive.crawls(site) if crawl["outcome"] == CrawlOutcome.IMPORTED)
        every = schedules.get(site)
        when = next_due(archive, site, every, now) if every else None
        code, fault = _fault_of_crawl(last, running=running)
        if every and not code and not running and is_late(when, archive.scheduled_since(site), now):
            code = ExitCode.CHECK_FAILED
            since = f"is due since {utc(when)}" if when is not None else "was never crawled"
            fault = f"it {since}; look if the timer runs that `locum schedule` made"
        statuses.append(
            SiteStatus(
                site, counts.get(site, 0), gone.get(site, 0), last, next(imported, None), every,
                utc(when or now) if every else None, bool(every) and is_due(when, now), fault, code,
            )
        )  # fmt: skip
    return statuses


def _fault_of_crawl(last: dict[str, Any] | None, *, running: bool) -> tuple[ExitCode, str | None]:
    if last is None:
        return ExitCode.DONE, None
    if last["finished_at"] is None:
        if running:
            return ExitCode.DONE, None
        return ExitCode.INTERRUPTED, "its last crawl was cut short; the next one goes on with it"
    if last["outcome"] == CrawlOutcome.UNREACHABLE:
        return ExitCode.UNREACHABLE, "it could not be reached"
    if last["outcome"] == CrawlOutcome.CHECK_FAILED:
        return ExitCode.CHECK_FAILED, "a check of its last crawl failed"
    return ExitCode.DONE, None
