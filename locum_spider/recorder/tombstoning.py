"""The end of a takedown: tombstones in place of the records, no old page in the database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import IntegrityError
from locum_spider.store import removal
from locum_spider.store.files import WARCS
from locum_spider.warc.reader import locate
from locum_spider.warc.tombstones import tombstone


def finish(folder: Path, db: sqlite3.Connection) -> bool:
    """Bring every takedown that the database tells of to its end; may be repeated at any time.

    False where another program still reads old pages of the database. Raises IntegrityError where a WARC file is
    missing or too short.
    """
    if not removal.is_unfinished(db):
        return True
    _write_tombstones(folder / WARCS, removal.unfinished(db))
    checkpoint("takedown-overwritten")
    return removal.scrub(db)


def _write_tombstones(warcs: Path, members: Iterable[removal.Member]) -> None:
    for name, group in groupby(members, key=lambda member: member.file):
        path = locate(warcs, name)
        size = path.stat().st_size
        with path.open("r+b") as file:
            for member in group:
                if member.offset + member.length > size:
                    raise IntegrityError(f"{path} ends before byte {member.offset:,}; restore it from a backup")
                file.seek(member.offset)
                file.write(tombstone(name, member.offset, member.length, at=member.at, reason=member.reason))
                checkpoint("takedown-record")
            file.flush()
            os.fsync(file.fileno())
