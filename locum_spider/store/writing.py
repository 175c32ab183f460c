"""Writing: captures, articles with their revisions, listings. Called inside the caller's transaction."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from locum_spider.dedupe import content_digest

if TYPE_CHECKING:
    import sqlite3

    from locum_spider.items import Article, Exchange, Listing
    from locum_spider.warc import Location


def save_capture(
    db: sqlite3.Connection, crawl_id: int | None, exchange: Exchange, at: Location, same_as: int | None = None
) -> int:
    """A row for one exchange that lies in a WARC; returns its id. `same_as` is the capture a revisit refers to."""
    cursor = db.execute(
        "INSERT INTO captures (crawl_id, url, fetched_at, status, content_type, digest, location, etag, last_modified, "
        "same_as, warc_file, warc_offset, warc_length) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            crawl_id, exchange.url, exchange.fetched_at, exchange.status, exchange.header(b"content-type"), at.digest,
            exchange.header(b"location"), exchange.header(b"etag"), exchange.header(b"last-modified"), same_as,
            at.file, at.offset, at.length,
        ),
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


@dataclass(frozen=True, slots=True)
class Original:
    """The capture that a revisit stands for. One without a digest was taken down: it has no body any more."""

    id: int
    url: str
    fetched_at: str
    digest: str
    warc_file: str
    warc_offset: int


_ORIGINAL = (
    "SELECT id, url, fetched_at, digest, warc_file, warc_offset FROM captures "
    "WHERE same_as IS NULL AND digest <> '' AND "
)


def last_body(db: sqlite3.Connection, url: str) -> Original | None:
    """The capture that holds the latest body of an address: what a 304 refers to."""
    row = db.execute(
        "SELECT coalesce(same_as, id) FROM captures WHERE url = ? AND status IN (200, 304) ORDER BY id DESC LIMIT 1",
        (url,),
    ).fetchone()
    found = db.execute(_ORIGINAL + "id = ?", (row[0],)).fetchone() if row else None
    return Original(*found) if found else None


def same_body(db: sqlite3.Connection, digest: str) -> Original | None:
    """The first capture of a 200 response with that payload digest."""
    row = db.execute(_ORIGINAL + "digest = ? AND status = 200 ORDER BY id LIMIT 1", (digest,)).fetchone()
    return Original(*row) if row else None


def is_known(db: sqlite3.Connection, url: str, fetched_at: str, digest: str) -> bool:
    """Whether the archive has a capture already."""
    known = "SELECT 1 FROM captures WHERE url = ? AND fetched_at = ? AND digest = ?"
    return db.execute(known, (url, fetched_at, digest)).fetchone() is not None


def save_warc_position(db: sqlite3.Connection, name: str, position: int, *, closed: bool = False) -> None:
    """Acknowledge a WARC file up to a byte."""
    db.execute(
        "INSERT INTO warc_files (name, bytes, closed) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes, closed = excluded.closed",
        (name, position, int(closed)),
    )


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of an article: its row, and `new`, `changed` or `unchanged`."""

    article_id: int
    outcome: str


def save_article(
    db: sqlite3.Connection, site: str, article: Article, *, key: str, canonical: str | None, urls: set[str],
    capture_id: int, seen_at: str,
) -> Saved:  # fmt: skip
    """Store what a capture says of an article: a new row, a new revision, or only a new `last_seen`.

    `key` is the address the article is known under, `canonical` the page's own claim in the same form, `urls` every
    address it was met at.
    """
    digest = content_digest(article)
    row = _find(db, article, key, canonical)
    outcome = "new"
    if row is None:
        article_id = _insert(db, site, article, key, canonical, seen_at)
        _add_revision(db, article_id, article, digest, capture_id, seen_at)
    else:
        article_id = row[0]
        outcome = _revise(db, article_id, article, canonical, digest, capture_id, seen_at)
    db.executemany(
        "INSERT OR IGNORE INTO article_urls (url, article_id) VALUES (?, ?)",
        [(url, article_id) for url in sorted({key, *urls})],
    )
    return Saved(article_id, outcome)


def _revise(
    db: sqlite3.Connection, article_id: int, article: Article, canonical: str | None, digest: str,
    capture_id: int, seen_at: str,
) -> str:  # fmt: skip
    """Put what a capture says into an article's history at its time: captures of others may come in any order."""
    before = db.execute(
        "SELECT digest FROM revisions WHERE article_id = ? AND seen_at <= ? ORDER BY seq DESC LIMIT 1",
        (article_id, seen_at),
    ).fetchone()
    after = db.execute(
        "SELECT id, digest FROM revisions WHERE article_id = ? AND seen_at > ? ORDER BY seq LIMIT 1",
        (article_id, seen_at),
    ).fetchone()
    db.execute(
        "UPDATE articles SET state = CASE WHEN ? >= last_seen THEN 'live' ELSE state END, "
        "first_seen = min(first_seen, ?), last_seen = max(last_seen, ?) WHERE id = ?",
        (seen_at, seen_at, seen_at, article_id),
    )
    if before is not None and before[0] == digest:
        return "unchanged"
    if after is not None and after[1] == digest:  # the same words were there already earlier than we knew
        db.execute("UPDATE revisions SET seen_at = ?, capture_id = ? WHERE id = ?", (seen_at, capture_id, after[0]))
        return "unchanged"
    if after is None:
        _update(db, article_id, article, canonical)
    else:
        db.execute(  # two steps, since each seq must stay unique on the way
            "UPDATE revisions SET seq = -seq - 1 WHERE article_id = ? AND seen_at > ?", (article_id, seen_at)
        )
    _add_revision(db, article_id, article, digest, capture_id, seen_at)
    db.execute("UPDATE revisions SET seq = -seq WHERE article_id = ? AND seq < 0", (article_id,))
    return "changed"


