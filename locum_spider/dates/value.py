"""The results of the date reader."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

PERIODS = ("year", "quarter", "month")  # longer than a day; the other precisions are day, hour, minute, second


class Date(NamedTuple):
    """A date, as precise as the text gives it.

    `value` is an aware datetime if a time is known, else a date; for a month, quarter or year it is the first day.
    `precision` says how much was read.

    >>> Date(date(2024, 2, 1), "month").isoformat()
    '2024-02'
    """

    value: date | datetime
    precision: str

    def isoformat(self) -> str:
        value = self.value
        if isinstance(value, datetime):
            return value.isoformat(timespec="seconds")
        if self.precision == "day":
            return value.isoformat()
        if self.precision == "month":
            return f"{value.year:04}-{value.month:02}"
        if self.precision == "quarter":
            return f"{value.year:04}-Q{(value.month + 2) // 3}"
        return f"{value.year:04}"

    @property
    def day(self) -> date:
        """The calendar day as printed; for a longer period, its first day.

        >>> Date(datetime.fromisoformat("2018-04-10T00:30:00+01:00"), "minute").day
        datetime.date(2018, 4, 10)
        """
        return self.value.date() if isinstance(self.value, datetime) else self.value


class Dates(NamedTuple):
    """The dates of one string by their labels."""

    published: Date | None = None
    modified: Date | None = None
