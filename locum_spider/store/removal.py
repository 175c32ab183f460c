"""Taking an article out of the database, and keeping it out. The ledger keeps its rows; see `preservation.takedown`."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from locum_spider.clock import utc_now
from locum_spider.items import LedgerEntry, Outcome

Key = Callable[[str], str]


# -- keeping it out ----------------------------------------------------------------------------------------------------


def digest_of(key: str) -> str:
    """What is kept of an address that must not be kept: sha256 of its key."""
    return hashlib.sha256(key.encode()).hexdigest()


def titled(key: str, title: str) -> str:
    """The key of a page that claims to be the article at another address: only with that article's title it is."""
    return f"{key}\n{title}"


def taken_down(db: sqlite3.Connection, keys: Iterable[str]) -> dict[str, str]:
    """Those of some keys that a takedown has removed, each with the name that stands in its place."""
    if db.execute("SELECT 1 FROM takedowns LIMIT 1").fetchone() is None:
        return {}
    found = {}
    for key in keys:
        digest = digest_of(key)
        if db.execute("SELECT 1 FROM takedowns WHERE url = ?", (digest,)).fetchone():
            found[key] = _name(digest)
    return found


def _name(digest: str) -> str:
    return f"taken-down:{digest}"


# -- finding what goes -------------------------------------------------------------------------------------------------


class Record(NamedTuple):
    """A row of the ledger, with the capture it belongs to."""

    seq: int
    file: str
    offset: int
    length: int
    type: str
    digest: str
    capture_id: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """An article that is to go: every key it is known under, every title it had, its captures."""

    id: int
    site: str
    url: str
    title: str
    keys: frozenset[str]
    titles: tuple[str, ...]
    captures: frozenset[int]


def subject(db: sqlite3.Connection, article_id: int, key: Key) -> Subject:
    """What the archive has of an article: `key` is its site's. Looks at every capture's address."""
    site, url, title = db.execute("SELECT site, url, title FROM articles WHERE id = ?", (article_id,)).fetchone()
    known = {url, *(row[0] for row in db.execute("SELECT url FROM article_urls WHERE article_id = ?", (article_id,)))}
    keys = known | {key(address) for address in known}
    titles = [row[0] for row in db.execute("SELECT DISTINCT title FROM revisions WHERE article_id = ?", (article_id,))]
    captures = {row[0] for row in db.execute("SELECT capture_id FROM revisions WHERE article_id = ?", (article_id,))}
    for capture, address, location in db.execute("SELECT id, url, location FROM captures"):
        if key(address) in keys or (location and key(_join(address, location)) in keys):
            captures.add(capture)
    for capture, request, owner in db.execute("SELECT capture_id, key, article_id FROM frontier"):
        if capture is not None and (owner == article_id or request in keys):
            captures.add(capture)
    return Subject(article_id, site, url, title, frozenset(keys), tuple({title, *titles}), frozenset(captures))


def _join(base: str, location: str) -> str:
    from urllib.parse import urljoin

    try:
        return urljoin(base, location)
    except ValueError:
        return location


def records_of(db: sqlite3.Connection, captures: Iterable[int]) -> list[Record]:
    """The records of captures that still hold something: response or revisit, and the request behind it."""
    found: list[Record] = []
    columns = "r.seq, r.warc_file, r.warc_offset, r.warc_length, r.type, r.digest"
    for capture in sorted(captures):
        row = db.execute(
            f"SELECT {columns} FROM captures c JOIN records r USING (warc_file, warc_offset) "
            "WHERE c.id = ? AND r.removed IS NULL",
            (capture,),
        ).fetchone()
        if row is None:
            continue
        answer = Record(*row)._replace(capture_id=capture)
        found.append(answer)
        row = db.execute(
            f"SELECT {columns} FROM records r WHERE r.seq = ? AND r.type = 'request' AND r.warc_file = ? "
            "AND r.warc_offset = ? AND r.removed IS NULL",
            (answer.seq + 1, answer.file, answer.offset + answer.length),
        ).fetchone()
        if row is not None:
            found.append(Record(*row))
    return found


def remaining(db: sqlite3.Connection, kind: str | None = None) -> Iterator[Record]:
    """Every record that is not removed, with its capture; of one type where one is given."""
    rows = db.execute(
        "SELECT r.seq, r.warc_file, r.warc_offset, r.warc_length, r.type, r.digest, c.id FROM records r "
        "LEFT JOIN captures c ON c.warc_file = r.warc_file AND c.warc_offset = r.warc_offset "
        "WHERE r.removed IS NULL AND (? IS NULL OR r.type = ?) ORDER BY r.seq",
        (kind, kind),
    )
    return (Record(*row) for row in rows)


