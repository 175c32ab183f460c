"""Takedowns in a rebuild: read before all other records, so that nothing that was removed is stored again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from locum_spider.items import EventKind, LedgerEntry
from locum_spider.recorder.visits import Event
from locum_spider.warc.reader import EVENT, TOMBSTONE, Record, read_records


@dataclass(frozen=True, slots=True)
class Removed:
    """A record that was taken down: its row of the ledger, what lies there now, what stays of its capture, and the
    article's id."""

    entry: LedgerEntry
    facts: dict[str, object]
    capture: dict[str, Any] | None
    article: int | None


def find_takedowns(files: Iterable[tuple[Path, int]]) -> list[Event]:
    """The events of all takedowns, in order. Reads every record."""
    events = []
    for path, end in files:
        for record in read_records(path, end):
            if isinstance(record, Record) and record.headers.get("Content-Type") == EVENT:
                data = json.loads(record.block)
                if data.get("event") == EventKind.TAKEDOWN:
                    events.append(data)
    return events


class Takedowns:
    """Which records are removed. `unfinished`: a takedown was cut short, and some records are still there."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = list(events)
        self.unfinished = False
        self._removed: dict[tuple[str, int], Removed] = {}
        self._members: dict[tuple[str, int], list[Removed]] = {}
        self._bodies: dict[tuple[str, int], tuple[str, int]] = {}
        for event in self.events:
            reason, at = event["reason"], event["at"]
            for entry in event["records"]:
                file, offset = entry["file"], entry["offset"]
                record = LedgerEntry(file, offset, entry["length"], entry["type"], entry["digest"])
                facts = {"reason": reason, "at": at, "digest": entry["tombstone"], "member": entry["member"]}
                removed = Removed(record, facts, entry.get("capture"), event.get("article"))
                self._removed[file, offset] = removed
                for place in (entry.get("capture") or {}).get("revisits", []):
                    self._bodies[place[0], place[1]] = file, offset
                self._members.setdefault((file, entry["member"][0]), []).append(removed)

    def body_of(self, file: str, offset: int) -> tuple[str, int] | None:
        """The place of the removed record that had the body of the revisit in a place; None if no event says so."""
        return self._bodies.get((file, offset))

    def of(self, record: Record) -> Iterator[Removed]:
        """The removed records that stood in the place of a record; empty if it is an ordinary one."""
        place = (record.entry.file, record.entry.offset)
        if record.headers.get("Content-Type") == TOMBSTONE:
            yield from self._members.get(place, ())
        elif place in self._removed:
            self.unfinished = True
            yield self._removed[place]
