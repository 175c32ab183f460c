"""The recorder itself: captures to WARC, readings to the database, in that order."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from locum_spider import __version__
from locum_spider.errors import IntegrityError
from locum_spider.recorder.interpret import Reading, interpret
from locum_spider.recorder.messages import Close, Open, Opened, Recorded, Report
from locum_spider.sites import find_site
from locum_spider.store import frontier, writing
from locum_spider.store.connection import WARCS, connect_writing, utc_now
from locum_spider.warc import MAX_BYTES, OPEN, WarcWriter

if TYPE_CHECKING:
    from pathlib import Path

    from locum_spider.extract.site import Site
    from locum_spider.items import Visit

BUFFER = 100
"""Requests handed to the crawl ahead of time; the rest of the frontier stays on disk."""

_REPEATS = 3
_UNREAD_SHARE = 0.1


@dataclass(slots=True)
class _Crawl:
    """A crawl under way."""

    id: int
    site: Site
    handed_out: int = 0
    outstanding: int = 0
    fingerprints: Counter[str] = field(default_factory=Counter)


class Recorder:
    """Owns one archive for writing. Every method is one transaction; what has returned is stored for good."""

    def __init__(self, folder: Path, *, durable: bool = False, warc_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.db = connect_writing(folder, durable=durable)
        self._recover()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self._warc = WarcWriter(folder / WARCS, stamp, max_bytes=warc_bytes, durable=durable)
        self._crawls: dict[int, _Crawl] = {}

    # -- crawls ------------------------------------------------------------------------------------------------

    def open(self, message: Open) -> Opened:
        """Begin a crawl of a site, or go on with its unfinished one."""
        site = find_site(message.site, self.folder)
        self.db.execute("BEGIN IMMEDIATE")
        crawl_id = frontier.unfinished_crawl(self.db, site.name)
        resumed = crawl_id is not None
        if crawl_id is None:
            crawl_id = frontier.start_crawl(self.db, site.name, __version__, utc_now())
            frontier.enqueue(self.db, crawl_id, [(site.key(u), u, _kind(site, u)) for u in site.start], None)
        self.db.execute("COMMIT")
        crawl = self._crawls[crawl_id] = _Crawl(crawl_id, site)
        rows = self.db.execute("SELECT reason FROM frontier WHERE crawl_id = ? AND outcome = 'listing'", (crawl_id,))
        crawl.fingerprints.update(row[0] for row in rows)
        requests, waiting = self._hand_out(crawl)
        return Opened(crawl_id, resumed, requests, waiting)

    def record(self, visits: list[Visit]) -> list[Recorded]:
        """Keep and store visits: first all records into the WARC, then one transaction for what they say."""
        readings = [self._read(visit) for visit in visits]
        self.db.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._store(visit, reading) for visit, reading in zip(visits, readings, strict=True)]
            self._warc.flush()
            if self._warc.name is not None:
                writing.save_warc_position(self.db, self._warc.name, self._warc.position)
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        if self._warc.is_full:
            self._close_warc()
        answers = []
        for visit, outcome in zip(visits, outcomes, strict=True):
            crawl = self._crawls[visit.crawl_id]
            crawl.outstanding -= visit.request_id is not None
            requests, waiting = self._hand_out(crawl)
            answers.append(Recorded(outcome, requests, waiting))
        return answers

    def finish(self, message: Close) -> Report:
        """Write how a crawl ended. One that was stopped stays unfinished and is resumed by the next."""
        crawl = self._crawls.pop(message.crawl_id)
        left = frontier.count_queued(self.db, crawl.id)
        self.db.execute("BEGIN IMMEDIATE")
        if message.reason != "finished" or left:
            outcome, reasons, finished_at = (
                frontier.INTERRUPTED,
                [f"stopped with {left} requests waiting"],
                None,
            )
        else:
            finished_at = utc_now()
            outcome, reasons = self._judge(crawl)
        frontier.finish_crawl(self.db, crawl.id, outcome, reasons, finished_at)
        self.db.execute("COMMIT")
        cursor = self.db.cursor()
        cursor.row_factory = sqlite3.Row
        row = dict(cursor.execute("SELECT * FROM crawls WHERE id = ?", (crawl.id,)).fetchone())
        row["reasons"] = json.loads(row["reasons"])
        row["waiting"] = left
        return Report(row, [dict(r) for r in frontier.unread(self.db, crawl.id)], EXIT_CODES[outcome])

    def close(self) -> None:
        """Close WARC file and database."""
        self._close_warc()
        self.db.execute("PRAGMA optimize")
        self.db.close()

    # -- one visit ---------------------------------------------------------------------------------------------

    def _read(self, visit: Visit) -> Reading:
        if visit.request_id is None:
            return Reading("robots")
        if visit.refused:
            return Reading("refused", visit.error)
        if visit.error is not None or not visit.exchanges:
            return Reading("failed", visit.error or "no response")
        return interpret(self._crawls[visit.crawl_id].site, visit.exchanges[-1])

    def _store(self, visit: Visit, reading: Reading) -> str:
        db, crawl = self.db, self._crawls[visit.crawl_id]
        if visit.request_id is not None and not frontier.is_queued(db, visit.request_id):
            return "repeated"
        capture_id = None
        for exchange in visit.exchanges:
            capture_id = writing.save_capture(db, crawl.id, exchange, self._warc.write(exchange))
        if visit.request_id is None:
            return reading.outcome
        outcome, article_id = reading.outcome, None
        key, kind = frontier.key_of(db, visit.request_id)
        if capture_id is not None and reading.article is not None:
            saved = self._store_article(crawl, visit, reading, capture_id, key)
            outcome, article_id = saved.outcome, saved.article_id
        elif outcome == "failed" and visit.exchanges and visit.exchanges[-1].status in {404, 410}:
            writing.mark_gone(db, key)
        if outcome == "not_listing" and kind == "listing" and key in {crawl.site.key(u) for u in crawl.site.start}:
            outcome = "failed"
        children = self._children(crawl, reading)
        rows = frontier.enqueue(db, crawl.id, children, capture_id)
        if reading.listing is not None and capture_id is not None:
            requests = {e.url: rows[crawl.site.key(e.url)] for e in reading.listing.entries}
            writing.save_listing(db, capture_id, reading.listing, requests)
        frontier.finish_request(db, visit.request_id, outcome, reading.reason, capture_id, article_id)
        return outcome

    def _store_article(
        self, crawl: _Crawl, visit: Visit, reading: Reading, capture_id: int, requested: str
    ) -> writing.Saved:
        article, site, last = reading.article, crawl.site, visit.exchanges[-1]
        assert article is not None  # noqa: S101 - the caller looked
        urls = {exchange.url for exchange in visit.exchanges if site.is_article(exchange.url)} | {requested}
        canonical = site.key(article.canonical_url) if article.canonical_url else None
        return writing.save_article(
            self.db, site.name, article, key=site.key(last.url), canonical=canonical, urls=urls,
            capture_id=capture_id, seen_at=last.fetched_at,
        )  # fmt: skip

    def _children(self, crawl: _Crawl, reading: Reading) -> list[tuple[str, str, str]]:
        """What to fetch next. A listing that only repeats others leads no further: calendars and endless pages do."""
        children = reading.children
        if reading.listing is not None and reading.reason:
            crawl.fingerprints[reading.reason] += 1
            repeats = crawl.fingerprints[reading.reason] > _REPEATS
            if repeats or frontier.count_listings(self.db, crawl.id) >= crawl.site.crawl.max_listings:
                children = [child for child in children if child[2] == "article"]
        return children

    # -- the frontier ------------------------------------------------------------------------------------------

    def _hand_out(self, crawl: _Crawl) -> tuple[list[frontier.Request], int]:
        requests: list[frontier.Request] = []
        if crawl.outstanding < BUFFER // 2:
            requests = frontier.queued(self.db, crawl.id, crawl.handed_out, BUFFER - crawl.outstanding)
            crawl.outstanding += len(requests)
            if requests:
                crawl.handed_out = requests[-1].id
        return requests, frontier.count_queued(self.db, crawl.id, crawl.handed_out)

    def _judge(self, crawl: _Crawl) -> tuple[str, list[str]]:
        """Outcome of a crawl that came to its end, and why it is none to be content with."""
        rows = self.db.execute(
            "SELECT outcome, kind, count(*) FROM frontier WHERE crawl_id = ? GROUP BY 1, 2", (crawl.id,)
        ).fetchall()
        count = Counter({(outcome, kind): number for outcome, kind, number in rows})
        captures = self.db.execute(
            "SELECT count(*) FROM captures c JOIN frontier f ON f.capture_id = c.id WHERE f.crawl_id = ?",
            (crawl.id,),
        ).fetchone()[0]
        cause = self.db.execute(
            "SELECT url, reason FROM frontier WHERE crawl_id = ? AND outcome IN ('failed', 'refused') ORDER BY id",
            (crawl.id,),
        ).fetchone()
        if captures == 0 and cause is not None and count["refused", "listing"] == 0:
            return "unreachable", [f"{cause[0]}: {cause[1]}"]
        reasons = []
        articles = sum(number for (outcome, _), number in count.items() if outcome in {"new", "changed", "unchanged"})
        unread = count["not_article", "article"] + count["failed", "article"]
        if articles == 0:
            why = f" ({cause[0]}: {cause[1]})" if cause else ""
            reasons.append(f"no article was found{why}")
        elif unread > _UNREAD_SHARE * (articles + unread):
            reasons.append(f"{unread} of {articles + unread} article addresses gave no article")
        broken = [url for url in crawl.site.start if self._outcome(crawl, url) == "failed"]
        reasons += [f"the start page {url} could not be read as a listing" for url in broken]
        return ("check_failed" if reasons else frontier.DONE), reasons

    def _outcome(self, crawl: _Crawl, url: str) -> str | None:
        row = self.db.execute(
            "SELECT outcome FROM frontier WHERE crawl_id = ? AND key = ?", (crawl.id, crawl.site.key(url))
        ).fetchone()
        return row[0] if row else None

    # -- WARC files --------------------------------------------------------------------------------------------

    def _close_warc(self) -> None:
        position = self._warc.position
        if (name := self._warc.close()) is not None:
            writing.save_warc_position(self.db, name, position, closed=True)

    def _recover(self) -> None:
        """Cut what a killed process left behind the last committed byte of its WARC, and close that file."""
        folder = self.folder / WARCS
        known = dict(self.db.execute("SELECT name, bytes FROM warc_files WHERE closed = 0").fetchall())
        for path in sorted(folder.glob(f"*{OPEN}")):
            name = path.name.removesuffix(OPEN)
            if name not in known:
                path.unlink()  # nothing in it was ever acknowledged
                continue
            _cut(path, known[name])
            path.rename(folder / name)
        for name, position in known.items():
            _cut(folder / name, position)
            writing.save_warc_position(self.db, name, position, closed=True)


EXIT_CODES = {frontier.DONE: 0, frontier.INTERRUPTED: 3, "unreachable": 4, "check_failed": 6}


def _kind(site: Site, url: str) -> str:
    return "article" if site.is_article(url) else "listing"


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
