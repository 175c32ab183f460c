"""What an export takes out of an archive: WARC bytes, captures in the order of an index, pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Piece = tuple[str, int, int]
"""A stretch of a WARC file: name, offset, length."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The title and counts of a package, and the pieces of each of its WARC files."""

    title: str
    captures: int
    pages: int
    pieces: dict[str, list[Piece]]


@dataclass(frozen=True, slots=True)
class IndexedCapture:
    """A capture as an index has it; `file` and `offset` are those in the package."""

    url: str
    fetched_at: str
    status: int
    content_type: str | None
    digest: str
    same_as: int | None
    file: str
    offset: int
    length: int


def whole_archive(db: sqlite3.Connection) -> Contents:
    """The contents of a package of everything that is acknowledged."""
    db.execute(
        "CREATE TEMP VIEW packed AS SELECT id, url, fetched_at, status, content_type, digest, same_as, "
        "warc_file AS file, warc_offset AS offset, warc_length AS length FROM captures"
    )
    files = db.execute("SELECT name, bytes FROM warc_files WHERE bytes > 0 ORDER BY name").fetchall()
    captures = db.execute("SELECT count(*) FROM captures WHERE digest <> ''").fetchone()[0]
    pages = db.execute("SELECT count(*) FROM revisions").fetchone()[0]
    sites = [row[0] for row in db.execute("SELECT DISTINCT site FROM crawls ORDER BY site")]
    pieces = {name: [(name, 0, size)] for name, size in files}
    return Contents(f"Archive of {', '.join(sites) or 'no site'}", captures, pages, pieces)


def one_article(db: sqlite3.Connection, article_id: int) -> Contents | None:
    """The contents of a package of one article; None if there is no such article.

    It has every capture of the article's addresses with its request, and the bodies that revisits refer to.
    """
    row = db.execute("SELECT title FROM articles WHERE id = ?", (article_id,)).fetchone()
    if row is None:
        return None
    name = f"article-{article_id}.warc.gz"
    db.execute(
        "CREATE TEMP TABLE packed (id, url, fetched_at, status, content_type, digest, same_as, file, offset, length)"
    )
    captures = db.execute(
        "WITH own AS (SELECT c.id, c.same_as FROM captures c "
        "WHERE c.url IN (SELECT url FROM article_urls WHERE article_id = :a) "
        "OR c.id IN (SELECT capture_id FROM revisions WHERE article_id = :a)) "
        "SELECT c.id, c.url, c.fetched_at, c.status, c.content_type, c.digest, c.same_as, c.warc_file, c.warc_offset, "
        "c.warc_length, r.warc_length AS request FROM captures c LEFT JOIN records r ON r.type = 'request' "
        "AND r.warc_file = c.warc_file AND r.warc_offset = c.warc_offset + c.warc_length "
        "WHERE c.id IN (SELECT id FROM own UNION SELECT same_as FROM own) ORDER BY c.warc_file, c.warc_offset",
        {"a": article_id},
    ).fetchall()
    pieces: list[Piece] = []
    position = 0
    for capture in captures:
        length = capture["warc_length"] + (capture["request"] or 0)
        pieces.append((capture["warc_file"], capture["warc_offset"], length))
        values = (*tuple(capture)[:7], name, position, capture["warc_length"])
        db.execute("INSERT INTO packed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        position += length
    pages = db.execute("SELECT count(*) FROM revisions WHERE article_id = ?", (article_id,)).fetchone()[0]
    return Contents(row["title"], len(captures), pages, {name: pieces})


def index(db: sqlite3.Connection, key: Callable[[str], str]) -> Iterator[IndexedCapture]:
    """The captures of the package that was put together before, sorted by the `key` of their address, then by time."""
    db.create_function("sort_key", 1, key, deterministic=True)
    # Readers would replay a 304 without a body: its line leads to the record with the body that it refers to.
    rows = db.execute(
        "SELECT p.url, p.fetched_at, coalesce(o.status, p.status), coalesce(o.content_type, p.content_type), p.digest, "
        "CASE WHEN o.id IS NULL THEN p.same_as END, coalesce(o.file, p.file), coalesce(o.offset, p.offset), "
        "coalesce(o.length, p.length) FROM temp.packed p LEFT JOIN temp.packed o ON o.id = p.same_as "
        "AND p.status = 304 AND o.digest <> '' WHERE p.digest <> '' ORDER BY sort_key(p.url), p.fetched_at, p.id"
    )
    return (IndexedCapture(*row) for row in rows)


def pages(db: sqlite3.Connection, article_id: int | None) -> Iterator[tuple[int, str, str, str]]:
    """Id, address, time and title of each revision of each article, or of one."""
    return db.execute(
        "SELECT r.id, c.url, c.fetched_at, r.title FROM revisions r JOIN captures c ON c.id = r.capture_id "
        "WHERE ? IS NULL OR r.article_id = ? ORDER BY c.fetched_at, r.id",
        (article_id, article_id),
    )
