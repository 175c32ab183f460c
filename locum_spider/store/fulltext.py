"""The two full-text indexes: one of the texts as they are, one beside it of those that have to be folded."""

from __future__ import annotations

import sqlite3

from locum_spider.store.folding import folded, needs_folding

INDEXES = {"articles_fts": "article_text", "articles_fts_folded_index": "articles_fts_folded"}
"""Each index with the table of its texts."""


def index(db: sqlite3.Connection, article: int, title: str, standfirst: str | None, body: str) -> None:
    """Put a new text into the indexes. Triggers see to changes and removals of the first one."""
    text = (article, title, standfirst, body)
    db.execute("INSERT INTO articles_fts (rowid, title, standfirst, body) VALUES (?, ?, ?, ?)", text)
    index_folded(db, *text)


def index_folded(db: sqlite3.Connection, article: int, title: str, standfirst: str | None, body: str) -> None:
    """Put a new or changed text into the index beside, if it has to be folded."""
    if not needs_folding(title, standfirst, body):
        return
    text = (article, *fold_text(title, standfirst, body))
    db.execute("INSERT INTO articles_fts_folded (id, title, standfirst, body) VALUES (?, ?, ?, ?)", text)
    db.execute("INSERT INTO articles_fts_folded_index (rowid, title, standfirst, body) VALUES (?, ?, ?, ?)", text)


def fold_text(title: str, standfirst: str | None, body: str) -> tuple[str, str | None, str]:
    """A text as the index beside holds it."""
    return folded(title), folded(standfirst) if standfirst is not None else None, folded(body)


def rebuild_indexes(db: sqlite3.Connection) -> None:
    """Make the indexes again from their texts."""
    for name in present_indexes(db):
        db.execute(f"INSERT INTO {name}({name}) VALUES ('rebuild')")


def present_indexes(db: sqlite3.Connection) -> list[str]:
    """The indexes that a database has: one of an older version has only the first."""
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [name for name in INDEXES if name in tables]
