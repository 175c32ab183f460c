"""The canonical dump: what an archive's database holds, as JSON lines in an order that depends on the values alone.

Two databases made from the same captures by the same rules have the same dump. `comparable` leaves out what may
differ between two crawls of the same site: ids, times, places in WARC files, how often robots.txt was fetched.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from locum_spider.store.connection import connect_reading
from locum_spider.store.content import COLUMNS

_TABLES = (
    "article_text", "article_urls", "articles", "captures", "crawls", "frontier", "listing_entries", "records",
    "revisions", "takedowns", "warc_files",
)  # fmt: skip

_COMPARABLE = {
    "articles": f"""SELECT a.site, a.url, t.title AS text_title, t.standfirst AS text_standfirst, t.body, a.word_count,
        a.canonical_url, a.state, {", ".join(f"a.{column.name}" for column in COLUMNS)}
        FROM articles a LEFT JOIN article_text t USING (id)""",  # noqa: S608 - our own column names
    "article_urls": "SELECT u.url, a.url AS article FROM article_urls u LEFT JOIN articles a ON a.id = u.article_id",
    "captures": """SELECT crawl_id, url, status, content_type, digest, location, etag FROM captures
        WHERE url NOT LIKE '%/robots.txt'""",
    "crawls": """SELECT id, site, finished_at IS NOT NULL AS finished, outcome, reasons, version, articles_new,
        articles_changed, articles_unchanged, articles_gone, listings, entries, refused, failed,
        not_articles FROM crawls""",
    "frontier": """SELECT f.crawl_id, f.key, f.url, f.kind, f.state, f.outcome, f.reason, p.url AS found_on,
        c.url AS capture, c.digest AS capture_digest, a.url AS article
        FROM frontier f LEFT JOIN captures p ON p.id = f.found_on LEFT JOIN captures c ON c.id = f.capture_id
        LEFT JOIN articles a ON a.id = f.article_id""",
    "listing_entries": """SELECT c.crawl_id, c.url AS listing, e.position, e.url, e.title, e.published_raw,
        e.published, e.summary, f.key AS request FROM listing_entries e LEFT JOIN captures c ON c.id = e.capture_id
        LEFT JOIN frontier f ON f.id = e.request_id""",
    "revisions": """SELECT a.url AS article, r.seq, r.digest, r.title, r.standfirst, r.body, r.fields, r.evidence,
        c.url AS capture, c.crawl_id, c.digest AS capture_digest
        FROM revisions r LEFT JOIN articles a ON a.id = r.article_id LEFT JOIN captures c ON c.id = r.capture_id""",
}


def dump(db: sqlite3.Connection, *, comparable: bool = False) -> Iterator[str]:
    """The lines of the dump, each `{"table": …, …}` with its keys in order."""
    present = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    whole = {name: f"SELECT * FROM {name}" for name in _TABLES if name in present}  # noqa: S608 - our own tables
    if "takedowns" in whole:  # no record says when a takedown was finished
        whole["takedowns"] = "SELECT url, reason, at FROM takedowns"
    queries = _COMPARABLE if comparable else whole
    for table, query in queries.items():
        cursor = db.execute(query)
        columns = [column[0] for column in cursor.description]
        order = ", ".join(str(number) for number in range(1, len(columns) + 1))
        for row in db.execute(f"{query} ORDER BY {order}"):
            values = dict(zip(columns, tuple(row), strict=True))
            yield json.dumps({"table": table, **values}, ensure_ascii=False, sort_keys=True)


def dump_archive(archive: Path, *, comparable: bool = False) -> list[str]:
    """The dump of an archive. Raises ArchiveError if there is none."""
    with closing(connect_reading(archive)) as db:
        return list(dump(db, comparable=comparable))
