"""`locum backup`: a copy of an archive that is an archive itself, made while a crawl may go on.

First copy the database, as it is at one moment; then the bytes of the WARC files that this copy acknowledges; last give
the copied database its name. A file has a temporary name until it is complete, so the folder always holds the earlier
backup or the new one, even after a kill.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import ArchiveError, IntegrityError
from locum_spider.preservation.verify import Progress, Report, verify
from locum_spider.store import ledger
from locum_spider.store.backup import CopiedFile, copy_database, files_to_copy
from locum_spider.store.connection import connect_reading
from locum_spider.store.files import DATABASE, SITES, WARCS, put_in_place, writing_errors
from locum_spider.store.lock import LOCK, writer_lock
from locum_spider.system import sync
from locum_spider.warc.reader import OPEN, open_warc

PART = ".part"
_CHUNK = 1 << 22


@dataclass(slots=True)
class Copied:
    """What a backup did: WARC files copied, extended and kept as they were, bytes written, the check of the copy."""

    new: int = 0
    grown: int = 0
    kept: int = 0
    bytes: int = 0
    report: Report = field(default_factory=Report, repr=False)


def back_up(folder: Path, dest: Path, *, on_progress: Progress | None = None) -> Copied:
    """Copy an archive to a folder, or bring an earlier copy there up to date, and verify the copy.

    Raises ArchiveError if `dest` overlaps the archive or holds something else, NoSpaceError if its disk is full,
    IntegrityError if a WARC file of the archive is shorter than acknowledged. Damage of the copy is in the report.
    """
    progress = on_progress or (lambda *_: None)
    connect_reading(folder).close()
    _require_apart(folder, dest)
    with writing_errors(dest):
        dest.mkdir(parents=True, exist_ok=True)
        _require_ours(folder, dest)
        with writer_lock(dest):
            copied = _copy(folder, dest, progress)
            copied.report = verify(dest, on_progress=progress)
            damaged = {finding.file for finding in copied.report.findings if finding.file}
            if damaged:  # by the medium, or changed by a running takedown: copy these files again from the start
                again = _copy(folder, dest, progress, damaged)
                copied.bytes += again.bytes
                copied.report = verify(dest, on_progress=progress)
    return copied


# -- what may be written to --------------------------------------------------------------------------------------------


def _require_apart(folder: Path, dest: Path) -> None:
    here, there = folder.resolve(), dest.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise ArchiveError(f"{dest} overlaps the archive {folder}; name a folder outside it")
    if there.exists() and not there.is_dir():
        raise ArchiveError(f"{dest} is a file; name a folder for the copy")


def _require_ours(folder: Path, dest: Path) -> None:
    """Raises ArchiveError if the folder is not empty, a backup of this archive, or one that was cut short."""
    if not (dest / DATABASE).exists():
        foreign = sorted({path.name for path in dest.iterdir()} - {LOCK})
        if foreign and DATABASE + PART not in foreign:
            raise ArchiveError(f"{dest} holds {foreign[0]} and is not a backup of {folder}; name an empty folder")
        return
    with closing(connect_reading(folder)) as ours, closing(connect_reading(dest)) as theirs:
        number, chain = ledger.head(theirs)
        is_earlier = ledger.had_head(ours, number, chain) if number else not ledger.head(ours)[0]
    if not is_earlier:
        raise ArchiveError(
            f"{dest} is another archive, or has records that {folder} does not have; name an empty folder"
        )


# -- copying -----------------------------------------------------------------------------------------------------------


def _copy(folder: Path, dest: Path, progress: Progress, damaged: set[str] | frozenset[str] = frozenset()) -> Copied:
    copied = Copied()
    progress("database", 0, 0)
    part = dest / (DATABASE + PART)
    copy_database(folder, part)
    checkpoint("backup-database")
    files = files_to_copy(part, dest)
    (dest / WARCS).mkdir(exist_ok=True)
    for leftover in (dest / WARCS).glob(f"*{PART}"):
        leftover.unlink()
    done, total = 0, sum(file.bytes for file in files)
    for file in files:
        progress("WARC files", done, total)
        already_copied = None if file.name in damaged else file.already_copied
        _copy_warc(folder / WARCS, dest / WARCS, file, already_copied, copied)
        checkpoint("backup-warc")
        done += file.bytes
    sync(dest / WARCS)
    _copy_sites(folder / SITES, dest / SITES)
    checkpoint("backup-complete")
    put_in_place(part)
    return copied


def _copy_warc(source: Path, dest: Path, file: CopiedFile, already_copied: int | None, copied: Copied) -> None:
    """Bring one file of the copy up to date; its first `already_copied` bytes need not be copied again."""
    final = dest / (file.name if file.closed else file.name + OPEN)
    present = next((path for path in (dest / file.name, dest / (file.name + OPEN)) if path.is_file()), None)
    if present is not None and already_copied is not None and already_copied <= min(present.stat().st_size, file.bytes):
        if present.stat().st_size == already_copied == file.bytes:
            copied.kept += 1
        else:
            copied.grown += 1
            with present.open("r+b") as target:
                target.truncate(already_copied)
                copied.bytes += _append(source, file, already_copied, target)
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


def _append(source: Path, file: CopiedFile, start: int, target: BinaryIO) -> int:
    """Append the acknowledged bytes of a file from `start` on to `target` and sync it; returns their number."""
    left = file.bytes - start
    target.seek(start)
    with open_warc(source, file.name) as stream:
        stream.seek(start)
        while left:
            block = stream.read(min(left, _CHUNK))
            if not block:
                fault = f"{source / file.name} ends {left:,} bytes too early"
                raise IntegrityError(f"{fault}; run `locum verify` and repair the archive")
            target.write(block)
            checkpoint("backup-torn")
            left -= len(block)
    target.flush()
    sync(target.fileno())
    return file.bytes - start


def _copy_sites(source: Path, dest: Path) -> None:
    """Copy the declarations. One that was deleted since stays in the copy: it may be needed one day."""
    dest.mkdir(exist_ok=True)
    for path in sorted(source.glob("*.toml")):
        data, target = path.read_bytes(), dest / path.name
        if not target.exists() or target.read_bytes() != data:
            part = dest / (path.name + PART)
            part.write_bytes(data)
            sync(part)
            part.rename(target)
    sync(dest)
