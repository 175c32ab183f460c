"""What a rebuild would change: the articles of two databases, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from locum_spider.store.connection import Connection, connect_whole
from locum_spider.store.content import EMPTY
from locum_spider.store.rebuild import by_address

_COMPARED = {"site": None, **EMPTY, "text": None, "state": None}
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
        for before, after in _pairs(_compared(old), _compared(new)):
            if before is None or after is None:
                url = (before or after or {})["url"]
                (comparison.added if before is None else comparison.gone).append(url)
            elif before == after:
                comparison.unchanged += 1
            else:
                names = (name for name in before if before[name] != after[name])
                comparison.changed.append(Changed(before["url"], {n: (before[n], after[n]) for n in names}))
    return comparison


def _compared(db: Connection) -> Iterator[dict[str, Any]]:
    for row in by_address(db):
        values = {name: row.get(name, absent) for name, absent in _COMPARED.items()}
        yield {"url": row["url"], **values, "revisions": row["revisions"]}


def _pairs(
    left: Iterator[dict[str, Any]], right: Iterator[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """The rows of both, paired by address; None if one side lacks the address."""
    before, after = next(left, None), next(right, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before["url"] < after["url"]):
            yield before, None
            before = next(left, None)
        elif before is None or after["url"] < before["url"]:
            yield None, after
            after = next(right, None)
        else:
            yield before, after
            before, after = next(left, None), next(right, None)


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
