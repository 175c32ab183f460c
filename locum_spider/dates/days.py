"""From numbers to a calendar day: two-digit years, orders of numeric dates. 31 April is refused, not bent to 1 May."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from typing import NamedTuple

ORDERS = {"DMY": (0, 1, 2), "MDY": (1, 0, 2), "YMD": (2, 1, 0)}  # where day, month and year stand


class RefusedError(Exception):
    """The text has a date that cannot exist, or that can be read in several ways."""


class Numeric(NamedTuple):
    """A numeric date: its three numbers as written."""

    first: str
    middle: str
    last: str
    separator: str


def make_day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise RefusedError from None


def full_year(digits: str, now_year: int) -> int:
    """A year of two digits lies in the hundred years that end with next year.

    >>> full_year("18", 2024), full_year("99", 2024), full_year("2018", 2024)
    (2018, 1999, 2018)
    """
    year = int(digits)
    if len(digits) == 4:
        return year
    if len(digits) != 2:
        raise RefusedError
    year += now_year - now_year % 100
    return year if year <= now_year + 1 else year - 100


def readings(numeric: Numeric, orders: Iterable[str], now_year: int) -> dict[str, date]:
    """The day of a numeric date in each of the orders that give a possible one."""
    days = {}
    for order in orders:
        day, month, year = (numeric[i] for i in ORDERS[order])
        with suppress(RefusedError):
            days[order] = make_day(full_year(year, now_year), int(month), int(day))
    return days


def resolve(numeric: Numeric, order: str | None, weekday: int | None, now_year: int) -> date:
    """The day of a numeric date: by its form, by the site's order, or because only one reading is possible.

    >>> resolve(Numeric("25", "12", "2019", "/"), None, None, 2024)
    datetime.date(2019, 12, 25)
    >>> resolve(Numeric("10", "04", "2018", "/"), "DMY", None, 2024)
    datetime.date(2018, 4, 10)
    """
    if len(numeric.first) == 4:
        return make_day(int(numeric.first), int(numeric.middle), int(numeric.last))
    orders: tuple[str, ...] = ("DMY", "MDY")
    if len(numeric.last) == 2 and order in (None, "YMD"):
        orders = ("YMD",) if order else ("DMY", "MDY", "YMD")
    days = readings(numeric, orders, now_year)
    if order in days:
        return days[order]
    # without the order, the weekday may decide
    possible = {day for day in days.values() if weekday is None or day.weekday() == weekday}
    if len(possible) != 1:
        raise RefusedError
    return possible.pop()
