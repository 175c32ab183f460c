"""Takes an article out of the database: finds all its rows and deletes or blanks them. The ledger keeps its rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from locum_spider.clock import utc_now
from locum_spider.items import LedgerEntry, Outcome
from locum_spider.store.articles import show_latest
from locum_spider.store.connection import Connection
from locum_spider.store.content import decode_object, digest_of_content, encode, read_revision, sound
from locum_spider.store.fulltext import rebuild_indexes
from locum_spider.store.removals import (
    digest_of,
    finish_takedowns,
    forget_validators,
    keep_out,
    name_of,
    payload_key,
    removed,
    titled,
)
from locum_spider.urls import absolute
from locum_spider.warc.tombstones import Place

Key = Callable[[str], str]

# -- finding what goes -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """An article to take down: all its keys, all titles that it had, its captures."""

    id: int
    url: str
    title: str
    keys: frozenset[str]
    titles: tuple[str, ...]
    captures: frozenset[int]


def subject(db: Connection, article_id: int, key: Key) -> Subject:
    """Everything that the archive has of an article; `key` gives the keys of its site. Looks at every capture."""
    url, title = db.execute("SELECT url, title FROM articles WHERE id = ?", (article_id,)).fetchone()
    urls = {url, *(row[0] for row in db.execute("SELECT url FROM article_urls WHERE article_id = ?", (article_id,)))}
    keys = urls | {key(address) for address in urls}
    titles = [row[0] for row in db.execute("SELECT DISTINCT title FROM revisions WHERE article_id = ?", (article_id,))]
    captures = {row[0] for row in db.execute("SELECT capture_id FROM revisions WHERE article_id = ?", (article_id,))}
    for capture, address, location in db.execute("SELECT id, url, location FROM captures"):
        if key(address) in keys or (location and key(absolute(address, location)) in keys):
            captures.add(capture)
    for capture, request, owner in db.execute("SELECT capture_id, key, article_id FROM frontier"):
        if capture is not None and (owner == article_id or request in keys):
            captures.add(capture)
    return Subject(article_id, url, title, frozenset(keys), tuple({title, *titles}), frozenset(captures))


def records_of(db: Connection, captures: Iterable[int]) -> list[LedgerEntry]:
    """The records of captures that are not removed: response or revisit, and the request after it."""
    records: list[LedgerEntry] = []
    for capture in sorted(captures):
        rows = db.execute(
            "SELECT r.warc_file, r.warc_offset, r.warc_length, r.type, r.digest, r.seq, r.removed, "
            "CASE WHEN r.seq = a.seq THEN c.id END FROM captures c JOIN records a USING (warc_file, warc_offset) "
            "JOIN records r ON r.seq = a.seq OR r.seq = a.seq + 1 AND r.type = 'request' "
            "AND r.warc_file = a.warc_file AND r.warc_offset = a.warc_offset + a.warc_length "
            "WHERE c.id = ? AND a.removed IS NULL AND r.removed IS NULL ORDER BY r.seq",
            (capture,),
        )
        records += [LedgerEntry(*row) for row in rows]
    return records


def remaining(db: Connection, kind: str | None = None) -> Iterator[LedgerEntry]:
    """Every record that is not removed, with its capture; only those of type `kind` if given."""
    rows = db.execute(
        "SELECT r.warc_file, r.warc_offset, r.warc_length, r.type, r.digest, r.seq, r.removed, c.id FROM records r "
        "LEFT JOIN captures c ON c.warc_file = r.warc_file AND c.warc_offset = r.warc_offset "
        "WHERE r.removed IS NULL AND (? IS NULL OR r.type = ?) ORDER BY r.seq",
        (kind, kind),
    )
    return (LedgerEntry(*row) for row in rows)


def describe(db: Connection, capture_id: int) -> dict[str, object]:
    """What stays of a capture of another page when its record is removed, and the places of its revisits."""
    names = ("crawl_id", "url", "fetched_at", "status", "same_as")
    row = db.execute(f"SELECT {', '.join(names)} FROM captures WHERE id = ?", (capture_id,)).fetchone()
    revisits = db.execute("SELECT warc_file, warc_offset FROM captures WHERE same_as = ? ORDER BY id", (capture_id,))
    return {**dict(zip(names, row, strict=True)), "revisits": [list(place) for place in revisits]}


def is_listing(db: Connection, capture_id: int) -> bool:
    """Whether a capture is that of a listing page."""
    return db.execute("SELECT 1 FROM listing_entries WHERE capture_id = ?", (capture_id,)).fetchone() is not None


def same_pages(db: Connection, subject: Subject) -> list[tuple[int, str]]:
    """The id and title of other articles whose captures share a body with those of this one."""
    titles: dict[int, str] = {}
    for capture in subject.captures:
        rows = db.execute(
            "SELECT a.id, a.title FROM captures c JOIN captures o ON o.id = coalesce(c.same_as, c.id) "
            "OR o.same_as = coalesce(c.same_as, c.id) JOIN revisions r ON r.capture_id = o.id "
            "JOIN articles a ON a.id = r.article_id WHERE c.id = ? AND a.id <> ?",
            (capture, subject.id),
        )
        titles |= dict(rows.fetchall())
    return sorted(titles.items())


_SAYING = (
    ("listing_entries", "title"), ("listing_entries", "summary"), ("frontier", "reason"), ("captures", "unread"),
    ("captures", "location"), ("crawls", "reasons"),
)  # fmt: skip
"""The columns, besides those of articles and their revisions, that may quote a page."""

# -- taking it down ----------------------------------------------------------------------------------------------------


def payloads(db: Connection, captures: Iterable[int]) -> list[str]:
    """The keys of the payloads of captures: an import of the same file would bring them back."""
    query = "SELECT url, digest FROM captures WHERE id = ?"
    rows = [db.execute(query, (capture,)).fetchone() for capture in captures]
    return sorted({digest_of(payload_key(url, digest)) for url, digest in rows if digest})


def barred(subject: Subject) -> list[str]:
    """The digests of all keys under which an article could come back."""
    return sorted(
        {digest_of(key) for key in subject.keys}
        | {digest_of(titled(key, title)) for key in subject.keys for title in subject.titles}
    )


def take_down(db: Connection, subject: Subject, key: Key, keys: list[str], *, reason: str, at: str) -> None:
    """Delete an article's rows and blank those that must stay, inside the caller's transaction; bar the `keys`."""
    db.execute("PRAGMA secure_delete = ON")
    _take_down_requests(db, subject, key)
    db.executemany(
        "UPDATE captures SET url = '', fetched_at = ?, status = 0, content_type = NULL, location = NULL WHERE id = ?",
        [(at, capture) for capture in subject.captures],
    )
    empty_captures(db, subject.captures)
    for table in ("revisions", "article_urls"):
        db.execute(f"DELETE FROM {table} WHERE article_id = ?", (subject.id,))
    db.execute("DELETE FROM article_text WHERE id = ?", (subject.id,))
    db.execute("DELETE FROM articles WHERE id = ?", (subject.id,))
    keep_out(db, keys, reason=reason, at=at)


def _take_down_requests(db: Connection, subject: Subject, key: Key) -> None:
    """Blank entries of listings and rows of the frontier: they stay, under a name that reveals nothing."""
    names = set(subject.keys)
    requests = []
    for request, stored, url in db.execute("SELECT id, key, url FROM frontier"):
        if stored in subject.keys or key(url) in subject.keys:
            requests.append((request, stored))
            names.add(url)
    for request, stored in requests:
        name = name_of(digest_of(stored))
        db.execute(
            "UPDATE frontier SET key = ?, url = ?, state = 'done', outcome = ?, reason = NULL, article_id = NULL "
            "WHERE id = ?",
            (name, name, Outcome.TAKEN_DOWN, request),
        )
    db.execute(
        "UPDATE frontier SET outcome = ?, article_id = NULL WHERE article_id = ?", (Outcome.TAKEN_DOWN, subject.id)
    )
    entries = [
        (name_of(digest_of(key(url))), capture, position)
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


def clean_others(db: Connection, subject: Subject, clean: Callable[[str], str]) -> None:
    """Take what names the article out of everything that was read from other pages; `clean` does it to one text."""
    db.executemany("UPDATE articles SET canonical_url = NULL WHERE canonical_url = ?", [(key,) for key in subject.keys])
    articles = set()
    query = "SELECT id, article_id, title, standfirst, body, fields, digest FROM revisions"
    for revision, article_id, *words, fields, digest in db.execute(query).fetchall():
        values = {name: cleaned for name, value in decode_object(fields).items() if (cleaned := _clean(value, clean))}
        title, standfirst, body = (clean(text) if text else text for text in words)
        new = encode(values)
        if (title, standfirst, body, new) == (*words, encode(decode_object(fields))):
            continue
        articles.add(article_id)
        article = sound(words[0], words[1], words[2], fields, digest)
        renewed = digest
        if article is not None:  # one that was changed by hand stays so
            renewed = digest_of_content(read_revision(title, standfirst, body, values))
            db.execute("UPDATE captures SET article_digest = ? WHERE article_digest = ?", (renewed, digest))
        db.execute(
            "UPDATE revisions SET title = ?, standfirst = ?, body = ?, fields = ?, digest = ? WHERE id = ?",
            (title, standfirst, body, new, renewed, revision),
        )
    for article_id in articles:
        show_latest(db, article_id)
    for table, column in _SAYING:
        texts = db.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
        changed = [(new, text) for (text,) in texts if (new := clean(text)) != text]
        db.executemany(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", changed)


def _clean(value: Any, clean: Callable[[str], str]) -> Any:
    """A value of `revisions.fields` without what names the article; an address that does is left out."""
    if isinstance(value, str):
        cleaned = clean(value)
        return cleaned if cleaned == value or not value.startswith(("http://", "https://")) else None
    if isinstance(value, list):
        return [cleaned for item in value if (cleaned := _clean(item, clean)) is not None]
    if isinstance(value, dict):
        return {name: clean(item) if isinstance(item, str) else item for name, item in value.items()}
    return value


def empty_captures(db: Connection, captures: Iterable[int]) -> None:
    """Note that captures have lost their records: no revisit and no conditional request may refer to them."""
    for capture in captures:
        db.execute(
            "UPDATE captures SET digest = '', article_digest = NULL, "
            "source_uri = NULL, truncated = NULL, stated_digest = NULL, unread = NULL, gone = NULL WHERE id = ?",
            (capture,),
        )
        forget_validators(db, capture)


# -- bringing it to its end --------------------------------------------------------------------------------------------


def unfinished(db: Connection) -> list[Place]:
    """The tombstones of takedowns that were cut short; it does no harm to write one twice."""
    times = {row[0] for row in db.execute("SELECT at FROM takedowns WHERE finished_at IS NULL")}
    places = set()
    for record in removed(db):
        facts = json.loads(record.facts)
        if facts["at"] in times:
            offset, length = facts["member"]
            places.add(Place(record.file, offset, length, facts["at"], facts["reason"]))
    return sorted(places)


def scrub(db: Connection) -> bool:
    """Rewrite database and index, so that no page holds deleted text, and empty the log.

    False if another program still reads old pages: then call it again later.
    """
    db.execute("PRAGMA secure_delete = ON")
    rebuild_indexes(db)
    db.execute("VACUUM")
    if db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        return False
    finish_takedowns(db, utc_now())
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return True
