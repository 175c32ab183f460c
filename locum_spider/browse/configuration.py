"""What Datasette is told about an archive: titles, facets, sorting, search, what is hidden."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

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
# Beyond this many they are left to the reader's choice (the menu of the column's header).
ARRAY_FACETS_UP_TO = 50_000

_ARTICLE_COLUMNS = {
    "site": "Name of the site's declaration",
    **{each.name: each.about for each in FIELDS if each.column or each.name == "url"},
    "state": "live, or gone once the site no longer serves it",
    "first_seen": "First fetched (UTC)",
    "last_seen": "Last fetched (UTC)",
}

_TABLES: dict[str, dict[str, Any]] = {
    "articles": {
        "description": "One row an article; its text is in full_articles.",
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
        "columns": _ARTICLE_COLUMNS | {each.name: each.about for each in FIELDS if each.name == "text"},
    },
    "article_text": {"description": "What the full-text index is built over."},
    "article_urls": {"description": "Every address an article was met at."},
    "revisions": {
        "description": "An article's content at one time; a new one only when the content differs from the latest.",
        "sort_desc": "id",
    },
    "captures": {
        "description": "HTTP exchanges as they went over the wire, and where they lie in the WARC files.",
        "label_column": "url",
        "sort_desc": "id",
        "facets": ["status", "content_type", "crawl_id"],
    },
    "crawls": {
        "description": "Runs, with their counts, outcome and reasons.",
        "label_column": "started_at",
        "sort_desc": "id",
    },
    "listing_entries": {"description": "Entries of listing pages: what they say of articles that stand elsewhere."},
    "entry_outcomes": {
        "description": "What became of each entry of a listing.",
        "facets": ["outcome", "crawl_id"],
    },
    "warc_files": {"description": "The WARC files and how many bytes of each are acknowledged."},
    "records": {"description": "The ledger: every record of every WARC file, its digest chained to the one before."},
    "schedules": {"description": "How often each site is to be crawled."},
    "frontier": {"hidden": True},
    "articles_fts": {"hidden": True},
    "_sqlite_migrations": {"hidden": True},
}


def metadata(archive: Path) -> dict[str, Any]:
    """Datasette's metadata for an archive. Raises ArchiveError if the folder is not one."""
    with closing(connect_reading(archive)) as db:
        present, sites = reading.tables(db), reading.sites(db)
        plain, arrays = _facets(db, several_sites=len(sites) > 1), _array_facets(db)
    titles = {site: _title(site, archive) for site in sites}
    tables = {name: dict(table) for name, table in _TABLES.items() if name in present}
    tables["full_articles"]["facets"] = plain
    tables["articles"]["facets"] = [*plain, *arrays]
    title = f"Archive of {_listed(list(titles.values()))}" if titles else "News archive"
    return {
        "title": title,
        "plugins": {PLUGIN: {"front": NAME, "title": title, "sites": titles}},
        "databases": {NAME: {"title": "Tables and SQL", "tables": tables}},
    }


def _facets(db: Connection, *, several_sites: bool) -> list[str]:
    """Columns that have something to choose from."""
    facets = ["site"] if several_sites else []
    if reading.has_any(db, "section"):
        facets.append("section")
    if reading.has_several(db, "lang"):
        facets.append("lang")
    return facets


def _array_facets(db: Connection) -> list[dict[str, str]]:
    if sum(reading.counts(db).values()) > ARRAY_FACETS_UP_TO:
        return []
    return [{"array": column} for column in ("authors", "tags") if reading.has_any(db, column)]


def _title(site: str, archive: Path) -> str:
    """A declaration may have gone since, or be broken just now; neither keeps anyone from reading the archive."""
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
