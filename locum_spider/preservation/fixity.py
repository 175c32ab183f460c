"""Checks the WARC files against the ledger: the bytes of every record, and that there are no others."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from locum_spider.items import LedgerEntry
from locum_spider.recorder.recovery import UNFINISHED
from locum_spider.store import captures, ledger, removals
from locum_spider.store.checks import Finding
from locum_spider.store.connection import Connection, connect_reading
from locum_spider.store.files import WARCS
from locum_spider.system import cores
from locum_spider.warc.reader import OPEN, Record, is_ours, locate, read_records
from locum_spider.warc.tombstones import tombstone_digest

_SPAN = 1 << 21
_MOST_WORKERS = 16
_REBUILD = "run `locum rebuild`, which makes the database again from them"
_RESTORE = "restore the file from a backup"

_Span = list[LedgerEntry]
"""Adjacent records of a file, to be read at once."""


@dataclass(slots=True)
class _Damaged:
    """Adjacent records that are not what was written; `actual` is the digest of what is in the first one's place."""

    first: LedgerEntry
    last: LedgerEntry
    actual: str


def check_files(
    db: Connection, folder: Path, present: Iterable[str], notes: list[str],
    on_progress: Callable[[int], None] | None = None,
) -> Iterator[Finding]:  # fmt: skip
    """Everything that is wrong with the files, by the snapshot of `db`; `notes` gets what is odd, but not damage.

    `present` are the names in `warc/` from before the snapshot, which must know them all.
    """
    yield from _unknown(folder / WARCS, ledger.file_names(db), set(present), notes)
    for item in _merge(_differing(db, folder, notes, on_progress)):
        yield item if isinstance(item, Finding) else _explain(db, item)


def _unknown(warcs: Path, names: set[str], present: set[str], notes: list[str]) -> Iterator[Finding]:
    for name in sorted(present):
        plain = name.removesuffix(OPEN)
        if plain in names:
            if name != plain and plain in present:
                text = f"{name} and {plain} are both there, but only one belongs here; keep the one that a backup has"
                yield Finding("files", text, name)
        elif name != plain:
            notes.append(
                f"{name} has nothing that is acknowledged: a running crawl began it, or a killed one left it; the next "
                "crawl takes in what it holds"
            )
        elif name.endswith(UNFINISHED):
            notes.append(
                f"{name} holds records of a page that a killed crawl did not finish; it was fetched again, so you may "
                "delete the file"
            )
        elif (warcs / name).is_file() and is_ours(warcs / name):
            text = f"{name} is not in the ledger: archive.db is older than the WARC files; {_REBUILD}"
            yield Finding("files", text, name)
        else:
            text = f"{name} is not in the ledger; move it out of {WARCS}/, or import it with `locum import`"
            yield Finding("files", text, name)


# -- where records lie -------------------------------------------------------------------------------------------------


def _spans(db: Connection, folder: Path, notes: list[str]) -> Iterator[Finding | _Span]:
    """The spans to hash, file by file, and the findings that need no hash."""
    warcs = folder / WARCS
    listed: dict[str, tuple[int | None, bool]] = dict(captures.warc_positions(db))
    for name in sorted(ledger.file_names(db) - set(listed)):
        listed[name] = None, False
        text = f"{name} has records in the ledger, but no row in warc_files; restore archive.db from a backup"
        yield Finding("ledger", text, name)
    for name, (acknowledged, closed) in sorted(listed.items()):
        path = next((path for path in (warcs / name, warcs / (name + OPEN)) if path.is_file()), None)
        if path is None:
            yield Finding("files", f"{name} is missing; {_RESTORE}", name)
            continue
        size = path.stat().st_size
        if acknowledged is not None and size > acknowledged:
            yield from _beyond(folder, path, acknowledged, notes, closed=closed)
        elif acknowledged is not None and size < acknowledged:
            yield _shorter(db, name, size, acknowledged)
        if closed and path.name != name:
            yield Finding("files", f"{name} was closed, but is named {path.name}; {_RESTORE}", name)
        yield from _record_spans(db, name, size, acknowledged)


def _shorter(db: Connection, name: str, size: int, acknowledged: int) -> Finding:
    cut, where = ledger.first_cut(db, name, size), ""
    if cut is not None:
        place = "through" if cut[1] < size else "before"
        where = f", cut {place} the record at byte {cut[1]:,} (ledger row {cut[0]:,})"
    text = f"{name} ends at byte {size:,} of {acknowledged:,}{where}; {_RESTORE}"
    return Finding("files", text, name, cut[0] if cut else None, size)


def _beyond(folder: Path, path: Path, acknowledged: int, notes: list[str], *, closed: bool) -> Iterator[Finding]:
    """What a file holds that the database does not acknowledge, and whether that is as it should be."""
    name, more = path.name.removesuffix(OPEN), path.stat().st_size - acknowledged
    if not closed and path.suffix == OPEN:
        notes.append(
            f"{name} has {more:,} bytes that are not acknowledged: a running crawl is writing them, or a killed one "
            "left them; the next crawl takes in what is whole"
        )
    elif not closed and _closed_since(folder, name):
        return
    elif isinstance(next(read_records(path, start=acknowledged), None), Record):
        text = f"{name} has {more:,} bytes of records that archive.db, which is older, does not know; {_REBUILD}"
        yield Finding("files", text, name, None, acknowledged)
    else:
        text = f"{name} has {more:,} bytes after its last record, from byte {acknowledged:,}; {_RESTORE}"
        yield Finding("files", text, name, None, acknowledged)


def _closed_since(folder: Path, name: str) -> bool:
    """Whether a crawl has closed the file since our snapshot."""
    with closing(connect_reading(folder)) as db:
        position = captures.warc_positions(db).get(name)
    return position is not None and position.closed


