"""Captures made by others (wget, Heritrix, Browsertrix, Common Crawl, the Wayback Machine) into the archive."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from locum_spider.errors import LocumError
from locum_spider.importing.captures import PassedOver, Why
from locum_spider.importing.containers import open_warcs, require_captures
from locum_spider.importing.records import read_foreign
from locum_spider.interpret import Reading, interpret
from locum_spider.items import Exchange, Revisit
from locum_spider.recorder.ingest import Crawl
from locum_spider.recorder.recorder import Recorder
from locum_spider.sites import load_sites
from locum_spider.sites.site import Site
from locum_spider.store.files import disk_error
from locum_spider.store.lock import writer_lock
from locum_spider.urls import host_of
from locum_spider.warc.reader import Broken

_BATCH = 256
_BATCH_BYTES = 16_000_000
_HEADS = 1_000_000
"""What a record may have beside its body, in bytes."""


@dataclass(slots=True)
class Imported:
    """What an import did with one file: outcomes of its captures, records of no declared site, what was broken.

    `bodiless` counts revisits whose body is nowhere: neither in the archive nor before them in the files. `cut_short`
    has the addresses of new captures whose body is not whole. Of what a web archive sent, `rewritten` counts the pages
    that it changed and `archives_own` its own redirects and errors; none of these is a capture of the site.
    """

    file: str
    outcomes: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    rewritten: int = 0
    archives_own: int = 0
    bodiless: int = 0
    cut_short: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def import_files(
    archive: Path, files: list[Path], *, min_free: int = 0, on_progress: Callable[[Imported], None] | None = None
) -> list[Imported]:
    """Take the responses of declared sites out of WARC files, packed or not, and WACZ files into the archive.

    Streamed: memory does not grow with a file. A capture that the archive has already is passed over, so an import
    that was cut short is simply run again. Broken records are reported and skipped. Raises UsageError for a file
    that is none of these, before anything is written, and NoSpaceError before the disk has less than `min_free` bytes.
    """
    for path in files:
        require_captures(path)
    sites = list(load_sites(archive).values())
    with writer_lock(archive):
        recorder = Recorder(archive, min_free=min_free)
        session = _Session(recorder, sites)
        try:
            results = [session.run(path, on_progress) for path in files]
            session.end()
            recorder.close()
        except (OSError, sqlite3.Error) as error:
            raise disk_error(error, archive) or LocumError(f"{archive}: cannot be written: {error}") from None
        finally:
            recorder.db.close()
        return results


class _Session:
    """One import run: a crawl row for each site of which something is stored."""

    def __init__(self, recorder: Recorder, sites: list[Site]) -> None:
        self._recorder = recorder
        self._sites = {host_of(f"//{host}"): site for site in reversed(sites) for host in site.hosts}
        self._limit = max((site.crawl.max_bytes for site in sites), default=0) + _HEADS
        self._digests: dict[str, str] = {}
        self._crawls: dict[str, Crawl] = {}
        self._batch: list[tuple[Crawl, Exchange, Reading]] = []
        self._waiting: set[tuple[str, str, str]] = set()
        self._bytes = 0

    def run(self, path: Path, on_progress: Callable[[Imported], None] | None) -> Imported:
        imported = Imported(path.name)
        for name, stream in open_warcs(path):
            if isinstance(stream, str):
                imported.broken.append(f"{name}: {stream}")
                continue
            found = read_foreign(stream, wanted=self._is_ours, limit=self._limit, digests=self._digests)
            for each in found:
                if isinstance(each, Broken):
                    imported.broken.append(f"{name}, byte {each.offset:,}: {each.fault}")
                elif isinstance(each, PassedOver):
                    _pass_over(each, imported)
                else:
                    self._take(each, imported)
                if on_progress is not None:
                    on_progress(imported)
        self._flush(imported)
        return imported

    def end(self) -> None:
        """Note what each site got."""
        for crawl in self._crawls.values():
            self._recorder.end_import(crawl)

    def _site(self, url: str) -> Site | None:
        return self._sites.get(host_of(url))

    def _is_ours(self, url: str) -> bool:
        return self._site(url) is not None

    def _take(self, found: Exchange | Revisit, imported: Imported) -> None:
        if isinstance(found, Revisit) or found.status == HTTPStatus.NOT_MODIFIED:
            self._flush(imported)  # the body it stands for may be the one that came just before
        exchange = self._recorder.with_body(found) if isinstance(found, Revisit) else found
        if exchange is None:
            imported.bodiless += 1
            return
        same = exchange.url, exchange.fetched_at, exchange.digest
        if same in self._waiting:
            self._flush(imported)
        if self._recorder.is_known(exchange):
            imported.outcomes["known"] += 1
            return
        site = self._site(exchange.url)
        assert site is not None  # noqa: S101 - only what is wanted is read
        if site.name not in self._crawls:
            self._flush(imported)
            self._crawls[site.name] = self._recorder.begin_import(site)
        page = self._recorder.to_read(exchange)
        reading = interpret(site, page)
        if page.truncated is not None and page.status == HTTPStatus.OK:
            imported.cut_short.append(exchange.url)
        self._batch.append((self._crawls[site.name], exchange, reading))
        self._waiting.add(same)
        self._bytes += len(exchange.body)
        if len(self._batch) >= _BATCH or self._bytes >= _BATCH_BYTES:
            self._flush(imported)

    def _flush(self, imported: Imported) -> None:
        if self._batch:
            imported.outcomes.update(self._recorder.record_foreign(self._batch))
            self._batch, self._bytes = [], 0
            self._waiting.clear()


def _pass_over(found: PassedOver, imported: Imported) -> None:
    if found.why is Why.REWRITTEN:
        imported.rewritten += 1
    elif found.why is Why.ARCHIVES_OWN:
        imported.archives_own += 1
    else:
        imported.elsewhere[host_of(found.url) or "?"] += 1
