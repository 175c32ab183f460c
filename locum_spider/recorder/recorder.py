"""The recorder itself: captures to WARC, readings to the database, in that order."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.clock import utc_now
from locum_spider.dates import learn_order
from locum_spider.errors import IntegrityError
from locum_spider.interpret import Reading
from locum_spider.items import Exchange, Revisit, Visit
from locum_spider.recorder import ingest, tombstoning, verdict
from locum_spider.recorder.messages import Close, Open, Opened, Recorded, Report
from locum_spider.recorder.reserve import Reserve
from locum_spider.sites import find_site, note_date_order
from locum_spider.sites.site import Site
from locum_spider.store import captures, crawls, frontier, ledger, removal
from locum_spider.store import reading as reading_
from locum_spider.store.connection import connect_writing
from locum_spider.store.files import WARCS
from locum_spider.version import __version__
from locum_spider.warc.reader import OPEN
from locum_spider.warc.writer import MAX_BYTES, WarcWriter

BUFFER = 100
"""Requests handed to the crawl ahead of time; the rest of the frontier stays on disk."""

EXIT_CODES = {crawls.DONE: 0, crawls.INTERRUPTED: 3, "unreachable": 4, "check_failed": 6}


@dataclass(slots=True)
class _Lease:
    """What of a crawl's frontier the crawl process holds."""

    crawl: ingest.Crawl
    last: int = 0
    outstanding: int = 0


