"""Repairs what a killed process left, when an archive is opened for writing, and refuses what does not belong together.

The WARC files are the archive. What they hold beyond the byte that the database acknowledges, a killed process wrote
and could not commit: whole records of it are taken into the database, as a rebuild would, and only a torn one is cut
off. If more is there than one killed process can leave, the database is older than the files or not theirs: then
nothing is touched.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import IntegrityError
from locum_spider.items import EventKind
from locum_spider.recorder.replay import Replayer
from locum_spider.recorder.takedowns import Takedowns
from locum_spider.recorder.visits import Steps
from locum_spider.store import captures, ledger, removals, takedowns
from locum_spider.store.captures import WarcPosition
from locum_spider.store.connection import Connection, begin_writing, commit, roll_back
from locum_spider.store.files import DATABASE, WARCS
from locum_spider.system import sync
from locum_spider.warc.reader import (
    EVENT,
    HEAD,
    OPEN,
    TOMBSTONE,
    Broken,
    Record,
    digest_at,
    is_ours,
    locate,
    read_records,
    warc_files,
)  # fmt: skip
from locum_spider.warc.tombstones import tombstone_digest, write_tombstones

UNFINISHED = ".unfinished"
"""Follows the name of a file with whole records that a kill cut off from the rest of their visit."""

_REBUILD = f"run `locum rebuild`: it makes {DATABASE} again from the WARC files"


def recover(archive: Path, db: Connection) -> None:
    """Take in what a killed process wrote beyond the acknowledged bytes, and close its file.

    Raises IntegrityError, before it changes anything, if database and WARC files do not belong together.
    """
    warcs = archive / WARCS
    positions = captures.warc_positions(db)
    require_pair(warcs, db, positions)
    tails = [_tail(path, positions.get(_name(path))) for path in warc_files(warcs)]
    for tail in tails:
        if tail is not None:
            _take_in(archive, db, tail)
    # After a power cut, a file that is closed in the database may have its old name again, or the other way round.
    for path in sorted(warcs.glob(f"*{OPEN}")):
        path.rename(path.with_name(_name(path)))
        checkpoint("recover-renamed")
    for name, position in captures.warc_positions(db).items():
        if not position.closed:
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


# -- do they belong together? ------------------------------------------------------------------------------------------


def require_pair(warcs: Path, db: Connection, positions: dict[str, WarcPosition]) -> None:
    """Raises IntegrityError if the WARC files lack what the database acknowledges, or hold what came after it."""
    paths = {_name(path): path for path in warc_files(warcs)}
    if missing := sorted(positions.keys() - paths.keys()):
        what = f"and {len(missing) - 1} more are missing; restore them" if missing[1:] else "is missing; restore it"
        raise IntegrityError(f"{warcs / missing[0]} {what} from a backup, then run the command again")
    for name, position in positions.items():
        path, size = paths[name], paths[name].stat().st_size
        if size < position.bytes:
            raise IntegrityError(
                f"{path} has {size:,} bytes, fewer than the {position.bytes:,} acknowledged; restore it from a backup"
            )
        if position.closed and size > position.bytes:
            raise _older(f"{path} has {size - position.bytes:,} bytes more than it knows")
    unknown = [path for name, path in sorted(paths.items()) if name not in positions]
    for path in unknown:
        if path.suffix != OPEN and is_ours(path):
            raise _older(f"{path} is not in it")
    _require_last(warcs, db)
    started = [path for path in unknown if path.suffix == OPEN]
    if len(started) > 1 or any(not _follows(path, db) for path in started):
        raise _older(f"{started[-1]} is not in it")


def _older(fault: str) -> IntegrityError:
    return IntegrityError(f"{DATABASE} is older than the WARC files, or belongs to others: {fault}; {_REBUILD}")


def _require_last(warcs: Path, db: Connection) -> None:
    """Raises IntegrityError if the last record is not the one of the ledger."""
    entry = ledger.last(db)
    if entry is None:
        return
    if digest_at(warcs, entry) not in {entry.digest, tombstone_digest(entry.removed)}:
        raise IntegrityError(
            f"{warcs / entry.file}: the record at byte {entry.offset:,} is not the last one that {DATABASE} knows; run "
            "`locum verify`, which says what is damaged, or `locum rebuild` if the database belongs to other files"
        )


def _follows(path: Path, db: Connection) -> bool:
    """Whether a file was begun when the ledger was as it is now."""
    first = next(read_records(path), None)
    return not isinstance(first, Record) or first.headers.get(HEAD) in {None, ledger.written(*ledger.head(db))}


# -- taking in what a kill left ----------------------------------------------------------------------------------------


def complete_until(path: Path, start: int = 0) -> int:
    """The end of the last complete visit or event of a file that a kill may have cut, from byte `start` on."""
    steps, end = Steps(), start
    for record in read_records(path, start=start):
        if isinstance(record, Record):
            list(steps.take(record))
            end = end if steps.unsettled else record.end
    return end


def cut(path: Path, end: int) -> None:
    """Cut a file at a byte. Whole records beyond it, of a visit that is not complete, go into a file of their own."""
    size = path.stat().st_size
    whole = max((record.end for record in read_records(path, start=end) if isinstance(record, Record)), default=end)
    if whole > end:
        aside = path.with_name(_name(path) + UNFINISHED)
        with path.open("rb") as source, aside.open("wb") as target:
            source.seek(end)
            target.write(source.read(whole - end))
            target.flush()
            sync(target.fileno())
    if size > end:
        with path.open("r+b") as file:
            file.truncate(end)
            sync(file.fileno())


@dataclass(frozen=True, slots=True)
class _Tail:
    """What a file has beyond the acknowledged bytes: complete visits and events from byte `start` to byte `end`."""

    path: Path
    start: int
    end: int


def _tail(path: Path, position: WarcPosition | None) -> _Tail | None:
    """What a file has that the database does not know; None if it cannot have anything.

    Raises IntegrityError if a damaged place lies between whole records, or if a takedown must be finished first.
    """
    if path.suffix != OPEN if position is None else position.closed:
        return None
    start = position.bytes if position is not None else 0
    end = complete_until(path, start)
    for record in read_records(path, end, start):
        if isinstance(record, Broken):
            raise IntegrityError(f"{path}, byte {record.offset:,}: {record.fault}; {_REBUILD}")
        if _is_void(path.parent, record):
            return _Tail(path, start, record.entry.offset)
    return _Tail(path, start, end)


def _is_void(warcs: Path, record: Record) -> bool:
    """Whether a record is the event of a takedown that never began: rows and records are as they were.

    Raises IntegrityError if it did begin.
    """
    if record.headers.get("Content-Type") != EVENT:
        return False
    event = json.loads(record.block)
    if event.get("event") != EventKind.TAKEDOWN:
        return False
    for place in event["records"]:
        first = next(read_records(locate(warcs, place["file"]), start=place["member"][0]), None)
        if isinstance(first, Record) and first.headers.get("Content-Type") == TOMBSTONE:
            raise _older("a takedown is not in it")
    return True


def _take_in(archive: Path, db: Connection, tail: _Tail) -> None:
    cut(tail.path, tail.end)
    checkpoint("recover-cut")
    if tail.end == 0:
        tail.path.unlink()  # not one whole record
        return
    begin_writing(db)
    try:
        Replayer(db, archive, Takedowns(()), None, 0).catch_up(tail.path, tail.start, tail.end)
        commit(db)
    except BaseException:
        roll_back(db)
        raise


def _name(path: Path) -> str:
    return path.name.removesuffix(OPEN)
