"""Times: now, the forms that the archive, WARC and HTTP use, and spans as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_STAMP = len("20180410154500")
_LONGEST_SPAN = 24 * 3_653
_SPAN = re.compile(r"(\d+) ?(h|hours?|d|days?|w|weeks?)")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}


def utc_now() -> str:
    """The time in the form of all our times: `2026-11-22T05:22:00Z`."""
    return utc(datetime.now(UTC))


def utc(time: datetime) -> str:
    """A time in that form.

    >>> utc(datetime(2026, 11, 22, 5, 22, tzinfo=UTC))
    '2026-11-22T05:22:00Z'
    """
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def second(date: str) -> str | None:
    """A WARC-Date in UTC to the second; None if it is not a time. Some have fractions, offsets, or only the day.

    >>> second("2018-04-10T15:45:00.123456789Z"), second("2018-04-10T15:45:00+01:00"), second("20180410154500")
    ('2018-04-10T15:45:00Z', '2018-04-10T14:45:00Z', '2018-04-10T15:45:00Z')
    >>> second("2018-04-10"), second("yesterday"), second("201804101545")
    ('2018-04-10T00:00:00Z', None, None)
    """
    text = re.sub(r"[.,]\d+", "", date.strip(), count=1)
    if text.isdigit() and len(text) != _STAMP:  # strptime accepts fewer digits and reads other times out of them
        return None
    try:
        return _utc(datetime.strptime(text, "%Y%m%d%H%M%S") if text.isdigit() else datetime.fromisoformat(text))  # noqa: DTZ007 - UTC then
    except (ValueError, OverflowError):
        return None


def http_second(date: str) -> str | None:
    """The date of an HTTP header in the same form; None if it is not a date.

    >>> http_second("Mon, 02 May 2016 10:00:00 GMT"), http_second("once")
    ('2016-05-02T10:00:00Z', None)
    """
    try:
        return _utc(parsedate_to_datetime(date))
    except (ValueError, OverflowError):
        return None


def _utc(time: datetime) -> str | None:
    time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time.year > 999 else None


def parse_span(text: str) -> timedelta:
    """A time span as people write it. Raises ValueError if it is not one.

    >>> parse_span("12h"), parse_span("2 days")
    (datetime.timedelta(seconds=43200), datetime.timedelta(days=2))
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None or len(match[1]) > 9 or int(match[1]) == 0:
        raise ValueError(f"{text!r} is not a time span; write hours, days or weeks: 12h, 1d, 2w")
    hours = int(match[1]) * _HOURS[match[2][0]]
    if hours > _LONGEST_SPAN:
        raise ValueError(f"{text!r} is longer than ten years; write hours, days or weeks: 12h, 1d, 2w")
    return timedelta(hours=hours)
