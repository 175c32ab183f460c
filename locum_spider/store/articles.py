"""Writes articles with their revisions, and listings, inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace

from locum_spider.fields import content_digest
from locum_spider.items import Article, Listing, Outcome
from locum_spider.store import fulltext
from locum_spider.store.content import (
    COLUMNS,
    column_values,
    decode_object,
    digest_of_content,
    encode,
    fields_of,
    has_reckoned_date,
    read_revision,
    with_date_of,
)
from locum_spider.urls import differ_by_token


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of an article: its row, and `new`, `changed` or `unchanged`.

    `reread`: it has not changed, but today's rules read it in another way. `twin`: it was known under an address that
    differs only by a token, such as the id of a session.
    """

    article_id: int
    outcome: Outcome
    reread: bool = False
    twin: bool = False


Reread = Callable[[int], str | None]
"""The digest of the content of a capture as it is read today; None if it cannot be read."""


def save_article(
    db: sqlite3.Connection, site: str, article: Article, *, url: str, key: str, canonical: str | None, urls: set[str],
    capture_id: int, seen_at: str, reread: Reread, is_latest: bool = False,
) -> Saved:  # fmt: skip
    """Store what a capture says about an article: a new row, a new revision, or only a new `last_seen`.

    `url` answered with the article, `key` is its key, `canonical` the key of the page's own canonical link, `urls`
    every address that the article was found at. If only the rules have changed, the article has not. A capture that
    `is_latest` comes after all others, whatever its time says: the clock may have been set back.
    """
    digest = digest_of_content(article)
    article_id = _find(db, article, url, key, canonical)
    twin = article_id is None and (article_id := _find_twin(db, site, digest, url)) is not None
    if is_latest and article_id is not None:
        last = db.execute("SELECT last_seen FROM articles WHERE id = ?", (article_id,)).fetchone()
        seen_at = max(seen_at, last[0])
    known = _as_known(db, article_id, digest, capture_id, seen_at, reread) if article_id is not None else None
    db.execute("UPDATE captures SET article_digest = ? WHERE id = ?", (known or digest, capture_id))
    outcome = Outcome.NEW
    if article_id is None:
        article_id = _insert(db, site, article, url, canonical, seen_at)
        _add_revision(db, article_id, article, digest, capture_id, seen_at)
    else:
        outcome = _revise(db, article_id, article, canonical, known or digest, capture_id, seen_at)
    db.executemany(
        "INSERT OR IGNORE INTO article_urls (url, article_id) VALUES (?, ?)",
        [(address, article_id) for address in sorted({url, key, *urls})],
    )
    _settle_state(db, article_id)
    return Saved(article_id, outcome, known is not None, twin)


def _as_known(
    db: sqlite3.Connection, article_id: int, digest: str, capture_id: int, seen_at: str, reread: Reread
) -> str | None:
    """The digest of the latest revision, if a capture differs from it only by the rules that read it; else None.

    It does if its bytes were read as that revision before, or if today's rules read the capture of that revision alike.
    """
    latest = db.execute(
        "SELECT digest, capture_id FROM revisions WHERE article_id = ? AND seen_at <= ? ORDER BY seq DESC LIMIT 1",
        (article_id, seen_at),
    ).fetchone()
    if latest is None or latest[0] == digest:
        return None
    same_bytes = db.execute(
        "SELECT 1 FROM captures n JOIN captures c ON c.digest = n.digest AND c.digest <> '' AND c.article_digest = ? "
        "JOIN article_urls u ON u.url = c.url AND u.article_id = ? WHERE n.id = ? LIMIT 1",
        (latest[0], article_id, capture_id),
    ).fetchone()
    return latest[0] if same_bytes or reread(latest[1]) == digest else None


