"""The front page: counts, the newest articles, and links by site, section and year."""

from __future__ import annotations

from typing import Any

from locum_spider.browse.pages.common import open_archive, options, read, respond
from locum_spider.browse.queries import QUERIES
from locum_spider.store import reading
from locum_spider.store.connection import Connection

_NEWEST = 12
_SECTIONS = 40


async def front(request: Any, datasette: Any) -> Any:
    """The front page of the archive that the address names, or at `/` of the one that `serve` serves."""
    name = None if "database" in request.url_vars else options(datasette)["front"]
    database = await open_archive(datasette, request, name)
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
