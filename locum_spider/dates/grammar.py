"""The forms of dates, as regular expressions over shapes (see `tokens`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from locum_spider.dates.days import Numeric, RefusedError, full_year, make_day
from locum_spider.dates.tokens import Time
from locum_spider.dates.vocabulary import COUNTED
from locum_spider.dates.zones import parse_offset

_GAP = frozenset("-,.|/():p@")
_ENDS_HEAD = frozenset("WBtxhAHNZO")
_REACH = 14  # tokens; a time or weekday that begins further away does not belong to the date
_SUNDAY, _MONDAY = 6, 0

# the day itself; the first alternative that fits wins
_CORE = re.compile(
    "(?P<iso>I)|(?P<numeric>Q)|(?P<compact>C)|(?P<signs>yjdkdl|dvd,?p?y)"
    # "Apr 10 15:45:00 BST 2018", as C and JavaScript write it
    r"|(?P<asctime>[MB]\.?dt\(?[ZO]*\)?y)"
    r"|(?P<dmy>[do][.)]?[-/,]?p{0,3}'?\(?[MB][.)']{0,2}(?:/[MB])?[-/,]?p{0,3}"
    r"(?:[yq]|[de](?=\.?$|[|,()t@LU;])))"
    r"|(?P<mdy>[MB][.)]{0,2}[-/,]?p?[do]\.?[-/,]?p{0,2}[yq])"
    r"|(?P<ymd>y[.]?[-/,]?p{0,2}[-.,]{0,2}[MB]\.?[-/]?p?[do](?!\d?[.,]?[yqMB]))"
    r"|(?P<ydm>y\.?-?p\.?[-,]{0,2}[do][.-]{0,2}p?[MB])"
)
_ANCHOR = re.compile("[IQCMBjv]")  # every core has one of these, and begins at most _BACK tokens before it
_BACK = 9
_TIME = "(?:A?[tx]:?[AH]?|A?h|A?[do][HA]|(?<![-w])d?N)"
_ZONE = r"(?:\(?[ZO](?:\(?[ZO]\)?)*\)?)?"
_ZONE_BEHIND = re.compile(r"\(?(?P<zone>[ZO])\)?")
_HEAD = re.compile(
    rf"(?:(?P<first>[WB])[.,]{{0,2}}p?)?(?:(?P<time>{_TIME})\.?(?P<zone>{_ZONE})[-,.|/()p]{{0,3}})?"
    r"(?:(?P<second>[WB])[.,)]{0,2}p{0,2})?(?P<gap>[-,|(p:@]{0,3})$"
)
_TAIL = re.compile(
    r"(?:p?\.?[,.|(-]{0,2}(?:(?P<weekday>[WB])|(?<=\()(?P<sign>[lk])(?=\)))p?[.)]{0,2})?"
    rf"(?:(?:p\.?)?(?P<gap>[-,.|/()@p:;G]{{0,6}})"
    rf"(?:(?P<time>{_TIME})(?P<zone>{_ZONE})|(?<=@)(?P<digits>[yn])(?P<named>Z)?(?![a-zA-Z])))?"
)
# a day that is parted from its month, but not the month from the year
_PARTED = re.compile(r"[do][.)]?(?:[,(]|(?P<sign>[-/])p*'?[MB][.)']*(?!(?P=sign)))")
_BEHIND_WORD = frozenset("wi.:,(-")
_WORD_BEFORE = re.compile(r"[wi][.:,(-]?$")
# what may not stand directly before: another number or month, as in "10 - 12 April 2018", or a word of a range
_BAD_BEFORE = re.compile(r"(?:[dnoeyqtxhQICMB][.]?[-,./:'+p@&r]{0,2}|rp{0,2})$")
_COPYRIGHT = re.compile("c[^LU]*$")
# nor directly after; a number may follow only if it begins something else: "10 April 2018 5 comments"
_BAD_AFTER = re.compile(
    r"G|[:.'+-]?[:'+][dnoexyq]|/[dnoexyq](?!w)|[-.,/+&'p@r]{1,2}[dnoexyqtQ](?![\w(])|\.[dnoexyq]|[yqQIC]"
    r"|[-,p@r&/]*[MB]|[,-]?r|[-,|@p]{0,2}[th]"
)
# a day and a year with an unknown word for the month
FOREIGN_DAY = re.compile(r"[do][.)]?[-/,]?p?w[.)]?[-/,]?p{0,2}y|w[.)]?[-/,]?p?[do]\.?,?y|y[.]?[-/,]?p?w\.?[do]")
_KIND_OF_NUMBER = re.compile(r"\$[.:(]{0,2}$")
_BEFORE_SHORT = re.compile(r"(?:^|[LUpW@:,|(tAhZO)-])$")
_COMPACT_ALONE = re.compile(r"[LUp@:,.|()W]*C(?:[-,|@p]?t[ZO]?)?[.)]*")
# "Vol. 12, No. 3", "第3号", "Smith 3,"; perhaps with a name before it
_ISSUE = r"(?:[wp]{0,3}[-,.:(]{1,2})?w?[wp@&rA$][-.?:]{0,2}w?(?:i|[do](?=p?[-,(:/]))(?:[-/&]i)?[wl]?[)]?"
# a part of the text that holds nothing but labels, the number of an issue, and a month or a quarter
_BEFORE = rf"(?:^|\|)(?:{_ISSUE}[-,.:(/p]*){{0,3}}[LUp:,.(]*(?P<core>"
_BEHIND = rf")p?[.,)]*(?:[-,:(]{{1,2}}{_ISSUE}){{0,3}}(?:$|\|)"
_MONTH = re.compile(rf"{_BEFORE}[MB]\)?\.?[-/,]?p{{0,2}}[yq]|y\.?[-/,]?p{{0,2}}[MB]|yjdk|vdp?,?p?y{_BEHIND}")
_QUARTER = re.compile(
    rf"{_BEFORE}u\.?[-/]?[do][-/,]?p{{0,2}}[yq]|[do]\.?p?u[-/,.]?p{{0,2}}[yq]|y[-/.]?p?u[-/.]?d{_BEHIND}"
)
_NUMERIC_MONTH = re.compile(r"[LUp:,.(]*(?:(?P<iso>y[-/]d)|(?P<slashed>d/y))[.,)]*")


class Moment(NamedTuple):
    """A time with its zone as written."""

    time: Time
    zone: str | None
    offset: int | None  # minutes east of UTC


class PrintedDate(NamedTuple):
    """A date as the text has it, from shape position `start` to `end`."""

    start: int
    end: int
    day: date | Numeric
    weekday: int | None
    moment: Moment | None


def find_days(shape: str, values: Sequence[Any], now_year: int) -> list[PrintedDate]:
    """All dates of the text with their weekdays and times. Raises RefusedError if one of them is doubtful."""
    anchor = _ANCHOR.search(shape)
    if anchor is None:
        return []
    cores = [core for core in _CORE.finditer(shape, max(0, anchor.start() - _BACK)) if not _counts(core, values)]
    dates: list[PrintedDate] = []
    end = 0
    for i, core in enumerate(cores):
        limit = cores[i + 1].start() if i + 1 < len(cores) else len(shape)
        day = _read(shape, values, core, end, limit, now_year)
        if not (i and day.start == end) and _BAD_BEFORE.search(shape, max(end, day.start - _BACK), day.start):
            raise RefusedError
        if "c" in shape and _COPYRIGHT.search(shape, end, day.start):
            raise RefusedError
        dates.append(day)
        end = day.end
    for i, day in enumerate(dates):
        last = i + 1 == len(dates)
        rest = shape[day.end :] if last else shape[day.end : dates[i + 1].start]
        if rest and _BAD_AFTER.match(rest) and (last or rest not in "G-|,"):
            raise RefusedError
    return dates


def _counts(core: re.Match[str], values: Sequence[Any]) -> bool:
    """Whether a number belongs to another word: to that before it in "Smith 3, May 2024", else to that behind it."""
    kind, shape = core.lastgroup, core.string
    if kind == "dmy":
        start = core.start()
        return (
            shape[start - 1 : start] in _BEHIND_WORD
            and _PARTED.match(shape, start) is not None
            and _WORD_BEFORE.search(shape, 0, start) is not None
        )
    end = core.end()
    return kind == "ymd" and shape[end : end + 1] == "w" and values[end] in COUNTED  # "2019 May 3 comments"


def _read(shape: str, values: Sequence[Any], core: re.Match[str], lower: int, upper: int, now_year: int) -> PrintedDate:
    """The date of a core, with the weekday and the time that stand between `lower` and `upper`."""
    start, end = core.span()
    day, moment = _core(shape, values, core, lower, now_year)
    if core.lastgroup == "iso":
        zone = _ZONE_BEHIND.match(shape, end)
        if zone is not None and moment is not None and moment.offset is None:
            place, east = zone.start("zone"), zone["zone"] == "O"
            moment = Moment(moment.time, None if east else values[place], values[place] if east else None)
            end = zone.end()
        return PrintedDate(start, end, day, None, moment)
    weekdays: list[int] = []
    head = _head(shape, lower, start)
    if head is not None:
        weekdays += [_weekday(values[head.start(name)]) for name in ("first", "second") if head[name]]
        if head["time"] and not _unsure(shape, values, head, head.end("time")):
            if moment is not None:
                raise RefusedError
            moment = read_time(shape, values, head.start("time"), head.end("zone"))
            start = head.start()
        elif head["second"]:
            start = head.start("second")
        elif head["first"] and not head["time"]:
            start = head.start("first")
    tail = _TAIL.match(shape, end, upper)
    if tail is not None and tail.end() > end:
        if tail["weekday"]:
            weekdays.append(_weekday(values[tail.start("weekday")]))
            end = tail.end("weekday")
        elif tail["sign"]:
            weekdays.append(_SUNDAY if tail["sign"] == "l" else _MONDAY)
            end = tail.end("sign") + 1
        late = _late_time(shape, values, tail)
        if late is not None:
            if moment is not None and moment.time != late.time:
                raise RefusedError
            moment, end = late, tail.end()
    if len(set(weekdays)) > 1:
        raise RefusedError
    return PrintedDate(start, end, day, weekdays[0] if weekdays else None, moment)


def _core(
    shape: str, values: Sequence[Any], core: re.Match[str], lower: int, now_year: int
) -> tuple[date | Numeric, Moment | None]:
    start = core.start()
    value = values[start]
    match core.lastgroup:
        case "iso":
            return _iso(value)
        case "numeric":
            _check_numeric(value, shape[lower:start])
            return value, None
        case "compact":
            return _compact(shape, value)
        case "asctime":
            return _worded(core, values, now_year), read_time(shape, values, start, core.end())
        case _:
            return _worded(core, values, now_year), None


def _head(shape: str, lower: int, start: int) -> re.Match[str] | None:
    """The weekday and the time before a core. Most dates have neither, and a search costs: look at one token first."""
    place = start
    while place > lower and shape[place - 1] in _GAP:
        place -= 1
    if place == lower or shape[place - 1] not in _ENDS_HEAD:
        return None
    return _HEAD.search(shape, max(lower, start - _REACH), start)


def _late_time(shape: str, values: Sequence[Any], tail: re.Match[str]) -> Moment | None:
    if tail["digits"]:
        digits = values[tail.start("digits")]
        zone = values[tail.start("named")] if tail["named"] else None
        if len(digits) != 4 or int(digits[:2]) > 23 or int(digits[2:]) > 59:
            raise RefusedError
        return Moment(Time(int(digits[:2]), int(digits[2:]), 0, "minute"), zone, None)
    if not tail["time"] or _unsure(shape, values, tail, tail.end()):
        return None
    return read_time(shape, values, tail.start("time"), tail.end())


def _weekday(value: Any) -> int:
    return int(value[1] if isinstance(value, tuple) else value)


def _month(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)


def _worded(core: re.Match[str], values: Sequence[Any], now_year: int) -> date:
    """A day whose month is a word or has its own sign (月)."""
    shape, start = core.group(), core.start()
    if core.lastgroup == "signs":
        day, month, year = (values[start + i] for i in ((4, 2, 0) if shape[0] == "y" else (0, 2, len(shape) - 1)))
        return make_day(full_year(year, now_year), int(month), int(day))
    month = _month(values[start + _place(shape, "MB")])
    if "/" in shape and any(_month(values[start + i]) != month for i, code in enumerate(shape) if code in "MB"):
        raise RefusedError  # "3 May/June 2018"; Arabic gives two names of one month
    day = values[start if core.lastgroup == "dmy" else start + _place(shape, "do")]
    year = values[start if shape[0] == "y" else core.end() - 1]
    return make_day(full_year(year, now_year), month, int(day))


def _place(shape: str, codes: str) -> int:
    """The position of the first of two codes, else of the second; the shape has one of them."""
    place = shape.find(codes[0])
    return place if place >= 0 else shape.index(codes[1])


def _compact(shape: str, digits: str) -> tuple[date, Moment | None]:
    """A date in one number counts only if the text has nothing else."""
    if _COMPACT_ALONE.fullmatch(shape) is None:
        raise RefusedError
    day = make_day(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    if len(digits) == 8:
        return day, None
    hour, minute, second = (int(digits[i : i + 2]) for i in (8, 10, 12))
    if hour > 23 or minute > 59 or second > 59:
        raise RefusedError
    return day, Moment(Time(hour, minute, second, "second"), None, None)


def _iso(parts: Sequence[str | None]) -> tuple[date, Moment]:
    year, month, day, hour, minute, second = (int(part or 0) for part in parts[:6])
    zone = parts[6]
    offset = parse_offset(zone) if zone else None
    if hour > 23 or minute > 59 or second > 60 or (zone and offset is None):
        raise RefusedError
    time = Time(hour, minute, min(second, 59), "second" if parts[5] else "minute")
    return make_day(year, month, day), Moment(time, None, offset)


def _check_numeric(numeric: Numeric, before: str) -> None:
    """Refuse numbers with points or slashes that are not dates: versions, prices, parts of a serial."""
    if _KIND_OF_NUMBER.search(before):
        raise RefusedError
    short = len(numeric.first) <= 2 and len(numeric.last) == 2
    if short and numeric.separator == "." and not _BEFORE_SHORT.search(before):
        raise RefusedError


def _unsure(shape: str, values: Sequence[Any], match: re.Match[str], end: int) -> bool:
    """Whether a dotted number ("15.45") beside a date may be something other than its time."""
    start, stop = match.span("time")
    if "x" not in shape[start:stop]:
        return False
    padded = values[shape.index("x", start)].padded
    is_time = stop - start > 1 or match["zone"] or padded or "@" in match["gap"]
    return not is_time and shape[end : end + 1] in tuple("w$h?Mdneo")


def read_time(shape: str, values: Sequence[Any], start: int, end: int) -> Moment:
    """The time, its zone's name and its offset, from the tokens between two positions."""
    time: Time | None = None
    half = zone = offset = None
    for code, value in zip(shape[start:end], values[start:end], strict=True):
        if code in "txh":
            time = value
        elif code == "N":
            if time is not None and time.hour != 12:
                raise RefusedError
            time = Time(value, 0, 0, "minute")
        elif code in "do" and time is None:
            time = Time(int(value), 0, 0, "hour")
        elif code == "A":
            half = value
        elif code == "Z":
            zone = zone or value
        elif code == "O":
            offset = value
    if time is None or time.hour > 23:
        raise RefusedError
    if half and not time.half:
        if half == "a" and time.hour > 12:
            raise RefusedError
        if time.hour <= 12:
            time = time._replace(hour=time.hour % 12 + 12 * (half == "p"))
    return Moment(time, zone, time.offset if time.offset is not None else offset)


def find_period(shape: str, values: Sequence[Any], now_year: int) -> tuple[date, str] | None:
    """The first day of a month or quarter with its year, and which of the two it is; None if the text says more."""
    match = _MONTH.search(shape) or _QUARTER.search(shape)
    if match is not None:
        start, core = match.start("core"), match["core"]
        year = full_year(values[start + _place(core, "yq")], now_year)
        if "u" in core:
            quarter = int(values[start + _place(core, "do")])
            return (make_day(year, 3 * quarter - 2, 1), "quarter") if quarter <= 4 else None
        signed = 2 if core == "yjdk" else 1 if core[0] == "v" else 0
        month = int(values[start + signed]) if signed else _month(values[start + _place(core, "MB")])
        return make_day(year, month, 1), "month"
    match = _NUMERIC_MONTH.fullmatch(shape)
    if match is None:
        return None
    start = match.start(match.lastgroup or 0)
    digits, year = (values[start + 2], int(values[start])) if match["iso"] else (values[start], int(values[start + 2]))
    # "2011-12" is a season as well as a month
    season = match["iso"] and int(digits) == (year + 1) % 100
    return (make_day(year, int(digits), 1), "month") if len(digits) == 2 and not season else None