def _revise(
    db: sqlite3.Connection, article_id: int, article: Article, canonical: str | None, digest: str,
    capture_id: int, seen_at: str,
) -> Outcome:  # fmt: skip
    """Put what a capture says into an article's history at its time: imported captures may come in any order."""
    before = db.execute(
        "SELECT id, digest FROM revisions WHERE article_id = ? AND seen_at <= ? ORDER BY seq DESC LIMIT 1",
        (article_id, seen_at),
    ).fetchone()
    after = db.execute(
        "SELECT id, digest, seen_at FROM revisions WHERE article_id = ? AND seen_at > ? ORDER BY seq LIMIT 1",
        (article_id, seen_at),
    ).fetchone()
    db.execute(
        "UPDATE articles SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?) WHERE id = ?",
        (seen_at, seen_at, article_id),
    )
    if before is None or before[1] != digest:
        article = _with_first_date(db, article, before, after)
        dated = content_digest(article)  # older versions kept it, whatever date it was
        digest = dated if before is not None and before[1] == dated else digest_of_content(article)
        db.execute("UPDATE captures SET article_digest = ? WHERE id = ?", (digest, capture_id))
    if before is not None and before[1] == digest:
        return Outcome.UNCHANGED
    again = _seen_again(db, article_id, before[1], seen_at, after[2] if after else None) if before else None
    outcome = Outcome.CHANGED
    if again is None and after is not None and after[1] == digest:
        # The same content is older than we knew: the revision now comes from this capture.
        db.execute("DELETE FROM revisions WHERE id = ?", (after[0],))
        outcome = Outcome.UNCHANGED
        if _is_last(db, article_id, after[2]):
            _update(db, article_id, article, canonical)
    elif after is None and again is None:
        _update(db, article_id, article, canonical)
    _add_revision(db, article_id, article, digest, capture_id, seen_at)
    if before is not None and again is not None:
        _repeat_revision(db, article_id, before[0], *again)
    _put_in_order(db, article_id)
    return outcome


def _with_first_date(
    db: sqlite3.Connection, article: Article, before: tuple[int, str] | None, after: tuple[int, str, str] | None
) -> Article:
    """An article with the date of the revision beside it, if the page printed an age here or there.

    A page that says "2 hours ago" today and "3 hours ago" or the day tomorrow is the same page.
    """
    reckoned = has_reckoned_date(article)
    if before is not None:
        first = _revision(db, before[0])
        same_day = first.published == article.published and has_reckoned_date(first)
        return with_date_of(article, first) if reckoned or same_day else article
    if after is not None and reckoned and not has_reckoned_date(later := _revision(db, after[0])):
        return with_date_of(article, later)
    return article


def _revision(db: sqlite3.Connection, revision: int) -> Article:
    query = "SELECT title, standfirst, body, fields, evidence FROM revisions WHERE id = ?"
    title, standfirst, body, fields, evidence = db.execute(query, (revision,)).fetchone()
    return replace(read_revision(title, standfirst, body, decode_object(fields)), evidence=decode_object(evidence))


def _is_last(db: sqlite3.Connection, article_id: int, seen_at: str) -> bool:
    """Whether an article has no revision after a time."""
    query = "SELECT 1 FROM revisions WHERE article_id = ? AND seen_at > ?"
    return db.execute(query, (article_id, seen_at)).fetchone() is None


def _seen_again(
    db: sqlite3.Connection, article_id: int, digest: str, since: str, until: str | None
) -> tuple[int, str] | None:
    """The first capture (id, time) between two times in which an article has the content of that digest."""
    row = db.execute(
        "SELECT c.id, c.fetched_at FROM article_urls u JOIN captures c ON c.url = u.url AND c.fetched_at > ? "
        "AND (? IS NULL OR c.fetched_at < ?) AND c.article_digest = ? WHERE u.article_id = ? "
        "ORDER BY c.fetched_at, c.id LIMIT 1",
        (since, until, until, digest, article_id),
    ).fetchone()
    return (row[0], row[1]) if row else None


def _repeat_revision(db: sqlite3.Connection, article_id: int, revision: int, capture_id: int, seen_at: str) -> None:
    """Repeat a revision at a later time, as an older capture of ours shows."""
    db.execute(
        "INSERT INTO revisions "
        "(article_id, seq, capture_id, digest, title, standfirst, body, fields, evidence, seen_at) "
        f"SELECT article_id, {_NEXT}, ?, digest, title, standfirst, body, fields, evidence, ? "
        "FROM revisions WHERE id = ?",
        (article_id, capture_id, seen_at, revision),
    )


