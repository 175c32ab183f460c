"""The results of a search, or a list of articles."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from locum_spider.browse.pages.common import open_archive, read, respond
from locum_spider.browse.processes import LostError
from locum_spider.errors import DateFilterError
from locum_spider.store import reading
from locum_spider.store import search as searching
from locum_spider.store.bounded import QueryError, StoppedError
from locum_spider.store.connection import Connection
from locum_spider.store.search import Filters, Hit

PAGE_SIZE = 25
_LAST_PAGE = 10_000
_ASKED = ("q", "site", "section", "author", "tag", "from", "to")
_FIELDS = {"since": "from", "until": "to"}


async def find(request: Any, datasette: Any) -> Any:
    """Search results, or a list of articles if no words are given."""
    database = await open_archive(datasette, request)
    asked = {key: (request.args.get(key) or "").strip() for key in _ASKED}
    number = (request.args.get("page") or "").strip()
    page = min(max(int(number), 1), _LAST_PAGE) if number.isascii() and number.isdigit() else 1
    site, section, author, tag, since, until = (asked[key] or None for key in _ASKED[1:])
    filters = Filters(site, section, author, tag, since, until)
    try:
        results = await read(datasette, database, _found, asked["q"], filters, page, PAGE_SIZE)
    except (StoppedError, LostError, QueryError):
        results = {"error": "The search took too long and was stopped; try fewer or longer words, or a filter."}
    return respond(
        datasette, database, "find.html", 400 if "error" in results else 200, asked=asked, number=page, **results,
        sections=await read(datasette, database, reading.sections),
    )  # fmt: skip


def _found(db: Connection, text: str, filters: Filters, page: int, size: int) -> reading.Row:
    """A page of hits, or of all articles if no words are given; or what is wrong with a filter."""
    try:
        return (_hits if text else _list)(db, text, filters, page, size)
    except DateFilterError as fault:
        return {"error": fault.called(_FIELDS[fault.name])}


def _hits(db: Connection, text: str, filters: Filters, page: int, size: int) -> reading.Row:
    """A page of hits, the best first."""
    offset = (page - 1) * size
    hits = searching.search(db, text, filters, size, offset)
    total = searching.count(db, text, filters)
    cards = reading.cards(db, [hit.id for hit in hits])
    shown = [{**cards[hit.id], **asdict(hit), **_marked(hit)} for hit in hits if hit.id in cards]
    return {"total": total, "cards": shown, "further": offset + size < total}


def _list(db: Connection, _text: str, filters: Filters, page: int, size: int) -> reading.Row:
    """A page of all articles, the newest first; they are not counted, since that is slow and says little."""
    rows = list(searching.select(db, filters, size + 1, (page - 1) * size))
    return {"total": None, "cards": list(map(reading.card, rows[:size])), "further": len(rows) > size}


def _marked(hit: Hit) -> reading.Row:
    """If the snippet is the title itself, the title is marked instead, with the standfirst below."""
    plain = hit.snippet.replace(searching.MARK, "").replace(searching.UNMARK, "")
    return {"title_marked": hit.snippet, "snippet": None} if plain == hit.title else {}
