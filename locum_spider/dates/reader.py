"""Reads a date that a news page prints, strictly: what is doubtful does not count as a date."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from locum_spider.dates import names
from locum_spider.dates.days import ORDERS, Numeric, RefusedError, readings, resolve
from locum_spider.dates.eras import gregorian
from locum_spider.dates.fallback import read_with_dateparser
from locum_spider.dates.grammar import FOREIGN_DAY, PrintedDate, find_days, find_period
from locum_spider.dates.relative import place_on, read_relative
from locum_spider.dates.tokens import fold, scan
from locum_spider.dates.value import PERIODS, Date, Dates
from locum_spider.dates.zones import place

EARLIEST = date(1990, 1, 1)
_MAX_LENGTH = 250  # a line with a date; longer is prose
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
_MAY_HAVE_YEAR = re.compile(r"\d{4}|\d\D+\d\d")


class _Context(NamedTuple):
    now: datetime
    site: ZoneInfo
    order: str | None
    earliest: date
    latest: date | None  # None: tomorrow


def read_date(
    text: str,
    *,
    now: datetime,
    tz: str,
    lang: str | None = None,
    order: str | None = None,
    earliest: date = EARLIEST,
    latest: date | None = None,
) -> Date | None:
    """The date that a text gives for an article: the one labelled as published, else the only one; None if unsure.

    `tz` is the site's zone, for times without one. `order` ("DMY", "MDY", "YMD") is its order of numeric dates; without
    it, a date that can be read in two ways is refused. Also refused: a date before `earliest` or after `latest`
    (tomorrow), a range, a date that contradicts its weekday, a time that the clocks skipped. A time that they showed
    twice is the first of the two.

    >>> now = datetime.fromisoformat("2018-04-11T09:00:00+01:00")
    >>> def read(text, **site):
    ...     read = read_date(text, now=now, tz="Europe/London", **site)
    ...     return read and read.isoformat()
    >>> read("Last updated: Tuesday 10 April 2018 at 15:45")
    '2018-04-10T15:45:00+01:00'
    >>> read("Publié le 3 févr. 2018", lang="fr"), read("February 2018"), read("3 hours ago")
    ('2018-02-03', '2018-02', '2018-04-11T06:00:00+01:00')
    >>> read("10/04/2018"), read("10/04/2018", order="DMY"), read("25/12/2017")
    (None, '2018-04-10', '2017-12-25')
    >>> read("Page 3 of 12"), read("10 April"), read("10 - 12 April 2018"), read("31 April 2017")
    (None, None, None, None)
    """
    dates = read_dates(text, now=now, tz=tz, lang=lang, order=order, earliest=earliest, latest=latest)
    return dates.published or dates.modified


def read_dates(
    text: str,
    *,
    now: datetime,
    tz: str,
    lang: str | None = None,
    order: str | None = None,
    earliest: date = EARLIEST,
    latest: date | None = None,
) -> Dates:
    """The dates of a text by their labels; a date without a label counts as published.

    Raises ValueError if `order` is not one of those that `read_date` takes.

    >>> dates = read_dates("Published 3 May 2017 | Updated 4 May 2017", now=datetime(2018, 1, 1), tz="UTC")
    >>> dates.published.isoformat(), dates.modified.isoformat()
    ('2017-05-03', '2017-05-04')
    """
    if order is not None and order not in ORDERS:
        raise ValueError(f"order must be one of {', '.join(ORDERS)}, not {order!r}")
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        return Dates()
    site = _zone(tz)
    now = now.replace(tzinfo=site) if now.tzinfo is None else now
    try:
        folded = gregorian(fold(text), lang, text, now.year + 1)
        return _read(folded, lang, _Context(now, site, order, earliest, latest))
    except RefusedError:
        return Dates()


_SOME_DAY = datetime(2000, 1, 3, 12, tzinfo=UTC)
_ANOTHER_DAY = datetime(2002, 8, 15, 9, tzinfo=UTC)


def is_reckoned(text: str, lang: str | None = None) -> bool:
    """Whether a printed date says only how long ago it is: what is read from it depends on the time of the capture.

    >>> is_reckoned("2 hours ago"), is_reckoned("Gestern, 14:05 Uhr", "de"), is_reckoned("10 April 2018")
    (True, True, False)
    """
    if _YEAR.search(text):  # it need not be read twice: what names its year does not depend on today's
        return False
    one, another = (
        read_date(text, now=now, tz="UTC", lang=lang, earliest=date.min) for now in (_SOME_DAY, _ANOTHER_DAY)
    )
    return one is not None and another is not None and one != another


_zone = lru_cache(maxsize=512)(ZoneInfo)  # ZoneInfo itself keeps only eight


def _read(text: str, lang: str | None, context: _Context) -> Dates:
    words = names.lexicon(lang)
    shape = ""
    if _MAY_HAVE_YEAR.search(text):
        shape, values = scan(text, words)
        if "!" in shape:
            return Dates()
        year = context.now.year
        printed_dates = find_days(shape, values, year)
        if not printed_dates and lang and FOREIGN_DAY.search(shape):
            # many pages declare a wrong language
            shape, values = scan(text, names.foreign())
            printed_dates = find_days(shape, values, year)
        if printed_dates:
            return _assign(shape, [_complete(printed, context) for printed in printed_dates], printed_dates)
        period = find_period(shape, values, year)
        if period is not None:
            return Dates(published=_within(Date(*period), context))
    code = names.primary(lang)
    codes = names.languages() if code is None else ("en",) if code == "en" else ("en", code)
    recent = read_relative(text, words, codes, context.now, context.site)
    if recent is not None:
        return Dates(published=_within(recent, context))
    if shape and code and not names.table(code):
        return Dates(published=_last_resort(text, shape, code, context))
    return Dates()


def _last_resort(text: str, shape: str, code: str, context: _Context) -> Date | None:
    parsed = read_with_dateparser(text, shape, code, context.order)
    if parsed is None:
        return None
    moment, timed = parsed
    if not timed:
        return _within(Date(moment.date(), "day"), context)
    placed = place(moment, None, None, context.site)
    return _within(Date(placed, "minute"), context) if placed else None


def _complete(printed: PrintedDate, context: _Context) -> Date:
    day = printed.day
    if isinstance(day, Numeric):
        day = resolve(day, context.order, printed.weekday, context.now.year)
    if printed.weekday is not None and day.weekday() != printed.weekday:
        raise RefusedError
    moment = printed.moment
    if moment is not None:
        placed = place_on(day, moment, context.site)
        if placed is not None:
            return _within(Date(placed, moment.time.precision), context)
        if moment.zone is None:
            raise RefusedError
    return _within(Date(day, "day"), context)  # if the zone could be that of two places, the day is still sure


def _within(read: Date, context: _Context) -> Date:
    day = read.day
    earliest = context.earliest
    if read.precision in PERIODS:
        earliest = earliest.replace(day=1) if read.precision != "year" else earliest.replace(month=1, day=1)
    if day < earliest:
        raise RefusedError
    if context.latest is None:
        # a day that is not after today anywhere needs no look at the site's tomorrow
        late = day > context.now.date() and day > context.now.astimezone(context.site).date() + timedelta(days=1)
    else:
        late = day > context.latest
    if late:
        raise RefusedError
    return read


def _assign(shape: str, dates: list[Date], printed: list[PrintedDate]) -> Dates:
    """Give each date the label before it, or the one after it if the labels follow. Refuse two dates for one label."""
    if len(dates) == 1:
        label = _label(shape[: printed[0].start])
        return Dates(modified=dates[0]) if label == "U" else Dates(published=dates[0])
    edges = [0, *(place.end for place in printed)]
    gaps = [shape[start : place.start] for start, place in zip(edges, printed, strict=False)] + [shape[edges[-1] :]]
    labels = [_label(gap) for gap in gaps]
    following = not labels[0] and labels[-1]
    labels = labels[1:] if following else labels[:-1]
    # "3 May 2019, first published 2 May 2019": leave out the date without a label before it
    first = labels.index("L") if "L" in labels else 0
    published = _same([day for day, label in zip(dates[first:], labels[first:], strict=True) if label != "U"])
    try:
        modified = _same([day for day, label in zip(dates, labels, strict=True) if label == "U"])
    except RefusedError:
        if published is None:
            raise
        modified = None
    return Dates(published, modified)


def _label(gap: str) -> str:
    """The nearest label: in "last published" and "mis en ligne" the second word decides."""
    published, modified = gap.rfind("L"), gap.rfind("U")
    return "U" if modified > published else "L" if published >= 0 else ""


def _same(dates: list[Date]) -> Date | None:
    """The date that all of them give, as precisely as any of them does. Raises RefusedError if they differ."""
    if not dates:
        return None
    finest = max(dates, key=lambda day: isinstance(day.value, datetime))
    for other in dates:
        same = other.value == finest.value if isinstance(other.value, datetime) else other.day == finest.day
        if not same:
            raise RefusedError
    return finest


def learn_order(texts: Iterable[str]) -> str | None:
    """The order of numeric dates that a site's unambiguous dates show; None if they show none or contradict each other.

    Dates that begin with a year of four digits say nothing about the others. They count only if there are no others.

    >>> learn_order(["25/12/2019", "03/04/2020"]), learn_order(["12/25/2019"]), learn_order(["2019-12-25"])
    ('DMY', 'MDY', 'YMD')
    >>> learn_order(["25/12/2019", "12/25/2019"]), learn_order(["03/04/2020"])
    (None, None)
    """
    seen: set[str] = set()
    years_first = False
    for text in texts:
        if len(text) > _MAX_LENGTH:
            continue
        shape, values = scan(fold(text), {})
        for code, value in zip(shape, values, strict=True):
            if code != "Q":
                continue
            if len(value.first) == 4:
                years_first = True
            elif len(value.last) == 4 and len(possible := readings(value, ("DMY", "MDY"), 0)) == 1:
                seen |= possible.keys()
    if len(seen) == 1:
        return seen.pop()
    return "YMD" if years_first and not seen else None
