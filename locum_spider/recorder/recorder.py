"""The recorder: stores what a crawl fetched and what it says, and hands out what to fetch next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from locum_spider.clock import utc_now
from locum_spider.dates import learn_order
from locum_spider.errors import ExitCode
from locum_spider.interpret import Reading
from locum_spider.items import CrawlOutcome, EventKind, Outcome, Visit
from locum_spider.recorder import ingest, verdict
from locum_spider.recorder.keeping import Writing
from locum_spider.recorder.messages import Close, Open, Opened, Recorded, Report
from locum_spider.recorder.writer import ArchiveWriter
from locum_spider.sites import find_site, note_date_order
from locum_spider.store import crawls, frontier, reading
from locum_spider.store.connection import Connection
from locum_spider.store.frontier import Row
from locum_spider.version import __version__

BUFFER = 100
"""Requests handed to the crawl ahead of time; the rest of the frontier stays on disk."""


@dataclass(slots=True)
class _Lease:
    """The part of a crawl's frontier that the crawl process has."""

    crawl: ingest.Crawl
    last: int = 0
    outstanding: int = 0


class Recorder:
    """Records crawls into an archive. When a method returns, what it stored is committed."""

    def __init__(self, archive: ArchiveWriter) -> None:
        self._archive, self._db = archive, archive.db
        self._leases: dict[int, _Lease] = {}

    def open(self, message: Open) -> Opened:
        """Begin a crawl of a site, or resume its unfinished one."""
        site = find_site(message.site, self._archive.folder)
        self._archive.require_room()
        warning = _clock_warning(crawls.newest_capture(self._db), utc_now())
        with self._archive.transaction() as db:
            unfinished = ingest.unfinished_crawl(db, site)
            if unfinished is not None:
                crawl = unfinished
            else:
                now, start = utc_now(), list(site.start)
                crawl = ingest.begin_crawl(db, site, start, version=__version__, now=now)
                event = {"event": EventKind.CRAWL_BEGIN, "crawl_id": crawl.uid, "site": site.name, "start": start}
                self._archive.write_event({**event, "version": __version__, "started_at": now}, now)
        lease = self._leases[crawl.id] = _Lease(crawl)
        requests, waiting = self._hand_out(lease)
        return Opened(crawl.id, unfinished is not None, requests, waiting, warning)

    def record(self, visits: list[Visit]) -> list[Recorded]:
        """Store visits: their records in the WARC first, then what they say, in one transaction a group."""
        self._archive.require_room()
        stored = [told for group in _independent(visits) for told in self._store(group)]
        self._archive.rotate()
        answers = []
        for visit, (outcome, url, reason) in zip(visits, stored, strict=True):
            lease = self._leases[visit.crawl_id]
            lease.outstanding -= not visit.is_robots
            requests, waiting = self._hand_out(lease)
            answers.append(Recorded(outcome, requests, waiting, url, reason))
        return answers

    def _store(self, visits: list[Visit]) -> list[tuple[Outcome, str, str | None]]:
        """Read what visits say, and store them in one transaction; returns their outcomes, addresses and reasons."""
        rows = {visit.request_id: ingest.row_of(self._db, visit) for visit in visits}  # one for a visit that came twice
        pairs = [(visit, rows[visit.request_id]) for visit in visits]
        warcs = self._archive.warcs
        readings = [ingest.read_visit(self._db, warcs, self._crawl(visit).site, visit, row) for visit, row in pairs]
        with self._archive.transaction() as db:
            outcomes = [self._store_visit(db, *pair, reading) for pair, reading in zip(pairs, readings, strict=True)]
        return [
            (outcome, _asked(visit, row), None if reading.listing is not None else reading.reason)
            for outcome, (visit, row), reading in zip(outcomes, pairs, readings, strict=True)
        ]

    def _store_visit(self, db: Connection, visit: Visit, row: Row | None, reading: Reading) -> Outcome:
        crawl = self._crawl(visit)
        records = len(visit.exchanges) + (visit.error is not None)
        keep = Writing(self._archive, crawl.name(visit.request_id), records)
        outcome = ingest.store_visit(db, crawl, visit, row, reading, keep)
        if visit.error is not None and outcome not in {Outcome.REPEATED, Outcome.TAKEN_DOWN}:
            event = {
                "event": EventKind.VISIT_FAILED, "crawl_id": crawl.uid, "request_id": visit.request_id,
                "url": row.key if row is not None and row.key else None,
                "error": visit.error, "refused": visit.refused,
            }  # fmt: skip
            self._archive.write_event(event, utc_now())
        return outcome

    def _crawl(self, visit: Visit) -> ingest.Crawl:
        return self._leases[visit.crawl_id].crawl

    def finish(self, message: Close) -> Report:
        """Write how a crawl ended. One that was stopped stays unfinished, and the next one resumes it."""
        crawl = self._leases.pop(message.crawl_id).crawl
        left = frontier.count_queued(self._db, crawl.id)
        with self._archive.transaction() as db:
            now = utc_now()
            finished_at: str | None = now
            if not message.complete or left:
                outcome, finished_at = CrawlOutcome.INTERRUPTED, None
                reasons = [f"stopped with {left} requests waiting"]
            else:
                outcome, reasons = verdict.judge(db, crawl)
            crawls.finish_crawl(db, crawl.id, outcome, reasons, finished_at)
            event = {"event": EventKind.CRAWL_END, "crawl_id": crawl.uid, "outcome": outcome, "reasons": reasons}
            self._archive.write_event({**event, "finished_at": finished_at}, now)
        self._learn_date_order(crawl)
        row = {
            **reading.crawl(self._db, crawl.id),
            "waiting": left,
            "unvisited": frontier.count_unvisited(self._db, crawl.id),
            "reread": frontier.count_reread(self._db, crawl.id),
        }
        exit_code = ExitCode[outcome.name]  # each outcome of a crawl has one
        return Report(row, crawls.unread(self._db, crawl.id), crawls.causes(self._db, crawl.id), exit_code)

    def _learn_date_order(self, crawl: ingest.Crawl) -> None:
        """Note in the declaration, if it does not say, that a site which prints 25/12/2019 writes the day first."""
        if crawl.site.date_order is not None:
            return
        printed = reading.printed_dates(self._db, crawl.site.name)
        order = learn_order(printed)
        if order is not None:
            example = next(text for text in printed if learn_order([text]) == order)
            note_date_order(self._archive.folder, crawl.site.name, order, example)

    def _hand_out(self, lease: _Lease) -> tuple[list[frontier.Request], int]:
        if not lease.outstanding and not frontier.count_queued(self._db, lease.crawl.id, lease.last):
            self._enqueue_known(lease.crawl)
        requests: list[frontier.Request] = []
        if lease.outstanding < BUFFER // 2:
            requests = frontier.queued(self._db, lease.crawl.id, lease.last, BUFFER - lease.outstanding)
            lease.outstanding += len(requests)
            if requests:
                lease.last = requests[-1].id
        return requests, frontier.count_queued(self._db, lease.crawl.id, lease.last)

    def _enqueue_known(self, crawl: ingest.Crawl) -> None:
        """When nothing waits any more, visit the known articles that nothing led to: no listing names them now.

        If the site has not answered at all, they would not either.
        """
        if not crawls.count_answered(self._db, crawl.id):
            return
        if known := ingest.known_articles(self._db, crawl):
            with self._archive.transaction() as db:
                frontier.enqueue(db, crawl.id, known, None)
                event = {"event": EventKind.KNOWN_ARTICLES, "crawl_id": crawl.uid}
                self._archive.write_event(event, utc_now())


