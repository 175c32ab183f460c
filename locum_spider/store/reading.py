"""Reads articles, their history, captures and crawls, as rows.

The connections must give rows by name (`sqlite3.Row`), like those of `connect_reading` and of Datasette.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from locum_spider.items import CrawlOutcome
from locum_spider.store import crawls as crawls_
from locum_spider.store.connection import Connection

Row = dict[str, Any]
_ARCHIVE = frozenset({"articles", "article_text", "articles_fts", "article_urls", "revisions", "captures", "crawls",
                      "frontier", "entry_outcomes", "_sqlite_migrations"})  # fmt: skip
_CARD = "id, title, standfirst, section, site, published, authors, url"


def article(db: Connection, article_id: int) -> Row | None:
    """An article with its text; None if there is none with that id."""
    row = db.execute("SELECT * FROM full_articles WHERE id = ?", (article_id,)).fetchone()
    return dict(row) if row is not None else None


def article_at(db: Connection, url: str) -> int | None:
    """The id of the article that was found at an address; None if there is none."""
    row = db.execute("SELECT article_id FROM article_urls WHERE url = ?", (url,)).fetchone()
    return int(row[0]) if row is not None else None


def addresses(db: Connection, article_id: int) -> list[str]:
    """Every address that an article was found at."""
    rows = db.execute("SELECT url FROM article_urls WHERE article_id = ? ORDER BY url", (article_id,))
    return [row[0] for row in rows]


def revisions(db: Connection, article_id: int) -> list[Row]:
    """Every revision of an article, oldest first, each with the capture it was read from."""
    rows = db.execute(
        "SELECT r.id, r.seq, r.seen_at, r.digest, r.title, r.standfirst, r.body, r.fields, r.evidence, r.capture_id, "
        "c.url, c.fetched_at, c.status, c.digest AS capture_digest, c.warc_file, c.warc_offset, c.warc_length "
        "FROM revisions r JOIN captures c ON c.id = r.capture_id WHERE r.article_id = ? ORDER BY r.seq",
        (article_id,),
    )
    history = [dict(row) for row in rows]
    for row in history:
        row["fields"], row["evidence"] = json.loads(row["fields"]), json.loads(row["evidence"])
    return history


def capture(db: Connection, capture_id: int) -> Row:
    """The row of a capture."""
    return dict(db.execute("SELECT * FROM captures WHERE id = ?", (capture_id,)).fetchone())


def crawls(db: Connection, site: str | None, limit: int, *, imports: bool = True) -> list[Row]:
    """Crawls, newest first, with counts, outcome and reasons, and `imports` among them; -1 as limit means all."""
    rows = db.execute(
        "SELECT * FROM crawls WHERE (:site IS NULL OR site = :site) AND (:imports OR outcome IS NOT :imported) "
        "ORDER BY id DESC LIMIT :limit",
        {"site": site, "imports": imports, "imported": CrawlOutcome.IMPORTED, "limit": limit},
    )
    return [_crawl(db, row) for row in rows]


def crawl(db: Connection, crawl_id: int) -> Row:
    """A crawl with counts, outcome and reasons."""
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    return _crawl(db, cursor.execute("SELECT * FROM crawls WHERE id = ?", (crawl_id,)).fetchone())


def found_in(db: Connection, crawl_id: int) -> dict[str, list[Row]]:
    """The articles (id, url, title) that were `new`, `changed` and `gone` in a crawl."""
    query = (
        "SELECT DISTINCT a.id, a.url, a.title FROM frontier f JOIN articles a ON a.id = "
        "coalesce(f.article_id, (SELECT article_id FROM article_urls WHERE url = f.key)) "
        "WHERE f.crawl_id = ? AND f.outcome = ? ORDER BY a.id"
    )
    kinds = ("new", "changed", "gone")
    return {kind: [dict(row) for row in db.execute(query, (crawl_id, kind))] for kind in kinds}


def _crawl(db: Connection, row: sqlite3.Row) -> Row:
    values = {**dict(row), "reasons": json.loads(row["reasons"])}
    if values["finished_at"] is None and values["outcome"] != CrawlOutcome.IMPORTED:  # counts are stored at its end
        values |= crawls_.count_outcomes(db, values["id"])
    return values


def counts(db: Connection, state: str | None = None) -> dict[str, int]:
    """The number of articles of each site, or of those in one state."""
    query = "SELECT site, count(*) FROM articles WHERE ? IS NULL OR state = ? GROUP BY site"
    return dict(db.execute(query, (state, state)).fetchall())


def schedules(db: Connection) -> dict[str, str]:
    """How often each scheduled site is crawled."""
    return dict(db.execute("SELECT site, every FROM schedules ORDER BY site").fetchall())


def scheduled_since(db: Connection, site: str) -> str:
    """When a site that is scheduled was put on the schedule."""
    return str(db.execute("SELECT since FROM schedules WHERE site = ?", (site,)).fetchone()[0])


def listed_days(db: Connection, request_id: int) -> list[str]:
    """The days that listings print for a request."""
    rows = db.execute(
        "SELECT DISTINCT published FROM listing_entries WHERE request_id = ? AND published IS NOT NULL", (request_id,)
    )
    return [row[0] for row in rows]


def printed_dates(db: Connection, site: str, limit: int = 2_000) -> list[str]:
    """Dates as a site prints them, in articles and listings."""
    rows = db.execute(
        "SELECT published_raw FROM articles WHERE site = :site AND published_raw IS NOT NULL UNION ALL "
        "SELECT e.published_raw FROM listing_entries e JOIN captures c ON c.id = e.capture_id "
        "JOIN crawls w ON w.id = c.crawl_id WHERE w.site = :site AND e.published_raw IS NOT NULL "
        "ORDER BY 1 DESC LIMIT :limit",
        {"site": site, "limit": limit},
    )
    return [row[0] for row in rows]


# -- what the pages of Datasette show ----------------------------------------------------------------------------------


def tables(db: Connection) -> set[str]:
    """The names of tables and views."""
    return {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}


def is_archive(db: Connection) -> bool:
    """Whether a database is that of an archive."""
    query = "SELECT 1 FROM _sqlite_migrations WHERE migration_set = 'locum_spider' LIMIT 1"
    return tables(db) >= _ARCHIVE and db.execute(query).fetchone() is not None


def sites(db: Connection) -> list[str]:
    """The names of all sites with articles or crawls."""
    return [row[0] for row in db.execute("SELECT site FROM articles UNION SELECT site FROM crawls ORDER BY 1")]


def span(db: Connection) -> Row:
    """The number of `articles`, and the `first` and `last` day of publication."""
    query = "SELECT count(*) AS articles, min(published) AS first, max(published) AS last FROM articles"
    return dict(db.execute(query).fetchone())


def last_crawl(db: Connection) -> Row | None:
    """The row of the newest crawl, as stored; None if there is none."""
    row = db.execute("SELECT * FROM crawls ORDER BY id DESC LIMIT 1").fetchone()
    return dict(row) if row is not None else None


def newest(db: Connection, limit: int) -> list[Row]:
    """Cards of the articles published last. A card is what a list shows of an article."""
    rows = db.execute(f"SELECT {_CARD} FROM articles ORDER BY published DESC, id DESC LIMIT ?", (limit,))
    return [card(row) for row in rows]


def cards(db: Connection, article_ids: Sequence[int]) -> dict[int, Row]:
    """Cards of articles, by id."""
    marks = ",".join("?" * len(article_ids))
    rows = db.execute(f"SELECT {_CARD} FROM articles WHERE id IN ({marks})", article_ids)
    return {row["id"]: card(row) for row in rows}


def card(row: Any) -> Row:
    """A row with its authors as a list."""
    return {**dict(row), "authors": json.loads(row["authors"])}


def sections(db: Connection) -> list[Row]:
    """Each section (`name`) with the number of its `articles`, the largest first."""
    rows = db.execute(
        "SELECT section AS name, count(*) AS articles FROM articles WHERE section IS NOT NULL "
        "GROUP BY section ORDER BY articles DESC, section"
    )
    return [dict(row) for row in rows]


def years(db: Connection) -> list[Row]:
    """Each year (`name`) with the number of its `articles`, the latest first."""
    rows = db.execute(
        "SELECT substr(published, 1, 4) AS name, count(*) AS articles FROM articles "
        "WHERE published IS NOT NULL GROUP BY 1 ORDER BY 1 DESC"
    )
    return [dict(row) for row in rows]


def has_any(db: Connection, column: str) -> bool:
    """Whether any article has a value in a column; an empty list does not count."""
    query = f"SELECT 1 FROM articles WHERE {column} IS NOT NULL AND {column} <> '[]' LIMIT 1"
    return db.execute(query).fetchone() is not None


def has_several(db: Connection, column: str) -> bool:
    """Whether a column has several values."""
    return bool(db.execute(f"SELECT count(DISTINCT {column}) > 1 FROM articles").fetchone()[0])


def captures_of(db: Connection, article_id: int, limit: int) -> list[Row]:
    """Captures of an article and of all its addresses, the latest first."""
    rows = db.execute(
        "SELECT id, fetched_at, status, digest, same_as, warc_file, warc_offset, warc_length FROM captures "
        "WHERE id IN ("
        "SELECT capture_id FROM revisions WHERE article_id = :article "
        "UNION SELECT capture_id FROM frontier WHERE article_id = :article "
        "UNION SELECT c.id FROM article_urls u JOIN captures c ON c.url = u.url WHERE u.article_id = :article) "
        "ORDER BY fetched_at DESC, id DESC LIMIT :limit",
        {"article": article_id, "limit": limit},
    )
    return [dict(row) for row in rows]
