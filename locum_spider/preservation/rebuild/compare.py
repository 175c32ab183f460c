"""What a rebuild would change: the articles of two databases, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import Any

from locum_spider.store.connection import Connection, connect_whole
from locum_spider.store.content import EMPTY
from locum_spider.store.rebuild import by_address

_COMPARED = {"site": None, **EMPTY, "text": None, "state": None, "revisions": None}
"""The columns to compare, with the value if an archive of an older version lacks the column."""


@dataclass(frozen=True, slots=True)
class Changed:
    """An article that today's rules read differently: for each field that differs, the old and the new value."""

    url: str
    fields: dict[str, tuple[Any, Any]]


@dataclass(slots=True)
class Comparison:
    """What a rebuild would change: articles by their addresses. `broken`: what it could not read."""

    unchanged: int = 0
    changed: list[Changed] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def compare(old: Connection, new_path: Path) -> Comparison:
    """Compare article by article and field by field, matched by address; holds only two rows at a time."""
    comparison = Comparison()
    with closing(connect_whole(new_path)) as new:
        rows = merge(_compared(old, comparison.gone), _compared(new, comparison.added), key=itemgetter(0))
        for url, same in groupby(rows, key=itemgetter(0)):
            (_, alone, before), *others = same
            if not others:
                alone.append(url)
            elif before == (after := others[0][2]):
                comparison.unchanged += 1
            else:
                names = (name for name in before if before[name] != after[name])
                comparison.changed.append(Changed(url, {n: (before[n], after[n]) for n in names}))
    return comparison


def _compared(db: Connection, alone: list[str]) -> Iterator[tuple[str, list[str], dict[str, Any]]]:
    """The articles by address, each with the list that its address goes to if the other side lacks it."""
    for row in by_address(db):
        yield row["url"], alone, {name: row.get(name, absent) for name, absent in _COMPARED.items()}


def first_difference(before: str, after: str, around: int = 40) -> tuple[str, str]:
    """Excerpts of two long texts around the place where they first differ.

    >>> first_difference("one two three four", "one two 3 four", around=4)
    ('…two thre…', '…two 3 fo…')
    """
    at = next((i for i, (a, b) in enumerate(zip_longest(before, after)) if a != b), 0)
    start = max(at - around, 0)
    return _cut(before, start, at + around), _cut(after, start, at + around)


def _cut(text: str, start: int, end: int) -> str:
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
