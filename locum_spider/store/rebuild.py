"""Makes a new database beside the old one, for a rebuild."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from locum_spider.errors import ArchiveError, LocumError
from locum_spider.items import CrawlOutcome, Kind
from locum_spider.store import ledger
from locum_spider.store.connection import Connection, connect_reading
from locum_spider.store.files import remove
from locum_spider.store.fulltext import INDEXES
from locum_spider.system import sync

_LATER = (
    "articles_published", "articles_section", "articles_site_published", "captures_record", "frontier_article",
    "revisions_capture",
)  # fmt: skip
_ASKED = {"records", "schedules", "takedowns", "warc_files"}


def create(path: Path) -> Connection:
    """An empty database with today's schema, to be filled fast: a kill ruins it, but it can be made again.

    `complete` adds the full text index and some other indexes, and checks foreign keys: in one go that costs less.
    """
    from sqlite_utils import Database

    from locum_spider.store.migrations import migrations

    remove(path)
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -64000"):
        db.execute(f"PRAGMA {pragma}")
    migrations.apply(Database(db, execute_plugins=False))
    later = ", ".join(f"'{name}'" for name in _LATER)
    db.execute(
        "CREATE TEMP TABLE later AS SELECT type, name, sql FROM sqlite_master "
        f"WHERE type = 'trigger' "
        f"AND tbl_name IN ('article_text', 'articles_fts_folded') OR type = 'index' AND name IN ({later})"
    )
    for kind, name in db.execute("SELECT type, name FROM later").fetchall():
        db.execute(f'DROP {kind} "{name}"')
    # Discard what is written to the full text indexes meanwhile.
    for name in INDEXES:
        db.execute(f"CREATE TEMP VIEW {name} AS SELECT 0 AS rowid, '' AS title, '' AS standfirst, '' AS body")
        db.execute(f"CREATE TEMP TRIGGER un{name} INSTEAD OF INSERT ON {name} BEGIN SELECT 0; END")
    return db


def complete(db: Connection, path: Path) -> None:
    """Make the indexes, check everything and sync the file to the disk. Closes the connection.

    Raises LocumError if the new database is damaged.
    """
    # Merging while the index grows reads and writes it many times over; searching is as fast without. 4 is the default.
    for name in INDEXES:
        db.execute(f"DROP VIEW temp.{name}")
        for command, value in (("automerge", 0), ("rebuild", None), ("automerge", 4)):
            db.execute(f"INSERT INTO {name}({name}, rank) VALUES (?, ?)", (command, value))
    for (statement,) in db.execute("SELECT sql FROM later").fetchall():
        db.execute(statement)
    if db.execute("PRAGMA foreign_key_check").fetchone() or db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise LocumError(f"{path}: the new database is damaged; the old one is unchanged. Please report this")
    db.execute("PRAGMA optimize")
    db.execute("PRAGMA journal_mode = WAL")  # stored in the file; the log is still empty
    db.close()
    sync(path)


def readable(folder: Path) -> Connection | None:
    """The old database; None if there is none or it is damaged."""
    try:
        db = connect_reading(folder)
    except ArchiveError:
        return None
    with suppress(sqlite3.Error):
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables >= _ASKED and db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
            return db
    db.close()
    return None


def copy_schedules(old: Connection, new: Connection) -> None:
    """Copy the schedules, which are not in any WARC."""
    rows = old.execute("SELECT site, every, since FROM schedules").fetchall()
    new.executemany("INSERT INTO schedules (site, every, since) VALUES (?, ?, ?)", [tuple(row) for row in rows])


def missing_records(old: Connection, new: Connection, reported: set[tuple[str, int]]) -> list[str]:
    """A sentence for each file that the old ledger has and the WARCs lack, and for each record that they lack or
    have changed, except those `reported`."""
    if tuple(ledger.head(old)) == tuple(ledger.head(new)):
        return []
    present = {row[0] for row in new.execute("SELECT name FROM warc_files")}
    lost = [
        f"{name} is missing, with {number:,} records"
        for name, number in old.execute("SELECT warc_file, count(*) FROM records GROUP BY warc_file")
        if name not in present
    ]
    rows = old.execute("SELECT warc_file, warc_offset, type, digest FROM records WHERE removed IS NULL ORDER BY seq")
    for name, offset, kind, digest in rows:
        if (name, offset) in reported or name not in present:
            continue
        row = new.execute(
            "SELECT digest, removed FROM records WHERE warc_file = ? AND warc_offset = ?", (name, offset)
        ).fetchone()
        if row is None:
            lost.append(f"{name}, byte {offset:,}: the {kind} record in the ledger is missing or damaged")
        elif row[0] != digest and row[1] is None:
            lost.append(f"{name}, byte {offset:,}: the {kind} record is not the one in the ledger")
    return lost


def request_for(
    db: Connection, crawl_id: int, request_id: int, key: str | None, url: str | None, kind: Kind
) -> int | None:
    """The row of the frontier that a recorded visit belongs to; None if nothing says which address it was.

    It is the row with the recorded id, as long as today's rules find the same there; else that of the address; else a
    new one.
    """
    row = db.execute("SELECT crawl_id, key FROM frontier WHERE id = ?", (request_id,)).fetchone()
    if row is not None and row[0] == crawl_id and key in {None, row[1]}:
        return request_id
    if key is None or url is None:
        return None
    same_key = db.execute("SELECT id FROM frontier WHERE crawl_id = ? AND key = ?", (crawl_id, key)).fetchone()
    if same_key is not None:
        return int(same_key[0])
    cursor = db.execute(
        "INSERT INTO frontier (id, crawl_id, key, url, kind) VALUES (?, ?, ?, ?, ?)",
        (None if row is not None else request_id, crawl_id, key, url, kind),
    )
    return int(cursor.lastrowid or 0)


def by_address(db: Connection) -> Iterator[dict[str, Any]]:
    """Each article with its text and the number of its `revisions`, sorted by address."""
    rows = db.execute(
        "SELECT f.*, (SELECT count(*) FROM revisions r WHERE r.article_id = f.id) AS revisions "
        "FROM full_articles f ORDER BY url"
    )
    names = [column[0] for column in rows.description]
    return (dict(zip(names, tuple(row), strict=True)) for row in rows)


def counts(db: Connection) -> tuple[int, int, int]:
    """The numbers of captures, articles and crawls."""
    numbers = (f"(SELECT count(*) FROM {table})" for table in ("captures", "articles", "crawls"))
    captures, articles, crawls = db.execute(f"SELECT {', '.join(numbers)}").fetchone()
    return captures, articles, crawls


def end_followed_crawls(db: Connection) -> None:
    """End every crawl that another crawl of its site followed, in case the record of its end is lost."""
    db.execute(
        """UPDATE crawls SET outcome = coalesce(outcome, 'done'), finished_at = next.started_at
        FROM (SELECT c.id, min(n.started_at) AS started_at FROM crawls c JOIN crawls n
            ON n.site = c.site AND n.id > c.id AND n.outcome IS NOT ? GROUP BY c.id) AS next
        WHERE next.id = crawls.id AND finished_at IS NULL AND outcome IS NOT ?""",
        (CrawlOutcome.IMPORTED, CrawlOutcome.IMPORTED),
    )
