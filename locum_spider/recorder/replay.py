"""Stores what WARC files say, in their order, with the functions that store a live crawl."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from locum_spider.errors import IntegrityError
from locum_spider.interpret import Reading
from locum_spider.items import CrawlOutcome, EventKind, Exchange, Kind, Outcome
from locum_spider.recorder import ingest
from locum_spider.recorder.reading import read
from locum_spider.recorder.takedowns import Removed, Takedowns
from locum_spider.recorder.visits import Event, Kept, Part, Step, Steps, Stored
from locum_spider.sites import site_for
from locum_spider.sites.site import Site
from locum_spider.store import captures, crawls, frontier, ledger, rebuild, removals
from locum_spider.store.captures import Original
from locum_spider.store.connection import Connection, begin, commit
from locum_spider.store.files import WARCS
from locum_spider.store.frontier import Row
from locum_spider.warc.reader import OPEN, Broken, Record, read_exchange, read_records

_CHUNK = 16
"""The number of visits that a process reads at a time: handing over single ones would cost more."""

_CHUNK_BYTES = 2_000_000
_COMMIT_EVERY = 500

Page = tuple[str, bool, Exchange]
"""A page to read: its site's name, whether the site must be declared, and the response."""

ReadAhead = Callable[[list[Page]], Future[list[Reading]]]
"""Begins to read pages in other processes."""


@dataclass(slots=True)
class _Pending:
    """A visit that is not stored yet: with the page to read, or with a reading that needs no page."""

    stored: Stored
    page: Exchange | None
    reading: Reading | None = None
    emptied: bool = False


