"""The rule that chooses a publication date among the dates a page gives, and says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from locum_spider.dates.machine import Stamp
from locum_spider.extract.general.published.sources import MODIFIED, PUBLISHED, UNKNOWN, Candidate

_DAY = timedelta(days=1)
_TIE = 0.25
_ALONE = 1.0
"""The weight a date needs to be believed when nothing else speaks for it."""
_SURE = 2.5
_LABELLED = 3.0
_WESTMOST, _EASTMOST = -12 * 60, 14 * 60
_ODD_OFFSETS = frozenset({345, 525, 765, 825})  # Nepal, Eucla, Chatham
_SEASON = timedelta(days=20)
"""How near another stamp must be for its offset to be this one's too: clocks change twice a year."""
_ORDER = ("json-ld", "meta", "microdata", "time", "visible", "listing", "address", "http")


@dataclass(frozen=True, slots=True)
class Published:
    """When a page was published. `day` is the publisher's calendar day (`2018-04-10`) or a month (`2018-04`).

    `at` is the instant, `raw` the words on the page and `source` where they stand; `conflict` says which other
    dates the page gives, `reason` what speaks for this one.
    """

    day: str | None = None
    at: str | None = None
    raw: str | None = None
    source: str | None = None
    reason: str = "the page gives no date"
    conflict: str | None = None
    modified_at: str | None = None


def choose(candidates: Iterable[Candidate], *, zone: str | None, now: datetime) -> Published:
    """The date that independent sources agree on; where one kind of source stands against another, the earlier.

    Sources of one family (all metadata, all that is printed) count once, dates within a day of each other agree.
    What is published again, moved or changed gets a later date, never an earlier one. Candidates of one weight are
    in the order of trust, the date nearest to the headline first.
    """
    latest = now.astimezone(UTC).date() + _DAY
    known = [one for one in candidates if one.stamp.day <= latest]
    usable = _without_changes(known)
    anchors = [one for one in usable if one.weight >= _ALONE and one.stamp.precision != "month"]
    anchors = anchors or [one for one in usable if one.stamp.precision == "month" and one.source != "http"]
    if not anchors:
        return Published(modified_at=_modified(known, None, zone))
    support = [(_support(anchor, usable, zone), anchor) for anchor in anchors]
    most = max(value for value, _ in support)
    best = [one for value, one in support if value >= most - _TIE]
    leading: dict[str, Candidate] = {}
    for one in sorted(best, key=lambda one: -one.weight):
        leading.setdefault(one.family, one)
    anchor = min(leading.values(), key=lambda one: _local_day(one, zone))
    agreeing = sorted(
        (one for one in usable if _agree(anchor, one, zone)),
        key=lambda one: (-one.weight, _ORDER.index(one.source)),
    )
    return _published(agreeing, usable, known, zone)


def _without_changes(known: Sequence[Candidate]) -> list[Candidate]:
    """The dates that may be of publication. A vague one that is the day of a change is of the change."""
    changed = {one.stamp.day for one in known if one.role == MODIFIED}
    sure = {one.stamp.day for one in known if one.role == PUBLISHED and one.weight >= _SURE} - changed
    found = []
    for one in known:
        if one.role not in {PUBLISHED, UNKNOWN}:
            continue
        vague = one.role == UNKNOWN or (one.source == "meta" and one.weight < _LABELLED)
        if vague and sure and one.stamp.day in changed:
            one = replace(one, weight=0.4)
        found.append(one)
    return found


def _local_day(one: Candidate, zone: str | None) -> date:
    """The day on the site's clock; of a date without a clock, or on a clock of its own, the day as written."""
    instant = one.stamp.instant
    if instant is None or one.stamp.offset != 0 or zone is None:
        return one.stamp.day
    return instant.astimezone(ZoneInfo(zone)).date()


def _agree(one: Candidate, other: Candidate, zone: str | None) -> bool:
    month, day = (one, other) if one.stamp.precision == "month" else (other, one)
    if month.stamp.precision == "month":
        first = month.stamp.day
        following = (first.replace(day=28) + 4 * _DAY).replace(day=1)
        return first - _DAY <= day.stamp.day <= following
    return abs(_local_day(one, zone) - _local_day(other, zone)) <= _DAY


def _support(anchor: Candidate, usable: Sequence[Candidate], zone: str | None) -> float:
    best: dict[str, float] = {}
    for one in usable:
        if _agree(anchor, one, zone):
            best[one.family] = max(best.get(one.family, 0.0), one.weight)
    return sum(best.values())


def _published(
    agreeing: Sequence[Candidate], usable: Sequence[Candidate], known: Sequence[Candidate], zone: str | None
) -> Published:
    main = next((one for one in agreeing if one.stamp.precision != "month"), agreeing[0])
    clocked = next((one for one in agreeing if one.stamp.clock is not None), main)
    printed = [
        one for one in agreeing if one.family == "visible" and one.stamp.precision != "month" and one.weight >= 2
    ]
    beside = [*agreeing, *(one for one in known if one.role == MODIFIED)]
    day = _calendar_day(main, clocked, printed, agreeing, _offset(clocked, beside, zone))
    times = (_instant(one, _offset(one, beside, zone), day) for one in (clocked, *printed))
    at = next((time for time in times if time is not None), None)
    words = next((one for one in agreeing if one.source == "visible" and one.stamp.day == day), main)
    others = dict.fromkeys(one.where for one in agreeing if one is not main and one.weight >= 0.5)
    return Published(
        day=day.isoformat()[:7] if main.stamp.precision == "month" else day.isoformat(),
        at=at.isoformat() if at else None,
        raw=words.raw,
        source=words.source,
        reason=main.where + (f", with {', '.join(others)}" if others else ""),
        conflict=_conflict(day, agreeing, usable),
        modified_at=_modified(known, at, zone),
    )


