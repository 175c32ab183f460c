"""What the pages show, read out of the database. Each function takes a connection and runs in Datasette's threads."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from typing import Any

from locum_spider.browse.format import blocks, changes
from locum_spider.fields import FIELDS, told
from locum_spider.store import search as searching
from locum_spider.store.content import COLUMNS, decode_object, decoded, read_revision
from locum_spider.store.search import Filters, Hit

Row = dict[str, Any]
PAGE_SIZE = 25
_NEEDED = frozenset({"articles", "article_text", "articles_fts", "article_urls", "revisions", "captures", "crawls",
                     "frontier", "entry_outcomes", "_sqlite_migrations"})  # fmt: skip
_CARD = "id, title, standfirst, section, site, published, authors, url"


def is_archive(db: sqlite3.Connection) -> bool:
    """Whether a database is one of ours."""
    present = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    if not present >= _NEEDED:
        return False
    return bool(
        db.execute("SELECT count(*) FROM _sqlite_migrations WHERE migration_set = 'locum_spider'").fetchone()[0]
    )


def _rows(db: sqlite3.Connection, sql: str, *values: object) -> list[Row]:
    cursor = db.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _cards(rows: list[Row]) -> list[Row]:
    return [{**row, "authors": json.loads(row["authors"])} for row in rows]


def front(db: sqlite3.Connection) -> Row:
    """The front page: how much there is, the newest articles, ways in."""
    summary = _rows(db, "SELECT count(*) AS articles, min(published) AS first, max(published) AS last FROM articles")[0]
    crawls = _rows(db, "SELECT id, site, started_at, finished_at, outcome FROM crawls ORDER BY id DESC LIMIT 1")
    return {
        **summary,
        "crawl": crawls[0] if crawls else None,
        "newest": _cards(_rows(db, f"SELECT {_CARD} FROM articles ORDER BY published DESC, id DESC LIMIT 12")),  # noqa: S608
        "sites": _rows(db, "SELECT site AS name, count(*) AS articles FROM articles GROUP BY site ORDER BY 2 DESC"),
        "sections": sections(db)[:40],
        "years": _rows(
            db, "SELECT substr(published, 1, 4) AS name, count(*) AS articles FROM articles "
            "WHERE published IS NOT NULL GROUP BY 1 ORDER BY 1 DESC",
        ),
    }  # fmt: skip


def sections(db: sqlite3.Connection) -> list[Row]:
    """Sections with their counts, the largest first."""
    return _rows(
        db, "SELECT section AS name, count(*) AS articles FROM articles WHERE section IS NOT NULL "
        "GROUP BY section ORDER BY articles DESC, section",
    )  # fmt: skip


def find(db: sqlite3.Connection, text: str, filters: Filters, page: int) -> Row:
    """A page of hits by relevance; of all articles, newest first, where nothing is searched for.

    `total` is None in a list, which is not worth counting. Raises UsageError for a filter that is no date.
    """
    offset = (page - 1) * PAGE_SIZE
    if text:
        hits = searching.search(db, text, filters, PAGE_SIZE, offset)
        total = searching.count(db, text, filters)
        ids = {hit.id: hit for hit in hits}
        marks = ",".join("?" * len(ids))
        known = _rows(db, f"SELECT {_CARD} FROM articles WHERE id IN ({marks})", *ids)  # noqa: S608
        more = {card["id"]: card for card in _cards(known)}
        return {
            "total": total,
            "cards": [{**more[hit.id], **asdict(hit), **_shown(hit)} for hit in hits if hit.id in more],
            "further": offset + PAGE_SIZE < total,
        }
    found = searching.select(db, filters)
    names = [column[0] for column in found.description]
    for _ in range(offset):
        if found.fetchone() is None:
            break
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchmany(PAGE_SIZE + 1)]
    return {"total": None, "cards": _cards(rows[:PAGE_SIZE]), "further": len(rows) > PAGE_SIZE}


def _shown(hit: Hit) -> Row:
    """Where the best place is the title itself, it is marked there, and the standfirst stands below."""
    plain = hit.snippet.replace(searching.MARK, "").replace(searching.UNMARK, "")
    return {"title_marked": hit.snippet, "snippet": None} if plain == hit.title else {}


def article(db: sqlite3.Connection, article_id: int, seq: int | None) -> Row | None:
    """Everything about an article, as it is now or as revision `seq` has it. None where there is none."""
    found = _rows(db, "SELECT * FROM full_articles WHERE id = ?", article_id)
    if not found:
        return None
    page = decoded(found[0])
    revisions = _rows(
        db, "SELECT r.id, r.seq, r.seen_at, r.digest, r.capture_id, r.title, c.warc_file, c.warc_offset "
        "FROM revisions r JOIN captures c ON c.id = r.capture_id WHERE r.article_id = ? ORDER BY r.seq", article_id,
    )  # fmt: skip
    if seq is not None:
        if seq not in {revision["seq"] for revision in revisions}:
            return None
        page |= _revision(db, article_id, seq)
    evidence = _rows(
        db, "SELECT evidence FROM revisions WHERE article_id = ? ORDER BY seq = ? DESC, seq DESC LIMIT 1",
        article_id, seq or 0,
    )  # fmt: skip
    return {
        **page,
        "facts": [(each.fact, ", ".join(told(page.get(each.name))), each.kind) for each in FIELDS if each.fact],
        "blocks": blocks(page["text"]),
        "revisions": revisions,
        "captures": _captures(db, article_id),
        "urls": _rows(db, "SELECT url FROM article_urls WHERE article_id = ? AND url <> ?", article_id, page["url"]),
        "evidence": json.loads(evidence[0]["evidence"]) if evidence else {},
    }


def _revision(db: sqlite3.Connection, article_id: int, seq: int) -> Row:
    """An old content in place of the latest, and how it differs from the one before it."""
    both = _rows(
        db, "SELECT seq, title, standfirst, body, fields, seen_at FROM revisions "
        "WHERE article_id = ? AND seq <= ? ORDER BY seq DESC LIMIT 2", article_id, seq,
    )  # fmt: skip
    this, *before = [
        read_revision(row["title"], row["standfirst"], row["body"], decode_object(row["fields"])) for row in both
    ]
    result: Row = {each.name: getattr(this, each.name) for each in COLUMNS}
    result |= {"text": this.text, "word_count": len(this.text.split()), "seen_at": both[0]["seen_at"], "before": None}
    for old in before:
        pairs = [(each.name, getattr(old, each.name), getattr(this, each.name)) for each in COLUMNS]
        result["before"] = {
            "seq": both[1]["seq"],
            "fields": [(name, _plain(a), _plain(b)) for name, a, b in pairs if a != b],
            "blocks": changes(old.text, this.text),
        }
    return result


def _plain(value: Any) -> str:
    return ", ".join(told(value)) or "nothing"


def _captures(db: sqlite3.Connection, article_id: int) -> list[Row]:
    return _rows(
        db, "SELECT id, fetched_at, status, digest, same_as, warc_file, warc_offset, warc_length FROM captures "
        "WHERE id IN ("
        "SELECT capture_id FROM revisions WHERE article_id = ?1 "
        "UNION SELECT capture_id FROM frontier WHERE article_id = ?1 "
        "UNION SELECT c.id FROM article_urls u JOIN captures c ON c.url = u.url WHERE u.article_id = ?1) "
        "ORDER BY fetched_at DESC, id DESC LIMIT 100", article_id,
    )  # fmt: skip
