"""Stores captures made by others: in batches, those of each site under a row of its own in `crawls`."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple

from locum_spider.clock import utc_now
from locum_spider.importing.captures import Capture
from locum_spider.interpret import Reading
from locum_spider.items import EventKind, Exchange, Outcome, Revisit
from locum_spider.recorder import ingest
from locum_spider.recorder.ingest import Crawl
from locum_spider.recorder.keeping import Writing
from locum_spider.recorder.reading import read
from locum_spider.recorder.writer import ArchiveWriter
from locum_spider.sites.site import Site
from locum_spider.store import captures, crawls
from locum_spider.version import __version__

_BATCH = 256
_BATCH_BYTES = 16_000_000


class Stored(NamedTuple):
    """What became of a capture, and why it could not be read. Of a listing, `reason` is its fingerprint."""

    url: str
    outcome: Outcome
    reason: str | None


class ImportSession:
    """One import into an archive. `add` reads a capture, `store` stores all that wait."""

    def __init__(self, archive: ArchiveWriter) -> None:
        self._archive = archive
        self._crawls: dict[str, Crawl] = {}
        self._batch: list[tuple[Crawl, Exchange, Reading]] = []
        self._waiting: set[tuple[str, str, str]] = set()
        self._bytes = 0

    def must_store_before(self, capture: Capture) -> bool:
        """Whether the waiting captures must be stored first: they may have the body of this one, or include it."""
        if isinstance(capture, Revisit) or capture.status == HTTPStatus.NOT_MODIFIED:
            return True
        return _identity(capture) in self._waiting

    def with_body(self, capture: Capture) -> Exchange | None:
        """A capture with its body, for a revisit that in the archive; None if the archive does not have it."""
        if isinstance(capture, Exchange):
            return capture
        return ingest.with_body(self._archive.db, self._archive.warcs, capture)

    def is_known(self, exchange: Exchange) -> bool:
        """Whether the archive has this capture already."""
        return captures.is_known(self._archive.db, exchange)

    def brings_back(self, site: Site, exchange: Exchange) -> bool:
        """Whether a capture would bring back what a takedown removed from other pages."""
        return ingest.brings_back(self._archive.db, site, exchange)

    def add(self, site: Site, exchange: Exchange) -> Exchange:
        """Read a capture that is not known; returns what was read, for a 304 with the body that it stands for."""
        page = ingest.to_read(self._archive.db, self._archive.warcs, exchange)
        self._batch.append((self._crawl(site), exchange, read(site, page)))
        self._waiting.add(_identity(exchange))
        self._bytes += len(exchange.body)
        return page

    @property
    def is_full(self) -> bool:
        """Whether enough captures wait for a transaction."""
        return len(self._batch) >= _BATCH or self._bytes >= _BATCH_BYTES

    def store(self) -> list[Stored]:
        """Store the waiting captures in one transaction; returns what became of them. Raises NoSpaceError."""
        if not self._batch:
            return []
        self._archive.require_room()
        with self._archive.transaction() as db:
            outcomes = [
                ingest.store_imported(db, crawl, exchange, reading, Writing(self._archive, _visit_name(crawl)))
                for crawl, exchange, reading in self._batch
            ]
        stored = [
            Stored(exchange.url, outcome, reading.reason)
            for (_, exchange, reading), outcome in zip(self._batch, outcomes, strict=True)
        ]
        self._archive.rotate()
        self._batch, self._bytes = [], 0
        self._waiting.clear()
        return stored

    def end(self) -> None:
        """Write that the import is complete, and its outcomes for each site."""
        for crawl in self._crawls.values():
            now = utc_now()
            with self._archive.transaction() as db:
                outcomes = crawls.imported(db, crawl.id)
                crawls.count_import(db, crawl.id, outcomes, now)
                event = {"event": EventKind.IMPORT_END, "crawl_id": crawl.uid, "outcomes": outcomes, "finished_at": now}
                self._archive.write_event(event, now)

    def _crawl(self, site: Site) -> Crawl:
        """The row of this import for a site, or that of an import that was interrupted."""
        if site.name not in self._crawls:
            self._crawls[site.name] = ingest.unfinished_import(self._archive.db, site) or self._begin(site)
        return self._crawls[site.name]

    def _begin(self, site: Site) -> Crawl:
        self._archive.require_room()
        now = utc_now()
        with self._archive.transaction() as db:
            crawl = ingest.begin_crawl(db, site, [], version=__version__, now=now)
            crawls.begin_import(db, crawl.id)
            event = {
                "event": EventKind.IMPORT_BEGIN, "crawl_id": crawl.uid, "site": site.name, "version": __version__,
                "started_at": now,
            }  # fmt: skip
            self._archive.write_event(event if site.is_declared else {**event, "undeclared": True}, now)
        return crawl


def _visit_name(crawl: Crawl) -> str:
    mark = ingest.IMPORT if crawl.site.is_declared else ingest.UNDECLARED
    return crawl.name(mark)


def _identity(exchange: Exchange) -> tuple[str, str, str]:
    return exchange.url, exchange.fetched_at, exchange.digest
