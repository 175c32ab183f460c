"""Chooses a page's publication date among all the dates it gives, and says why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from locum_spider.dates.machine import Stamp, stamp_of
from locum_spider.extract.general.published.sources import FAMILIES, MODIFIED, PUBLISHED, UNKNOWN, Candidate

_DAY = timedelta(days=1)
_TIE = 0.25
_ALONE = 1.0
"""The least weight of a date that counts without support."""
_SURE = 2.5
_LABELLED = 3.0
_WESTMOST, _EASTMOST = -12 * 60, 14 * 60
_ODD_OFFSETS = frozenset({345, 525, 765, 825})  # Nepal, Eucla, Chatham
_SEASON = timedelta(days=20)
"""How near another stamp must be to share its offset: clocks change twice a year."""
_ORDER = tuple(FAMILIES)


@dataclass(frozen=True, slots=True)
class Published:
    """When a page was published. `day` is the publisher's calendar day (`2018-04-10`) or a month (`2018-04`).

    `at` is the instant, `raw` the words on the page, `source` where they stand, `reason` what supports this date and
    `conflict` which other dates the page gives.
    """

    day: str | None = None
    at: str | None = None
    raw: str | None = None
    source: str | None = None
    reason: str = "the page gives no date"
    conflict: str | None = None
    modified_at: str | None = None


def choose(candidates: Iterable[Candidate], *, zone: str | None, now: datetime) -> Published:
    """The date that independent sources agree on; if two kinds of sources disagree, the earlier date.

    Sources of one family (all metadata, everything printed) count once. Dates within a day of each other agree. A page
    that is republished, moved or changed gets a later date, never an earlier one. Among candidates of the same weight
    the more trusted source goes first, then the date nearest to the headline.
    """
    latest = now.astimezone(UTC).date() + _DAY
    possible = [c for c in candidates if c.stamp.day <= latest]
    usable = _without_changes(possible)
    anchors = [c for c in usable if c.weight >= _ALONE and c.stamp.precision != "month"]
    anchors = anchors or [c for c in usable if c.stamp.precision == "month"]
    if not anchors:
        return Published(modified_at=_modified(possible, None, zone))
    support = [(_support(anchor, usable, zone), anchor) for anchor in anchors]
    most = max(value for value, _ in support)
    best = [c for value, c in support if value >= most - _TIE]
    leading: dict[str, Candidate] = {}
    for candidate in sorted(best, key=lambda c: -c.weight):
        leading.setdefault(candidate.family, candidate)
    anchor = min(leading.values(), key=lambda c: _local_day(c, zone))
    agreeing = sorted(
        (c for c in usable if _agree(anchor, c, zone)),
        key=lambda c: (-c.weight, _ORDER.index(c.source)),
    )
    return _published(agreeing, usable, possible, zone)


def _without_changes(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The dates that may be that of publication. A vague one on the day of a change is taken for the change."""
    changed = {c.stamp.day for c in candidates if c.role == MODIFIED}
    sure = {c.stamp.day for c in candidates if c.role == PUBLISHED and c.weight >= _SURE} - changed
    kept = []
    for candidate in candidates:
        if candidate.role not in {PUBLISHED, UNKNOWN}:
            continue
        vague = candidate.role == UNKNOWN or (candidate.source == "meta" and candidate.weight < _LABELLED)
        if vague and sure and candidate.stamp.day in changed:
            candidate = replace(candidate, weight=0.4)
        kept.append(candidate)
    return kept


def _local_day(candidate: Candidate, zone: str | None) -> date:
    """The day on the site's clock; the day as written if the date has no clock or its own offset."""
    instant = candidate.stamp.instant
    if instant is None or candidate.stamp.offset != 0 or zone is None:
        return candidate.stamp.day
    return instant.astimezone(ZoneInfo(zone)).date()


def _agree(anchor: Candidate, other: Candidate, zone: str | None) -> bool:
    month, day = (anchor, other) if anchor.stamp.precision == "month" else (other, anchor)
    if month.stamp.precision == "month":
        first = month.stamp.day
        following = (first.replace(day=28) + 4 * _DAY).replace(day=1)
        return first - _DAY <= day.stamp.day <= following
    return abs(_local_day(anchor, zone) - _local_day(other, zone)) <= _DAY


def _support(anchor: Candidate, usable: Sequence[Candidate], zone: str | None) -> float:
    best: dict[str, float] = {}
    for other in usable:
        if _agree(anchor, other, zone):
            best[other.family] = max(best.get(other.family, 0.0), other.weight)
    return sum(best.values())


def _published(
    agreeing: Sequence[Candidate], usable: Sequence[Candidate], candidates: Sequence[Candidate], zone: str | None
) -> Published:
    main = next((c for c in agreeing if c.stamp.precision != "month"), agreeing[0])
    clocked = next((c for c in agreeing if c.stamp.clock is not None), main)
    printed = [c for c in agreeing if c.family == "visible" and c.stamp.precision != "month" and c.weight >= 2]
    beside = [*agreeing, *(c for c in candidates if c.role == MODIFIED)]
    day = _calendar_day(clocked, printed, agreeing, _offset(clocked, beside, zone))
    times = (_instant(c, _offset(c, beside, zone), day) for c in (clocked, *printed))
    at = next((time for time in times if time is not None), None)
    words = next((c for c in agreeing if c.source == "visible" and c.stamp.day == day), main)
    others = dict.fromkeys(c.where for c in agreeing if c is not main and c.weight >= 0.5)
    return Published(
        day=day.isoformat()[:7] if main.stamp.precision == "month" else day.isoformat(),
        at=at.isoformat() if at else None,
        raw=words.raw,
        source=words.source,
        reason=main.where + (f", with {', '.join(others)}" if others else ""),
        conflict=_conflict(day, agreeing, usable),
        modified_at=_modified(candidates, at, zone),
    )