def _offset(main: Candidate, others: Sequence[Candidate], zone: str | None) -> int | None:
    """Minutes east of UTC of the publisher's clock at a candidate's time.

    By its own offset, if that is not UTC, which is written by machines everywhere; by a time printed or stamped
    for the same instant; by other stamps of the page from the same season; by the site's zone.
    """
    stamp = main.stamp
    if stamp.clock is None or stamp.offset not in {0, None}:
        return stamp.offset
    usual = _zone_offset(stamp.clock, zone, utc=stamp.offset == 0)
    if stamp.offset == 0:
        for one in others:
            if one.role != main.role and UNKNOWN not in (one.role, main.role):
                continue
            minutes = _clocks_apart(one.stamp, stamp.clock)
            if minutes == 0 and one.family != "visible":
                continue  # the same stamp with its Z left out
            if minutes is not None and (usual is None or minutes in {0, usual}):
                return minutes
    for one in others:
        if one.stamp.offset and abs(one.stamp.day - stamp.day) <= _SEASON:
            return one.stamp.offset
    return usual


def _clocks_apart(printed: Stamp, utc: datetime) -> int | None:
    """Minutes by which a local time runs before an instant in UTC; None where they cannot be the same."""
    if printed.clock is None or printed.offset is not None:
        return None
    minutes = round((printed.clock.replace(second=0) - utc.replace(second=0)).total_seconds() / 60)
    seconds_differ = printed.clock.second not in {0, utc.second}
    known = minutes % 30 == 0 or minutes in _ODD_OFFSETS
    return minutes if known and not seconds_differ and _WESTMOST <= minutes <= _EASTMOST else None


def _zone_offset(clock: datetime, zone: str | None, *, utc: bool) -> int | None:
    if zone is None:
        return None
    there = clock.replace(tzinfo=UTC if utc else ZoneInfo(zone)).astimezone(ZoneInfo(zone)).utcoffset()
    return int(there.total_seconds()) // 60 if there is not None else None


def _calendar_day(
    main: Candidate,
    clocked: Candidate,
    printed: Sequence[Candidate],
    agreeing: Sequence[Candidate],
    offset: int | None,
) -> date:
    """The day on the publisher's calendar: what is printed, unless a clock that is known says that it cannot be.

    A stamp in UTC, with nothing to tell the publisher's clock by, goes with the day in print or in the address.
    """
    stamp = clocked.stamp
    if stamp.clock is None:
        return printed[0].stamp.day if printed else main.stamp.day
    # Stamps lie about their zones; a label or a clock in print is meant for readers.
    sure = [one.stamp.day for one in printed if one.source == "visible" and (one.role == PUBLISHED or one.stamp.clock)]
    if sure:
        return sure[0]
    if stamp.offset:
        return stamp.day
    if stamp.offset == 0 and offset is not None:
        return (stamp.clock + timedelta(minutes=offset)).date()
    reach = {(stamp.clock + timedelta(minutes=minutes)).date() for minutes in (_WESTMOST, 0, _EASTMOST)}
    dated = [
        one for one in agreeing if one.stamp.clock is None and one.family != "metadata" and one.stamp.precision == "day"
    ]
    return next((one.stamp.day for one in [*printed, *dated] if one.stamp.day in reach), stamp.day)


def _instant(clocked: Candidate, offset: int | None, day: date | None) -> datetime | None:
    """The instant on the publisher's clock; midnight there is no time, nor is one of another day than the page's."""
    stamp = clocked.stamp
    if stamp.clock is None:
        return None
    east = replace(stamp, offset=offset or 0)
    if stamp.offset == 0 and offset:
        moved = stamp.clock + timedelta(minutes=offset)
        east = replace(stamp, clock=moved, day=moved.date(), offset=offset)
        if (moved.hour, moved.minute, moved.second) == (0, 0, 0):
            return None
    if day is not None and east.day != day and offset is not None:
        return None
    return east.instant


def _modified(known: Sequence[Candidate], published: datetime | None, zone: str | None) -> str | None:
    """The latest change with a time; one before the publication is none."""
    changes = [one for one in known if one.role == MODIFIED and one.stamp.clock is not None]
    changes.sort(key=lambda one: (-one.weight, _ORDER.index(one.source)))
    for one in changes:
        at = _instant(one, _offset(one, changes, zone), None)
        if at is not None:
            return at.isoformat() if published is None or at >= published else None
    return None


_SAYS = {
    "visible": "the page prints {raw!r}", "time": "a <time> element says {day}", "address": "the address says {day}",
    "listing": "the listing says {day}", "json-ld": "the JSON-LD says {day}", "meta": "its metadata say {day}",
    "microdata": "its microdata say {day}",
}  # fmt: skip


def _conflict(day: date, agreeing: Sequence[Candidate], usable: Sequence[Candidate]) -> str | None:
    """The dates that were not believed, in words."""
    rivals = [
        one for one in usable
        if one not in agreeing and one.source in _SAYS and (one.weight >= 1.5 or one.source == "address")
    ]  # fmt: skip
    said = dict.fromkeys(
        _SAYS[one.source].format(
            raw=one.raw, day=one.stamp.day.isoformat()[: 7 if one.stamp.precision == "month" else 10]
        )
        for one in rivals
    )
    return f"taken as {day.isoformat()}, but {', '.join(said)}" if said else None
