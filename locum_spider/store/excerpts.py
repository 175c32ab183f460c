"""Excerpts of what a search found, in time that grows with the length of the text and not with its square.

FTS5's own `snippet` compares every match with every other one: an article that repeats a word 20,000 times takes it a
minute. And it can only show the text of its index, which may be folded.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

from locum_spider.store.folding import folded_with_places

MARK, UNMARK = "\x02", "\x03"
"""Stand before and after each word that matches in an excerpt."""
_WORDS = 24
_LONGEST = 200_000
"""Characters of a text in which matches are looked for."""
_WORD = re.compile(r"\w+")
_MARKED = re.compile(f"{MARK}([^{UNMARK}]*){UNMARK}")


class Window(NamedTuple):
    """Part of a text: how much it says of the matches, its first and last place, and the matches in it."""

    score: int
    start: int
    end: int
    matches: tuple[tuple[int, int], ...]


def excerpts(texts: Mapping[int, Sequence[str | None]], query: str) -> dict[int, str]:
    """For each article the part of its title, standfirst or body that shows most of what was searched, with marks."""
    plain = {number: [_clean(text) for text in parts] for number, parts in texts.items()}
    prepared = {number: [folded_with_places(text) for text in parts] for number, parts in plain.items()}
    marked: dict[int, Sequence[str]] = {}
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute('CREATE VIRTUAL TABLE found USING fts5(title, standfirst, body, tokenize="porter unicode61")')
        for number, parts in prepared.items():
            db.execute(
                "INSERT INTO found (rowid, title, standfirst, body) VALUES (?, ?, ?, ?)",
                (number, *(part[0] for part in parts)),
            )
        columns = ", ".join(f"highlight(found, {column}, ?1, ?2)" for column in range(3))
        for number, *parts in db.execute(
            f"SELECT rowid, {columns} FROM found WHERE found MATCH ?3", (MARK, UNMARK, query)
        ):
            marked[number] = parts
    return {number: _excerpt(plain[number], parts, marked.get(number, ())) for number, parts in prepared.items()}


def _clean(text: str | None) -> str:
    """As much of a text as is looked at, without signs that would pass for marks."""
    return (text or "")[:_LONGEST].replace(MARK, " ").replace(UNMARK, " ")


def _excerpt(texts: Sequence[str], prepared: Sequence[tuple[str, Sequence[int]]], marked: Sequence[str]) -> str:
    best: tuple[Window, int] | None = None
    for column, text in enumerate(marked):
        window = _best_window(prepared[column][0], _matches(text))
        if window is not None and (best is None or window.score > best[0].score):
            best = window, column
    if best is None:
        body = next((column for column in (2, 1, 0) if texts[column]), 0)
        words = list(_WORD.finditer(prepared[body][0]))[:_WORDS]
        best = Window(0, 0, words[-1].end() if words else 0, ()), body
    window, column = best
    return _show(texts[column], prepared[column], window)


def _matches(marked: str) -> list[tuple[int, int]]:
    """Where the matches lie in the text without marks."""
    return [
        (match.start() - 2 * number, match.start() - 2 * number + len(match[1]))
        for number, match in enumerate(_MARKED.finditer(marked))
    ]


def _best_window(text: str, matches: Sequence[tuple[int, int]]) -> Window | None:
    """The words around the match from which on most different matches follow; of equals the first."""
    if not matches:
        return None
    words = [match.span() for match in _WORD.finditer(text)]
    ranks = _ranks(words, (start for start, _ in matches))
    seen: Counter[str] = Counter()
    best = (0, 0, 0)
    last = 0
    for first, (start, end) in enumerate(matches):
        while last < len(matches) and ranks[last] < ranks[first] + _WORDS:
            seen[text[matches[last][0] : matches[last][1]].lower()] += 1
            last += 1
        score = 1000 * len(seen) + (last - first) + (120 if ranks[first] == 0 else 0)
        if score > best[0]:
            best = score, first, last
        word = text[start:end].lower()
        seen[word] -= 1
        if not seen[word]:
            del seen[word]
    score, first, last = best
    lead = max(0, min(ranks[first] - max(0, (_WORDS - (ranks[last - 1] - ranks[first] + 1)) // 2), len(words) - _WORDS))
    end = max(words[min(lead + _WORDS, len(words)) - 1][1], matches[first][1])
    kept = tuple(
        match
        for match in matches[max(0, first - _WORDS) : last + _WORDS]
        if words[lead][0] <= match[0] and match[1] <= end
    )
    return Window(score, words[lead][0] if lead else 0, end if lead + _WORDS < len(words) else len(text), kept)


def _ranks(words: Sequence[tuple[int, int]], places: Iterable[int]) -> list[int]:
    """The number of the word at each place; both are in order."""
    ranks = []
    word = 0
    for place in places:
        while word + 1 < len(words) and words[word + 1][0] <= place:
            word += 1
        ranks.append(word)
    return ranks


def _show(text: str, prepared: tuple[str, Sequence[int]], window: Window) -> str:
    """The window of the text as it was before it was folded, with marks and points of omission."""
    whole, places = prepared
    parts = []
    at = places[window.start]
    for start, end in window.matches:
        parts += [text[at : places[start]], MARK, text[places[start] : _after(places, end)], UNMARK]
        at = _after(places, end)
    parts.append(text[at : _after(places, window.end)])
    return f"{'…' if window.start else ''}{''.join(parts)}{'…' if window.end < len(whole) else ''}"


def _after(places: Sequence[int], end: int) -> int:
    """The place behind the character that ends before `end`."""
    return places[end - 1] + 1 if end else 0
