"""`locum verify`: every byte of every record against the ledger, and the database against itself.

It reads one snapshot of the database and as much of each file as that snapshot acknowledges, so a crawl may go on
meanwhile. Memory does not grow with the archive.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from locum_spider.errors import ArchiveError, UsageError
from locum_spider.preservation.fixity import check_files
from locum_spider.preservation.takedown.check import _takedowns
from locum_spider.store import checks, ledger
from locum_spider.store.checks import Finding
from locum_spider.store.connection import connect_reading
from locum_spider.store.files import DATABASE, WARCS

Progress = Callable[[str, int, int], None]


_HEAD = re.compile(r"(\d+:)?[0-9a-f]{64}")
_DAMAGED = ("is no SQLite database", "cannot be read as an archive")


@dataclass(slots=True)
class Report:
    """What a verification found. `head` is the ledger's, `NUMBER:CHAIN`; `notes` tells what is odd, but no damage."""

    head: str = ""
    records: int = 0
    files: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def read_head(folder: Path) -> str:
    """Number of records and the chain after the last, `NUMBER:CHAIN`: what to leave with a notary.

    Raises ArchiveError where the folder is no archive.
    """
    with closing(connect_reading(folder)) as db:
        number, value = ledger.head(db)
    return f"{number}:{value}"


def verify(folder: Path, *, expect: str | None = None, on_progress: Progress | None = None) -> Report:
    """Check a whole archive. `expect` is a head that its ledger must once have had.

    `on_progress` is told what is being checked, how much is done and of how much. Raises ArchiveError where the
    folder is no archive and UsageError where `expect` is no head; damage is never raised, it is in the report.
    """
    if expect is not None and not _HEAD.fullmatch(expect.strip().lower()):
        raise UsageError(f"{expect!r} is no head of a ledger; it looks like what `locum verify --head` prints")
    present = sorted(path.name for path in (folder / WARCS).iterdir()) if (folder / WARCS).is_dir() else []
    report = Report()
    try:
        connection = connect_reading(folder)
    except ArchiveError as error:
        if not any(words in str(error) for words in _DAMAGED):
            raise
        report.findings.append(Finding("database", str(error)))
        return report
    with closing(connection) as db, ThreadPoolExecutor(2) as pool:
        db.row_factory = None
        db.execute("BEGIN")
        # SQLite's own checks need nothing of Python: they run beside the others, each on a snapshot of its own.
        beside = pool.submit(_pages, folder), pool.submit(_full_text, folder, report.notes)
        steps = _steps(db, folder, present, expect, report, on_progress or (lambda *_: None))
        for name, findings in chain(steps, (("pages", _result(job)) for job in beside)):
            try:
                report.findings += findings
            except sqlite3.DatabaseError as error:
                text = f"{DATABASE} cannot be read ({name}: {error}); restore it from a backup, or use `locum rebuild`"
                report.findings.append(Finding("database", text))
    return report


def _steps(
    db: sqlite3.Connection, folder: Path, present: list[str], expect: str | None, report: Report, progress: Progress
) -> Iterator[tuple[str, Iterator[Finding]]]:
    """Each check with its name; none has begun before it is asked for its findings."""
    yield "ledger", _counts(db, report)
    done = 0

    def hashed(count: int) -> None:
        nonlocal done
        done += count
        progress("WARC files", done, report.bytes)

    yield "WARC files", check_files(db, folder, present, report.notes, hashed)
    if expect is not None:
        yield "ledger", _expected(db, expect.strip().lower())
    yield "takedowns", checks.first_of(_takedowns(db, folder / WARCS, report.notes))
    for number, check in enumerate(checks.CHECKS):
        progress("database", number, len(checks.CHECKS) + 1)
        yield check.__name__, checks.first_of(check(db))
    progress("database", len(checks.CHECKS), len(checks.CHECKS) + 1)


def _counts(db: sqlite3.Connection, report: Report) -> Iterator[Finding]:
    report.records, value = ledger.head(db)
    report.head = f"{report.records}:{value}"
    report.files, report.bytes = db.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM warc_files").fetchone()
    yield from ()


def _expected(db: sqlite3.Connection, head: str) -> Iterator[Finding]:
    if not checks.holds_head(db, head):
        text = (
            f"the ledger never had the head {head}: records of that time were removed or changed, or it was written "
            "anew; compare the archive with a backup of that time"
        )
        yield Finding("head", text)


def _pages(folder: Path) -> list[Finding]:
    with closing(connect_reading(folder)) as db:
        return list(checks.first_of(checks.sqlite(db)))


def _full_text(folder: Path, notes: list[str]) -> list[Finding]:
    findings, skipped = checks.full_text(folder)
    notes += [skipped] if skipped is not None else []
    return findings


def _result(job: Future[list[Finding]]) -> Iterator[Finding]:
    yield from job.result()


# -- takedowns ---------------------------------------------------------------------------------------------------------
