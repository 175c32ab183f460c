"""Copies a database while others write to it, and tells which WARC files belong to the copy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from locum_spider.store import captures, removals
from locum_spider.store.connection import connect_reading, connect_whole
from locum_spider.store.files import DATABASE, remove
from locum_spider.system import sync


def copy_database(folder: Path, to: Path) -> None:
    """Copy a database in one step, while a crawl may write: in several steps, each write would restart the copy.

    The copy is one file, with nothing beside it; the first writer turns it back to WAL.
    """
    remove(to)
    with closing(connect_reading(folder)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    sync(to)


class CopiedFile(NamedTuple):
    """A WARC file as a copied database has it.

    `already_copied` is the number of bytes that an earlier copy has; None if the file must be copied from the start:
    there is no earlier copy, or a takedown has since emptied records of the file.
    """

    name: str
    bytes: int
    closed: bool
    already_copied: int | None


def files_to_copy(copy: Path, earlier: Path) -> list[CopiedFile]:
    """The WARC files of a copied database; `earlier` is the folder of the earlier copy, if there is one."""
    emptied, already_copied = {}, {}
    if (earlier / DATABASE).exists():
        with closing(connect_reading(earlier)) as db:
            emptied = {record.seq: record.facts for record in removals.removed(db)}
            already_copied = {name: position.bytes for name, position in captures.warc_positions(db).items()}
    with closing(connect_whole(copy)) as db:
        changed = {record.file for record in removals.removed(db) if emptied.get(record.seq) != record.facts}
        positions = sorted(captures.warc_positions(db).items())
    return [
        CopiedFile(name, position.bytes, position.closed, None if name in changed else already_copied.get(name))
        for name, position in positions
    ]
