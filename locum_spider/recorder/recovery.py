"""Repairs what a killed process left, when an archive is opened for writing."""

from __future__ import annotations

from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import IntegrityError
from locum_spider.store import captures, removals, takedowns
from locum_spider.store.connection import Connection
from locum_spider.system import sync
from locum_spider.warc.reader import OPEN
from locum_spider.warc.tombstones import write_tombstones


def recover(warcs: Path, db: Connection) -> None:
    """Cut an open WARC file behind its last acknowledged byte, and close it.

    Raises IntegrityError if a file is missing or shorter than acknowledged.
    """
    acknowledged = captures.warc_positions(db)
    for path in sorted(warcs.glob(f"*{OPEN}")):
        name = path.name.removesuffix(OPEN)
        # After a power cut, a file that is closed in the database may have its old name again.
        if name not in acknowledged:
            path.unlink()  # nothing in it was ever acknowledged
            continue
        _cut(path, acknowledged[name].bytes)
        checkpoint("recover-cut")
        path.rename(warcs / name)
        checkpoint("recover-renamed")
    for name, position in acknowledged.items():
        if not position.closed:
            _cut(warcs / name, position.bytes)
            captures.save_warc_position(db, name, position.bytes, closed=True)
            checkpoint("recovered")


def finish_takedowns(warcs: Path, db: Connection) -> bool:
    """Finish every takedown in the database; may be repeated at any time.

    Returns False if another program still reads old pages of the database. Raises IntegrityError if a WARC file is
    missing or too short.
    """
    if not removals.is_unfinished(db):
        return True
    write_tombstones(warcs, takedowns.unfinished(db))
    checkpoint("takedown-overwritten")
    return takedowns.scrub(db)


def _cut(path: Path, position: int) -> None:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise IntegrityError(f"{path} is missing; restore it from a backup, then run the command again") from None
    if size < position:
        raise IntegrityError(
            f"{path} has {size:,} bytes, fewer than the {position:,} acknowledged; restore it from a backup"
        )
    if size > position:
        with path.open("r+b") as file:
            file.truncate(position)
            sync(file.fileno())
