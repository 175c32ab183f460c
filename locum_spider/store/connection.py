"""Opening an archive's database, and nothing else."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import ArchiveError, NoSpaceError

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "archive.db"
WARCS = "warc"
SITES = "sites"
LOCK = "archive.lock"
_HEADER = b"SQLite format 3\x00"


def utc_now() -> str:
    """The time in the form of all times of ours: `2026-11-22T05:22:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def connect_reading(folder: Path) -> sqlite3.Connection:
    """A read-only connection. Raises ArchiveError where the folder is no archive this version can read."""
    path = folder / DATABASE
    _require_archive(folder, path)
    try:
        connection = sqlite3.connect(reading_uri(folder), uri=True)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.row_factory = sqlite3.Row
        if not _require_known_schema(connection, path):
            raise ArchiveError(f"{path} is empty: a first crawl was cut short; `locum crawl SITE` goes on with it")
    except sqlite3.Error as error:
        raise ArchiveError(f"{path} cannot be read as an archive: {error}") from None
    return connection


def reading_uri(folder: Path) -> str:
    """The address at which SQLite reads the database without changing it, from a medium that cannot be written too.

    A database in WAL mode needs a file beside it even for reading; where none can be made nobody else writes either.
    """
    path = (folder / DATABASE).resolve()
    wal = path.with_name(DATABASE + "-wal")
    fixed = os.statvfs(path.parent).f_flag & os.ST_RDONLY and not (wal.exists() and wal.stat().st_size)
    return f"{path.as_uri()}?{'immutable=1' if fixed else 'mode=ro'}"


def connect_writing(folder: Path, *, durable: bool = False) -> sqlite3.Connection:
    """The one writing connection, with the schema brought up to date; made anew where the folder is empty.

    `durable` survives a power cut at a sixth of the speed; without it a commit survives any kill of the process.
    Raises ArchiveError for a folder that is something else or written by a newer version.
    """
    from sqlite_utils import Database

    from locum_spider.store.migrations import migrations

    path = folder / DATABASE
    if path.exists():
        _require_archive(folder, path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA busy_timeout = 10000")
        _require_known_schema(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")
        migrations.apply(Database(connection, execute_plugins=False))
        checkpoint("migrated")
        for name in (WARCS, SITES):
            (folder / name).mkdir(exist_ok=True)
    except sqlite3.Error as error:
        raise disk_error(error, path) or ArchiveError(f"{path} cannot be opened for writing: {error}") from None
    except OSError as error:
        raise disk_error(error, folder) or ArchiveError(f"{folder} cannot be written: {error.strerror}") from None
    return connection


def disk_error(error: Exception, where: Path) -> NoSpaceError | None:
    """The error a user gets where a disk is full or failing, None where it is something else."""
    text = str(error).lower()
    if isinstance(error, OSError):
        full = error.errno in {28, 122, 5, 27}  # ENOSPC, EDQUOT, EIO, EFBIG
    else:
        full = "disk is full" in text or "disk i/o" in text
    if not full:
        return None
    return NoSpaceError(
        f"{where}: no more can be written ({error}); make room on the disk and run the same command again: "
        "nothing is lost"
    )


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the archive for writing. Raises ArchiveError where another process does; freed by any end of ours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        what = "it is a file, and an archive is a folder" if folder.is_file() else error.strerror
        raise disk_error(error, folder) or ArchiveError(f"{folder} cannot be written: {what}") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            by = f" by process {holder}" if holder.isdigit() else ""
            raise ArchiveError(
                f"{folder} is being written{by}; wait until that crawl ends, or stop it with Ctrl-C"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def _require_archive(folder: Path, path: Path) -> None:
    if not folder.is_dir():
        raise ArchiveError(
            f"{folder} is no archive: there is no such folder; `locum crawl SITE --archive DIR` makes one"
        )
    if not path.is_file():
        raise ArchiveError(f"{folder} is no archive: it has no {DATABASE}; `locum crawl SITE --archive DIR` makes one")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from None
    if start and start != _HEADER:
        raise ArchiveError(f"{path} is no SQLite database; restore it from a backup")


def _require_known_schema(connection: sqlite3.Connection, path: Path) -> bool:
    """Refuse what is no archive, or a newer one; False where the database is empty."""
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
