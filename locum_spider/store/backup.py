"""A database copied whole while others write it, and what a copy knows of its WARC files."""

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
    """All of it in one step: a crawl can write meanwhile, and step by step would begin again with each of its writes.

    The copy is one file, with nothing beside it; the first to write to it turns it back to WAL.
    """
    remove(to)
    with closing(connect_reading(folder)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    sync(to)


class CopiedFile(NamedTuple):
    """A WARC file as a copied database knows it. `vouched`: how much of it an earlier copy has, None if it is not to be
    built upon, as there is no such copy or a takedown has emptied records of the file since."""

    name: str
    bytes: int
    closed: bool
    vouched: int | None


def files_to_copy(copy: Path, earlier: Path) -> list[CopiedFile]:
    """The WARC files of a copied database; `earlier` is the folder of the copy before it, if there is one."""
    known, vouched = {}, {}
    if (earlier / DATABASE).exists():
        with closing(connect_reading(earlier)) as db:
            known = {record.seq: record.facts for record in removals.removed(db)}
            vouched = {name: position.bytes for name, position in captures.warc_positions(db).items()}
    with closing(connect_whole(copy)) as db:
        changed = {record.file for record in removals.removed(db) if known.get(record.seq) != record.facts}
        positions = sorted(captures.warc_positions(db).items())
    return [
        CopiedFile(name, position.bytes, position.closed, None if name in changed else vouched.get(name))
        for name, position in positions
    ]
