"""The ledger of WARC records: each row is bound to all before it by a hash, so that no row can be changed alone.

With it the WARC files themselves, and how much of each the database acknowledges.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from locum_spider.items import LedgerEntry
from locum_spider.store.connection import Connection

GENESIS = "0" * 64
"""The chain before the first record."""


def link(chain: str, record: LedgerEntry) -> str:
    """The chain after a record: sha256, in hex, over the chain before it and everything that the ledger says of it."""
    row = f"{chain}\n{record.file}\n{record.offset}\n{record.length}\n{record.type}\n{record.digest}"
    return hashlib.sha256(row.encode()).hexdigest()


def head(db: Connection) -> tuple[int, str]:
    """Number of records and the chain after the last: whoever keeps it can later prove that nothing was changed."""
    row = db.execute("SELECT seq, chain FROM records ORDER BY seq DESC LIMIT 1").fetchone()
    return (int(row[0]), str(row[1])) if row else (0, GENESIS)


def had_head(db: Connection, number: int | None, chain: str) -> bool:
    """Whether the ledger once had that head; `number` is None if only the chain is known."""
    if chain == GENESIS:
        return number in {None, 0}
    row = db.execute("SELECT seq FROM records WHERE chain = ?", (chain,)).fetchone()
    return row is not None and number in {None, row[0]}


def append(db: Connection, records: Iterable[LedgerEntry], seq: int, chain: str) -> tuple[int, str]:
    """Add records behind row `seq` with its `chain`; returns the new head."""
    for record in records:
        seq, chain = seq + 1, link(chain, record)
        db.execute(
            "INSERT INTO records (seq, warc_file, warc_offset, warc_length, type, digest, chain) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, record.file, record.offset, record.length, record.type, record.digest, chain),
        )
    return seq, chain


class LedgerRow(NamedTuple):
    """A row of the ledger, of a file that is known; `removed` is the JSON of a takedown."""

    seq: int
    offset: int
    length: int
    digest: str
    removed: str | None

    @property
    def end(self) -> int:
        """The byte behind it."""
        return self.offset + self.length


def entries(db: Connection, file: str) -> Iterator[LedgerRow]:
    """The rows of a file, as they lie in it."""
    columns = "seq, warc_offset, warc_length, digest, removed"
    rows = db.execute(f"SELECT {columns} FROM records WHERE warc_file = ? ORDER BY warc_offset", (file,))
    return (LedgerRow(*row) for row in rows)


def first_cut(db: Connection, file: str, size: int) -> tuple[int, int] | None:
    """Number and offset of the first record that does not lie within the first `size` bytes of a file."""
    row = db.execute(
        "SELECT seq, warc_offset FROM records WHERE warc_file = ? AND warc_offset + warc_length > ? "
        "ORDER BY warc_offset LIMIT 1",
        (file, size),
    ).fetchone()
    return (row[0], row[1]) if row is not None else None


def place_of(db: Connection, digest: str, *, besides: int) -> tuple[str, int] | None:
    """File and offset of a record with that digest, other than the row `besides`."""
    row = db.execute(
        "SELECT warc_file, warc_offset FROM records WHERE digest = ? AND seq <> ? LIMIT 1", (digest, besides)
    ).fetchone()
    return (row[0], row[1]) if row is not None else None


def count_files(db: Connection) -> tuple[int, int]:
    """How many WARC files there are, and how many bytes of them are acknowledged."""
    number, size = db.execute("SELECT count(*), coalesce(sum(bytes), 0) FROM warc_files").fetchone()
    return int(number), int(size)


def file_names(db: Connection) -> set[str]:
    """Every WARC file that the database names."""
    return {row[0] for row in db.execute("SELECT name FROM warc_files UNION SELECT warc_file FROM records")}
