"""Opens an archive's database, and gives others what they need of SQLite: connections and transactions."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import ArchiveError, DamagedArchiveError, LostDatabaseError
from locum_spider.store.files import DATABASE, SITES, WARCS, copy_of, in_use, writing_errors

Connection = sqlite3.Connection

PATIENCE = 10_000
"""Milliseconds to wait for another program that holds the database."""

_HEADER = b"SQLite format 3\x00"
_RESTORE = "restore it from a backup, or rebuild it with `locum rebuild`"


def connect_reading(folder: Path) -> Connection:
    """A read-only connection. Raises ArchiveError if the folder is not an archive that this version can read."""
    path = folder / DATABASE
    _require_archive(folder, path)
    try:
        connection = sqlite3.connect(reading_place(folder).uri, uri=True)
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        connection.row_factory = sqlite3.Row
        if not _require_known_schema(connection, path):
            raise ArchiveError(f"{path} is empty: the first crawl was cut short; `locum crawl SITE` goes on with it")
    except sqlite3.Error as error:
        if (held := in_use(error, folder)) is not None:
            raise held from None
        raise DamagedArchiveError(f"{path} cannot be read as an archive: {error}; {_RESTORE}") from None
    return connection


def begin(db: Connection) -> None:
    """Begin a transaction; its reads see one snapshot, whatever others write meanwhile."""
    db.execute("BEGIN")


def begin_writing(db: Connection) -> None:
    """Begin a transaction that will write."""
    db.execute("BEGIN IMMEDIATE")


def commit(db: Connection) -> None:
    """End a transaction and keep what it wrote."""
    db.execute("COMMIT")


def roll_back(db: Connection) -> None:
    """End the transaction, if there is one, and undo what it wrote."""
    if db.in_transaction:
        db.execute("ROLLBACK")


def close_writing(db: Connection) -> None:
    """Close the writing connection and store SQLite's statistics about the tables."""
    db.execute("PRAGMA optimize")
    db.close()


def connect_whole(path: Path) -> Connection:
    """A read-only connection to a database that is one file and that nobody writes."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)


class Place(NamedTuple):
    """The file that SQLite is to read, and whether it must take it as it is, without files beside it."""

    path: Path
    immutable: bool

    @property
    def uri(self) -> str:
        return f"{self.path.as_uri()}?{'immutable=1' if self.immutable else 'mode=ro'}"


def reading_place(folder: Path) -> Place:
    """Where SQLite reads the database without changing it, also if this user may only read the folder.

    A database in WAL mode needs a file beside it even for reading. If that file cannot be made and there is no log,
    the database is whole as it is; if there is one, both are read as a copy. Raises ArchiveError if they cannot be
    copied.
    """
    place = Place((folder / DATABASE).resolve(), immutable=False)
    if not _needs_help(place.uri):
        return place
    wal = place.path.with_name(DATABASE + "-wal")
    if wal.exists() and wal.stat().st_size:
        return Place(copy_of(place.path), immutable=False)
    return place._replace(immutable=True)


def _needs_help(uri: str) -> bool:
    """Whether SQLite cannot open a database for want of the files beside it; what else is wrong shows when it reads."""
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=PATIENCE / 1000)) as db:
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.Error as error:
        return (error.sqlite_errorcode & 0xFF) in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
    return False


def connect_writing(folder: Path, *, durable: bool = False) -> Connection:
    """The one writing connection, with today's schema; an empty folder becomes an archive.

    `durable` commits survive a power cut, at a sixth of the speed; the others survive any kill of the process. Raises
    ArchiveError if the folder holds something else, or if a newer version wrote it.
    """
    from sqlite_utils import Database

    from locum_spider.store.migrations import migrations

    path = folder / DATABASE
    if path.exists():
        _require_archive(folder, path)
    else:
        _require_no_captures(folder)
    with writing_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
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
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        _require_no_captures(folder)
    if not path.is_file():
        missing = "it is a file" if folder.is_file() else "the folder does not exist"
        fault = f"it has no {DATABASE}" if folder.is_dir() else missing
        raise ArchiveError(f"{folder} is not an archive: {fault}; `locum crawl SITE --archive DIR` makes one")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from None
    if start and start != _HEADER:
        raise DamagedArchiveError(f"{path} is not an SQLite database; {_RESTORE}")


def _require_no_captures(folder: Path) -> None:
    """Raises LostDatabaseError if there are WARC files: then a database is missing."""
    number = sum(path.stat().st_size > 0 for path in (folder / WARCS).glob("*.warc.gz*"))
    if number:
        raise LostDatabaseError(
            f"{folder / DATABASE} is missing, but {WARCS}/ has {number:,} WARC file{'s' if number > 1 else ''}: run "
            "`locum rebuild`, which makes the database again from them"
        )


def _require_known_schema(connection: Connection, path: Path) -> bool:
    """Raises ArchiveError if the database is not an archive, or a newer one; False if it is empty."""
    from locum_spider.store.migrations import known

    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    applied = set()
    if "_sqlite_migrations" in tables:
        query = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'locum_spider'"
        applied = {row[0] for row in connection.execute(query)}
    if not applied and tables - {"_sqlite_migrations"}:
        raise ArchiveError(f"{path} is a database of something else: it has no articles; name another folder")
    if newer := sorted(applied - known()):
        raise ArchiveError(
            f"{path} was written by a newer version of locum-spider ({newer[-1]}); upgrade, then try again"
        )
    return "_sqlite_migrations" in tables
