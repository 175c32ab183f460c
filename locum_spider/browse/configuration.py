"""Datasette's metadata and settings for an archive: titles, facets, sorting, search, hidden tables."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from locum_spider.browse.guard import ANY
from locum_spider.errors import LocumError
from locum_spider.fields import FIELDS
from locum_spider.sites import find_site
from locum_spider.store import reading
from locum_spider.store.connection import Connection, connect_reading
from locum_spider.store.files import DATABASE

NAME = DATABASE.removesuffix(".db")
PLUGIN = "locum_spider"

SETTINGS: dict[str, Any] = {
    "default_page_size": 50,  # default 100
    "max_returned_rows": 2000,  # default 1000; a page of more is slow to lay out
    "sql_time_limit_ms": 5000,  # default 1000 is for public servers; here one researcher asks
    "facet_time_limit_ms": 1000,  # default 200
    "default_facet_size": 20,  # default 30
    "suggest_facets": False,  # default True: up to 50 ms for each of 22 columns on every page
    "truncate_cells_html": 300,  # default 2048: a body in a table cell pushes everything else away
}

# Datasette counts an array facet over whole rows: 0.8 s each over 100,000 articles, and much more over their text.
# Above this number readers add them by hand (in the menu of the column's header).
ARRAY_FACETS_UP_TO = 50_000

_ARTICLE_COLUMNS = {
    "site": "Name of the site's declaration",
    **{field.name: field.about for field in FIELDS if field.column or field.name == "url"},
    "state": "live, or gone if the site no longer serves it",
    "gone_at": "When the site first said that it is gone (UTC)",
    "first_seen": "First fetched (UTC)",
    "last_seen": "Last fetched (UTC)",
}

_TABLES: dict[str, dict[str, Any]] = {
    "articles": {
        "description": "One row for each article. Its text is in full_articles.",
        "label_column": "title",
        "fts_table": "articles_fts",
        "fts_pk": "id",
        "sort_desc": "published",
        "columns": _ARTICLE_COLUMNS,
    },
    "full_articles": {
        "description": "Articles with their text, in one flat table.",
        "fts_table": "articles_fts",
        "fts_pk": "id",
        "sort_desc": "published",
        "columns": _ARTICLE_COLUMNS | {field.name: field.about for field in FIELDS if field.name == "text"},
    },
    "article_text": {"description": "The text of each article, on which the full-text index is built."},
    "article_urls": {"description": "Every address at which an article was found."},
    "revisions": {
        "description": "The content of an article at one time; a new row only if the content has changed.",
        "sort_desc": "id",
    },
    "captures": {
        "description": "HTTP exchanges as they went over the wire, and where they are in the WARC files.",
        "label_column": "url",
        "sort_desc": "id",
        "facets": ["status", "content_type", "crawl_id"],
    },
    "crawls": {
        "description": "Crawls and imports, with their counts, outcome and reasons.",
        "label_column": "started_at",
        "sort_desc": "id",
    },
    "listing_entries": {"description": "Entries of listing pages: what they say about articles."},
    "entry_outcomes": {
        "description": "What became of each entry of a listing.",
        "facets": ["outcome", "crawl_id"],
    },
    "warc_files": {"description": "The WARC files, and how many bytes of each are acknowledged."},
    "records": {"description": "The ledger: every record of every WARC file, chained to the record before it."},
    "schedules": {"description": "How often each site is crawled."},
    "frontier": {"hidden": True},
    "articles_fts": {"hidden": True},
    "_sqlite_migrations": {"hidden": True},
}


def metadata(archive: Path, hosts: Sequence[str] = (ANY,)) -> dict[str, Any]:
    """Datasette's metadata for an archive that is served under some names. Raises ArchiveError if it is not one."""
    with closing(connect_reading(archive)) as db:
        present, sites = reading.tables(db), reading.sites(db)
        plain, arrays = _facets(db, sites), _array_facets(db)
    titles = {site: _title(site, archive) for site in sites}
    tables = {name: dict(table) for name, table in _TABLES.items() if name in present}
    tables["full_articles"]["facets"] = plain
    tables["articles"]["facets"] = [*plain, *arrays]
    title = f"Archive of {_listed(list(titles.values()))}" if titles else "News archive"
    return {
        "title": title,
        "plugins": {PLUGIN: {"front": NAME, "title": title, "sites": titles, "hosts": list(hosts)}},
        "databases": {NAME: {"title": "Tables and SQL", "tables": tables}},
    }


def _facets(db: Connection, sites: list[str]) -> list[str]:
    """Columns with something to choose from."""
    offer = {"site": len(sites) > 1, "section": reading.has_any(db, "section"), "lang": reading.has_several(db, "lang")}
    return [column for column, is_choice in offer.items() if is_choice]


def _array_facets(db: Connection) -> list[dict[str, str]]:
    if sum(reading.counts(db).values()) > ARRAY_FACETS_UP_TO:
        return []
    return [{"array": column} for column in ("authors", "tags") if reading.has_any(db, column)]


def _title(site: str, archive: Path) -> str:
    """The declared title, or the name: an archive can be read without its declarations, and with broken ones."""
    try:
        return find_site(site, archive).title
    except LocumError:
        return site


def _listed(names: list[str]) -> str:
    """Names in a sentence.

    >>> _listed(["A"]), _listed(["A", "B"]), _listed(["A", "B", "C", "D"])
    ('A', 'A and B', 'A, B and 2 more')
    """
    if len(names) > 3:
        names = [*names[:2], f"{len(names) - 2} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
