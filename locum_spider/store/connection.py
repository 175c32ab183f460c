"""Opening an archive's database, and what others need of SQLite: a connection, a transaction, a snapshot."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import ArchiveError, DamagedArchiveError
from locum_spider.store.files import DATABASE, SITES, WARCS, writing_errors

Connection = sqlite3.Connection

_HEADER = b"SQLite format 3\x00"


def connect_reading(folder: Path) -> Connection:
    """A read-only connection. Raises ArchiveError if the folder is not an archive that this version can read."""
    path = folder / DATABASE
    _require_archive(folder, path)
    try:
        connection = sqlite3.connect(reading_uri(folder), uri=True)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.row_factory = sqlite3.Row
        if not _require_known_schema(connection, path):
            raise ArchiveError(f"{path} is empty: a first crawl was cut short; `locum crawl SITE` goes on with it")
    except sqlite3.Error as error:
        raise DamagedArchiveError(f"{path} cannot be read as an archive: {error}") from None
    return connection


def begin(db: Connection) -> None:
    """Begin a transaction; what is read in it is one snapshot, whatever is written meanwhile."""
    db.execute("BEGIN")


def begin_writing(db: Connection) -> None:
    """Begin a transaction that will write."""
    db.execute("BEGIN IMMEDIATE")


def commit(db: Connection) -> None:
    """End a transaction; what was written in it counts."""
    db.execute("COMMIT")


def roll_back(db: Connection) -> None:
    """Undo what a transaction wrote, if one is under way."""
    if db.in_transaction:
        db.execute("ROLLBACK")


def close_writing(db: Connection) -> None:
    """Close the writing connection, and leave SQLite what it learnt about the tables."""
    db.execute("PRAGMA optimize")
    db.close()


def connect_whole(path: Path) -> Connection:
    """A read-only connection to a database that nobody writes and that is all in its one file."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)


def reading_uri(folder: Path) -> str:
    """The address at which SQLite reads the database without changing it, from a medium that cannot be written too.

    A database in WAL mode needs a file beside it even for reading; if none can be made, nobody else writes either.
    """
    path = (folder / DATABASE).resolve()
    wal = path.with_name(DATABASE + "-wal")
    fixed = os.statvfs(path.parent).f_flag & os.ST_RDONLY and not (wal.exists() and wal.stat().st_size)
    return f"{path.as_uri()}?{'immutable=1' if fixed else 'mode=ro'}"


def connect_writing(folder: Path, *, durable: bool = False) -> Connection:
    """The one writing connection, with the schema brought up to date; made if the folder is empty.

    `durable` survives a power cut at a sixth of the speed; without it a commit survives any kill of the process.
    Raises ArchiveError for a folder that is something else or written by a newer version.
    """
    from sqlite_utils import Database

    from locum_spider.store.migrations import migrations

    path = folder / DATABASE
    if path.exists():
        _require_archive(folder, path)
    with writing_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 10000")
        _require_known_schema(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute(f"PRAGMA fullfsync = {int(durable)}")  # macOS, as in `system.sync`
        connection.execute("PRAGMA foreign_keys = ON")
        migrations.apply(Database(connection, execute_plugins=False))
        checkpoint("migrated")
        for name in (WARCS, SITES):
            (folder / name).mkdir(exist_ok=True)
    return connection


def _require_archive(folder: Path, path: Path) -> None:
    if not path.is_file():
        fault = f"it has no {DATABASE}" if folder.is_dir() else "there is no such folder"
        raise ArchiveError(f"{folder} is not an archive: {fault}; `locum crawl SITE --archive DIR` makes one")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from None
    if start and start != _HEADER:
        raise DamagedArchiveError(f"{path} is not an SQLite database; restore it from a backup")


def _require_known_schema(connection: Connection, path: Path) -> bool:
    """Refuse what is not an archive, or a newer one; False if the database is empty."""
    from locum_spider.store.migrations import known

    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "_sqlite_migrations" not in names:
        if names:
            raise ArchiveError(f"{path} is a database of something else: it has no articles; name another folder")
        return False
    applied = {
        row[0] for row in connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'locum_spider'")
    }
    if not applied and names - {"_sqlite_migrations"}:
        raise ArchiveError(f"{path} is a database of something else: it has no articles; name another folder")
    if newer := sorted(applied - known()):
        raise ArchiveError(
            f"{path} was written by a newer version of locum-spider ({newer[-1]}); upgrade, then try again"
        )
    return True
