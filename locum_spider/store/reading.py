"""Reading: articles, their history, captures and crawls, as rows."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from locum_spider.items import CrawlOutcome
from locum_spider.store import crawls as crawls_


def article(db: sqlite3.Connection, article_id: int) -> dict[str, Any] | None:
    """An article with its text; None where there is none of that number."""
    row = db.execute("SELECT * FROM full_articles WHERE id = ?", (article_id,)).fetchone()
    return dict(row) if row is not None else None


def article_at(db: sqlite3.Connection, url: str) -> int | None:
    """The number of the article that was met at an address."""
    row = db.execute("SELECT article_id FROM article_urls WHERE url = ?", (url,)).fetchone()
    return int(row[0]) if row is not None else None


def addresses(db: sqlite3.Connection, article_id: int) -> list[str]:
    """Every address an article was met at."""
    rows = db.execute("SELECT url FROM article_urls WHERE article_id = ? ORDER BY url", (article_id,))
    return [row[0] for row in rows]


def revisions(db: sqlite3.Connection, article_id: int) -> list[dict[str, Any]]:
    """Every revision of an article, oldest first, each with the capture it was read from."""
    rows = db.execute(
        "SELECT r.id, r.seq, r.seen_at, r.digest, r.title, r.standfirst, r.body, r.fields, r.evidence, r.capture_id, "
        "c.url, c.fetched_at, c.status, c.digest AS capture_digest, c.warc_file, c.warc_offset, c.warc_length "
        "FROM revisions r JOIN captures c ON c.id = r.capture_id WHERE r.article_id = ? ORDER BY r.seq",
        (article_id,),
    )
    found = [dict(row) for row in rows]
    for row in found:
        row["fields"], row["evidence"] = json.loads(row["fields"]), json.loads(row["evidence"])
    return found


def capture(db: sqlite3.Connection, capture_id: int) -> dict[str, Any]:
    """The row of a capture."""
    return dict(db.execute("SELECT * FROM captures WHERE id = ?", (capture_id,)).fetchone())


def crawls(db: sqlite3.Connection, site: str | None, limit: int) -> list[dict[str, Any]]:
    """Crawls, newest first, with counts, outcome and reasons; -1 as limit means all."""
    rows = db.execute("SELECT * FROM crawls WHERE ? IS NULL OR site = ? ORDER BY id DESC LIMIT ?", (site, site, limit))
    return [_crawl(db, row) for row in rows]


def crawl(db: sqlite3.Connection, crawl_id: int) -> dict[str, Any]:
    """A crawl with counts, outcome and reasons."""
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    return _crawl(db, cursor.execute("SELECT * FROM crawls WHERE id = ?", (crawl_id,)).fetchone())


def _crawl(db: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    found = {**dict(row), "reasons": json.loads(row["reasons"])}
    if found["finished_at"] is None and found["outcome"] != CrawlOutcome.IMPORTED:  # its row is written at the end
        found |= crawls_.count_outcomes(db, found["id"])
    return found


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Number of articles of each site."""
    return dict(db.execute("SELECT site, count(*) FROM articles GROUP BY site").fetchall())


def schedules(db: sqlite3.Connection) -> dict[str, str]:
    """How often each scheduled site is to be crawled."""
    return dict(db.execute("SELECT site, every FROM schedules ORDER BY site").fetchall())


def listed_days(db: sqlite3.Connection, request_id: int) -> list[str]:
    """The days that listings print for what a request leads to."""
    rows = db.execute(
        "SELECT DISTINCT published FROM listing_entries WHERE request_id = ? AND published IS NOT NULL", (request_id,)
    )
    return [row[0] for row in rows]


def printed_dates(db: sqlite3.Connection, site: str, limit: int = 2_000) -> list[str]:
    """Dates as a site prints them, in articles and listings."""
    rows = db.execute(
        "SELECT published_raw FROM articles WHERE site = :site AND published_raw IS NOT NULL UNION ALL "
        "SELECT e.published_raw FROM listing_entries e JOIN captures c ON c.id = e.capture_id "
        "JOIN crawls w ON w.id = c.crawl_id WHERE w.site = :site AND e.published_raw IS NOT NULL "
        "ORDER BY 1 DESC LIMIT :limit",
        {"site": site, "limit": limit},
    )
    return [row[0] for row in rows]
