"""The files of an archive's database: their names, replacing one by another, and errors of the disk."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import ArchiveError, LocumError, NoSpaceError
from locum_spider.system import sync

DATABASE = "archive.db"
NEW = DATABASE + ".new"
OLD = DATABASE + ".old"
WARCS = "warc"
SITES = "sites"
_SIDE_FILES = ("-wal", "-shm", "-journal")
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG})
_SQLITE_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


def disk_error(error: Exception, where: Path) -> NoSpaceError | None:
    """The error for a full or failing disk; None if the cause is another."""
    if isinstance(error, OSError):
        fails = error.errno in _DISK
    else:  # the last byte is the family: SQLITE_IOERR_WRITE is one of SQLITE_IOERR
        fails = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _SQLITE_DISK
    if not fails:
        return None
    return NoSpaceError(
        f"{where}: no more can be written ({error}); make room on the disk and run the same command again: "
        "nothing is lost"
    )


@contextmanager
def writing_errors(where: Path, otherwise: type[LocumError] = ArchiveError) -> Iterator[None]:
    """Turn what SQLite and the system raise inside into our errors.

    Raises NoSpaceError if the disk is full or failing, else `otherwise`.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        fault = error.strerror if isinstance(error, OSError) else error
        raise disk_error(error, where) or otherwise(f"{where} cannot be written: {fault or error}") from None


def remove(path: Path) -> None:
    """Delete a database with the files that SQLite puts beside it."""
    for suffix in ("", *_SIDE_FILES):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def put_in_place(new: Path, *, keep_old: bool = False) -> None:
    """Replace the database of a folder, if it has one, by a complete new one, in one step.

    With `keep_old`, the old one stays as archive.db.old. Raises ArchiveError if another program is reading it.
    """
    path, old = new.with_name(DATABASE), new.with_name(OLD)
    checkpoint("database-whole")
    if path.exists():
        _empty_log(path)
        if keep_old:
            remove(old)
            try:
                os.link(path, old)
            except OSError:  # a file system without hard links
                shutil.copyfile(path, old)
    for suffix in _SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    checkpoint("database-log-removed")
    new.replace(path)
    checkpoint("database-renamed")
    sync(path.parent)


def _empty_log(path: Path) -> None:
    """Write the log of the old database into its file: SQLite would otherwise apply it to the new one."""
    try:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA busy_timeout = 10000")
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()  # undoes what a kill left half written
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.DatabaseError:  # broken, which is why it is being replaced
        return
    if busy:
        raise ArchiveError(f"{path} is being read by another program; close it, then run the same command again")
