"""Crawls and their frontier: what is still to be fetched, what became of what was."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from locum_spider.store import removal
from locum_spider.store.captures import LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable

DONE = "done"
INTERRUPTED = "interrupted"
IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Request:
    """An address to fetch: the frontier's row and whether an article or a listing is expected there.

    `etag` and `last_modified` are those of the latest body we have of it.
    """

    id: int
    url: str
    kind: str
    etag: str | None = None
    last_modified: str | None = None


def unfinished_crawl(db: sqlite3.Connection, site: str) -> int | None:
    """The crawl of a site that a kill or Ctrl-C cut short."""
    row = db.execute(
        "SELECT id FROM crawls WHERE site = ? AND finished_at IS NULL ORDER BY id DESC LIMIT 1", (site,)
    ).fetchone()
    return int(row[0]) if row else None


def start_crawl(db: sqlite3.Connection, site: str, version: str, now: str, crawl_id: int | None = None) -> int:
    """A new crawl; returns its id, the given one where a rebuild knows it."""
    cursor = db.execute(
        "INSERT INTO crawls (id, site, started_at, version) VALUES (?, ?, ?, ?)", (crawl_id, site, now, version)
    )
    return int(cursor.lastrowid or 0)


def enqueue(
    db: sqlite3.Connection, crawl_id: int, requests: Iterable[tuple[str, str, str]], found_on: int | None
) -> dict[str, int]:
    """Put `(key, url, kind)` into the frontier, each key once a crawl; returns the row of each key.

    What was taken down is done at once, under a name that does not tell the address.
    """
    rows: dict[str, int] = {}
    requests = list(requests)
    gone = removal.taken_down(db, {key for key, _, _ in requests})
    for key, url, kind in requests:
        if key in rows:
            continue
        known = gone.get(key, key)
        row = db.execute("SELECT id FROM frontier WHERE crawl_id = ? AND key = ?", (crawl_id, known)).fetchone()
        if row is None:
            state, outcome = ("done", removal.OUTCOME) if key in gone else ("queued", None)
            cursor = db.execute(
                "INSERT INTO frontier (crawl_id, key, url, kind, state, outcome, found_on) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (crawl_id, known, gone.get(key, url), kind, state, outcome, found_on),
            )
            rows[key] = int(cursor.lastrowid or 0)
        else:
            rows[key] = int(row[0])
    return rows


def queued(db: sqlite3.Connection, crawl_id: int, after: int, limit: int) -> list[Request]:
    """The next requests behind row `after`, oldest first."""
    rows = db.execute(
        "SELECT id, url, kind FROM frontier WHERE crawl_id = ? AND state = 'queued' AND id > ? ORDER BY id LIMIT ?",
        (crawl_id, after, limit),
    )
    return [Request(row[0], row[1], row[2], *_validators(db, row[1])) for row in rows.fetchall()]


def _validators(db: sqlite3.Connection, url: str) -> tuple[str | None, str | None]:
    """Those of the body that a 304 would be taken to stand for: none where it is not whole, or not the site's own."""
    row = db.execute(
        "SELECT coalesce(c.etag, o.etag), coalesce(c.last_modified, o.last_modified) "
        f"FROM (SELECT * {LATEST}) c LEFT JOIN captures o ON o.id = c.same_as AND c.status = 304 "
        "WHERE coalesce(c.truncated, o.truncated, c.source_uri, o.source_uri) IS NULL",
        (url,),
    ).fetchone()
    return (row[0], row[1]) if row else (None, None)


def count_queued(db: sqlite3.Connection, crawl_id: int, after: int = 0) -> int:
    """How many requests behind row `after` wait."""
    row = db.execute(
        "SELECT count(*) FROM frontier WHERE crawl_id = ? AND state = 'queued' AND id > ?", (crawl_id, after)
    ).fetchone()
    return int(row[0])


def count_listings(db: sqlite3.Connection, crawl_id: int) -> int:
    """How many listing pages this crawl knows of."""
    row = db.execute("SELECT count(*) FROM frontier WHERE crawl_id = ? AND kind = 'listing'", (crawl_id,)).fetchone()
    return int(row[0])


def is_queued(db: sqlite3.Connection, request_id: int) -> bool:
    """Whether a request still waits for its answer."""
    row = db.execute("SELECT state FROM frontier WHERE id = ?", (request_id,)).fetchone()
    return row is not None and row[0] == "queued"


def key_of(db: sqlite3.Connection, request_id: int) -> tuple[str, str, int | None]:
    """Key and kind of a request, and the capture it was found on."""
    row = db.execute("SELECT key, kind, found_on FROM frontier WHERE id = ?", (request_id,)).fetchone()
    return row[0], row[1], row[2]


def chain(db: sqlite3.Connection, crawl_id: int, capture_id: int | None, limit: int) -> list[str]:
    """Reasons (for a listing: its fingerprint) of a capture and of those that led to it, nearest first."""
    found: list[str] = []
    while capture_id is not None and len(found) < limit:
        row = db.execute(
            "SELECT reason, found_on FROM frontier WHERE crawl_id = ? AND capture_id = ?", (crawl_id, capture_id)
        ).fetchone()
        if row is None:
            break
        found.append(row[0])
        capture_id = row[1]
    return found