def _put_in_order(db: sqlite3.Connection, article_id: int) -> None:
    """Number the revisions of an article by their times."""
    query = "SELECT id, seq FROM revisions WHERE article_id = ? ORDER BY seen_at, seq"
    rows = db.execute(query, (article_id,)).fetchall()
    moved = [(number, revision) for number, (revision, seq) in enumerate(rows, 1) if seq != number]
    for sign in (-1, 1):  # each seq must stay unique meanwhile
        db.executemany("UPDATE revisions SET seq = ? WHERE id = ?", [(sign * seq, revision) for seq, revision in moved])


def _find(db: sqlite3.Connection, article: Article, url: str, key: str, canonical: str | None) -> int | None:
    """The row that an article belongs to: by its address, else by a canonical link.

    Some templates name one canonical address on every page, so the link counts only if the titles agree.
    """
    row: tuple[int] | None = db.execute(
        "SELECT article_id FROM article_urls WHERE url IN (?, ?) ORDER BY url = ? DESC LIMIT 1", (key, url, key)
    ).fetchone()
    if row is None and canonical and canonical != key:
        row = db.execute(
            "SELECT a.id FROM article_urls u JOIN articles a ON a.id = u.article_id WHERE u.url = ? AND a.title = ?",
            (canonical, article.title),
        ).fetchone()
    if row is None:
        query = "SELECT id FROM articles WHERE canonical_url = ? AND title = ?"
        row = db.execute(query, (key, article.title)).fetchone()
        if row is not None:
            db.execute("UPDATE articles SET url = ? WHERE id = ?", (url, row[0]))
    return row[0] if row is not None else None


def _find_twin(db: sqlite3.Connection, site: str, digest: str, url: str) -> int | None:
    """The article with the same content under an address that differs only by a token; None if there is none."""
    rows = db.execute(
        "SELECT DISTINCT a.id, a.url FROM revisions r JOIN articles a ON a.id = r.article_id "
        "WHERE r.digest = ? AND a.site = ? ORDER BY a.id",
        (digest, site),
    )
    return next((article_id for article_id, other in rows.fetchall() if differ_by_token(url, other)), None)


_STORED = (*(field.name for field in COLUMNS), "word_count", "canonical_url")
_UPDATE = f"UPDATE articles SET {', '.join(f'{c} = ?' for c in _STORED)} WHERE id = ?"
_INSERT = (
    f"INSERT INTO articles ({', '.join(_STORED)}, site, url, first_seen, last_seen) "
    f"VALUES ({', '.join('?' * (len(_STORED) + 4))})"
)


def _values(article: Article, canonical: str | None) -> tuple[object, ...]:
    return (*column_values(article), len(article.text.split()), canonical)


def _insert(db: sqlite3.Connection, site: str, article: Article, url: str, canonical: str | None, seen_at: str) -> int:
    cursor = db.execute(_INSERT, (*_values(article, canonical), site, url, seen_at, seen_at))
    article_id = int(cursor.lastrowid or 0)
    text = (article_id, article.title, article.standfirst, article.text)
    db.execute("INSERT INTO article_text (id, title, standfirst, body) VALUES (?, ?, ?, ?)", text)
    fulltext.index(db, *text)
    return article_id


def _update(db: sqlite3.Connection, article_id: int, article: Article, canonical: str | None) -> None:
    db.execute(_UPDATE, (*_values(article, canonical), article_id))
    db.execute(
        "UPDATE article_text SET title = ?, standfirst = ?, body = ? WHERE id = ?",
        (article.title, article.standfirst, article.text, article_id),
    )
    db.execute("DELETE FROM articles_fts_folded WHERE id = ?", (article_id,))
    fulltext.index_folded(db, article_id, article.title, article.standfirst, article.text)


