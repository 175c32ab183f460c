"""`locum takedown`: removes an article from an archive that can still prove that nothing else was removed.

The article's rows are deleted. Tombstones of the same length replace its records in the WARC files, so that every other
record stays where it is. The ledger keeps its chain: a row's digest stays, `removed` says what lies there now, and the
ledger also has the event record that names all of this. A kill at any moment is safe: the event and the rows are one
transaction, and the database knows what is left to do. The next program that opens the archive for writing does it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from locum_spider.archive import Archive
from locum_spider.clock import utc_now
from locum_spider.errors import ArchiveError, IntegrityError, UsageError
from locum_spider.items import EventKind, LedgerEntry
from locum_spider.preservation.takedown.leftovers import leftovers
from locum_spider.preservation.takedown.mentions import MentionFinder
from locum_spider.preservation.verify import Progress
from locum_spider.recorder.recovery import finish_takedowns
from locum_spider.recorder.writer import ArchiveWriter, open_archive
from locum_spider.sites import find_site
from locum_spider.store import ledger, removals, takedowns
from locum_spider.store.connection import connect_reading
from locum_spider.store.files import writing_errors
from locum_spider.urls import normalise_url
from locum_spider.warc.reader import open_warc
from locum_spider.warc.tombstones import read_json_member, shortest, tombstone


@dataclass(slots=True)
class Takedown:
    """What a takedown of an article would remove, and how to carry it out.

    `others` are articles whose captures have the same body. `listings` and `pages` are captures of other pages that
    name the article, and `events` are other records that do. `uncertain` has the addresses of pages with a name that is
    too short to be sure. `unread` is the number of damaged records. `left`, after the takedown, has other files in the
    folder that still name the article, such as an older database.
    """

    archive: ArchiveWriter = field(repr=False)
    key: Callable[[str], str] = field(repr=False)
    finder: MentionFinder = field(repr=False)
    subject: takedowns.Subject
    records: list[LedgerEntry]
    others: list[tuple[int, str]] = field(default_factory=list)
    listings: set[int] = field(default_factory=set)
    pages: set[int] = field(default_factory=set)
    events: list[LedgerEntry] = field(default_factory=list)
    uncertain: set[str] = field(default_factory=set)
    unread: int = 0
    left: list[Path] = field(default_factory=list)

    def carry_out(self, reason: str, *, everywhere: bool = False) -> int:
        """Remove the article; returns the number of removed records. `everywhere`: also those that name it.

        Raises IntegrityError, before it changes anything, if a record is not what the ledger says. Raises ArchiveError
        if another program still reads old pages of the database: everything else is done then.
        """
        archive, at = self.archive, utc_now()
        named = self.listings | self.pages if everywhere else set()
        records = [*self.records, *takedowns.records_of(archive.db, named), *(self.events if everywhere else ())]
        members = group(records)
        keys = [*takedowns.barred(self.subject), *takedowns.payloads(archive.db, named)]
        removed = _with_tombstones(archive.warcs, members, at, reason)
        event: dict[str, object] = {
            "event": EventKind.TAKEDOWN, "at": at, "reason": reason, "article": self.subject.id,
            "keys": keys,
            "records": [self._entry(record, facts, at) for record, facts in removed],
        }  # fmt: skip
        with archive.transaction() as db:
            archive.write_event(event, at)
            takedowns.take_down(db, self.subject, self.key, keys, reason=reason, at=at)
            takedowns.empty_captures(db, named)
            if everywhere:
                takedowns.clean_others(db, self.subject, self.finder.clean)
            removals.mark_removed(db, ((record.seq, facts) for record, facts in removed))
        _require_finished(archive)
        self.left = leftovers(archive.folder, self.finder, ledger.file_names(archive.db))
        return len(removed)

    def _entry(self, record: LedgerEntry, facts: dict[str, object], at: str) -> dict[str, object]:
        """What the event says about a record: enough to rebuild its rows from the WARC files alone."""
        entry: dict[str, object] = {
            "file": record.file, "offset": record.offset, "length": record.length, "type": record.type,
            "digest": record.digest, "tombstone": facts["digest"], "member": facts["member"],
        }  # fmt: skip
        if record.capture_id is not None:
            capture = takedowns.describe(self.archive.db, record.capture_id)
            if record.capture_id in self.subject.captures:
                capture |= {"url": "", "fetched_at": at, "status": 0}
            entry["capture"] = capture
        return entry


@contextmanager
def prepare(folder: Path, article: str, *, on_progress: Progress | None = None) -> Iterator[Takedown]:
    """Hold the archive for writing and find out what a takedown of an article, by id or address, would remove.

    Finishes a takedown that was cut short first. Raises NoSuchArticleError if there is no such article, ArchiveError
    if the folder is not an archive or is being written, NoSpaceError if the disk is full: the database and its index
    are rewritten.
    """
    with _open(folder) as archive:
        yield _plan(archive, article, on_progress or (lambda *_: None))


def finish_earlier(folder: Path) -> bool:
    """Finish a takedown that was cut short; False if there is none. Raises the errors of `prepare`."""
    with closing(connect_reading(folder)) as db:
        if not removals.is_unfinished(db):
            return False
    with _open(folder):
        return True


@contextmanager
def _open(folder: Path) -> Iterator[ArchiveWriter]:
    """Open the archive for writing, which finishes an earlier takedown."""
    connect_reading(folder).close()
    with writing_errors(folder), open_archive(folder, durable=True) as archive:
        _require_finished(archive)
        yield archive


def _require_finished(archive: ArchiveWriter) -> None:
    if not finish_takedowns(archive.warcs, archive.db):
        raise ArchiveError(
            f"{archive.folder}: the article is removed, but another program still reads old pages of the database; "
            "close it (`locum serve`, a shell), then run any `locum takedown` or `locum crawl` to finish"
        )


def _plan(archive: ArchiveWriter, article: str, progress: Progress) -> Takedown:
    with Archive(archive.folder) as reading:
        stored = reading.require(article)
    key = _key_of(archive.folder, stored.site)
    subject = takedowns.subject(archive.db, stored.id, key)
    finder = MentionFinder(key, subject.keys, subject.titles)
    takedown = Takedown(archive, key, finder, subject, takedowns.records_of(archive.db, subject.captures))
    takedown.others = takedowns.same_pages(archive.db, subject)
    takedown.records += _failures(archive, subject, key)
    _find_mentions(archive, takedown, progress)
    return takedown


def _key_of(folder: Path, site: str) -> Callable[[str], str]:
    try:
        return find_site(site, folder).key
    except UsageError:  # the declaration was deleted
        return _normalised


def _normalised(url: str) -> str:
    try:
        return normalise_url(url)
    except ValueError:
        return url


def _failures(archive: ArchiveWriter, subject: takedowns.Subject, key: Callable[[str], str]) -> Iterator[LedgerEntry]:
    """Event records that say that the article could not be fetched."""
    for record in takedowns.remaining(archive.db, "metadata"):
        try:
            event = read_json_member(_bytes(archive.warcs, record))
        except (IntegrityError, ValueError):  # damaged, or not an event of ours: `_find_mentions` counts it
            continue
        url = event.get("url")
        if event.get("event") == EventKind.VISIT_FAILED and isinstance(url, str) and {url, key(url)} & subject.keys:
            yield record


def _find_mentions(archive: ArchiveWriter, takedown: Takedown, progress: Progress) -> None:
    """Look through every other record. A request belongs to its response: it names the same page."""
    finder, db, own = takedown.finder, archive.db, {record.seq for record in takedown.records}
    total, _ = ledger.head(db)
    capture = None
    for record in takedowns.remaining(db):
        progress("other records", record.seq, total)
        capture = record.capture_id if record.type != "request" else capture
        if record.seq in own or record.type == "warcinfo":
            continue
        try:
            content = zlib.decompress(_bytes(archive.warcs, record), 31)
        except IntegrityError:
            takedown.unread += 1
            continue
        if not finder.names(content, _target(content)):
            if finder.may_name(content):
                takedown.uncertain.add(_target(content))
            continue
        if capture is None:
            takedown.events.append(record)
        elif takedowns.is_listing(db, capture):
            takedown.listings.add(capture)
        else:
            takedown.pages.add(capture)


def _target(content: bytes) -> str:
    """The target address of a record; empty if it has none."""
    return content.partition(b"\r\nWARC-Target-URI: ")[2].partition(b"\r\n")[0].decode("utf-8", "replace")


def group(records: Iterable[LedgerEntry]) -> list[list[LedgerEntry]]:
    """The records of each tombstone: usually one, but a record that is too short shares with the one before it."""
    groups: list[list[LedgerEntry]] = []
    for record in sorted(set(records), key=lambda record: (record.file, record.offset)):
        last = groups[-1] if groups else None
        follows = last is not None and (last[-1].file, last[-1].end) == (record.file, record.offset)
        if last is not None and follows and min(record.length, sum(r.length for r in last)) < shortest():
            last.append(record)
        else:
            groups.append([record])
    return groups


def _with_tombstones(
    warcs: Path, groups: list[list[LedgerEntry]], at: str, reason: str
) -> list[tuple[LedgerEntry, dict[str, object]]]:
    """Each record with what the ledger will say about it. Writes nothing yet.

    Raises IntegrityError if a record is damaged, or too short for a tombstone.
    """
    removed: list[tuple[LedgerEntry, dict[str, object]]] = []
    for members in groups:
        first, length = members[0], sum(record.length for record in members)
        for record in members:
            _bytes(warcs, record)
        try:
            stone = tombstone(first.file, first.offset, length, at=at, reason=reason)
        except ValueError as error:
            raise IntegrityError(f"{error}; nothing was changed") from None
        for record in members:
            start = record.offset - first.offset
            digest = sha256(stone[start : start + record.length]).hexdigest()
            facts: dict[str, object] = {"reason": reason, "at": at, "digest": digest, "member": [first.offset, length]}
            removed.append((record, facts))
    return removed


def _bytes(warcs: Path, record: LedgerEntry) -> bytes:
    """The bytes of a record in its file. Raises IntegrityError if they are not what was written."""
    with open_warc(warcs, record.file) as file:
        file.seek(record.offset)
        data = file.read(record.length)
    if sha256(data).hexdigest() != record.digest:
        raise IntegrityError(
            f"{record.file}: the record at byte {record.offset:,} is not what was written, so nothing was changed; "
            "run `locum verify` and repair the archive first"
        )
    return data
