"""What several folders of tests use."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from dump import dump_archive
from warcio.archiveiterator import ArchiveIterator
from warcio.recordloader import ArcWarcRecord

from locum_spider.cli import locum

PROJECT = Path(__file__).parents[2]
LONGEST = 300
"""Seconds that anything may take: only so that what hangs ends, however busy the machine is."""


def no_file_beyond(size: int) -> Callable[[], None]:
    """For `preexec_fn`: files of the process grow to that many bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def python(
    *arguments: object, also: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run this Python to its end in a session of its own, so that a kill takes all of it; nothing is raised.

    `also` goes into its environment; options are those of `subprocess.run`.
    """
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env={**os.environ, **(also or {})}, capture_output=True, text=True,
        timeout=LONGEST, start_new_session=True, check=False, **options,
    )  # fmt: skip


def run_locum(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, as `python` does."""
    return python("-m", "locum_spider", *arguments, **options)


def invoke(*arguments: object, answer: str | None = None) -> Result:
    """Run one command in this process, for the many; `answer` is what it finds on standard input."""
    return CliRunner().invoke(locum, [str(argument) for argument in arguments], input=answer)


def flipped(data: bytes, place: int, bits: int = 1) -> bytes:
    """The data with some bits of one byte the other way."""
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


def warcs(archive: Path) -> list[Path]:
    """The archive's WARC files, in their order."""
    return sorted((archive / "warc").iterdir())


def records(archive: Path) -> Iterator[tuple[Path, int, int, ArcWarcRecord, bytes]]:
    """File, offset, length, record and body as it came of every record, as warcio reads and checks it."""
    for path in warcs(archive):
        with path.open("rb") as file:
            iterator = ArchiveIterator(file, check_digests="raise")
            for record in iterator:
                content = record.raw_stream.read()
                iterator.read_to_end(record)
                yield path, iterator.get_record_offset(), iterator.get_record_length(), record, content


def rows(archive: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What the archive's database answers."""
    with closing(sqlite3.connect(archive / "archive.db")) as db:
        return db.execute(sql, values).fetchall()


def require_same_rebuilt(archive: Path, look: Callable[[Path], Any] = dump_archive) -> None:
    """Rebuild the database: no record is broken, and what one sees of the archive is as before."""
    before = look(archive)
    assert invoke("rebuild", "--jobs", "1", "--archive", archive).exit_code == 0
    assert look(archive) == before


def change(archive: Path, sql: str, *values: object) -> None:
    """Change rows behind the archive's back."""
    with closing(sqlite3.connect(archive / "archive.db")) as db, db:
        db.execute(sql, values)
