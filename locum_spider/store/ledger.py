"""The ledger of WARC records: a hash binds each row to all rows before it, so that none can be changed alone.

Also the list of WARC files, and how much of each the database acknowledges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from locum_spider.items import LedgerEntry
from locum_spider.store.connection import Connection

GENESIS = "0" * 64
"""The chain before the first record."""


_COLUMNS = "warc_file, warc_offset, warc_length, type, digest, seq, removed"


def link(chain: str, record: LedgerEntry) -> str:
    """The chain after a record: sha256, in hex, over the chain before it and the ledger's values of the record."""
    row = f"{chain}\n{record.file}\n{record.offset}\n{record.length}\n{record.type}\n{record.digest}"
    return hashlib.sha256(row.encode()).hexdigest()


def head(db: Connection) -> tuple[int, str]:
    """The number of records and the chain after the last: keep both to prove later that nothing was changed."""
    row = db.execute("SELECT seq, chain FROM records ORDER BY seq DESC LIMIT 1").fetchone()
    return (int(row[0]), str(row[1])) if row else (0, GENESIS)


def written(number: int, chain: str) -> str:
    """A head in one word, as users and WARC files write it."""
    return f"{number}:{chain}"


def at(db: Connection, file: str, offset: int) -> LedgerEntry | None:
    """The record at a place; None if there is none."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM records WHERE warc_file = ? AND warc_offset = ?", (file, offset))
    return next((LedgerEntry(*values) for values in rows), None)


def last(db: Connection) -> LedgerEntry | None:
    """The last record; None if there is none."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM records ORDER BY seq DESC LIMIT 1")
    return next((LedgerEntry(*values) for values in rows), None)


def had_head(db: Connection, number: int | None, chain: str) -> bool:
    """Whether the ledger once had that head; `number` is None if only the chain is known."""
    if chain == GENESIS:
        return number in {None, 0}
    row = db.execute("SELECT seq FROM records WHERE chain = ?", (chain,)).fetchone()
    return row is not None and number in {None, row[0]}


def append(db: Connection, records: Iterable[LedgerEntry], seq: int, chain: str) -> tuple[int, str]:
    """Add records after row `seq` with its `chain`; returns the new head."""
    for record in records:
        seq, chain = seq + 1, link(chain, record)
        db.execute(
            "INSERT INTO records (seq, warc_file, warc_offset, warc_length, type, digest, chain) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, record.file, record.offset, record.length, record.type, record.digest, chain),
        )
    return seq, chain


def entries(db: Connection, file: str) -> Iterator[LedgerEntry]:
    """The entries of a file, in the order of the file."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM records WHERE warc_file = ? ORDER BY warc_offset", (file,))
    return (LedgerEntry(*row) for row in rows)


def first_cut(db: Connection, file: str, size: int) -> tuple[int, int] | None:
    """The row and offset of the first record that goes beyond the first `size` bytes of a file; None if none does."""
    row = db.execute(
        "SELECT seq, warc_offset FROM records WHERE warc_file = ? AND warc_offset + warc_length > ? "
        "ORDER BY warc_offset LIMIT 1",
        (file, size),
    ).fetchone()
    return (row[0], row[1]) if row is not None else None


def place_of(db: Connection, digest: str, *, besides: int) -> tuple[str, int] | None:
    """The file and offset of a record with that digest, other than row `besides`; None if there is none."""
    row = db.execute(
        "SELECT warc_file, warc_offset FROM records WHERE digest = ? AND seq <> ? LIMIT 1", (digest, besides)
    ).fetchone()
    return (row[0], row[1]) if row is not None else None


def count_files(db: Connection) -> tuple[int, int]:
    """The number of WARC files, and of their acknowledged bytes."""
    number, size = db.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM warc_files").fetchone()
    return int(number), int(size)


def file_names(db: Connection) -> set[str]:
    """Every WARC file that the database names."""
    return {row[0] for row in db.execute("SELECT name FROM warc_files UNION SELECT warc_file FROM records")}
