"""Rebuilds the database from the WARC files alone: the same records and the same rules give the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from locum_spider.errors import ArchiveError, IntegrityError, LocumError
from locum_spider.preservation.rebuild import compare as comparing
from locum_spider.preservation.rebuild.compare import Comparison
from locum_spider.preservation.rebuild.pool import readers
from locum_spider.recorder.recovery import complete_until, cut
from locum_spider.recorder.replay import Replayer
from locum_spider.recorder.takedowns import Takedowns, find_takedowns
from locum_spider.store import files, removals
from locum_spider.store.connection import Connection, connect_reading
from locum_spider.store.files import WARCS, writing_errors
from locum_spider.store.lock import writer_lock
from locum_spider.store.rebuild import complete, copy_schedules, counts, create, missing_records, readable
from locum_spider.system import cores
from locum_spider.warc.reader import OPEN, is_ours, warc_files

OnProgress = Callable[["Rebuilding"], None]


_WORTH_PROCESSES = 1_000_000
"""The bytes of WARC from which it pays to start processes."""


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """The progress of a rebuild: bytes of WARC read, bytes in all, and visits stored."""

    done: int
    total: int
    visits: int


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild made. `broken`: what it could not read. `kept_old`: the old database has more, so it stays."""

    records: int = 0
    captures: int = 0
    articles: int = 0
    crawls: int = 0
    broken: list[str] = field(default_factory=list)
    kept_old: bool = False

    @property
    def exit_code(self) -> int:
        return IntegrityError.exit_code if self.broken else 0


def rebuild(archive: Path, *, jobs: int | None = None, on_progress: OnProgress | None = None) -> Rebuilt:
    """Make the archive's database again from its WARC files, and replace the old one when the new one is complete.

    The old database may be missing, damaged, or older than the WARC files. If it can be read, it gives only its
    schedules. Raises as `require_warcs`.
    """
    require_warcs(archive)
    with writer_lock(archive), build(archive, jobs=jobs, on_progress=on_progress) as (rebuilt, old):
        for path, end in extents(archive / WARCS):
            _close_file(path, end)
        if old is not None:
            old.close()
        files.put_in_place(archive / files.NEW, keep_old=rebuilt.kept_old)
    return rebuilt


def compare(archive: Path, *, jobs: int | None = None, on_progress: OnProgress | None = None) -> Comparison:
    """What a rebuild by today's rules would change in the articles; replaces nothing.

    Raises ArchiveError if the old database cannot be read, and as `require_warcs`.
    """
    require_warcs(archive)
    connect_reading(archive).close()
    with writer_lock(archive), build(archive, jobs=jobs, on_progress=on_progress) as (rebuilt, old):
        if old is None:
            raise ArchiveError(f"{archive} has a damaged database; rebuild it with `locum rebuild`")
        comparison = comparing.compare(old, archive / files.NEW)
        comparison.broken = rebuilt.broken
    return comparison


def require_warcs(archive: Path) -> None:
    """Raises ArchiveError if there are no WARC files, IntegrityError if one is not of this program."""
    paths = warc_files(archive / WARCS)
    if not paths:
        raise ArchiveError(f"{archive / WARCS} has no WARC files to rebuild a database from")
    for path in paths:
        if not is_ours(path):
            raise IntegrityError(
                f"{path} is not a WARC file of this program; move it out of {WARCS}/ and run the command again; "
                "`locum import` takes WARC files of others"
            )


@contextmanager
def build(
    archive: Path, *, jobs: int | None = None, on_progress: OnProgress | None = None
) -> Iterator[tuple[Rebuilt, Connection | None]]:
    """Make a complete new database as archive.db.new, and yield it with the old one, if that can be read.

    Closes the old one and removes the new one in the end, unless it was put in place.
    """
    path = archive / files.NEW
    old = readable(archive)
    try:
        with writing_errors(path):
            yield _build(archive, path, old, jobs or cores(), on_progress), old
    except BrokenProcessPool:
        raise LocumError("a reading process ended unexpectedly; the archive is unchanged. Try --jobs 1") from None
    finally:
        if old is not None:
            old.close()
        files.remove(path)


def _build(archive: Path, path: Path, old: Connection | None, jobs: int, on_progress: OnProgress | None) -> Rebuilt:
    files = extents(archive / WARCS)
    total = sum(end for _, end in files)
    with readers(archive, jobs if total >= _WORTH_PROCESSES else 0) as read_ahead, closing(create(path)) as db:
        events = find_takedowns(files) if old is None or removals.has_takedowns(old) else []
        replayer = Replayer(db, archive, Takedowns(events), read_ahead, 2 * jobs + 2)
        for done, visits in replayer.run(files):
            if on_progress is not None:
                on_progress(Rebuilding(done, total, visits))
        rebuilt = Rebuilt(replayer.records, broken=replayer.broken)
        if old is not None:
            copy_schedules(old, db)
            rebuilt.broken += missing_records(old, db, replayer.places)
            rebuilt.kept_old = bool(rebuilt.broken)
        rebuilt.captures, rebuilt.articles, rebuilt.crawls = counts(db)
        complete(db, path)
    return rebuilt


def extents(folder: Path) -> list[tuple[Path, int]]:
    """The WARC files in order, each with the end of its last complete visit: a kill may have cut an open file."""
    return [(path, complete_until(path) if path.suffix == OPEN else path.stat().st_size) for path in warc_files(folder)]


def _close_file(path: Path, end: int) -> None:
    """Cut an open file at the byte up to which it counts, and give it its final name."""
    if path.suffix == OPEN and end == 0:
        path.unlink()
    elif path.suffix == OPEN:
        cut(path, end)
        path.rename(path.with_name(path.name.removesuffix(OPEN)))
