"""`locum verify`: checks every byte of every record against the ledger, and the database against itself.

It reads one snapshot of the database, and as much of each file as the snapshot acknowledges, so a crawl may go on.
Memory does not grow with the archive.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from locum_spider.errors import DamagedArchiveError, UsageError
from locum_spider.preservation.fixity import check_files
from locum_spider.preservation.takedown.check import unaccounted
from locum_spider.store import checks, ledger
from locum_spider.store.checks import Finding
from locum_spider.store.connection import Connection, begin, connect_reading
from locum_spider.store.files import WARCS, set_aside

Progress = Callable[[str, int, int], None]
_HEAD = re.compile(r"(\d+:)?[0-9a-f]{64}")


@dataclass(slots=True)
class Report:
    """The result of a verification. `head` is the ledger's, `NUMBER:CHAIN`; `notes` say what is odd, but not damage."""

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
    """The number of records and the chain after the last, `NUMBER:CHAIN`: what to leave with a notary.

    Raises ArchiveError if the folder is not an archive.
    """
    with closing(connect_reading(folder)) as db:
        return ledger.written(*ledger.head(db))


def verify(folder: Path, *, expect: str | None = None, on_progress: Progress | None = None) -> Report:
    """Check a whole archive. `expect` is a head that its ledger must once have had.

    `on_progress` gets what is being checked, how much is done and how much there is. Raises ArchiveError if the folder
    is not an archive, UsageError if `expect` is not a head. Damage does not raise: it is in the report.
    """
    expect = expect.strip().lower() if expect is not None else None
    if expect is not None and not _HEAD.fullmatch(expect):
        raise UsageError(f"{expect!r} is not the head of a ledger; write what `locum verify --head` printed")
    present = sorted(path.name for path in (folder / WARCS).iterdir()) if (folder / WARCS).is_dir() else []
    try:
        connection = connect_reading(folder)
    except DamagedArchiveError as error:
        return Report(findings=[Finding("database", str(error))])
    report = Report()
    if (kept := set_aside(folder)) is not None:
        report.notes.append(kept)
    with closing(connection) as db, ThreadPoolExecutor(2) as pool:
        db.row_factory = None
        begin(db)
        # SQLite's own checks do not hold up Python: they run beside the others, each on its own snapshot.
        pages, full_text = pool.submit(checks.pages, folder), pool.submit(checks.full_text, folder)
        for name, findings in _steps(db, folder, present, expect, report, on_progress or (lambda *_: None)):
            report.findings += checks.readable(name, findings)
        report.findings += pages.result()
        findings, skipped = full_text.result()
        report.findings += findings
        report.notes += [skipped] if skipped is not None else []
    return report


def _steps(
    db: Connection, folder: Path, present: list[str], expect: str | None, report: Report, progress: Progress
) -> Iterator[tuple[str, Iterable[Finding]]]:
    """Each check with its name; a check starts only when its findings are read."""
    yield "ledger", _counts(db, report)
    done = 0

    def hashed(count: int) -> None:
        nonlocal done
        done += count
        progress("WARC files", done, report.bytes)

    yield "WARC files", check_files(db, folder, present, report.notes, hashed)
    if expect is not None:
        yield "ledger", checks.head(db, expect)
    yield "takedowns", checks.first_of(unaccounted(db, folder / WARCS, report.notes))
    for number, check in enumerate(checks.CHECKS):
        progress("database", number, len(checks.CHECKS) + 1)
        yield check.__name__, checks.first_of(check(db))
    progress("database", len(checks.CHECKS), len(checks.CHECKS) + 1)


def _counts(db: Connection, report: Report) -> Iterator[Finding]:
    report.records, chain = ledger.head(db)
    report.head = ledger.written(report.records, chain)
    report.files, report.bytes = ledger.count_files(db)
    yield from ()
