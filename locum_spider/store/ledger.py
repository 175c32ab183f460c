"""The ledger of WARC records: each row is bound to all before it by a hash, so that no row can be changed alone."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable

from locum_spider.items import LedgerEntry

GENESIS = "0" * 64
"""The chain before the first record."""


def link(chain: str, record: LedgerEntry) -> str:
    """The chain after a record: sha256, in hex, over the chain before it and everything that the ledger says of it."""
    row = f"{chain}\n{record.file}\n{record.offset}\n{record.length}\n{record.type}\n{record.digest}"
    return hashlib.sha256(row.encode()).hexdigest()


def head(db: sqlite3.Connection) -> tuple[int, str]:
    """Number of records and the chain after the last: whoever keeps it can later prove that nothing was changed."""
    row = db.execute("SELECT seq, chain FROM records ORDER BY seq DESC LIMIT 1").fetchone()
    return (int(row[0]), str(row[1])) if row else (0, GENESIS)


def append(db: sqlite3.Connection, records: Iterable[LedgerEntry], seq: int, chain: str) -> tuple[int, str]:
    """Add records behind row `seq` with its `chain`; returns the new head."""
    for record in records:
        seq, chain = seq + 1, link(chain, record)
        db.execute(
            "INSERT INTO records (seq, warc_file, warc_offset, warc_length, type, digest, chain) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, record.file, record.offset, record.length, record.type, record.digest, chain),
        )
    return seq, chain