def _find(db: sqlite3.Connection, article: Article, key: str, canonical: str | None) -> tuple[int] | None:
    """The row an article belongs to: by its address, else by a canonical link that can be trusted.

    Templates that name one canonical address on every page exist, so the link counts only where the titles agree.
    """
    row: tuple[int] | None = db.execute("SELECT article_id FROM article_urls WHERE url = ?", (key,)).fetchone()
    if row is not None:
        return row
    if canonical and canonical != key:
        row = db.execute(
            "SELECT a.id FROM article_urls u JOIN articles a ON a.id = u.article_id WHERE u.url = ? AND a.title = ?",
            (canonical, article.title),
        ).fetchone()
        if row is not None:
            return row
    row = db.execute(
        "SELECT id FROM articles WHERE canonical_url = ? AND title = ? AND url <> ?",
        (key, article.title, key),
    ).fetchone()
    if row is not None:
        db.execute("UPDATE articles SET url = ? WHERE id = ?", (key, row[0]))
    return row


_COLUMNS = (
    "title", "standfirst", "authors", "section", "tags", "lang", "published", "published_at", "published_raw",
    "published_source", "published_conflict", "modified_at", "word_count", "attachments", "images", "canonical_url",
)  # fmt: skip
_UPDATE = f"UPDATE articles SET {', '.join(f'{c} = ?' for c in _COLUMNS)} WHERE id = ?"
_INSERT = (
    f"INSERT INTO articles ({', '.join(_COLUMNS)}, site, url, first_seen, last_seen) "
    f"VALUES ({', '.join('?' * (len(_COLUMNS) + 4))})"
)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _values(article: Article, canonical: str | None) -> tuple[object, ...]:
    return (
        article.title, article.standfirst, _json(article.authors), article.section, _json(article.tags), article.lang,
        article.published, article.published_at, article.published_raw, article.published_source,
        article.published_conflict, article.modified_at, len(article.text.split()),
        _json([asdict(a) for a in article.attachments]), _json([asdict(i) for i in article.images]), canonical,
    )  # fmt: skip


def _insert(db: sqlite3.Connection, site: str, article: Article, key: str, canonical: str | None, seen_at: str) -> int:
    cursor = db.execute(_INSERT, (*_values(article, canonical), site, key, seen_at, seen_at))
    article_id = int(cursor.lastrowid or 0)
    db.execute(
        "INSERT INTO article_text (id, title, standfirst, body) VALUES (?, ?, ?, ?)",
        (article_id, article.title, article.standfirst, article.text),
    )
    return article_id


def _update(db: sqlite3.Connection, article_id: int, article: Article, canonical: str | None) -> None:
    db.execute(_UPDATE, (*_values(article, canonical), article_id))
    db.execute(
        "UPDATE article_text SET title = ?, standfirst = ?, body = ? WHERE id = ?",
        (article.title, article.standfirst, article.text, article_id),
    )


def _add_revision(
    db: sqlite3.Connection, article_id: int, article: Article, digest: str, capture_id: int, seen_at: str
) -> None:
    fields = asdict(article)
    for column in ("title", "standfirst", "text", "evidence"):
        del fields[column]
    db.execute(
        "INSERT INTO revisions "
        "(article_id, seq, capture_id, digest, title, standfirst, body, fields, evidence, seen_at) "
        "SELECT ?, coalesce(max(seq), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ? FROM revisions WHERE article_id = ? AND seq > 0",
        (
            article_id, capture_id, digest, article.title, article.standfirst, article.text, _json(fields),
            _json(article.evidence), seen_at, article_id,
        ),
    )  # fmt: skip


def mark_gone(db: sqlite3.Connection, key: str) -> None:
    """Note that an article known here is no longer served; its row and revisions stay."""
    db.execute(
        "UPDATE articles SET state = 'gone' WHERE id = (SELECT article_id FROM article_urls WHERE url = ?)",
        (key,),
    )


def save_listing(db: sqlite3.Connection, capture_id: int, listing: Listing, requests: dict[str, int]) -> None:
    """The entries of a listing; `requests` maps an entry's address to its row in the frontier."""
    db.executemany(
        "INSERT INTO listing_entries (capture_id, position, url, title, published_raw, published, summary, request_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                capture_id,
                e.position,
                e.url,
                e.title,
                e.published_raw,
                e.published,
                e.summary,
                requests.get(e.url),
            )
            for e in listing.entries
        ],
    )