def describe(db: sqlite3.Connection, capture_id: int) -> dict[str, object]:
    """What is kept of a capture of another page when its record goes."""
    names = ("crawl_id", "url", "fetched_at", "status", "same_as")
    row = db.execute(f"SELECT {', '.join(names)} FROM captures WHERE id = ?", (capture_id,)).fetchone()
    return dict(zip(names, row, strict=True))


def is_listing(db: sqlite3.Connection, capture_id: int) -> bool:
    """Whether a capture is one of a listing page."""
    return db.execute("SELECT 1 FROM listing_entries WHERE capture_id = ?", (capture_id,)).fetchone() is not None


def same_pages(db: sqlite3.Connection, subject: Subject) -> list[tuple[int, str]]:
    """Other articles whose captures share a body with those of this one: id and title."""
    found: dict[int, str] = {}
    for capture in subject.captures:
        rows = db.execute(
            "SELECT a.id, a.title FROM captures c JOIN captures o ON o.id = coalesce(c.same_as, c.id) "
            "OR o.same_as = coalesce(c.same_as, c.id) JOIN revisions r ON r.capture_id = o.id "
            "JOIN articles a ON a.id = r.article_id WHERE c.id = ? AND a.id <> ?",
            (capture, subject.id),
        )
        found |= dict(rows.fetchall())
    return sorted(found.items())


# -- taking it out -----------------------------------------------------------------------------------------------------


def forget(db: sqlite3.Connection, subject: Subject, key: Key, *, reason: str, at: str) -> None:
    """Delete an article's rows and blank what must stay. Inside the caller's transaction."""
    _forget_requests(db, subject, key)
    for capture in subject.captures:
        db.execute(
            "UPDATE captures SET url = '', fetched_at = ?, status = 0, content_type = NULL, location = NULL "
            "WHERE id = ?",
            (at, capture),
        )
    empty(db, subject.captures)
    for table in ("revisions", "article_urls"):
        db.execute(f"DELETE FROM {table} WHERE article_id = ?", (subject.id,))
    db.execute("DELETE FROM article_text WHERE id = ?", (subject.id,))
    db.execute("DELETE FROM articles WHERE id = ?", (subject.id,))
    remember(db, barred(subject), reason=reason, at=at)


def _forget_requests(db: sqlite3.Connection, subject: Subject, key: Key) -> None:
    """Entries of listings and rows of the frontier keep their place, under a name that tells nothing."""
    names = set(subject.keys)
    requests = []
    for request, known, url in db.execute("SELECT id, key, url FROM frontier"):
        if known in subject.keys or key(url) in subject.keys:
            requests.append((request, known))
            names.add(url)
    for request, known in requests:
        name = _name(digest_of(known))
        db.execute(
            "UPDATE frontier SET key = ?, url = ?, state = 'done', outcome = ?, reason = NULL, article_id = NULL "
            "WHERE id = ?",
            (name, name, Outcome.TAKEN_DOWN, request),
        )
    db.execute(
        "UPDATE frontier SET outcome = ?, article_id = NULL WHERE article_id = ?", (Outcome.TAKEN_DOWN, subject.id)
    )
    entries = [
        (_name(digest_of(key(url))), capture, position)
        for capture, position, url in db.execute("SELECT capture_id, position, url FROM listing_entries")
        if key(url) in subject.keys
    ]
    db.executemany(
        "UPDATE listing_entries SET url = ?, title = NULL, summary = NULL WHERE capture_id = ? AND position = ?",
        entries,
    )
    for crawl, reasons in db.execute("SELECT id, reasons FROM crawls WHERE reasons <> '[]'").fetchall():
        cleaned = reasons
        for name in sorted(names, key=len, reverse=True):
            cleaned = cleaned.replace(json.dumps(name, ensure_ascii=False)[1:-1], "a page taken down")
        if cleaned != reasons:
            db.execute("UPDATE crawls SET reasons = ? WHERE id = ?", (cleaned, crawl))


def empty(db: sqlite3.Connection, captures: Iterable[int]) -> None:
    """Note that captures have no record any more: nothing may stand for their body, no request may refer to them."""
    for capture in captures:
        db.execute(
            "UPDATE captures SET digest = '', etag = NULL, last_modified = NULL, article_digest = NULL, "
            "source_uri = NULL, truncated = NULL, gone = NULL WHERE id = ?",
            (capture,),
        )
        db.execute("UPDATE captures SET etag = NULL, last_modified = NULL WHERE same_as = ?", (capture,))


