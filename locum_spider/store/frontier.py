"""The frontier of a crawl: the requests that wait, and the outcomes of those that are done."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from locum_spider.clock import utc_now
from locum_spider.items import Child, Kind, Outcome
from locum_spider.store import removals


@dataclass(slots=True)
class Row:
    """A request in the frontier: its key, whether it still waits, and the capture it was found on."""

    id: int | None
    key: str
    kind: Kind
    is_queued: bool = True
    found_on: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """An address to fetch: the frontier's row and what is expected there.

    `etag` and `last_modified` are those of the latest body that the archive has of it.
    """

    id: int
    url: str
    kind: Kind
    etag: str | None = None
    last_modified: str | None = None


def enqueue(db: sqlite3.Connection, crawl_id: int, requests: Iterable[Child], found_on: int | None) -> dict[str, int]:
    """Put requests into the frontier, each key once a crawl; returns the row of each key.

    What was taken down is done at once, under a name that does not reveal the address.
    """
    rows: dict[str, int] = {}
    requests = list(requests)
    gone = removals.taken_down(db, {key for key, _, _ in requests})
    for key, url, kind in requests:
        if key in rows:
            continue
        stored = gone.get(key, key)
        row = db.execute("SELECT id FROM frontier WHERE crawl_id = ? AND key = ?", (crawl_id, stored)).fetchone()
        if row is None:
            state, outcome = ("done", Outcome.TAKEN_DOWN) if key in gone else ("queued", None)
            cursor = db.execute(
                "INSERT INTO frontier (crawl_id, key, url, kind, state, outcome, found_on) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (crawl_id, stored, gone.get(key, url), kind, state, outcome, found_on),
            )
            row = (cursor.lastrowid,)
        rows[key] = row[0]
    return rows


def queued(db: sqlite3.Connection, crawl_id: int, after: int, limit: int) -> list[Request]:
    """The next waiting requests after row `after`, oldest first."""
    rows = db.execute(
        "SELECT id, url, kind FROM frontier WHERE crawl_id = ? AND state = 'queued' AND id > ? ORDER BY id LIMIT ?",
        (crawl_id, after, limit),
    )
    return [Request(row[0], row[1], Kind(row[2]), *_validators(db, row[1])) for row in rows.fetchall()]


def _validators(db: sqlite3.Connection, url: str) -> tuple[str | None, str | None]:
    """ETag and Last-Modified of the body that a 304 would refer to.

    None if it is truncated or imported, or if the latest answer was a 304 whose body could not be read. None too if the
    clock was set back behind it: a 304 of today would seem to come before it, and refer to an older one.
    """
    row = db.execute(
        "SELECT coalesce(c.etag, o.etag), coalesce(c.last_modified, o.last_modified) FROM (SELECT * FROM captures "
        "WHERE url = ? AND status IN (200, 304) ORDER BY fetched_at DESC, id DESC LIMIT 1) c "
        "LEFT JOIN captures o ON o.id = c.same_as AND c.status = 304 "
        "WHERE coalesce(c.truncated, o.truncated, c.source_uri, o.source_uri) IS NULL "
        "AND (c.status = 200 OR o.id IS NOT NULL) AND c.fetched_at <= ?",
        (url, utc_now()),
    ).fetchone()
    return (row[0], row[1]) if row else (None, None)


def passed_by(db: sqlite3.Connection, crawl_id: int) -> list[str]:
    """The addresses of the articles of a crawl's site that are not in its frontier."""
    rows = db.execute(
        "SELECT a.url FROM articles a JOIN crawls c ON c.site = a.site WHERE c.id = ? AND NOT EXISTS (SELECT 1 "
        "FROM article_urls u JOIN frontier f ON f.key = u.url AND f.crawl_id = c.id WHERE u.article_id = a.id) "
        "AND NOT EXISTS (SELECT 1 FROM frontier f WHERE f.article_id = a.id AND f.crawl_id = c.id) ORDER BY a.id",
        (crawl_id,),
    )
    return [row[0] for row in rows]


def count_unvisited(db: sqlite3.Connection, crawl_id: int) -> int:
    """The number of articles of a crawl's site that no request of the crawl led to."""
    row = db.execute(
        "SELECT count(*) FROM articles a JOIN crawls c ON c.site = a.site WHERE c.id = ? AND NOT EXISTS (SELECT 1 "
        "FROM article_urls u JOIN frontier f ON f.key = u.url AND f.crawl_id = c.id AND f.capture_id IS NOT NULL "
        "WHERE u.article_id = a.id) "
        "AND NOT EXISTS (SELECT 1 FROM frontier f WHERE f.article_id = a.id AND f.crawl_id = c.id)",
        (crawl_id,),
    ).fetchone()
    return int(row[0])


def count_reread(db: sqlite3.Connection, crawl_id: int) -> int:
    """The number of articles that have not changed, but that today's rules read in another way."""
    query = "SELECT count(*) FROM frontier WHERE crawl_id = ? AND outcome = ? AND reason IS NOT NULL"
    return int(db.execute(query, (crawl_id, Outcome.UNCHANGED)).fetchone()[0])


def count_queued(db: sqlite3.Connection, crawl_id: int, after: int = 0) -> int:
    """The number of waiting requests after row `after`."""
    row = db.execute(
        "SELECT count(*) FROM frontier WHERE crawl_id = ? AND state = 'queued' AND id > ?", (crawl_id, after)
    ).fetchone()
    return int(row[0])


def count_listings(db: sqlite3.Connection, crawl_id: int) -> int:
    """The number of listing pages in a crawl's frontier."""
    row = db.execute("SELECT count(*) FROM frontier WHERE crawl_id = ? AND kind = 'listing'", (crawl_id,)).fetchone()
    return int(row[0])


def find(db: sqlite3.Connection, request_id: int) -> Row | None:
    """The row of a request; None if there is none with that id."""
    row = db.execute(
        "SELECT key, kind, state = 'queued', found_on FROM frontier WHERE id = ?", (request_id,)
    ).fetchone()
    return Row(request_id, row[0], Kind(row[1]), bool(row[2]), row[3]) if row is not None else None


def chain(db: sqlite3.Connection, crawl_id: int, capture_id: int | None, limit: int) -> list[str]:
    """The reasons (for a listing: its fingerprint) of a capture and of those that led to it, nearest first."""
    reasons: list[str] = []
    while capture_id is not None and len(reasons) < limit:
        row = db.execute(
            "SELECT reason, found_on FROM frontier WHERE crawl_id = ? AND capture_id = ?", (crawl_id, capture_id)
        ).fetchone()
        if row is None:
            break
        reasons.append(row[0])
        capture_id = row[1]
    return reasons


def finish(
    db: sqlite3.Connection, row: Row, outcome: Outcome, reason: str | None = None,
    capture_id: int | None = None, article_id: int | None = None,
) -> None:  # fmt: skip
    """Mark a request done, with its outcome."""
    db.execute(
        "UPDATE frontier SET state = 'done', outcome = ?, reason = ?, capture_id = ?, article_id = ? WHERE id = ?",
        (outcome, reason, capture_id, article_id, row.id),
    )
    row.is_queued = False


def outcome_of(db: sqlite3.Connection, crawl_id: int, key: str) -> Outcome | None:
    """The outcome of the request with that key; None if it has none."""
    row = db.execute("SELECT outcome FROM frontier WHERE crawl_id = ? AND key = ?", (crawl_id, key)).fetchone()
    return Outcome(row[0]) if row and row[0] else None
