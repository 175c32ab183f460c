"""What was taken down: the keys to keep out, the rows of the ledger, the empty captures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from locum_spider.items import LedgerEntry, Outcome
from locum_spider.store.connection import Connection

# -- keeping it out ----------------------------------------------------------------------------------------------------


def digest_of(key: str) -> str:
    """sha256 of a key: this stays of an address that must go."""
    return hashlib.sha256(key.encode()).hexdigest()


def name_of(digest: str) -> str:
    """The name that takes an address's place."""
    return f"taken-down:{digest}"


def titled(key: str, title: str) -> str:
    """The key of a page whose canonical link names an article: it counts only with the article's title."""
    return f"{key}\n{title}"


def payload_key(url: str, digest: str) -> str:
    """The key of a page of another address that named an article: an import must not bring it back."""
    return f"{url}\npayload {digest}"


def has_takedowns(db: Connection) -> bool:
    """Whether anything was ever taken down."""
    return db.execute("SELECT 1 FROM takedowns LIMIT 1").fetchone() is not None


def taken_down(db: Connection, keys: Iterable[str]) -> dict[str, str]:
    """Those of the keys that a takedown removed, each with the name that takes its place."""
    if not has_takedowns(db):
        return {}
    digests = {key: digest_of(key) for key in keys}
    query = "SELECT 1 FROM takedowns WHERE url = ?"
    return {key: name_of(digest) for key, digest in digests.items() if db.execute(query, (digest,)).fetchone()}


def keep_out(db: Connection, digests: Iterable[str], *, reason: str, at: str) -> None:
    """Keep an article out from now on; `digests` come from `takedowns.barred`."""
    db.executemany(
        "INSERT OR REPLACE INTO takedowns (url, reason, at, finished_at) VALUES (?, ?, ?, NULL)",
        [(digest, reason, at) for digest in digests],
    )


def is_unfinished(db: Connection) -> bool:
    """Whether a takedown was cut short."""
    return db.execute("SELECT 1 FROM takedowns WHERE finished_at IS NULL LIMIT 1").fetchone() is not None


def finish_takedowns(db: Connection, at: str | None = None) -> None:
    """Mark all takedowns as finished, at the time `at`, or at the time when each began."""
    db.execute("UPDATE takedowns SET finished_at = coalesce(?, at) WHERE finished_at IS NULL", (at,))


# -- in the ledger -----------------------------------------------------------------------------------------------------


class Removed(NamedTuple):
    """A record that was taken down: its row of the ledger, its place, and the JSON that says what lies there now."""

    seq: int
    file: str
    offset: int
    facts: str


def removed(db: Connection) -> list[Removed]:
    """All records that were taken down, in the order of the ledger."""
    query = "SELECT seq, warc_file, warc_offset, removed FROM records WHERE removed IS NOT NULL ORDER BY seq"
    return [Removed(*row) for row in db.execute(query)]


def is_removed(db: Connection, seq: int) -> bool:
    """Whether the record of a row of the ledger was taken down."""
    return db.execute("SELECT 1 FROM records WHERE seq = ? AND removed IS NOT NULL", (seq,)).fetchone() is not None


def mark_removed(db: Connection, removed: Iterable[tuple[int, dict[str, object]]]) -> None:
    """Write into rows of the ledger what lies in their place now; the chain does not change."""
    db.executemany(
        "UPDATE records SET removed = ? WHERE seq = ?",
        [(json.dumps(facts, ensure_ascii=False), seq) for seq, facts in removed],
    )


# -- in a rebuild ------------------------------------------------------------------------------------------------------


def save_empty_capture(db: Connection, record: LedgerEntry, capture: dict[str, Any]) -> int:
    """Save a row for a capture whose record was removed, with what the takedown's event says; returns its id."""
    cursor = db.execute(
        "INSERT INTO captures "
        "(crawl_id, url, fetched_at, status, same_as, digest, warc_file, warc_offset, warc_length) "
        "VALUES (?, ?, ?, ?, (SELECT id FROM captures WHERE id = ?), '', ?, ?, ?)",
        (
            capture["crawl_id"], capture["url"], capture["fetched_at"], capture["status"], capture.get("same_as"),
            record.file, record.offset, record.length,
        ),
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def emptied_at(db: Connection, file: str, offset: int) -> int | None:
    """The id of the empty capture whose record was removed from a place; None if there is none."""
    row = db.execute(
        "SELECT id FROM captures WHERE warc_file = ? AND warc_offset = ? AND digest = ''", (file, offset)
    ).fetchone()
    return int(row[0]) if row is not None else None


def emptied(db: Connection, url: str, fetched_at: str) -> int | None:
    """The id of the empty capture of an address at a time; None if there is none."""
    row = db.execute(
        "SELECT id FROM captures WHERE url = ? AND fetched_at = ? AND digest = '' AND same_as IS NULL ORDER BY id",
        (url, fetched_at),
    ).fetchone()
    return int(row[0]) if row is not None else None


def forget_validators(db: Connection, capture_id: int) -> None:
    """Ask for the whole page next time: the body of the revisits of a capture, and its own, are gone."""
    db.execute("UPDATE captures SET etag = NULL, last_modified = NULL WHERE ? IN (id, same_as)", (capture_id,))


def finish_removed(db: Connection, crawl_id: int, key: str, capture_id: int) -> None:
    """Mark the request of a capture that was removed as done."""
    db.execute(
        "UPDATE frontier SET state = 'done', outcome = ?, capture_id = ? "
        "WHERE crawl_id = ? AND key = ? AND state = 'queued'",
        (Outcome.TAKEN_DOWN, capture_id, crawl_id, key),
    )


def hold_article(db: Connection, article_id: int) -> None:
    """Hold the id of an article that was taken down, so that later articles keep theirs."""
    db.execute(
        "INSERT OR IGNORE INTO articles (id, site, url, title, word_count, first_seen, last_seen) "
        "VALUES (?, '', ?, '', 0, '', '')",
        (article_id, f"held:{article_id}"),
    )


def release_articles(db: Connection) -> None:
    """Delete the rows that `hold_article` made."""
    db.execute("DELETE FROM articles WHERE site = ''")
