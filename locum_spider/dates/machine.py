"""Dates as machines write them: in metadata, in attributes, in addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

_ISO = re.compile(
    r"(?=\d{4}-\d\d?-\d|\d{4}-?\d\d-?\d\d)(\d{4})-?(\d\d?)-?(\d\d?)"
    r"(?:(?:\s*[Tt]\s*|\s+)(\d\d|\d(?=:)):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?\s*(Z|z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?"
)
_MONTH_ONLY = re.compile(r"(\d{4})-(\d\d)")
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
_FARTHEST = 14 * 60
"""Minutes from UTC on any clock of the world."""
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")
_JAVASCRIPT = re.compile(r"\w{3} (\w{3}) (\d\d) (\d{4}) (\d\d:\d\d:\d\d) (?:GMT|UTC)([+-]\d{4})(?: \(.*\))?")
_MAIL = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d")
_NEVER = frozenset({date(1970, 1, 1), date(1900, 1, 1)})  # what an empty field turns into
EARLIEST = date(1990, 1, 1)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A date as written: its day, and if the text has them the clock and the offset in minutes east.

    Midnight to the second does not count as a clock: systems that demand a time write a bare day so. With
    `precision` "month", `day` is the first of the month.
    """

    day: date
    clock: datetime | None = None
    offset: int | None = None
    precision: str = "day"

    @property
    def instant(self) -> datetime | None:
        """The point in time; None if the clock or the offset is not known."""
        if self.clock is None or self.offset is None:
            return None
        return self.clock.replace(tzinfo=timezone(timedelta(minutes=self.offset)))


def stamp_of(moment: datetime, *, precise: bool = False) -> Stamp:
    """A datetime as a stamp; with `precise`, midnight is a time of the day like any other."""
    offset = moment.utcoffset()
    minutes = None if offset is None else int(offset.total_seconds()) // 60
    clock = moment.replace(tzinfo=None, microsecond=0)
    bare = not precise and (clock.hour, clock.minute, clock.second) == (0, 0, 0)
    return Stamp(clock.date(), None if bare else clock, minutes)


def read_stamp(text: str) -> Stamp | None:
    """A date of metadata; None if it is not a complete date, or if it marks an empty field.

    >>> read_stamp("2024-08-28T07:26:02-0400")
    Stamp(day=datetime.date(2024, 8, 28), clock=datetime.datetime(2024, 8, 28, 7, 26, 2), offset=-240, precision='day')
    >>> read_stamp("2022-1-6T9:05").clock
    datetime.datetime(2022, 1, 6, 9, 5)
    >>> read_stamp("2024-01-01T10:00:00+25:00").offset is None
    True
    >>> read_stamp("2024-08-28T00:00:00Z").clock is None, read_stamp("2024-08-28").offset is None
    (True, True)
    >>> read_stamp("2024"), read_stamp("1970-01-01T00:00:00Z"), read_stamp("2024-02-30")
    (None, None, None)
    """
    try:
        stamp = _stamp(text.strip())
    except (ValueError, TypeError, IndexError):
        return None
    return stamp if stamp and stamp.day >= EARLIEST and stamp.day not in _NEVER else None


def _stamp(text: str) -> Stamp | None:
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute = (int(part or 0) for part in match.groups()[:5])
        moment = datetime(year, month, day, hour, minute, min(int(match[6] or 0), 59))  # noqa: DTZ001 - as written
        return replace(stamp_of(moment), offset=_minutes(match[7]) if match[7] else None)
    if match := _MONTH_ONLY.fullmatch(text):
        return _first_of_month(int(match[1]), int(match[2]))
    if _EPOCH.fullmatch(text):
        return stamp_of(datetime.fromtimestamp(int(text[:10]), UTC))
    # the forms of mail and HTTP ("Mon, 05 Aug 2024 12:47:21 GMT") and of JavaScript's `Date`
    if match := _JAVASCRIPT.fullmatch(text):
        text = f"{match[2]} {match[1]} {match[3]} {match[4]} {match[5]}"
    elif not _MAIL.match(text):
        return None
    return stamp_of(parsedate_to_datetime(text))


def _minutes(zone: str) -> int | None:
    """Minutes east of UTC; None for an offset that no place has, such as +25:00."""
    match = _OFFSET.fullmatch(zone)
    if match is None:
        return 0
    minutes = 60 * int(match[2]) + int(match[3] or 0)
    if minutes > _FARTHEST:
        return None
    return -minutes if match[1] == "-" else minutes


def _first_of_month(year: int, month: int) -> Stamp:
    return Stamp(date(year, month, 1), precision="month")


_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_MONTH = r"(?P<m>0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DAY = r"(?P<d>0?[1-9]|[12]\d|3[01])"
# A day ends its segment or is part of a hyphenated date: there is no day in "/2023/04/16-inch-laptops".
_IN_ADDRESS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"/{_YEAR}[/-]{_MONTH}/{_DAY}(?=[/.]|$)",
        rf"(?<![^/=]){_YEAR}-(?P<m>\d\d)-(?P<d>\d\d)(?!\d)",
        rf"(?<=[_-]){_YEAR}-(?P<m>\d\d)-(?P<d>\d\d)(?=[/.]|$)",
        rf"(?<![^/=_-]){_YEAR}(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?:[0-2]\d[0-5]\d(?:[0-5]\d)?)?(?=[/._-]|$)",
    )
)
_MONTH_IN_ADDRESS = re.compile(rf"/{_YEAR}[/-]{_MONTH}(?=/)", re.IGNORECASE)


def address_stamp(url: str) -> tuple[Stamp, str] | None:
    """The day, or at least the month, that an address names, and the words that say so; None if it names two.

    >>> address_stamp("https://a.org/2023/04/16/laptops")[0].day, address_stamp("https://a.org/2023/apr/8/x")[1]
    (datetime.date(2023, 4, 16), '2023/apr/8')
    >>> address_stamp("https://a.org/2023/04/16-inch-laptops")[0].precision
    'month'
    >>> address_stamp("https://a.org/news/2024-10-15-brussels")[0].day, address_stamp("https://a.org/id-20241320")
    (datetime.date(2024, 10, 15), None)
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    address = unquote(parts.path) + (f"?{unquote(parts.query)}" if parts.query else "")
    for pattern in _IN_ADDRESS:
        days = {}
        for match in pattern.finditer(address):
            month = _MONTHS.get(match["m"].lower()) or int(match["m"])
            try:
                days[date(int(match["y"]), month, int(match["d"]))] = match[0].strip("/")
            except ValueError:
                continue
        if days:
            day, raw = next(iter(days.items()))
            return (Stamp(day), raw) if len(days) == 1 and day >= EARLIEST else None
    months = {match[0].strip("/"): match for match in _MONTH_IN_ADDRESS.finditer(address)}
    if len(months) != 1:
        return None
    raw, match = next(iter(months.items()))
    stamp = _first_of_month(int(match["y"]), _MONTHS.get(match["m"].lower()) or int(match["m"]))
    return (stamp, raw) if stamp.day >= EARLIEST else None
