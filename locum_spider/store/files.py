"""The files of an archive's database: their names, one replacing another, and what a full disk looks like."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import ArchiveError, NoSpaceError

DATABASE = "archive.db"


WARCS = "warc"


SITES = "sites"


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


NEW = DATABASE + ".new"


OLD = DATABASE + ".old"


_SIDE_FILES = ("-wal", "-shm", "-journal")


def remove(path: Path) -> None:
    """Delete a database with the files SQLite puts beside it."""
    for suffix in ("", *_SIDE_FILES):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def put_in_place(folder: Path, *, keep_old: bool) -> None:
    """Let the new database replace the old one at once; with `keep_old` that stays beside it as archive.db.old."""
    path, new = folder / DATABASE, folder / NEW
    checkpoint("rebuild-whole")
    if path.exists():
        _empty_log(path)
        if keep_old:
            remove(folder / OLD)
            _keep(path, folder / OLD)
    for suffix in _SIDE_FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    checkpoint("rebuild-log-removed")
    new.replace(path)
    checkpoint("rebuild-renamed")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep(path: Path, to: Path) -> None:
    try:
        os.link(path, to)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, to)


def _empty_log(path: Path) -> None:
    """Bring all of the old database into its one file: what stood in its log would else be read into the new one."""
    try:
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA busy_timeout = 10000")
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.DatabaseError:  # broken: nothing in it is of use, which is why it is being replaced
        return
    if busy:
        raise ArchiveError(f"{path} is being read by another program; close that, then run `locum rebuild` again")