def barred(subject: Subject) -> list[str]:
    """Digests of everything under which an article could come back."""
    return sorted(
        {digest_of(key) for key in subject.keys}
        | {digest_of(titled(key, title)) for key in subject.keys for title in subject.titles}
    )


def remember(db: sqlite3.Connection, digests: Iterable[str], *, reason: str, at: str) -> None:
    """Keep an article out from now on; `digests` are those of `barred`."""
    db.executemany(
        "INSERT OR REPLACE INTO takedowns (url, reason, at, finished_at) VALUES (?, ?, ?, NULL)",
        [(digest, reason, at) for digest in digests],
    )


def mark_removed(db: sqlite3.Connection, removed: Iterable[tuple[int, dict[str, object]]]) -> None:
    """Write into rows of the ledger what lies in their place now; no part of the chain changes."""
    db.executemany(
        "UPDATE records SET removed = ? WHERE seq = ?",
        [(json.dumps(facts, ensure_ascii=False), seq) for seq, facts in removed],
    )


# -- bringing it to its end --------------------------------------------------------------------------------------------


class Member(NamedTuple):
    """Where a tombstone belongs and what it says."""

    file: str
    offset: int
    length: int
    at: str
    reason: str


def unfinished(db: sqlite3.Connection) -> list[Member]:
    """The tombstones of takedowns that were not brought to their end; it does no harm to write one twice."""
    times = {row[0] for row in db.execute("SELECT at FROM takedowns WHERE finished_at IS NULL")}
    if not times:
        return []
    members = set()
    for file, text in db.execute("SELECT warc_file, removed FROM records WHERE removed IS NOT NULL"):
        facts = json.loads(text)
        if facts["at"] in times:
            offset, length = facts["member"]
            members.add(Member(file, offset, length, facts["at"], facts["reason"]))
    return sorted(members)


def is_unfinished(db: sqlite3.Connection) -> bool:
    """Whether a takedown was cut short."""
    return db.execute("SELECT 1 FROM takedowns WHERE finished_at IS NULL LIMIT 1").fetchone() is not None


def scrub(db: sqlite3.Connection) -> bool:
    """Write database and index anew, so that no page holds deleted text, and empty the log.

    False where another program reads and holds old pages: then it is to be done again.
    """
    db.execute("PRAGMA secure_delete = ON")
    db.execute("INSERT INTO articles_fts(articles_fts) VALUES ('rebuild')")
    db.execute("VACUUM")
    if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        return False
    db.execute("UPDATE takedowns SET finished_at = ? WHERE finished_at IS NULL", (utc_now(),))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return True


def has_takedowns(db: sqlite3.Connection) -> bool:
    """Whether anything was ever taken down."""
    return db.execute("SELECT 1 FROM takedowns LIMIT 1").fetchone() is not None


def save_removed(db: sqlite3.Connection, record: LedgerEntry, facts: str) -> None:
    """Write into a row of the ledger what lies in its place now."""
    db.execute(
        "UPDATE records SET removed = ? WHERE warc_file = ? AND warc_offset = ?", (facts, record.file, record.offset)
    )


def save_empty_capture(db: sqlite3.Connection, record: LedgerEntry, capture: dict[str, Any]) -> int:
    """The row of a capture whose record was removed: its number and place, and what the takedown's event tells."""
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


def finish_removed(db: sqlite3.Connection, crawl_id: int, key: str, capture_id: int) -> None:
    """Note that nothing is to be fetched for a capture that was removed."""
    db.execute(
        "UPDATE frontier SET state = 'done', outcome = ?, capture_id = ? "
        "WHERE crawl_id = ? AND key = ? AND state = 'queued'",
        (Outcome.TAKEN_DOWN, capture_id, crawl_id, key),
    )


def finish_takedowns(db: sqlite3.Connection) -> None:
    """Note that of no takedown anything is left to do."""
    db.execute("UPDATE takedowns SET finished_at = at")


def hold_article(db: sqlite3.Connection, article_id: int) -> None:
    """Keep the number of an article that was taken down, so that those behind it keep theirs."""
    db.execute(
        "INSERT OR IGNORE INTO articles (id, site, url, title, word_count, first_seen, last_seen) "
        "VALUES (?, '', ?, '', 0, '', '')",
        (article_id, f"held:{article_id}"),
    )


def release_articles(db: sqlite3.Connection) -> None:
    """Delete what `hold_article` has put in."""
    db.execute("DELETE FROM articles WHERE site = ''")