def show_latest(db: sqlite3.Connection, article_id: int) -> None:
    """Bring the row and the text of an article to its latest revision."""
    row = db.execute(
        "SELECT r.title, r.standfirst, r.body, r.fields, a.canonical_url FROM revisions r "
        "JOIN articles a ON a.id = r.article_id WHERE a.id = ? ORDER BY r.seq DESC LIMIT 1",
        (article_id,),
    ).fetchone()
    title, standfirst, body, fields, canonical = row
    _update(db, article_id, read_revision(title, standfirst, body, decode_object(fields)), canonical)


_NEXT = "(SELECT coalesce(max(seq), 0) + 1 FROM revisions WHERE article_id = ?)"


def _add_revision(
    db: sqlite3.Connection, article_id: int, article: Article, digest: str, capture_id: int, seen_at: str
) -> None:
    db.execute(
        "INSERT INTO revisions "
        "(article_id, seq, capture_id, digest, title, standfirst, body, fields, evidence, seen_at) "
        f"VALUES (?, {_NEXT}, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            article_id, article_id, capture_id, digest, article.title, article.standfirst, article.text,
            fields_of(article), encode(article.evidence), seen_at,
        ),
    )  # fmt: skip


def mark_gone(db: sqlite3.Connection, capture_id: int, key: str) -> Outcome | None:
    """Note that a capture says that an address is gone. The rows and revisions of its article stay.

    Returns what this says of the article, `GONE` or `STILL_GONE`; None if there is none, or if it is not gone: it was
    seen later, or at another address.
    """
    db.execute("UPDATE captures SET gone = ? WHERE id = ?", (key, capture_id))
    row = db.execute(
        "SELECT a.id, a.state FROM article_urls u JOIN articles a ON a.id = u.article_id WHERE u.url = ?", (key,)
    ).fetchone()
    if row is None or not _settle_state(db, row[0]):
        return None
    return Outcome.STILL_GONE if row[1] == "gone" else Outcome.GONE


def _settle_state(db: sqlite3.Connection, article_id: int) -> bool:
    """Set the state, and since when: gone if a capture says so that is later than the last one with the article, in any
    order. Returns whether it is gone.

    Of two captures in one second, the one that was stored later counts as later. An article that a crawl found at one
    address is not gone if another address, which once led there, is gone.
    """
    gone_at = db.execute(f"SELECT ({GONE_AT}) FROM articles WHERE id = ?", (article_id,)).fetchone()[0]
    state = "live" if gone_at is None else "gone"
    db.execute("UPDATE articles SET state = ?, gone_at = ? WHERE id = ?", (state, gone_at, article_id))
    return gone_at is not None


GONE_AT = (
    "SELECT min(c.fetched_at) FROM article_urls u JOIN captures c ON c.gone = u.url "
    "WHERE u.article_id = articles.id AND (c.fetched_at > articles.last_seen OR c.fetched_at = articles.last_seen "
    "AND c.id > (SELECT max(s.id) FROM article_urls v JOIN captures s ON s.url = v.url "
    "AND s.fetched_at = articles.last_seen AND s.article_digest IS NOT NULL WHERE v.article_id = articles.id)) "
    "AND NOT EXISTS (SELECT 1 FROM article_urls v JOIN captures s ON s.url = v.url AND s.crawl_id = c.crawl_id "
    "AND s.article_digest IS NOT NULL JOIN crawls w ON w.id = s.crawl_id AND w.outcome IS NOT 'imported' "
    "WHERE v.article_id = articles.id)"
)
"""The time of the first capture that says that an article of `articles` is gone; NULL if it is not."""


def save_listing(db: sqlite3.Connection, capture_id: int, listing: Listing, requests: dict[str, int]) -> None:
    """Save the entries of a listing; `requests` maps an entry's address to its row in the frontier."""
    db.executemany(
        "INSERT INTO listing_entries (capture_id, position, url, title, published_raw, published, summary, request_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (capture_id, e.position, e.url, e.title, e.published_raw, e.published, e.summary, requests.get(e.url))
            for e in listing.entries
        ],
    )
