"""Turns the records of our own WARC files into visits and events.

Records are in the order in which they were stored, so storing these steps in turn gives the same database again.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from locum_spider.items import EventKind, Exchange, Location, RevisitOf, Visit
from locum_spider.recorder.ingest import IMPORT, UNDECLARED
from locum_spider.store.captures import Original
from locum_spider.warc.reader import EVENT, VISIT, Record, exchange_of, read_exchange

_RETRIED = frozenset({301, 302, 303, 307, 308, 408, 425, 429, 500, 502, 503, 504, 522, 524})
"""Responses that another one usually follows in the same visit. Crawls that have a number for a name do not say if one
does: a version before identifiers recorded them."""


Event = dict[str, Any]
"""What a metadata record says: a crawl's begin or end, a takedown."""


@dataclass(frozen=True, slots=True)
class Part:
    """One exchange of a visit and its place. A `revisit` has no body: an earlier capture has it.

    `refers_to` is address and time of that capture.
    """

    exchange: Exchange
    place: Location
    revisit: bool
    refers_to: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Stored:
    """A visit as it was stored, in the crawl that the WARC files call so. `key` is the address in the frontier, if no
    exchange has it.

    `imported`: other programs made the captures. `declared` is False if nobody had declared their site.
    """

    site: str | None
    crawl: str
    request_id: int | None
    parts: tuple[Part, ...] = ()
    error: str | None = None
    refused: bool = False
    imported: bool = False
    declared: bool = True
    key: str | None = None

    def belongs_with(self, crawl: str, request_id: int | None) -> bool:
        """Whether records of that crawl and row of the frontier belong to this visit; robots.txt has no row."""
        return request_id is not None and (self.crawl, self.request_id) == (crawl, request_id)

    def visit(self, crawl_id: int) -> Visit:
        """The visit as the crawl, which now has that number, gave it to the recorder."""
        exchanges = tuple(part.exchange for part in self.parts)
        return Visit(crawl_id, self.request_id, exchanges, self.error, self.refused)


Step = Event | Stored


# -- records that are there already --------------------------------------------------------------------------------


class Kept:
    """The records of a visit, which are there already."""

    def __init__(self, warcs: Path, parts: tuple[Part, ...]) -> None:
        self._warcs, self._parts = warcs, deque(parts)

    def read(self, original: Original) -> Exchange:
        """Read an exchange back."""
        return read_exchange(self._warcs, original.warc_file, original.warc_offset)

    def may_refer(self, _original: Original) -> bool:
        """Whether the next record is a revisit."""
        return self._parts[0].revisit

    def keep(self, _exchange: Exchange, _revisit_of: RevisitOf | None) -> Location:
        """Where the next record is."""
        return self._parts.popleft().place


# -- records to steps ---------------------------------------------------------------------------------------------


class Steps:
    """Turns the records of one file into steps."""

    def __init__(self) -> None:
        self._open: Stored | None = None
        self._more = False

    def take(self, record: Record) -> Iterator[Step]:
        """The steps that this record completes."""
        kind = record.entry.type
        if kind in {"response", "revisit"}:
            yield from self._exchange(record)
        elif kind == "metadata" and record.headers.get("Content-Type") == EVENT:
            yield from self._event(json.loads(record.block))

    def rest(self) -> Iterator[Step]:
        """The step of the last records of a file."""
        if self._open is not None:
            yield self._open
            self._open = None

    @property
    def unsettled(self) -> bool:
        """Whether the last visit is not complete, or may not be: more records follow such a response."""
        return self._open is not None and self._more

    def _exchange(self, record: Record) -> Iterator[Step]:
        name = record.headers.get(VISIT, "").split(" ")
        if len(name) not in {3, 4}:
            yield from self.rest()
            return
        site, crawl, request = name[:3]
        request_id = int(request) if request.isdecimal() else None
        at, digest = record.entry, record.headers.get("WARC-Payload-Digest", "")
        said = record.headers.get
        refers_to = said("WARC-Refers-To-Target-URI", ""), said("WARC-Refers-To-Date", "")
        place = Location(at.file, at.offset, at.length, digest)
        part = Part(exchange_of(record), place, at.type == "revisit", refers_to)
        if self._open is not None and self._open.belongs_with(crawl, request_id):
            self._open = replace(self._open, parts=(*self._open.parts, part))
        else:
            yield from self.rest()
            imported, declared = request in {IMPORT, UNDECLARED}, request != UNDECLARED
            self._open = Stored(site, crawl, request_id, (part,), imported=imported, declared=declared)
        if crawl.isdecimal():
            self._more = part.exchange.status in _RETRIED
            return
        self._more = len(name) == 4
        if not self._more:
            yield from self.rest()

    def _event(self, data: Event) -> Iterator[Step]:
        if data.get("event") != EventKind.VISIT_FAILED:
            yield from self.rest()
            yield data
            return
        crawl, request_id = str(data["crawl_id"]), data["request_id"]
        if self._open is None or not self._open.belongs_with(crawl, request_id):
            yield from self.rest()
            self._open = Stored(None, crawl, request_id)
        error, refused = data.get("error"), bool(data.get("refused"))
        self._open = replace(self._open, error=error, refused=refused, key=data.get("url"))
        yield from self.rest()
