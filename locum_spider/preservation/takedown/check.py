"""Checks whether the removed records are accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from locum_spider.errors import IntegrityError
from locum_spider.items import EventKind
from locum_spider.store import removals, takedowns
from locum_spider.store.checks import Finding
from locum_spider.store.connection import Connection
from locum_spider.warc.reader import open_warc
from locum_spider.warc.tombstones import read_json_member, removal_facts


def unaccounted(db: Connection, warcs: Path, notes: list[str]) -> Iterator[Finding]:
    """Removed records that no takedown in the ledger accounts for; `notes` gets what each takedown says."""
    removed = removals.removed(db)
    if not removed:
        return
    announced: dict[tuple[str, int], tuple[str | None, str | None]] = {}
    for event in _events(db, warcs):
        gone, reason = event.get("records", []), event.get("reason")
        announced |= {(r["file"], r["offset"]): (r["tombstone"], reason) for r in gone}
        many = "1 record was" if len(gone) == 1 else f"{len(gone):,} records were"
        notes.append(f"{many} taken down at {event.get('at')}: {reason}")
    for seq, file, offset, text in removed:
        facts = removal_facts(text)
        if announced.get((file, offset)) != (facts.get("digest"), facts.get("reason")):
            fault = (
                f"{file}: the record at byte {offset:,} (ledger row {seq:,}) is marked as taken down, but no takedown "
                "in the ledger says so; restore the file and archive.db from a backup"
            )
            yield Finding("takedown", fault, file, seq, offset)


def _events(db: Connection, warcs: Path) -> Iterator[dict[str, Any]]:
    """The takedowns in the WARC files. A damaged one is skipped: the digest of its record differs."""
    for record in takedowns.remaining(db, "metadata"):
        try:
            with open_warc(warcs, record.file) as stream:
                stream.seek(record.offset)
                event = read_json_member(stream.read(record.length))
        except (OSError, ValueError, IntegrityError):
            continue
        if event.get("event") == EventKind.TAKEDOWN:
            yield event
