"""`locum backup`: a copy of an archive that is an archive itself, made while a crawl goes on.

First the database, at one moment; then of the WARC files exactly the bytes that this copy of it acknowledges; last the
copied database takes its name. Whatever was being copied when a backup was killed has a name of its own until it is
whole, so the folder holds the earlier backup or the new one at any time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import ArchiveError, IntegrityError
from locum_spider.preservation.verify import Report, verify
from locum_spider.store import ledger
from locum_spider.store.connection import connect_reading
from locum_spider.store.files import DATABASE, SITES, WARCS, disk_error
from locum_spider.store.lock import LOCK, writer_lock
from locum_spider.warc.reader import OPEN, locate

Progress = Callable[[str, int, int], None]


PART = ".part"
_CHUNK = 1 << 22


@dataclass(slots=True)
class Copied:
    """What a backup did: WARC files copied, grown and left as they were, bytes written, and the check of the copy."""

    new: int = 0
    grown: int = 0
    kept: int = 0
    bytes: int = 0
    report: Report = field(default_factory=Report, repr=False)


@dataclass(frozen=True, slots=True)
class _File:
    """A WARC file as the database knows it. `changed`: a takedown has emptied records of it since the last backup."""

    name: str
    bytes: int
    closed: bool
    changed: bool

    @property
    def final(self) -> str:
        return self.name if self.closed else self.name + OPEN


def back_up(folder: Path, dest: Path, *, on_progress: Progress | None = None) -> Copied:
    """Copy an archive to a folder, or bring an earlier copy there up to date, and verify the copy.

    Raises ArchiveError where `dest` lies in the archive or holds something else, NoSpaceError where it is full,
    IntegrityError where a WARC file of the archive is shorter than acknowledged. Damage of the copy is in the report.
    """
    progress = on_progress or (lambda *_: None)
    connect_reading(folder).close()
    _require_apart(folder, dest)
    try:
        dest.mkdir(parents=True, exist_ok=True)
        _require_ours(folder, dest)
        with writer_lock(dest):
            copied = _copy(folder, dest, progress)
            copied.report = verify(dest, on_progress=progress)
            damaged = {finding.file for finding in copied.report.findings if finding.file}
            if damaged:  # by the medium since, or by a takedown under way: once more, these files from the start
                again = _copy(folder, dest, progress, damaged)
                copied.bytes += again.bytes
                copied.report = verify(dest, on_progress=progress)
    except (OSError, sqlite3.Error) as error:
        known = disk_error(error, dest)
        raise known or ArchiveError(f"{dest} cannot be written: {error}") from None
    return copied


# -- what may be written to --------------------------------------------------------------------------------------------


def _require_apart(folder: Path, dest: Path) -> None:
    here, there = folder.resolve(), dest.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise ArchiveError(f"{dest} and the archive {folder} lie in one another; name a folder apart from it")
    if there.exists() and not there.is_dir():
        raise ArchiveError(f"{dest} is a file; name a folder for the copy")


def _require_ours(folder: Path, dest: Path) -> None:
    """An empty folder, a backup of this archive, or one that was cut short."""
    if not (dest / DATABASE).exists():
        foreign = sorted({path.name for path in dest.iterdir()} - {LOCK})
        if foreign and DATABASE + PART not in foreign:
            raise ArchiveError(f"{dest} holds {foreign[0]} and is no backup of {folder}; name an empty folder")
        return
    with closing(connect_reading(folder)) as ours, closing(connect_reading(dest)) as theirs:
        number, chain = ledger.head(theirs)
        if not number and not ledger.head(ours)[0]:
            return
        row = ours.execute("SELECT chain FROM records WHERE seq = ?", (number,)).fetchone()
    if row is None or row[0] != chain:
        raise ArchiveError(
            f"{dest} is another archive, or holds records that {folder} does not have; name an empty folder"
        )


# -- copying -----------------------------------------------------------------------------------------------------------


def _copy(folder: Path, dest: Path, progress: Progress, damaged: set[str] | frozenset[str] = frozenset()) -> Copied:
    copied = Copied()
    progress("database", 0, 0)
    part = dest / (DATABASE + PART)
    _copy_database(folder, part)
    checkpoint("backup-database")
    with closing(sqlite3.connect(f"{part.resolve().as_uri()}?immutable=1", uri=True)) as db:
        files = _files(db, _tombstones(dest))
    (dest / WARCS).mkdir(exist_ok=True)
    for leftover in (dest / WARCS).glob(f"*{PART}"):
        leftover.unlink()
    acknowledged = _acknowledged(dest)
    done, total = 0, sum(file.bytes for file in files)
    for file in files:
        progress("WARC files", done, total)
        fresh = file.changed or file.name in damaged
        _copy_warc(folder / WARCS, dest / WARCS, file, None if fresh else acknowledged.get(file.name), copied)
        checkpoint("backup-warc")
        done += file.bytes
    _sync(dest / WARCS)
    _copy_sites(folder / SITES, dest / SITES)
    checkpoint("backup-complete")
    _put_in_place(dest, part)
    return copied


def _copy_database(folder: Path, part: Path) -> None:
    """All of it in one step: a crawl can write meanwhile, and step by step would begin anew with each of its writes."""
    _remove(part)
    with closing(connect_reading(folder)) as source, closing(sqlite3.connect(part)) as target:
        source.backup(target)
        # One file, nothing beside it, until it is the database; the first to write to the copy turns it back to WAL.
        target.execute("PRAGMA journal_mode = DELETE")
    _sync(part)


def _files(db: sqlite3.Connection, known: dict[int, str]) -> list[_File]:
    """The files of a copied database; `known` are the removals that the earlier backup has."""
    rows = db.execute("SELECT seq, warc_file, removed FROM records WHERE removed IS NOT NULL")
    changed = {file for seq, file, removed in rows if known.get(seq) != removed}
    query = "SELECT name, bytes, closed FROM warc_files ORDER BY name"
    return [_File(name, size, bool(closed), name in changed) for name, size, closed in db.execute(query)]


def _tombstones(dest: Path) -> dict[int, str]:
    if not (dest / DATABASE).exists():
        return {}
    with closing(connect_reading(dest)) as db:
        return dict(db.execute("SELECT seq, removed FROM records WHERE removed IS NOT NULL").fetchall())


def _acknowledged(dest: Path) -> dict[str, int]:
    """How much of each WARC file the earlier backup vouches for."""
    if not (dest / DATABASE).exists():
        return {}
    with closing(connect_reading(dest)) as db:
        return dict(db.execute("SELECT name, bytes FROM warc_files").fetchall())


def _copy_warc(source: Path, dest: Path, file: _File, vouched: int | None, copied: Copied) -> None:
    """Bring one file of the copy to what the copied database says; `vouched` is how much of it need not be copied."""
    final = dest / file.final
    present = next((path for path in (dest / file.name, dest / (file.name + OPEN)) if path.is_file()), None)
    if present is not None and vouched is not None and vouched <= min(present.stat().st_size, file.bytes):
        if present.stat().st_size == vouched == file.bytes:
            copied.kept += 1
        else:
            copied.grown += 1
            with present.open("r+b") as target:
                target.truncate(vouched)
                copied.bytes += _append(source, file, vouched, target)
        if present != final:
            present.rename(final)
        return
    part = dest / (file.name + PART)
    try:
        with part.open("wb") as target:
            copied.bytes += _append(source, file, 0, target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    part.rename(final)
    copied.new += 1
    if present is not None and present != final:
        present.unlink()


def _append(source: Path, file: _File, start: int, target: BinaryIO) -> int:
    """Copy a file's bytes from `start` to the last acknowledged one to the end of `target`, down to the disk."""
    left = file.bytes - start
    target.seek(start)
    with _open(source, file.name) as stream:
        stream.seek(start)
        while left:
            block = stream.read(min(left, _CHUNK))
            if not block:
                where = f"{source / file.name} ends {left:,} bytes before its acknowledged end"
                raise IntegrityError(f"{where}; run `locum verify` and mend the archive")
            target.write(block)
            checkpoint("backup-torn")
            left -= len(block)
    target.flush()
    os.fsync(target.fileno())
    return file.bytes - start


def _open(folder: Path, name: str) -> BinaryIO:
    try:
        return locate(folder, name).open("rb")
    except FileNotFoundError:  # the crawl has just closed it under its final name
        return locate(folder, name).open("rb")


def _copy_sites(source: Path, dest: Path) -> None:
    """The declarations. One that was deleted since stays in the copy: it may be what is needed one day."""
    dest.mkdir(exist_ok=True)
    for path in sorted(source.glob("*.toml")):
        data, target = path.read_bytes(), dest / path.name
        if not target.exists() or target.read_bytes() != data:
            part = dest / (path.name + PART)
            part.write_bytes(data)
            _sync(part)
            part.rename(target)
    _sync(dest)


def _put_in_place(dest: Path, part: Path) -> None:
    """The new database takes the old one's name, and nothing of the old one's log is left to be read into it."""
    database = dest / DATABASE
    if database.exists():
        with closing(sqlite3.connect(database)) as db:
            db.execute("PRAGMA journal_mode = DELETE")
    for suffix in ("-wal", "-shm"):
        (dest / (DATABASE + suffix)).unlink(missing_ok=True)
    checkpoint("backup-log-removed")
    part.rename(database)
    _sync(dest)


def _remove(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Bring a file's bytes or a folder's names to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
