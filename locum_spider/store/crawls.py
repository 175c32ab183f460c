"""Begins, ends and counts crawls and imports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from locum_spider.items import CrawlOutcome, Kind, Outcome


def unfinished_crawl(db: sqlite3.Connection, site: str) -> int | None:
    """The id of the crawl of a site that was cut short; None if there is none."""
    return _unfinished(db, site, "IS NOT")


def unfinished_import(db: sqlite3.Connection, site: str) -> int | None:
    """The id of the import of a site that was cut short; None if there is none."""
    return _unfinished(db, site, "IS")


def _unfinished(db: sqlite3.Connection, site: str, imported: str) -> int | None:
    query = f"SELECT max(id) FROM crawls WHERE site = ? AND finished_at IS NULL AND outcome {imported} ?"
    crawl_id: int | None = db.execute(query, (site, CrawlOutcome.IMPORTED)).fetchone()[0]
    return crawl_id


def newest_capture(db: sqlite3.Connection) -> str | None:
    """The time of the capture that a crawl stored last; None if there is none."""
    row = db.execute(
        "SELECT c.fetched_at FROM captures c JOIN crawls w ON w.id = c.crawl_id WHERE w.outcome IS NOT ? "
        "ORDER BY c.id DESC LIMIT 1",
        (CrawlOutcome.IMPORTED,),
    ).fetchone()
    return row[0] if row else None


def start_crawl(db: sqlite3.Connection, uid: str, site: str, version: str, now: str) -> int:
    """Start a crawl; returns its id. One of an older version keeps the id that its `uid` is, if no other has it."""
    wanted = int(uid) if uid.isdecimal() else None
    cursor = db.execute(
        "INSERT INTO crawls (id, uid, site, started_at, version) "
        "VALUES ((SELECT ? WHERE NOT EXISTS (SELECT 1 FROM crawls WHERE id = ?)), ?, ?, ?, ?)",
        (wanted, wanted, uid, site, now, version),
    )
    return int(cursor.lastrowid or 0)


def identifier(db: sqlite3.Connection, crawl_id: int) -> str:
    """What the WARC files call a crawl."""
    return str(db.execute("SELECT uid FROM crawls WHERE id = ?", (crawl_id,)).fetchone()[0])


def by_identifier(db: sqlite3.Connection, uid: str) -> tuple[int, str] | None:
    """The id and site of a crawl that the WARC files call so; None if the database does not have it."""
    row = db.execute("SELECT id, site FROM crawls WHERE uid = ?", (uid,)).fetchone()
    return (int(row[0]), str(row[1])) if row else None


def outcomes(db: sqlite3.Connection, crawl_id: int) -> dict[tuple[Outcome, Kind], int]:
    """The number of requests of a crawl by outcome and kind."""
    rows = db.execute(
        "SELECT outcome, kind, count(*) FROM frontier WHERE crawl_id = ? AND outcome IS NOT NULL GROUP BY 1, 2",
        (crawl_id,),
    ).fetchall()
    return {(Outcome(outcome), Kind(kind)): number for outcome, kind, number in rows}


def count_answered(db: sqlite3.Connection, crawl_id: int) -> int:
    """The number of requests of a crawl that had any response."""
    query = "SELECT count(*) FROM frontier WHERE crawl_id = ? AND capture_id IS NOT NULL"
    return int(db.execute(query, (crawl_id,)).fetchone()[0])


def first_fault(db: sqlite3.Connection, crawl_id: int) -> tuple[str, str] | None:
    """The address and reason of the first request that failed or was refused; None if there is none."""
    row = db.execute(
        "SELECT url, reason FROM frontier WHERE crawl_id = ? AND outcome IN ('failed', 'refused') ORDER BY id",
        (crawl_id,),
    ).fetchone()
    return (row[0], row[1]) if row else None


_COUNTED = {
    Outcome.NEW: "articles_new", Outcome.CHANGED: "articles_changed", Outcome.UNCHANGED: "articles_unchanged",
    Outcome.GONE: "articles_gone", Outcome.LISTING: "listings", Outcome.REFUSED: "refused", Outcome.FAILED: "failed",
    Outcome.NOT_ARTICLE: "not_articles",
}  # fmt: skip
"""The column of a crawl's row that counts an outcome."""


def finish_crawl(
    db: sqlite3.Connection, crawl_id: int, outcome: CrawlOutcome, reasons: list[str], finished_at: str | None
) -> None:
    """Write a crawl's outcome and counts; `finished_at` stays NULL if it can be resumed."""
    counts = count_outcomes(db, crawl_id)
    assignments = ", ".join(f"{column} = ?" for column in counts)
    db.execute(
        f"UPDATE crawls SET outcome = ?, reasons = ?, finished_at = ?, {assignments} WHERE id = ?",
        (outcome, json.dumps(reasons, ensure_ascii=False), finished_at, *counts.values(), crawl_id),
    )


