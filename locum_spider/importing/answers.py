"""Finds out what a capture answers: only what a GET brought is the page of an address."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from locum_spider.importing.captures import Item, PassedOver, PassedOverReason, exchange_in
from locum_spider.importing.fields import address, method_in

_PAGE = "GET"
_METHOD = re.compile(rb"[A-Za-z]{2,20}(?=[ \t])")
_REMEMBERED = 20_000
_FARTHEST = 16
"""Records: writers put a request right before or behind its response."""

_MOST_HELD = 32_000_000


class _Held(NamedTuple):
    item: Item
    method: str | None
    names: tuple[str, ...]
    record: int
    size: int


class Answers:
    """Holds captures back, in their order, until their requests are known or would have come."""

    def __init__(self) -> None:
        self._methods: dict[str, str] = {}
        self._held: deque[_Held] = deque()
        self._records = self._bytes = 0

    def note_request(self, fields: dict[str, str], start: bytes) -> None:
        """Note the method of a request record, of which `start` is the first line or more."""
        self._records += 1
        found = _METHOD.match(start.lstrip())
        if found is None:
            return
        for name in _names(fields, alone=not fields.get("warc-concurrent-to")):
            if len(self._methods) >= _REMEMBERED:
                del self._methods[next(iter(self._methods))]
            self._methods[name] = found[0].decode().upper()

    def add(self, item: Item, fields: dict[str, str] | None = None) -> None:
        """Add what a record says; with its `fields` if a request belongs to it."""
        self._records += fields is not None
        capture = exchange_in(item)
        size = len(capture.body) if capture is not None else 0
        names = () if fields is None or capture is None else _names(fields, alone=True)
        method = method_in(capture.url) if capture is not None else None
        self._held.append(_Held(item, method, names, self._records, size))
        self._bytes += size

    def release(self, *, everything: bool = False) -> Iterator[Item]:
        """What need not be held any longer; answers to other requests as passed over."""
        while self._held:
            held = self._held[0]
            method = held.method or next((self._methods[name] for name in held.names if name in self._methods), None)
            overdue = self._records > held.record + _FARTHEST or self._bytes > _MOST_HELD
            if held.names and method is None and not (everything or overdue):
                return
            self._held.popleft()
            self._bytes -= held.size
            yield held.item if method in {None, _PAGE} else _passed_over(held.item)


def _passed_over(item: Item) -> Item:
    capture = exchange_in(item)
    return item if capture is None else PassedOver(capture.url, PassedOverReason.OTHER_REQUEST)


def _names(fields: dict[str, str], *, alone: bool) -> tuple[str, ...]:
    """The names under which a request and its response find each other, the surest first.

    Some writers say nowhere which belong together (`alone`): then address and time do.
    """
    related = fields.get("warc-concurrent-to", "").replace(",", " ").split()
    names = [name.strip("<> ") for name in (*related, fields.get("warc-record-id", ""))]
    if alone:
        names.append(f"{address(fields.get('warc-target-uri', ''))} {fields.get('warc-date', '')}")
    return tuple(name for name in names if name)
