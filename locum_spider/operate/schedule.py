"""Decides which sites are due, from the archive alone."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path

from locum_spider.archive import Archive
from locum_spider.clock import parse_span, utc_now
from locum_spider.items import CrawlOutcome
from locum_spider.store import schedules
from locum_spider.store.connection import connect_reading, connect_writing
from locum_spider.store.files import writing_errors

_TOLERANCE = timedelta(minutes=5)
"""A site that is due within this time is due now: a timer fires a little early or late."""

_FIRST_RETRY = timedelta(minutes=30)
"""After a crawl that could not reach its site; each further one in a row doubles it."""

_REMEMBERED = 12
"""Crawls to look back at: after so many that failed, the next one is weeks away."""

_LATE = timedelta(hours=3)
"""A site that is due for longer is late: the timer does not run."""


def schedule(archive: Path, site: str, every: str) -> None:
    """Put a site on the schedule of an archive, or change how often it is crawled."""
    with writing_errors(archive), closing(connect_writing(archive)) as db:
        schedules.schedule(db, site, every, utc_now())


def unschedule(archive: Path, site: str) -> bool:
    """Take a site off the schedule; False if it was not on it. Raises ArchiveError if there is no archive."""
    connect_reading(archive).close()
    with writing_errors(archive), closing(connect_writing(archive)) as db:
        return schedules.unschedule(db, site)


def next_due(archive: Archive, site: str, every: str, now: datetime) -> datetime | None:
    """When a site is due next, from its last crawls; None means at once: it was never crawled, or cut short.

    If the site could not be reached, it is tried again soon, and then less and less often. A crawl that began after
    `now` says nothing: the clock was set back.
    """
    last = archive.crawls(site, _REMEMBERED, imports=False)
    began = datetime.fromisoformat(last[0]["started_at"]) if last else now
    if not last or last[0]["finished_at"] is None or began > now + _TOLERANCE:
        return None
    failures = sum(1 for _ in takewhile(lambda crawl: crawl["outcome"] == CrawlOutcome.UNREACHABLE, last))
    span = parse_span(every)
    return began + (min(span, _FIRST_RETRY * 2 ** (failures - 1)) if failures else span)


def is_due(when: datetime | None, now: datetime) -> bool:
    """Whether a time that `next_due` gave has come."""
    return when is None or when <= now + _TOLERANCE


def is_late(when: datetime | None, since: datetime, now: datetime) -> bool:
    """Whether a site has been due for so long that no timer can be running; `since` is when it was scheduled."""
    return max(when or since, since) + _LATE < now


def due_sites(archive: Archive, now: datetime) -> list[str]:
    """The scheduled sites that are due."""
    schedules = archive.schedules()
    return [site for site, every in schedules.items() if is_due(next_due(archive, site, every, now), now)]
