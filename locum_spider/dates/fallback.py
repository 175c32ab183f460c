"""dateparser, with strict settings, for languages that the tables lack. It is imported when first needed.

It reads only a day, a word and a year side by side: an absolute date, in the page's own language and the site's order.
Its answer counts only if the text has the year, the day, the month and the time that it gives.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from locum_spider.dates.tokens import fold

_LIKE_A_DATE = re.compile(
    r"^[LUpW@:,.w?]{0,4}(?:[do][.]?p?w[.,]?p?y|wp?[do][.,]?y|y[.,]?w[do])[-,.|pw@]{0,3}t?[A]?\.?$"
)
_MAX_LENGTH = 60


def read_with_dateparser(text: str, shape: str, lang: str, order: str | None) -> tuple[datetime, bool] | None:
    """The local time that dateparser reads, and whether the text has a time; None if the text does not support it."""
    if len(text) > _MAX_LENGTH or _LIKE_A_DATE.match(shape) is None:
        return None
    import importlib

    try:
        info = importlib.import_module(f"dateparser.data.date_translation_data.{lang}").info
    except ImportError:
        return None
    import dateparser.date

    settings: dict[str, Any] = {
        "STRICT_PARSING": True,
        "PARSERS": ["absolute-time"],
        "RETURN_TIME_AS_PERIOD": True,
        "RETURN_AS_TIMEZONE_AWARE": False,
        "DATE_ORDER": order or "DMY",
        "STRICT_DATE_ORDER": "all",
    }
    parser = dateparser.date.DateDataParser(languages=[lang], settings=settings)
    try:
        data = parser.get_date_data(text)
    except (ValueError, OverflowError):
        return None
    moment = data.date_obj
    if moment is None or data.period not in ("day", "time") or not supported(text, moment, info, data.period == "time"):
        return None
    return moment, data.period == "time"


def supported(text: str, moment: datetime, info: dict[str, Any], timed: bool) -> bool:
    """Whether the text has everything that was read from it."""
    import calendar

    folded = fold(text).lower()
    numbers = re.findall(r"\d+", folded)
    if str(moment.year) not in numbers or not {str(moment.day), f"{moment.day:02}"} & set(numbers):
        return False
    names = info.get(calendar.month_name[moment.month].lower(), ())
    if not any(fold(name).lower().rstrip(".") in folded for name in names):
        return False
    return not timed or f"{moment.minute:02}" in numbers