def finish_request(
    db: sqlite3.Connection, request_id: int, outcome: str, reason: str | None,
    capture_id: int | None, article_id: int | None,
) -> None:  # fmt: skip
    """Mark a request done, with what became of it."""
    db.execute(
        "UPDATE frontier SET state = 'done', outcome = ?, reason = ?, capture_id = ?, article_id = ? WHERE id = ?",
        (outcome, reason, capture_id, article_id, request_id),
    )


def outcomes(db: sqlite3.Connection, crawl_id: int) -> dict[tuple[str, str], int]:
    """How many requests of a crawl had each outcome, by outcome and kind."""
    rows = db.execute(
        "SELECT outcome, kind, count(*) FROM frontier WHERE crawl_id = ? GROUP BY 1, 2", (crawl_id,)
    ).fetchall()
    return {(outcome, kind): number for outcome, kind, number in rows}


def count_answered(db: sqlite3.Connection, crawl_id: int) -> int:
    """How many requests of a crawl had an answer of any kind."""
    row = db.execute(
        "SELECT count(*) FROM frontier WHERE crawl_id = ? AND capture_id IS NOT NULL", (crawl_id,)
    ).fetchone()
    return int(row[0])


def first_fault(db: sqlite3.Connection, crawl_id: int) -> tuple[str, str] | None:
    """Address and reason of the first request that failed or was refused."""
    row = db.execute(
        "SELECT url, reason FROM frontier WHERE crawl_id = ? AND outcome IN ('failed', 'refused') ORDER BY id",
        (crawl_id,),
    ).fetchone()
    return (row[0], row[1]) if row else None


def outcome_of(db: sqlite3.Connection, crawl_id: int, key: str) -> str | None:
    """What became of the request with that key."""
    row = db.execute("SELECT outcome FROM frontier WHERE crawl_id = ? AND key = ?", (crawl_id, key)).fetchone()
    return row[0] if row else None


def schedule(db: sqlite3.Connection, site: str, every: str, now: str) -> None:
    """Note how often a site is to be crawled."""
    db.execute(
        "INSERT INTO schedules (site, every, since) VALUES (?, ?, ?) "
        "ON CONFLICT (site) DO UPDATE SET every = excluded.every",
        (site, every, now),
    )


def unschedule(db: sqlite3.Connection, site: str) -> bool:
    """Take a site off the schedule; False where it was not on it."""
    return db.execute("DELETE FROM schedules WHERE site = ?", (site,)).rowcount > 0


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


_COUNTED = {
    "new": "articles_new", "changed": "articles_changed", "unchanged": "articles_unchanged", "listing": "listings",
    "refused": "refused", "failed": "failed", "not_article": "not_articles",
}  # fmt: skip


def finish_crawl(
    db: sqlite3.Connection, crawl_id: int, outcome: str, reasons: list[str], finished_at: str | None
) -> None:
    """Write a crawl's outcome and counts; `finished_at` stays NULL where it can be resumed."""
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


UNFINISHED = "under way, or cut short: run the same `locum import` again"
"""The reason in the row of an import until it has come to its end."""


def begin_import(db: sqlite3.Connection, crawl_id: int, now: str) -> None:
    """Make a crawl's row that of an import: it has no frontier, and no crawl goes on with it."""
    finish_crawl(db, crawl_id, IMPORTED, [UNFINISHED], now)


def unfinished_import(db: sqlite3.Connection, site: str) -> int | None:
    """The import of a site that was cut short."""
    row = db.execute(
        "SELECT id FROM crawls WHERE site = ? AND outcome = ? AND reasons = ? ORDER BY id DESC LIMIT 1",
        (site, IMPORTED, json.dumps([UNFINISHED], ensure_ascii=False)),
    ).fetchone()
    return int(row[0]) if row else None


def count_imported(db: sqlite3.Connection, crawl_id: int, outcome: str) -> None:
    """Count one capture that an import brought: there is no frontier to count later."""
    column = _COUNTED.get(outcome)
    also = f", {column} = {column} + 1" if column else ""
    db.execute(f"UPDATE crawls SET captures = captures + 1{also} WHERE id = ? AND outcome = ?", (crawl_id, IMPORTED))


def imported(db: sqlite3.Connection, crawl_id: int) -> dict[str, int]:
    """What an import brought so far, by outcome."""
    row = db.execute(f"SELECT {', '.join(_COUNTED.values())} FROM crawls WHERE id = ?", (crawl_id,)).fetchone()
    return dict(zip(_COUNTED, tuple(row), strict=True))


def count_import(db: sqlite3.Connection, crawl_id: int, outcomes: dict[str, int], finished_at: str) -> None:
    """Write what an import brought into its crawl row."""
    finish_crawl(db, crawl_id, IMPORTED, [], finished_at)
    for outcome, column in _COUNTED.items():
        db.execute(f"UPDATE crawls SET {column} = ? WHERE id = ?", (outcomes.get(outcome, 0), crawl_id))


def unread(db: sqlite3.Connection, crawl_id: int, limit: int = 20) -> list[sqlite3.Row]:
    """Requests of a crawl that gave nothing, with outcome and reason."""
    cursor = db.cursor()
    cursor.row_factory = sqlite3.Row
    return cursor.execute(
        "SELECT url, kind, outcome, reason FROM frontier WHERE crawl_id = ? "
        "AND outcome IN ('failed', 'not_article', 'refused', 'not_listing') ORDER BY outcome, id LIMIT ?",
        (crawl_id, limit),
    ).fetchall()
