"""Crawls and their frontier: what is still to be fetched, what became of what was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from locum_spider.items import Child, Kind, Outcome
from locum_spider.store import removals
from locum_spider.store.captures import LATEST


@dataclass(slots=True)
class Row:
    """A request in the frontier: the key it is known under and the capture it was found on; whether it still waits."""

    id: int | None
    key: str
    kind: Kind
    is_queued: bool = True
    found_on: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """An address to fetch: the frontier's row and whether an article or a listing is expected there.

    `etag` and `last_modified` are those of the latest body we have of it.
    """

    id: int
    url: str
    kind: Kind
    etag: str | None = None
    last_modified: str | None = None


def enqueue(db: sqlite3.Connection, crawl_id: int, requests: Iterable[Child], found_on: int | None) -> dict[str, int]:
    """Put requests into the frontier, each key once a crawl; returns the row of each key.

    What was taken down is done at once, under a name that does not tell the address.
    """
    rows: dict[str, int] = {}
    requests = list(requests)
    gone = removals.taken_down(db, {key for key, _, _ in requests})
    for key, url, kind in requests:
        if key in rows:
            continue
        known = gone.get(key, key)
        row = db.execute("SELECT id FROM frontier WHERE crawl_id = ? AND key = ?", (crawl_id, known)).fetchone()
        if row is None:
            state, outcome = ("done", Outcome.TAKEN_DOWN) if key in gone else ("queued", None)
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
    return [Request(row[0], row[1], Kind(row[2]), *_validators(db, row[1])) for row in rows.fetchall()]


def _validators(db: sqlite3.Connection, url: str) -> tuple[str | None, str | None]:
    """Those of the body that a 304 would be taken to stand for: none if it is not whole, or not the site's own."""
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


def find(db: sqlite3.Connection, request_id: int) -> Row | None:
    """The row of a request; None if there is none of that number."""
    row = db.execute(
        "SELECT key, kind, state = 'queued', found_on FROM frontier WHERE id = ?", (request_id,)
    ).fetchone()
    return Row(request_id, row[0], Kind(row[1]), bool(row[2]), row[3]) if row is not None else None


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


def finish(
    db: sqlite3.Connection, row: Row, outcome: Outcome, reason: str | None = None,
    capture_id: int | None = None, article_id: int | None = None,
) -> None:  # fmt: skip
    """Mark a request done, with what became of it."""
    db.execute(
        "UPDATE frontier SET state = 'done', outcome = ?, reason = ?, capture_id = ?, article_id = ? WHERE id = ?",
        (outcome, reason, capture_id, article_id, row.id),
    )
    row.is_queued = False


def outcome_of(db: sqlite3.Connection, crawl_id: int, key: str) -> Outcome | None:
    """What became of the request with that key."""
    row = db.execute("SELECT outcome FROM frontier WHERE crawl_id = ? AND key = ?", (crawl_id, key)).fetchone()
    return Outcome(row[0]) if row and row[0] else None