class Recorder:
    """Owns one archive for writing. Every method is one transaction; what has returned is stored for good."""

    def __init__(self, folder: Path, *, durable: bool = False, warc_bytes: int = MAX_BYTES, min_free: int = 0) -> None:
        self.folder = folder
        self._reserve = Reserve(folder, min_free)
        self.db = connect_writing(folder, durable=durable)
        self._recover()
        tombstoning.finish(folder, self.db)
        self._head = ledger.head(self.db)
        # Names sort in the order of writing, also after the clock was set back: a rebuild goes by them.
        newest = self.db.execute("SELECT coalesce(max(name), '') FROM warc_files").fetchone()[0]
        stamp = max(datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), newest.partition("-")[0])
        self._warc = WarcWriter(folder / WARCS, stamp, max_bytes=warc_bytes, durable=durable)
        self._leases: dict[int, _Lease] = {}

    def open(self, message: Open) -> Opened:
        """Begin a crawl of a site, or go on with its unfinished one."""
        site = find_site(message.site, self.folder)
        self._require_room()
        with self._transaction():
            crawl = ingest.resume_crawl(self.db, site)
            resumed = crawl is not None
            if crawl is None:
                now, start = utc_now(), list(site.start)
                crawl = ingest.begin_crawl(self.db, site, start, version=__version__, now=now)
                self._warc.write_event(
                    {
                        "event": "crawl-begin", "crawl_id": crawl.id, "site": site.name, "start": start,
                        "version": __version__, "started_at": now,
                    },
                    now,
                )  # fmt: skip
        lease = self._leases[crawl.id] = _Lease(crawl)
        requests, waiting = self._hand_out(lease)
        return Opened(crawl.id, resumed, requests, waiting)

    def record(self, visits: list[Visit]) -> list[Recorded]:
        """Keep and store visits: first all records into the WARC, then one transaction for what they say."""
        self._require_room()
        outcomes = [outcome for group in _independent(visits) for outcome in self._store(group)]
        if self._warc.is_full:
            self._close_warc()
        answers = []
        for visit, outcome in zip(visits, outcomes, strict=True):
            lease = self._leases[visit.crawl_id]
            lease.outstanding -= visit.request_id is not None
            requests, waiting = self._hand_out(lease)
            answers.append(Recorded(outcome, requests, waiting))
        return answers

    def _store(self, visits: list[Visit]) -> list[str]:
        """Read what visits say, and store them in one transaction; returns their outcomes."""
        warcs = self.folder / WARCS
        crawls = [self._leases[visit.crawl_id].crawl for visit in visits]
        readings = [
            ingest.read_visit(self.db, warcs, crawl.site, visit) for crawl, visit in zip(crawls, visits, strict=True)
        ]
        outcomes = []
        with self._transaction():
            for crawl, visit, reading in zip(crawls, visits, readings, strict=True):
                name = f"{crawl.site.name} {crawl.id} {visit.request_id or '-'}"
                outcome = ingest.store_visit(self.db, crawl, visit, reading, partial(self._warc.write, name))
                if outcome not in {"repeated", removal.OUTCOME} and visit.error is not None:
                    self._write_failure(visit)
                outcomes.append(outcome)
        return outcomes

    def _write_failure(self, visit: Visit) -> None:
        url = frontier.key_of(self.db, visit.request_id)[0] if visit.request_id is not None else None
        event = {
            "event": "visit-failed", "crawl_id": visit.crawl_id, "request_id": visit.request_id, "url": url,
            "error": visit.error, "refused": visit.refused,
        }  # fmt: skip
        self._warc.write_event(event, utc_now())

    def begin_import(self, site: Site) -> ingest.Crawl:
        """A crawl row for captures made by others, the one of an import that was cut short if there is one."""
        unfinished = crawls.unfinished_import(self.db, site.name)
        if unfinished is not None:
            return ingest.Crawl(unfinished, site)
        self._require_room()
        now = utc_now()
        with self._transaction():
            crawl = ingest.begin_crawl(self.db, site, [], version=__version__, now=now)
            crawls.begin_import(self.db, crawl.id, now)
            event = {"event": "import-begin", "crawl_id": crawl.id, "site": site.name, "version": __version__}
            self._warc.write_event({**event, "started_at": now}, now)
        return crawl

    def is_known(self, exchange: Exchange) -> bool:
        """Whether the archive has a capture of others already."""
        return captures.is_known(self.db, exchange)

    def with_body(self, revisit: Revisit) -> Exchange | None:
        """What a revisit record of others stands for; None where its body is nowhere in the archive."""
        return ingest.with_body(self.db, self.folder / WARCS, revisit)

    def to_read(self, exchange: Exchange) -> Exchange:
        """The response to be read: that which a 304 of others stands for."""
        return ingest.to_read(self.db, self.folder / WARCS, exchange)

    def record_foreign(self, items: list[tuple[ingest.Crawl, Exchange, Reading]]) -> list[str]:
        """Keep and store captures made by others, none of them known, in one transaction; returns their outcomes."""
        self._require_room()
        with self._transaction():
            outcomes = [
                ingest.store_foreign(
                    self.db, crawl, exchange, reading,
                    partial(self._warc.write, f"{crawl.site.name} {crawl.id} import"),
                )
                for crawl, exchange, reading in items
            ]  # fmt: skip
        if self._warc.is_full:
            self._close_warc()
        return outcomes

    def end_import(self, crawl: ingest.Crawl) -> None:
        """Note that an import came to its end, and what it brought."""
        now = utc_now()
        with self._transaction():
            outcomes = crawls.imported(self.db, crawl.id)
            crawls.count_import(self.db, crawl.id, outcomes, now)
            event = {"event": "import-end", "crawl_id": crawl.id, "outcomes": outcomes, "finished_at": now}
            self._warc.write_event(event, now)

    def finish(self, message: Close) -> Report:
        """Write how a crawl ended. One that was stopped stays unfinished and is resumed by the next."""
        crawl = self._leases.pop(message.crawl_id).crawl
        left = frontier.count_queued(self.db, crawl.id)
        with self._transaction():
            if message.reason != "finished" or left:
                outcome, reasons, finished_at = crawls.INTERRUPTED, [f"stopped with {left} requests waiting"], None
            else:
                finished_at = utc_now()
                outcome, reasons = verdict.judge(self.db, crawl)
            crawls.finish_crawl(self.db, crawl.id, outcome, reasons, finished_at)
            self._warc.write_event(
                {
                    "event": "crawl-end", "crawl_id": crawl.id, "outcome": outcome, "reasons": reasons,
                    "finished_at": finished_at,
                },
                utc_now(),
            )  # fmt: skip
        self._learn_date_order(crawl)
        cursor = self.db.cursor()
        cursor.row_factory = sqlite3.Row
        row = dict(cursor.execute("SELECT * FROM crawls WHERE id = ?", (crawl.id,)).fetchone())
        row["reasons"] = json.loads(row["reasons"])
        row["waiting"] = left
        return Report(row, [dict(r) for r in crawls.unread(self.db, crawl.id)], EXIT_CODES[outcome])

    @contextmanager
    def event(self, event: dict[str, object], at: str) -> Iterator[sqlite3.Connection]:
        """One transaction for rows of the caller's, with an event record that chains them into the ledger."""
        with self._transaction():
            self._warc.write_event(event, at)
            yield self.db

    def _learn_date_order(self, crawl: ingest.Crawl) -> None:
        """A site that prints 25/12/2019 writes the day first: note it in a declaration that does not say."""
        if crawl.site.date_order is not None:
            return
        printed = reading_.printed_dates(self.db, crawl.site.name)
        order = learn_order(printed)
        if order is not None:
            example = next(text for text in printed if learn_order([text]) == order)
            note_date_order(self.folder, crawl.site.name, order, example)

    def close(self) -> None:
        """Close WARC file and database."""
        checkpoint("before-close")
        self._close_warc()
        self.db.execute("PRAGMA optimize")
        self.db.close()
        checkpoint("closed")

    def _require_room(self) -> None:
        """Stop while there is still room to stop in good order. Raises NoSpaceError."""
        if (error := self._reserve.lacking()) is not None:
            self.close()
            raise error

    def abandon(self) -> None:
        """Close the database after an error, and leave the WARC file to whoever opens the archive next."""
        self._warc.abandon()
        self.db.close()

    # -- writing in order --------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Rows and records together: records reach their file first, then ledger and rows are committed at once."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._commit()
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def _commit(self) -> None:
        checkpoint("warc-written")
        self._warc.flush()
        checkpoint("warc-flushed")
        if self._warc.name is not None:
            self._head = ledger.append(self.db, self._warc.take_written(), *self._head)
            captures.save_warc_position(self.db, self._warc.name, self._warc.position)
        checkpoint("before-commit")
        self.db.execute("COMMIT")
        checkpoint("after-commit")

    def _hand_out(self, lease: _Lease) -> tuple[list[frontier.Request], int]:
        requests: list[frontier.Request] = []
        if lease.outstanding < BUFFER // 2:
            requests = frontier.queued(self.db, lease.crawl.id, lease.last, BUFFER - lease.outstanding)
            lease.outstanding += len(requests)
            if requests:
                lease.last = requests[-1].id
        return requests, frontier.count_queued(self.db, lease.crawl.id, lease.last)

    # -- WARC files --------------------------------------------------------------------------------------------

    def _close_warc(self) -> None:
        position = self._warc.position
        checkpoint("before-rotation")
        if (name := self._warc.close()) is not None:
            checkpoint("warc-renamed")
            captures.save_warc_position(self.db, name, position, closed=True)
            checkpoint("after-rotation")

    def _recover(self) -> None:
        """Cut what a killed process left behind the last committed byte of its WARC, and close that file."""
        folder = self.folder / WARCS
        known = dict(self.db.execute("SELECT name, bytes FROM warc_files WHERE closed = 0").fetchall())
        for path in sorted(folder.glob(f"*{OPEN}")):
            name = path.name.removesuffix(OPEN)
            # A power cut may undo the renaming of a file that the database knows as closed.
            row = self.db.execute("SELECT bytes FROM warc_files WHERE name = ?", (name,)).fetchone()
            if row is None:
                path.unlink()  # nothing in it was ever acknowledged
                continue
            _cut(path, row[0])
            checkpoint("recover-cut")
            path.rename(folder / name)
            checkpoint("recover-renamed")
        for name, position in known.items():
            _cut(folder / name, position)
            captures.save_warc_position(self.db, name, position, closed=True)
            checkpoint("recovered")


def _independent(visits: list[Visit]) -> Iterator[list[Visit]]:
    """Visits in groups that can be read before they are stored.

    A 304 says what the body said that it stands for, which may be one that came just before it and must lie in the
    archive first: a replay of the WARC finds it there too.
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


def _cut(path: Path, position: int) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing; restore it from a backup, then run the command again") from None
    if size < position:
        raise IntegrityError(
            f"{path} has {size:,} bytes, the database has acknowledged {position:,}; restore it from a backup"
        )
    if size > position:
        with path.open("r+b") as file:
            file.truncate(position)
            os.fsync(file.fileno())
