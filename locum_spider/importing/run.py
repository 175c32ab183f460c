"""Takes captures made by others (wget, Heritrix, Browsertrix, Common Crawl, the Wayback Machine) into the archive."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from locum_spider.errors import LocumError, UsageError
from locum_spider.importing.captures import Capture, PassedOver, PassedOverReason
from locum_spider.importing.containers import open_warcs, require_captures
from locum_spider.importing.records import read_captures
from locum_spider.importing.session import ImportSession
from locum_spider.items import Outcome
from locum_spider.recorder.writer import open_archive
from locum_spider.sites import load_sites, undeclared
from locum_spider.sites.site import CrawlPolicy, Site
from locum_spider.store.files import writing_errors
from locum_spider.urls import host_of
from locum_spider.warc.mementos import memento_of
from locum_spider.warc.reader import Broken

_MOST_NAMED = 1_000
_UNREAD = frozenset({Outcome.NOT_ARTICLE, Outcome.NOT_LISTING, Outcome.FAILED})
_NAME = re.compile(r"\w[\w.-]*")
_HEADS = 1_000_000
"""Bytes that a record may have beside its body."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A page that is neither an article nor a listing, and why."""

    url: str
    outcome: Outcome
    reason: str


@dataclass(slots=True)
class Imported:
    """What an import did with one file: outcomes of its captures, and what it did not take.

    `elsewhere` counts records of other sites by host. `bodiless` counts revisits whose body is neither in the archive
    nor before them in the files. `cut_short` has the addresses of new captures whose body is not whole. `rewritten`
    counts pages that a web archive changed, `archives_own` its own redirects and errors, `other_requests` answers to
    requests other than GET. `wrong_digests` has the addresses of captures that were taken although their digest is
    wrong. `unread` has the first pages that could not be read; `captures.unread` has all. `broken` has what cannot be
    read, with file and place.
    """

    file: str
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    rewritten: int = 0
    archives_own: int = 0
    bodiless: int = 0
    other_requests: int = 0
    cut_short: list[str] = field(default_factory=list)
    wrong_digests: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def import_files(
    archive: Path, files: list[Path], *, site: str | None = None, undeclared: bool = False, damaged: bool = False,
    min_free: int = 0, on_progress: Callable[[Imported], None] | None = None,
) -> list[Imported]:  # fmt: skip
    """Take the responses of declared sites from WARC and ARC files, compressed or not, and WACZ files into the archive.

    With the name of a declared `site`, take only pages of that site. With any other name, also take all that no
    declared site owns, as a site of that name; with `undeclared`, each of these under its host. With `damaged`, also
    take records whose digest is wrong, and mark them.

    Memory does not grow with a file. Captures that the archive has already are passed over, so an import that was
    interrupted can be run again. Broken records are reported and skipped. Raises UsageError if a file is not
    WARC, ARC or WACZ, before anything is written, and NoSpaceError before the disk has less than `min_free` bytes.
    """
    for path in files:
        require_captures(path)
    sites = Sites(load_sites(archive), site, undeclared=undeclared)
    with writing_errors(archive, LocumError), open_archive(archive, min_free=min_free) as writer:
        session = ImportSession(writer)
        run = _Run(session, sites, damaged=damaged)
        results = [run.read(path, on_progress) for path in files]
        session.end()
    return results


class Sites:
    """The sites whose pages an import takes: declared ones, and others if the user asks for them."""

    def __init__(self, declared: Mapping[str, Site], name: str | None, *, undeclared: bool) -> None:
        if name is not None and name in declared:
            declared = {name: declared[name]}
        elif name is not None and not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} cannot name a site; use letters, digits, hyphens and full stops")
        self._by_host = {host_of(f"//{host}"): site for site in reversed([*declared.values()]) for host in site.hosts}
        self._name = name if name not in declared else None
        self._takes_others = undeclared or self._name is not None
        self._others: dict[str, Site] = {}

    @property
    def max_bytes(self) -> int:
        """The longest body that any of these sites allows."""
        policies = [site.crawl.max_bytes for site in self._by_host.values()]
        return max(policies + [CrawlPolicy().max_bytes] * self._takes_others, default=0)

    def take(self, url: str) -> bool:
        """Whether an address is taken."""
        return self.of(url) is not None

    def of(self, url: str) -> Site | None:
        """The site that an address is taken for; None if it is not taken."""
        host = host_of(url)
        if host in self._by_host:
            return self._by_host[host]
        name = self._name or host
        if not self._takes_others or not name or memento_of(url) is not None:  # a page of another site
            return None
        if name not in self._others:
            self._others[name] = undeclared(name)
        return self._others[name]


class _Run:
    """Reads files one by one and gives the session the captures of its sites."""

    def __init__(self, session: ImportSession, sites: Sites, *, damaged: bool) -> None:
        self._session, self._sites, self._damaged = session, sites, damaged
        self._digests: dict[str, str] = {}

    def read(self, path: Path, on_progress: Callable[[Imported], None] | None) -> Imported:
        imported = Imported(path.name)
        limit = self._sites.max_bytes + _HEADS
        for name, stream in open_warcs(path):
            if isinstance(stream, str):
                imported.broken.append(f"{name}: {stream}")
                continue
            items = read_captures(
                stream, wanted=self._sites.take, limit=limit, digests=self._digests, damaged=self._damaged
            )
            for item in items:
                match item:
                    case Broken():
                        imported.broken.append(f"{name}, byte {item.offset:,}: {item.fault}")
                    case PassedOver(reason=PassedOverReason.OTHER_REQUEST):
                        imported.other_requests += 1
                    case PassedOver(reason=PassedOverReason.REWRITTEN):
                        imported.rewritten += 1
                    case PassedOver(reason=PassedOverReason.ARCHIVES_OWN):
                        imported.archives_own += 1
                    case PassedOver():
                        imported.elsewhere[host_of(item.url) or "?"] += 1
                    case _:
                        self._take(item, imported)
                if on_progress is not None:
                    on_progress(imported)
        self._store(imported)
        return imported

    def _take(self, capture: Capture, imported: Imported) -> None:
        if self._session.must_store_before(capture):
            self._store(imported)
        exchange = self._session.with_body(capture)
        if exchange is None:
            imported.bodiless += 1
        elif self._session.is_known(exchange):
            imported.outcomes[Outcome.KNOWN] += 1
        elif (site := self._sites.of(exchange.url)) is not None and self._session.brings_back(site, exchange):
            imported.outcomes[Outcome.TAKEN_DOWN] += 1
        elif site is not None:
            page = self._session.add(site, exchange)
            if page.truncated is not None and page.status == HTTPStatus.OK:
                imported.cut_short.append(exchange.url)
            if exchange.stated_digest is not None:
                imported.wrong_digests.append(exchange.url)
            if self._session.is_full:
                self._store(imported)

    def _store(self, imported: Imported) -> None:
        """Store what waits, and note what became of it."""
        for stored in self._session.store():
            imported.outcomes[stored.outcome] += 1
            if stored.outcome in _UNREAD and stored.reason and len(imported.unread) < _MOST_NAMED:
                imported.unread.append(Unread(stored.url, stored.outcome, stored.reason))