def _offset(main: Candidate, others: Sequence[Candidate], zone: str | None) -> int | None:
    """The offset of the publisher's clock at a candidate's time, in minutes east of UTC; None if it is not known.

    Its own offset decides, unless it is UTC, which machines write everywhere; then a time printed or stamped for the
    same instant; then other stamps of the page from the same season; then the site's zone.
    """
    stamp = main.stamp
    if stamp.clock is None or stamp.offset not in {0, None}:
        return stamp.offset
    usual = _zone_offset(stamp.clock, zone, utc=stamp.offset == 0)
    if stamp.offset == 0:
        for other in others:
            if other.role != main.role and UNKNOWN not in (other.role, main.role):
                continue
            minutes = _clocks_apart(other.stamp, stamp.clock)
            if minutes == 0 and other.family != "visible":
                continue  # the same stamp with its Z left out
            if minutes is not None and (usual is None or minutes in {0, usual}):
                return minutes
    for other in others:
        if other.stamp.offset and abs(other.stamp.day - stamp.day) <= _SEASON:
            return other.stamp.offset
    return usual


def _clocks_apart(printed: Stamp, utc: datetime) -> int | None:
    """Minutes by which a local time is ahead of an instant in UTC; None if the two cannot be the same."""
    if printed.clock is None or printed.offset is not None:
        return None
    minutes = round((printed.clock.replace(second=0) - utc.replace(second=0)).total_seconds() / 60)
    seconds_differ = printed.clock.second not in {0, utc.second}
    usual = minutes % 30 == 0 or minutes in _ODD_OFFSETS
    return minutes if usual and not seconds_differ and _WESTMOST <= minutes <= _EASTMOST else None


def _zone_offset(clock: datetime, zone: str | None, *, utc: bool) -> int | None:
    if zone is None:
        return None
    there = clock.replace(tzinfo=UTC if utc else ZoneInfo(zone)).astimezone(ZoneInfo(zone)).utcoffset()
    return int(there.total_seconds()) // 60 if there is not None else None


def _calendar_day(
    clocked: Candidate, printed: Sequence[Candidate], agreeing: Sequence[Candidate], offset: int | None
) -> date:
    """The day on the publisher's calendar: the printed one, unless a known clock rules it out.

    If nothing shows the publisher's clock, a stamp in UTC takes the day in print or in the address.
    """
    stamp = clocked.stamp
    if stamp.clock is None:
        return printed[0].stamp.day if printed else stamp.day
    # Stamps may lie about their zones; a printed label or time is meant for readers.
    sure = [c.stamp.day for c in printed if c.source == "visible" and (c.role == PUBLISHED or c.stamp.clock)]
    if sure:
        return sure[0]
    if stamp.offset:
        return stamp.day
    if stamp.offset == 0 and offset is not None:
        return (stamp.clock + timedelta(minutes=offset)).date()
    reach = {(stamp.clock + timedelta(minutes=minutes)).date() for minutes in (_WESTMOST, 0, _EASTMOST)}
    dated = [c for c in agreeing if c.stamp.clock is None and c.family != "metadata" and c.stamp.precision == "day"]
    return next((c.stamp.day for c in [*printed, *dated] if c.stamp.day in reach), stamp.day)


def _instant(clocked: Candidate, offset: int | None, day: date | None) -> datetime | None:
    """The instant on the publisher's clock; None if it is midnight there, or on another day than the page's."""
    stamp = clocked.stamp
    if stamp.clock is None:
        return None
    east = replace(stamp, offset=offset or 0)
    if stamp.offset == 0 and offset:
        east = stamp_of(stamp.clock.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=offset))))
    if day is not None and east.day != day and offset is not None:
        return None
    return east.instant


def _modified(candidates: Sequence[Candidate], published: datetime | None, zone: str | None) -> str | None:
    """The most trusted change with a time; None if it is before the publication."""
    changes = [change for change in candidates if change.role == MODIFIED and change.stamp.clock is not None]
    changes.sort(key=lambda change: (-change.weight, _ORDER.index(change.source)))
    for change in changes:
        at = _instant(change, _offset(change, changes, zone), None)
        if at is not None:
            return at.isoformat() if published is None or at >= published else None
    return None


_SAYS = {
    "visible": "the page prints {raw!r}", "time": "a <time> element says {day}", "address": "the address says {day}",
    "listing": "the listing says {day}", "json-ld": "the JSON-LD says {day}", "meta": "its metadata say {day}",
    "microdata": "its microdata say {day}",
}  # fmt: skip


def _conflict(day: date, agreeing: Sequence[Candidate], usable: Sequence[Candidate]) -> str | None:
    """The dates that were not chosen, in words."""
    rivals = [
        rival for rival in usable
        if rival not in agreeing and (rival.weight >= 1.5 or rival.source == "address")
    ]  # fmt: skip
    claims = dict.fromkeys(
        _SAYS[rival.source].format(
            raw=rival.raw, day=rival.stamp.day.isoformat()[: 7 if rival.stamp.precision == "month" else 10]
        )
        for rival in rivals
    )
    return f"taken as {day.isoformat()}, but {', '.join(claims)}" if claims else None