class Replayer:
    """Stores what WARC files say into an empty database, in their order, with pages read ahead by other processes."""

    def __init__(
        self, db: Connection, archive: Path, takedowns: Takedowns, read_ahead: ReadAhead | None, ahead: int
    ) -> None:
        self.db, self.takedowns = db, takedowns
        self.records, self.visits = 0, 0
        self.broken: list[str] = []
        self.places: set[tuple[str, int]] = set()
        self._archive, self._read_ahead, self._ahead = archive, read_ahead, ahead
        self._sites: dict[str, Site] = {}
        self._crawls: dict[str, ingest.Crawl] = {}
        self._head = ledger.head(db)
        self._chunk: list[_Pending] = []
        self._window: deque[tuple[list[_Pending], Future[list[Reading]] | None]] = deque()
        self._unstored: Counter[str] = Counter()

    def run(self, files: list[tuple[Path, int]]) -> Iterator[tuple[int, int]]:
        """Store everything in an empty database; yields the bytes read and the visits stored from time to time."""
        before = committed = 0
        begin(self.db)
        for event in self.takedowns.events:
            removals.keep_out(self.db, event["keys"], reason=event["reason"], at=event["at"])
        for path, end in files:
            for record in self._records(path, end):
                if self.visits >= committed + _COMMIT_EVERY:
                    committed = self.visits
                    commit(self.db)
                    begin(self.db)
                    yield before + record.end, self.visits
            before += end
            self._drain()
            yield before, self.visits
        rebuild.end_followed_crawls(self.db)
        removals.release_articles(self.db)
        if not self.takedowns.unfinished:
            removals.finish_takedowns(self.db)
        commit(self.db)

    def catch_up(self, path: Path, start: int, end: int) -> None:
        """Store what a file has from byte `start` on, inside the caller's transaction."""
        for _ in self._records(path, end, start):
            pass
        self._drain()

    def _records(self, path: Path, end: int, start: int = 0) -> Iterator[Record]:
        name = path.name.removesuffix(OPEN)
        captures.save_warc_position(self.db, name, end, closed=path.suffix != OPEN)
        steps = Steps()
        for record in read_records(path, end, start):
            if isinstance(record, Broken):
                self.broken.append(f"{name}, byte {record.offset:,}: {record.fault}")
                self.places.add((name, record.offset))
                continue
            if removed := list(self.takedowns.of(record)):
                for step in steps.rest():
                    self._take(step)
                self._take_removed(removed)
                continue
            self._head = ledger.append(self.db, [record.entry], *self._head)
            self.records += 1
            for step in steps.take(record):
                self._take(step)
            yield record
        for step in steps.rest():
            self._take(step)

    def _take_removed(self, removed: list[Removed]) -> None:
        """Put removed records into the ledger, and their empty captures into the database."""
        self._drain()
        for record in removed:
            self._head = ledger.append(self.db, [record.entry], *self._head)
            self.records += 1
            removals.mark_removed(self.db, [(self._head[0], record.facts)])
            if record.capture is None:
                continue
            if record.article is not None and not record.capture["url"]:  # a capture of the article itself
                removals.hold_article(self.db, record.article)
            capture_id = removals.save_empty_capture(self.db, record.entry, record.capture)
            crawl = self._find_crawl(str(record.capture["crawl_id"]))
            record.capture["crawl_id"] = crawl.id if crawl is not None else None
            if crawl is not None and record.capture["url"]:
                removals.finish_removed(self.db, crawl.id, crawl.site.key(record.capture["url"]), capture_id)

    # -- reading ahead ---------------------------------------------------------------------------------------------

    def _take(self, step: Step) -> None:
        if isinstance(step, dict):
            self._drain()
            self._apply(step)
            return
        if any(part.revisit and self._unstored[_original(part)] for part in step.parts):
            self._drain()  # the body that it refers to is not stored yet
        pending = self._prepare(step)
        self._unstored.update(_names(step))
        self._chunk.append(pending)
        size = sum(len(waiting.page.body) for waiting in self._chunk if waiting.page is not None)
        if len(self._chunk) >= _CHUNK or size >= _CHUNK_BYTES:
            self._submit()
        while len(self._window) > self._ahead:
            self._store_first()

    def _submit(self) -> None:
        """Begin to read the visits collected so far; without other processes they are read when they are stored."""
        chunk, self._chunk = self._chunk, []
        future = None
        if self._read_ahead is not None:
            pages = [
                (pending.stored.site or "", pending.stored.declared, pending.page)
                for pending in chunk
                if pending.page is not None
            ]
            future = self._read_ahead(pages) if pages else None
        self._window.append((chunk, future))

    def _drain(self) -> None:
        if self._chunk:
            self._submit()
        while self._window:
            self._store_first()

    def _store_first(self) -> None:
        chunk, future = self._window.popleft()
        readings = iter(future.result()) if future is not None else None
        for pending in chunk:
            reading = pending.reading
            if reading is None and pending.page is not None:
                site = self._site(pending.stored.site or "", declared=pending.stored.declared)
                reading = next(readings) if readings is not None else read(site, pending.page)
            if pending.emptied:
                self._store_emptied(pending.stored)
            else:
                self._store(pending.stored, reading or Reading(Outcome.ROBOTS), pending.page)
            for name in _names(pending.stored):
                self._unstored[name] -= 1
                if not self._unstored[name]:
                    del self._unstored[name]

    def _prepare(self, stored: Stored) -> _Pending:
        """Give revisits the bodies that they refer to, and find the page to read."""
        if any(self._emptied(part) is not None for part in stored.parts):
            return _Pending(stored, None, emptied=True)
        parts, missing = [], None
        for part in stored.parts:
            try:
                parts.append(self._with_body(part))
            except IntegrityError as error:
                missing = str(error)
                self.broken.append(f"{part.place.file}, byte {part.place.offset:,}: {error}")
                parts.append(part)
        stored = replace(stored, parts=tuple(parts))
        if missing is not None:
            return _Pending(stored, None, Reading(Outcome.FAILED, missing))
        if not stored.imported and (reading := ingest.settled(stored.visit(0))) is not None:
            return _Pending(stored, None, reading)
        last = stored.parts[-1]
        if last.exchange.status == HTTPStatus.NOT_MODIFIED and not last.revisit:
            return _Pending(stored, last.exchange)  # the body could not be read then either
        try:
            return _Pending(stored, ingest.to_read(self.db, self._archive / WARCS, last.exchange))
        except IntegrityError as error:
            self.broken.append(str(error))
            return _Pending(stored, None, Reading(Outcome.FAILED, str(error)))

    def _with_body(self, part: Part) -> Part:
        if not part.revisit or part.exchange.status == HTTPStatus.NOT_MODIFIED:
            return part
        original = self._body(part)
        if original is None:
            raise IntegrityError("the record with the body of this revisit is missing")
        body = read_exchange(self._archive / WARCS, original.warc_file, original.warc_offset).body
        return replace(part, exchange=replace(part.exchange, body=body))

    def _emptied(self, part: Part) -> int | None:
        """The id of the empty capture that had the body of a revisit; None if the body is there, or was never."""
        if not part.revisit or self._body(part) is not None:
            return None
        place = self.takedowns.body_of(part.place.file, part.place.offset)
        return removals.emptied_at(self.db, *place) if place else removals.emptied(self.db, *part.refers_to)

    def _body(self, part: Part) -> Original | None:
        if part.exchange.status == HTTPStatus.NOT_MODIFIED:
            return captures.last_body(self.db, part.exchange.url, part.exchange.fetched_at)
        return captures.same_body(self.db, part.place.digest)

    # -- storing ---------------------------------------------------------------------------------------------------

    def _apply(self, event: Event) -> None:
        kind, name = event.get("event"), str(event.get("crawl_id"))
        if kind in {EventKind.CRAWL_BEGIN, EventKind.IMPORT_BEGIN}:
            site = self._site(event["site"], declared=not event.get("undeclared"))
            # Two crawls of an older version can have the same number: after a lost database it counted from 1 again.
            uid = f"{name} of {event['started_at']}" if self._find_crawl(name) is not None else name
            self._crawls[name] = ingest.begin_crawl(
                self.db, site, event.get("start", []), version=event["version"], now=event["started_at"], uid=uid
            )
        crawl = self._find_crawl(name)
        if crawl is None:
            return
        if kind == EventKind.KNOWN_ARTICLES:
            frontier.enqueue(self.db, crawl.id, ingest.known_articles(self.db, crawl), None)
        elif kind == EventKind.IMPORT_BEGIN:
            crawls.begin_import(self.db, crawl.id)
        elif kind == EventKind.IMPORT_END:
            crawls.count_import(self.db, crawl.id, event["outcomes"], event["finished_at"])
        elif kind == EventKind.CRAWL_END:
            outcome = CrawlOutcome(event["outcome"])
            crawls.finish_crawl(self.db, crawl.id, outcome, event["reasons"], event["finished_at"])

    def _store(self, stored: Stored, reading: Reading, page: Exchange | None) -> None:
        self.visits += 1
        crawl = self._crawl(stored)
        if crawl is None:
            return
        row = None if stored.imported else self._row(crawl, stored)
        if row is None or not row.is_queued:
            self._store_apart(crawl, stored, reading)
            return
        if page is not None and row.kind is Kind.ARTICLE and not crawl.site.is_article(page.url):
            # a redirect to something else: do not read it as an article
            reading = read(crawl.site, page, row.kind)
        ingest.store_visit(
            self.db, crawl, stored.visit(crawl.id), row, reading, Kept(self._archive / WARCS, stored.parts)
        )

    def _store_emptied(self, stored: Stored) -> None:
        """Store a visit with a revisit whose body a takedown has removed: there is nothing to read."""
        self.visits += 1
        crawl = self._crawl(stored)
        if crawl is None:
            return
        row = None if stored.imported else self._row(crawl, stored)
        for part in stored.parts:
            body = self._body(part) if part.revisit else None
            emptied = self._emptied(part)
            capture_id = captures.save_capture(
                self.db, crawl.id, part.exchange, part.place, body.id if body is not None else emptied
            )
            if emptied is not None:
                removals.forget_validators(self.db, emptied)
        if row is not None and row.is_queued:
            frontier.finish(self.db, row, Outcome.TAKEN_DOWN, capture_id=capture_id)

    def _store_apart(self, crawl: ingest.Crawl, stored: Stored, reading: Reading) -> None:
        """Store captures that no row of the frontier waits for: imported ones, or of addresses that are now one."""
        for part in stored.parts:
            own = reading if part is stored.parts[-1] else Reading(Outcome.FAILED)
            ingest.store_imported(self.db, crawl, part.exchange, own, Kept(self._archive / WARCS, (part,)))

    def _row(self, crawl: ingest.Crawl, stored: Stored) -> Row | None:
        """The row of the frontier that waits for a visit; None if nothing says which address it was."""
        if stored.request_id is None:
            return ingest.row_of(self.db, stored.visit(crawl.id))
        url = stored.parts[0].exchange.url if stored.parts else stored.key
        key = stored.key or (crawl.site.key(url) if url else None)
        kind = crawl.site.kind(url) if url else Kind.LISTING
        request_id = rebuild.request_for(self.db, crawl.id, stored.request_id, key, url, kind)
        return frontier.find(self.db, request_id) if request_id is not None else None

    def _crawl(self, stored: Stored) -> ingest.Crawl | None:
        """The crawl of a visit; if the record of its begin is lost, it is begun from the visit."""
        crawl = self._find_crawl(stored.crawl)
        if crawl is None and stored.site is not None:
            site = self._site(stored.site, declared=stored.declared)
            start, now = [] if stored.imported else list(site.start), stored.parts[0].exchange.fetched_at
            crawl = ingest.begin_crawl(self.db, site, start, version="", now=now, uid=stored.crawl)
            self._crawls[stored.crawl] = crawl
        return crawl

    def _find_crawl(self, uid: str) -> ingest.Crawl | None:
        """The crawl that the WARC files call so, begun in this replay or earlier; None if there is none yet."""
        if uid not in self._crawls and (known := crawls.by_identifier(self.db, uid)) is not None:
            self._crawls[uid] = ingest.Crawl(known[0], self._site(known[1], declared=False), uid)
        return self._crawls.get(uid)

    def _site(self, name: str, *, declared: bool) -> Site:
        if name not in self._sites:
            self._sites[name] = site_for(name, self._archive, declared=declared)
        return self._sites[name]


def _original(part: Part) -> str:
    """The name in `_unstored` of the capture with the body of a revisit: its address for a 304, else its digest."""
    return part.exchange.url if part.exchange.status == HTTPStatus.NOT_MODIFIED else part.place.digest


def _names(stored: Stored) -> list[str]:
    return [name for part in stored.parts for name in (part.exchange.url, part.place.digest)]