def count_outcomes(db: sqlite3.Connection, crawl_id: int) -> dict[str, int]:
    """The counts of a crawl's row, as its frontier has them now."""
    counts = dict.fromkeys(_COUNTED.values(), 0)
    rows = db.execute("SELECT outcome, count(*) FROM frontier WHERE crawl_id = ? GROUP BY outcome", (crawl_id,))
    for name, number in rows.fetchall():
        if name in _COUNTED:
            counts[_COUNTED[name]] = number
    counts["captures"] = db.execute("SELECT count(*) FROM captures WHERE crawl_id = ?", (crawl_id,)).fetchone()[0]
    counts["entries"] = db.execute(
        "SELECT count(*) FROM listing_entries e JOIN captures c ON c.id = e.capture_id WHERE c.crawl_id = ?",
        (crawl_id,),
    ).fetchone()[0]
    return counts


def begin_import(db: sqlite3.Connection, crawl_id: int) -> None:
    """Turn a crawl's row into that of an import: it has no frontier, and no crawl goes on with it."""
    finish_crawl(db, crawl_id, CrawlOutcome.IMPORTED, [], None)


def count_imported(db: sqlite3.Connection, crawl_id: int, outcome: Outcome) -> None:
    """Count one imported capture: an import has no frontier to count later."""
    column = _COUNTED.get(outcome)
    also = f", {column} = {column} + 1" if column else ""
    query = f"UPDATE crawls SET captures = captures + 1{also} WHERE id = ? AND outcome = ?"
    db.execute(query, (crawl_id, CrawlOutcome.IMPORTED))


def imported(db: sqlite3.Connection, crawl_id: int) -> dict[Outcome, int]:
    """The number of captures that an import brought so far, by outcome."""
    row = db.execute(f"SELECT {', '.join(_COUNTED.values())} FROM crawls WHERE id = ?", (crawl_id,)).fetchone()
    return dict(zip(_COUNTED, tuple(row), strict=True))


def count_import(db: sqlite3.Connection, crawl_id: int, outcomes: Mapping[Outcome, int], finished_at: str) -> None:
    """End an import and write the number of its captures by outcome into its row."""
    finish_crawl(db, crawl_id, CrawlOutcome.IMPORTED, [], finished_at)
    for outcome, column in _COUNTED.items():
        db.execute(f"UPDATE crawls SET {column} = ? WHERE id = ?", (outcomes.get(outcome, 0), crawl_id))


def unread(db: sqlite3.Connection, crawl_id: int, limit: int = 20) -> list[dict[str, Any]]:
    """Requests of a crawl that gave neither an article nor a listing, with outcome and reason."""
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    rows = cursor.execute(
        "SELECT url, kind, outcome, reason FROM frontier WHERE crawl_id = ? "
        "AND outcome IN ('failed', 'not_article', 'refused', 'not_listing') ORDER BY outcome, id LIMIT ?",
        (crawl_id, limit),
    )
    return [dict(row) for row in rows]


def causes(db: sqlite3.Connection, crawl_id: int, limit: int = 20, urls: int = 3) -> list[dict[str, Any]]:
    """Why addresses of a crawl gave no article: each `outcome` and `reason` once, with the `count` of its addresses and
    the first of them (`urls`)."""
    wanted = "crawl_id = ? AND outcome IN ('gone', 'failed', 'not_article', 'refused')"
    groups = db.execute(
        f"SELECT outcome, reason, count(*) FROM frontier WHERE {wanted} "
        "GROUP BY outcome, reason ORDER BY outcome = 'gone' DESC, outcome, min(id) LIMIT ?",
        (crawl_id, limit),
    ).fetchall()
    first = f"SELECT url FROM frontier WHERE {wanted} AND outcome = ? AND reason IS ? ORDER BY id LIMIT ?"
    return [
        {
            "outcome": outcome,
            "reason": reason,
            "count": count,
            "urls": [row[0] for row in db.execute(first, (crawl_id, outcome, reason, urls))],
        }
        for outcome, reason, count in map(tuple, groups)
    ]


def count_filled(db: sqlite3.Connection, crawl_id: int, columns: Sequence[str]) -> tuple[int, dict[str, int]]:
    """The number of articles that a crawl read, and how many of them have a value in each of these columns of
    `full_articles`."""
    filled = ", ".join(f"count(nullif(nullif({column}, '[]'), ''))" for column in columns)
    row = db.execute(
        f"SELECT count(*), {filled} FROM full_articles WHERE id IN "
        "(SELECT article_id FROM frontier WHERE crawl_id = ? AND outcome IN ('new', 'changed', 'unchanged'))",
        (crawl_id,),
    ).fetchone()
    return row[0], dict(zip(columns, row[1:], strict=True))