def _record_spans(db: Connection, name: str, size: int, acknowledged: int | None) -> Iterator[Finding | _Span]:
    """The records of a file as spans, with a finding for each gap or overlap."""
    position = 0
    rows: _Span = []
    for row in ledger.entries(db, name):
        if not (isinstance(row.offset, int) and isinstance(row.length, int) and row.length > 0):
            text = f"the ledger's row {row.seq:,} does not name a place in {name}; restore archive.db from a backup"
            yield Finding("ledger", text, name, row.seq)
            continue
        if row.offset != position:
            yield _gap(name, position, row.offset, row.seq)
        if rows and (row.offset != rows[-1].end or row.end - rows[0].offset > _SPAN):
            yield rows
            rows = []
        position = row.end
        if row.end <= size:
            rows.append(row)
    if rows:
        yield rows
    if acknowledged is not None and position != acknowledged:
        yield _gap(name, position, acknowledged, None)


def _gap(name: str, position: int, offset: int, seq: int | None) -> Finding:
    what = f"the ledger's row {seq:,}" if seq else "the end of the acknowledged part"
    if offset > position:
        text = f"{name}: no row of the ledger covers bytes {position:,} to {offset:,}, before {what}"
    else:
        text = f"{name}: {what} begins at byte {offset:,}, inside a record that ends at byte {position:,}"
    return Finding(
        "ledger", f"{text}; rows were removed or changed: restore archive.db from a backup", name, seq, offset
    )


# -- what lies there ---------------------------------------------------------------------------------------------------


def _differing(
    db: Connection, folder: Path, notes: list[str], on_progress: Callable[[int], None] | None
) -> Iterator[Finding | _Damaged]:
    """Hash in threads, a bounded number of spans ahead; yield in order what differs."""
    workers = min(cores(), _MOST_WORKERS)
    pending: deque[tuple[_Span, Future[list[tuple[LedgerEntry, str]]]]] = deque()

    def finish() -> Iterator[_Damaged]:
        span, future = pending.popleft()
        for row, actual in future.result():
            if row.removed is not None or not _removed_since(folder, row.seq):
                yield _Damaged(row, row, actual)
        if on_progress is not None:
            on_progress(span[-1].end - span[0].offset)

    with ThreadPoolExecutor(workers) as pool:
        for item in _spans(db, folder, notes):
            if isinstance(item, Finding):
                yield item
                continue
            pending.append((item, pool.submit(_hash, folder / WARCS, item)))
            if len(pending) > 4 * workers:
                yield from finish()
        while pending:
            yield from finish()


def _removed_since(folder: Path, seq: int) -> bool:
    """Whether a takedown has emptied the record since our snapshot."""
    with closing(connect_reading(folder)) as db:
        return removals.is_removed(db, seq)


_own = threading.local()


def _hash(warcs: Path, span: _Span) -> list[tuple[LedgerEntry, str]]:
    """The records of a span whose bytes have the wrong digest, each with the digest that they have."""
    start = span[0].offset
    with locate(warcs, span[0].file).open("rb", buffering=0) as file:
        file.seek(start)
        if span[0].length > _SPAN:
            digest, left = sha256(), span[0].length
            while left and (block := file.read(min(left, _SPAN))):
                digest.update(block)
                left -= len(block)
            actual = [digest.hexdigest()]
        else:
            view = _read(file.readinto, span[-1].end - start)
            actual = [sha256(view[row.offset - start : row.end - start]).hexdigest() for row in span]
    pairs = zip(span, actual, strict=True)
    return [(row, digest) for row, digest in pairs if digest != (tombstone_digest(row.removed) or row.digest)]


def _read(readinto: Callable[[memoryview], int | None], length: int) -> memoryview:
    """The next `length` bytes, or fewer at the end of the file, in a buffer of this thread."""
    if not hasattr(_own, "buffer"):
        _own.buffer = memoryview(bytearray(_SPAN))
    view: memoryview = _own.buffer[:length]
    done = 0
    while done < length and (count := readinto(view[done:])):
        done += count
    return view[:done]


def _merge(items: Iterable[Finding | _Damaged]) -> Iterator[Finding | _Damaged]:
    """Adjacent damaged records as one: an inserted byte moves all records after it."""
    run: _Damaged | None = None
    for item in items:
        if (
            isinstance(item, _Damaged)
            and run is not None
            and (item.first.file, item.first.offset) == (run.last.file, run.last.end)
        ):
            run.last = item.last
            continue
        if run is not None:
            yield run
        run = item if isinstance(item, _Damaged) else None
        if isinstance(item, Finding):
            yield item
    if run is not None:
        yield run


def _explain(db: Connection, bad: _Damaged) -> Finding:
    first, last, file = bad.first, bad.last, bad.first.file
    if first.removed is not None and bad.actual == first.digest:
        text = (
            f"{file}: the record at byte {first.offset:,} (ledger row {first.seq:,}) was taken down, but is still "
            "there: the takedown was cut short; run any `locum takedown` or `locum crawl` to finish it"
        )
        return Finding("takedown", text, file, first.seq, first.offset)
    if first is last:
        what = f"the record at byte {first.offset:,} (ledger row {first.seq:,}) is"
    else:
        what = f"the records from byte {first.offset:,} to {last.end:,} (ledger rows {first.seq:,} to {last.seq:,}) are"
    other = ledger.place_of(db, bad.actual, besides=first.seq)
    instead = f" (the record of {other[0]}, byte {other[1]:,}, is there)" if other else ""
    text = f"{file}: {what} not what was written{instead}; {_RESTORE}"
    return Finding("records", text, file, first.seq, first.offset)
