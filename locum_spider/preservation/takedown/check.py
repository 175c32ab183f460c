"""Whether what was taken down is accounted for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from locum_spider.errors import IntegrityError
from locum_spider.store.checks import Finding
from locum_spider.warc.reader import locate
from locum_spider.warc.tombstones import read_json_member, tombstone_digest


def _takedowns(db: sqlite3.Connection, warcs: Path, notes: list[str]) -> Iterator[Finding]:
    """Removed records that no takedown in the chained ledger accounts for."""
    query = "SELECT seq, warc_file, warc_offset, removed FROM records WHERE removed IS NOT NULL ORDER BY seq"
    removed = db.execute(query).fetchall()
    if not removed:
        return
    announced: dict[tuple[str, int], tuple[str, str | None]] = {}
    for event in _events(db, warcs):
        gone, reason = event.get("records", []), event.get("reason")
        announced |= {(r["file"], r["offset"]): (r["tombstone"], reason) for r in gone}
        many = "1 record was" if len(gone) == 1 else f"{len(gone):,} records were"
        notes.append(f"{many} taken down at {event.get('at')}: {reason}")
    for seq, file, offset, text in removed:
        if announced.get((file, offset)) != (tombstone_digest(text), _reason(text)):
            fault = (
                f"{file}: the record at byte {offset:,} (ledger row {seq:,}) is said to be taken down, but no takedown "
                "in the ledger says so; restore file and archive.db from a backup"
            )
            yield Finding("takedown", fault, file, seq, offset)


def _reason(removed: str) -> str | None:
    try:
        value = json.loads(removed)
    except ValueError:
        return None
    return value.get("reason") if isinstance(value, dict) else None


def _events(db: sqlite3.Connection, warcs: Path) -> Iterator[dict[str, Any]]:
    """The takedowns that the WARC files tell of. A damaged one is passed over: its record's digest differs."""
    columns = "warc_file, warc_offset, warc_length"
    query = f"SELECT {columns} FROM records WHERE type = 'metadata' AND removed IS NULL ORDER BY seq"  # noqa: S608
    for file, offset, length in db.execute(query):
        try:
            with locate(warcs, file).open("rb") as stream:
                stream.seek(offset)
                event = read_json_member(stream.read(length))
        except (OSError, ValueError, IntegrityError):
            continue
        if event.get("event") == "takedown":
            yield event