def _clock_warning(newest: str | None, now: str) -> str | None:
    """What to tell if the clock shows a time before that of the newest capture.

    >>> _clock_warning("2026-05-04T10:00:00Z", "2026-05-04T10:00:00Z"), _clock_warning(None, "2026-05-04T10:00:00Z")
    (None, None)
    >>> _clock_warning("2026-05-04T10:00:00Z", "2026-05-03T10:00:00Z")[:64]
    'the clock of this machine shows 2026-05-03T10:00:00Z, but the ne'
    """
    if newest is None or now >= newest:
        return None
    return (
        f"the clock of this machine shows {now}, but the newest capture is of {newest}: one of them is wrong; set the "
        "clock right. Revisions keep the order of their captures"
    )


def _asked(visit: Visit, row: Row | None) -> str:
    """The address that a visit asked for, as far as it is known."""
    return visit.exchanges[0].url if visit.exchanges else (row.key if row is not None else "") or "robots.txt"


def _independent(visits: list[Visit]) -> Iterator[list[Visit]]:
    """Visits in groups that can be read before they are stored.

    A 304 stands for an earlier body. That may have come just before it and must be in the archive first, as it is when
    a rebuild reads the WARC.
    """
    group: list[Visit] = []
    addresses: set[str] = set()
    for visit in visits:
        unchanged = {exchange.url for exchange in visit.exchanges if exchange.status == HTTPStatus.NOT_MODIFIED}
        if unchanged & addresses:
            yield group
            group, addresses = [], set()
        group.append(visit)
        addresses.update(exchange.url for exchange in visit.exchanges)
    yield group
