"""Relative phrases: "3 hours ago", "gestern um 14:05". Each has a marker ("ago"): "3 hours" alone is a duration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from locum_spider.dates import names
from locum_spider.dates import vocabulary as vocab
from locum_spider.dates.days import RefusedError
from locum_spider.dates.grammar import Moment, read_time
from locum_spider.dates.tokens import SIGNS, scan
from locum_spider.dates.value import Date
from locum_spider.dates.zones import place

_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
_ORDER = ("year", "month", "week", "day", "hour", "minute", "second")
_LONGEST = 4  # words of a marker or a unit
_LETTER = rf"(?:[^\W\d_]|[{SIGNS}])"
_TOKEN = re.compile(rf"\d+|{_LETTER}+(?:['-]{_LETTER}+)*'?|[^\w\s]")
_ELIDED = re.compile(r"\bun'")  # Italian "un'ora fa"
_JOINS = frozenset({",", ".", "&", "and", "und", "et", "y", "e", "og", "och", "i"})
_EDGE = re.compile(r"[|/:;>()-]\s*$")
_SEGMENT = re.compile(r"[|/>]|: ")
# "By Jane Doe, CNN", or a name alone
_BYLINE = re.compile(r"(?i:by|von|par|por|di|door|af|av)\s[^\d|/]{1,60}|(?:[A-Z][\w.'-]+\s?){2,4}")
_TIME_ONLY = re.compile(
    r"[LUp@:,.|()?-]*(?:(?P<time>A?[tx]:?[AH]?|A?h|A?[do]H)(?P<zone>\(?[ZO]*\)?)\.?)?[LUp@:,.|()?H-]*"
)
_AFTER_LONG = re.compile(r"\s*(?:$|[|/,.;()-])|(?:\s+[^\W\d]+){1,3}\s*$")


class Phrases(NamedTuple):
    markers: tuple[str, ...]  # a text without any of these has no relative phrase
    before: frozenset[str]  # "vor" 3 Stunden
    after: frozenset[str]  # 3 hours "ago"
    one: frozenset[str]  # "an" hour ago
    units: dict[str, str]
    marked: frozenset[str]  # units that are markers as well: 3 "órája", 3 "時間前"
    days: dict[str, int]  # "yesterday": 1


class Amount(NamedTuple):
    start: int
    end: int
    units: dict[str, int]


@lru_cache(maxsize=128)
def phrases(code: str) -> Phrases | None:
    table = names.table(code)
    if not table:
        return None
    before, after, days = frozenset(table["before"]), frozenset(table["after"]), table["relative_days"]
    marked, one = frozenset(table["marked"]), vocab.ONE.union(table["one"])
    units = table["units"] | table["marked"]
    return Phrases((*before, *after, *marked, *days), before, after, one, units, marked, days)


def read_relative(text: str, words: names.Words, codes: Iterable[str], now: datetime, site: ZoneInfo) -> Date | None:
    """The date of a folded text that says how long before `now` it is; None if two languages read it differently.

    The phrase must begin a part of the text, after nothing but labels: "News / 2 hours ago" counts, a sentence with
    "ago" in it does not.
    """
    lower = text.lower()
    results = set()
    for code in codes:
        terms = phrases(code)
        if terms is None:
            continue
        for marker in terms.markers:
            if marker in lower:
                result = _quantity(lower, text if len(text) == len(lower) else lower, terms, words, now, site) or _day(
                    lower, terms, words, now, site
                )
                if result is not None:
                    results.add(result)
                break
    return results.pop() if len(results) == 1 else None


def _quantity(text: str, cased: str, terms: Phrases, words: names.Words, now: datetime, site: ZoneInfo) -> Date | None:
    amount = find_amount(text, terms)
    if amount is None or not _begins(cased[: amount.start], words):
        return None
    finest = max(amount.units, key=_ORDER.index)
    rest = text[amount.end :]
    if finest in _MONTHS and not _AFTER_LONG.match(rest):
        return None
    then = _subtract(now.astimezone(site), amount.units, finest)
    if finest in _DAYS:
        shape, values = scan(rest, words)
        timed = _TIME_ONLY.match(shape)
        if timed and timed["time"]:
            return _at(then.day, shape, values, timed, site)
    return then


def find_amount(text: str, terms: Phrases) -> Amount | None:
    """The first amount with a marker before or after it.

    >>> en = phrases("en")
    >>> find_amount("posted 8 years, 2 months ago", en)
    Amount(start=7, end=28, units={'year': 8, 'month': 2})
    >>> find_amount("8 years", en) is None
    True
    """
    tokens = list(_TOKEN.finditer(_ELIDED.sub("un ", text)))
    texts = [token.group() for token in tokens]
    i = 0
    while i < len(texts):
        units, end = _units_at(texts, i, terms)
        if units:
            before = _longest(texts, i, terms.before, backwards=True)
            after = _longest(texts, end, terms.after)
            if before or after or texts[end - 1] in terms.marked:
                return Amount(tokens[i - before].start(), tokens[end + after - 1].end(), units)
        i = max(end, i + 1)
    return None


def _units_at(texts: Sequence[str], i: int, terms: Phrases) -> tuple[dict[str, int], int]:
    """The amounts that begin at token `i` ("8 years, 2 months"), and the token behind them."""
    units: dict[str, int] = {}
    end = i
    while i + 1 < len(texts):
        number = texts[i]
        if number.isdigit() and len(number) <= _LONGEST:
            size = int(number)
        elif number in terms.one:
            size = 1
        else:
            break
        width = _longest(texts, i + 1, terms.units)
        unit = terms.units.get(" ".join(texts[i + 1 : i + 1 + width]))
        if unit is None or unit in units:
            break
        units[unit] = size
        end = i = i + 1 + width
        while i < len(texts) and texts[i] in _JOINS:
            i += 1
            if texts[i - 1] == "." and i == end + 1:
                end = i
    return units, end


def _longest(texts: Sequence[str], i: int, phrases: Iterable[str], *, backwards: bool = False) -> int:
    """The number of tokens from `i` on (or up to it) that make up one of the phrases; 0 if none do."""
    for size in range(_LONGEST, 0, -1):
        start, end = (i - size, i) if backwards else (i, i + size)
        if start >= 0 and end <= len(texts) and " ".join(texts[start:end]) in phrases:
            return size
    return 0


def _begins(before: str, words: names.Words) -> bool:
    tokens = before.split()
    while tokens and tokens[-1] in vocab.ABOUT:
        tokens.pop()
    before = " ".join(tokens)
    if not before or _EDGE.search(before) or _BYLINE.fullmatch(before):
        return True
    shape, _ = scan(_SEGMENT.split(before)[-1], words)
    return re.fullmatch(r"(?:.*[LU])?[p@:,.()&-]*", shape) is not None


def _subtract(now: datetime, amounts: dict[str, int], finest: str) -> Date:
    months = sum(amounts.get(unit, 0) * size for unit, size in _MONTHS.items())
    days = sum(amounts.get(unit, 0) * size for unit, size in _DAYS.items())
    seconds = sum(amounts.get(unit, 0) * size for unit, size in _SECONDS.items())
    if finest in _MONTHS:
        year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
        if year < 1:
            raise RefusedError
        return Date(date(year, 1 if finest == "year" else month + 1, 1), finest)
    if months:
        raise RefusedError  # "1 month 3 days ago": the day depends on the way of counting
    if finest in _DAYS:
        return Date(now.date() - timedelta(days=days), "day")
    moment = (now.astimezone(UTC) - timedelta(days=days, seconds=seconds)).astimezone(now.tzinfo)
    # with a fixed offset, so that it equals others of that instant and prints without the zone's rules
    return Date(datetime.fromisoformat(moment.isoformat(timespec=f"{finest}s")), finest)


def _day(text: str, terms: Phrases, words: names.Words, now: datetime, site: ZoneInfo) -> Date | None:
    tokens = list(_TOKEN.finditer(text))
    texts = [token.group() for token in tokens]
    for i in range(len(texts)):
        size = _longest(texts, i, terms.days)
        if not size:
            continue
        start, end = tokens[i].start(), tokens[i + size - 1].end()
        shape, values = scan(f"{text[:start]} | {text[end:]}", words)
        timed = _TIME_ONLY.fullmatch(shape)
        if timed is None:
            return None
        day = now.astimezone(site).date() - timedelta(days=terms.days[text[start:end]])
        return _at(day, shape, values, timed, site) if timed["time"] else Date(day, "day")
    return None


def _at(day: date, shape: str, values: Sequence[Any], timed: re.Match[str], site: ZoneInfo) -> Date | None:
    moment = read_time(shape, values, timed.start("time"), timed.end("zone"))
    placed = place_on(day, moment, site)
    return None if placed is None else Date(placed, moment.time.precision)


def place_on(day: date, moment: Moment, site: ZoneInfo) -> datetime | None:
    """The instant of a printed time on a day; None if it does not exist or its zone is not known."""
    time = moment.time
    local = datetime.combine(day, clock(time.hour, time.minute, time.second))
    return place(local, moment.zone, moment.offset, site)
