"""The files of an archive's database: their names, replacing one by another, and errors of the disk."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import ArchiveError, DamagedArchiveError, LocumError, NoSpaceError
from locum_spider.system import sync

DATABASE = "archive.db"
NEW = DATABASE + ".new"
OLD = DATABASE + ".old"
WARCS = "warc"
SITES = "sites"
_SIDE_FILES = ("-wal", "-shm", "-journal")
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG})
_SQLITE_DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_SQLITE_IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_SQLITE_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_SQLITE_NOT_OURS = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM})


def _family(error: BaseException) -> int:
    """SQLite's primary code of an error, 0 if it has none: SQLITE_IOERR_WRITE is one of SQLITE_IOERR."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def disk_error(error: Exception, where: Path) -> LocumError | None:
    """The error for a full or failing disk; None if the cause is another."""
    fails = error.errno in _DISK if isinstance(error, OSError) else _family(error) in _SQLITE_DISK
    if not fails:
        return None
    return NoSpaceError(
        f"{where}: no more can be written ({error}); make room on the disk and run the same command again: "
        "nothing is lost"
    )


def in_use(error: BaseException, where: Path) -> ArchiveError | None:
    """The error for a database that another program holds; None if the cause is another."""
    if _family(error) not in _SQLITE_IN_USE:
        return None
    return ArchiveError(
        f"{where} is in use: another program holds its database ({error}); close that program and run the same "
        "command again: nothing is lost"
    )


def _denied(error: OSError | sqlite3.Error, where: Path) -> ArchiveError | None:
    """The error for a place that this user may not write; None if the cause is another."""
    denied = error.errno in _NOT_OURS if isinstance(error, OSError) else _family(error) in _SQLITE_NOT_OURS
    if not denied:
        return None
    fault = error.strerror if isinstance(error, OSError) else error
    return ArchiveError(f"{where} cannot be written: {fault}; name a folder that you may write with --archive")


@contextmanager
def writing_errors(where: Path, otherwise: type[LocumError] = ArchiveError) -> Iterator[None]:
    """Turn what SQLite and the system raise inside into our errors.

    Raises NoSpaceError if the disk is full or failing, ArchiveError if another program holds the database or if this
    user may not write it, else `otherwise`.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        known = disk_error(error, where) or in_use(error, where) or _denied(error, where)
        fault = error.strerror if isinstance(error, OSError) else error
        raise known or otherwise(f"{where} cannot be written: {fault or error}") from None


def copy_of(path: Path) -> Path:
    """A copy of a database with its log, in a temporary folder that goes with this process; one for each state of them.

    Raises ArchiveError if they cannot be read, or if they change all the time.
    """
    try:
        for _ in range(_TRIES):
            state = _state(path)
            if state in _COPIES:
                return Path(_COPIES[state].name) / path.name
            scratch = tempfile.TemporaryDirectory(prefix="locum-read-")
            for suffix in _WITH_LOG:
                shutil.copyfile(path.with_name(path.name + suffix), Path(scratch.name) / (path.name + suffix))
            if _state(path) == state:
                _COPIES[state] = scratch
                return Path(scratch.name) / path.name
    except OSError as error:
        fault = f"{path} cannot be read: {error.strerror}"
        raise disk_error(error, Path(tempfile.gettempdir())) or ArchiveError(f"{fault}; ask its owner") from None
    raise ArchiveError(f"{path} is being written by another user; run the same command again when that crawl has ended")


@contextmanager
def outside_errors() -> Iterator[None]:
    """Turn what only the machine can be blamed for into our errors: the last net, under a whole command.

    Raises NoSpaceError, ArchiveError or DamagedArchiveError; lets pass what is a fault of ours.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where = Path(str(error.filename or "the archive"))
        fault = f"{where}: {error.strerror or error}; see to it, then run the same command again"
        raise disk_error(error, where) or ArchiveError(fault) from None
    except sqlite3.DatabaseError as error:
        known = disk_error(error, Path(DATABASE)) or in_use(error, Path(DATABASE))
        if known is None and _family(error) in _SQLITE_DAMAGE:
            known = DamagedArchiveError(f"{DATABASE} is damaged ({error}); `locum verify` tells more")
        if known is None:
            raise
        raise known from None


_State = tuple[tuple[str, int, int], ...]
_COPIES: dict[_State, tempfile.TemporaryDirectory[str]] = {}
_TRIES = 5
_WITH_LOG = ("", "-wal")


def _state(path: Path) -> _State:
    files = [path.with_name(path.name + suffix) for suffix in _WITH_LOG]
    return tuple((str(file), stat.st_mtime_ns, stat.st_size) for file in files for stat in [file.stat()])


def remove(path: Path) -> None:
    """Delete a database with the files that SQLite puts beside it."""
    for suffix in ("", *_SIDE_FILES):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def set_aside(folder: Path) -> str | None:
    """A sentence about the older database that a rebuild kept in a folder; None if there is none."""
    if not (folder / OLD).exists():
        return None
    return f"{OLD} is an older database that a rebuild set aside; delete it if you do not need it"


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
