"""The front page: counts, the newest articles, and links by site, section and year."""

from __future__ import annotations

from typing import Any

from locum_spider.browse.pages.common import open_archive, options, read, respond
from locum_spider.browse.queries import QUERIES
from locum_spider.store import reading
from locum_spider.store.connection import Connection

_NEWEST = 12
_SECTIONS = 40


async def home(request: Any, datasette: Any) -> Any:
    """The front page at `/`, if `serve` asks for it."""
    return await _front(datasette, await open_archive(datasette, request, options(datasette)["front"]))


async def front(request: Any, datasette: Any) -> Any:
    """The front page of one archive among other databases."""
    return await _front(datasette, await open_archive(datasette, request))


async def _front(datasette: Any, database: Any) -> Any:
    page = await read(datasette, database, _contents)
    return respond(datasette, database, "front.html", page=page, queries=QUERIES)


def _contents(db: Connection) -> reading.Row:
    return {
        **reading.span(db),
        "crawl": reading.last_crawl(db),
        "newest": reading.newest(db, _NEWEST),
        "sites": sorted(reading.counts(db).items(), key=lambda site: -site[1]),
        "sections": reading.sections(db)[:_SECTIONS],
        "years": reading.years(db),
    }
