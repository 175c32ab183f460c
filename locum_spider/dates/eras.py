"""Years and days of other calendars, put into those of the Gregorian one before a text is scanned.

The Buddhist years of Thailand, the eras of Japan, and the years of the Republic (Taiwan) only count years in another
way. The Solar Hijri calendar of Iran and Afghanistan has months of its own. A text is changed only if it says its
calendar, or if its language and the size of its year leave no other.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from locum_spider.dates.days import RefusedError

_OTHER_SCRIPT = re.compile("[\u0600-\u06ff\u0e01-\u0e2e年]")
_OTHERS = frozenset({"th", "fa", "ja", "zh"})
_DIGITS = {sign: str(number) for number, sign in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}
_KANJI = "〇零○一二三四五六七八九十百"
_ERAS = {
    "明治": (date(1868, 1, 25), date(1912, 7, 30)),
    "大正": (date(1912, 7, 30), date(1926, 12, 25)),
    "昭和": (date(1926, 12, 25), date(1989, 1, 7)),
    "平成": (date(1989, 1, 8), date(2019, 4, 30)),
    "令和": (date(2019, 5, 1), date.max),
    "民國": (date(1912, 1, 1), date.max),
    "民国": (date(1912, 1, 1), date.max),
}
"""First and last day of each era; its first year is that of its first day."""
_LETTERS = {"M": "明治", "T": "大正", "S": "昭和", "H": "平成", "R": "令和"}
_NAMES = "|".join(_ERAS)
_SPELLED = re.compile(
    rf"(?P<year>[{_KANJI[:-2]}]{{4}}|(?:(?<=明治)|(?<=大正)|(?<=昭和)|(?<=平成)|(?<=令和)|(?<=民國)|(?<=民国))[{_KANJI}]+|\d+)"
    rf"年(?P<month>[{_KANJI}]{{1,3}}|\d+)月(?:(?P<day>[{_KANJI}]{{1,3}}|\d+)(?=[日號号]))?"
)
_ERA = re.compile(
    rf"(?:(?P<before>\d{{4}})\s?年?\s?\(\s?)?(?:中華)?(?P<era>{_NAMES}|(?<![^\W_])[MTSHR](?=\d))\s?(?P<year>元|\d{{1,3}})"
    r"(?:\s?年?\s?\(\s?(?P<behind>\d{4})\s?年?\s?\))?\s?(?P<closed>年?\s?\))?(?P<sign>\s?年|[./-](?=\d))?"
    r"(?=(?:\s?(?P<month>\d{1,2})\s?[月./-](?:\s?(?P<day>\d{1,2}))?)?)"
)
_BARE_REPUBLIC = re.compile(r"(?<![\d.])(\d{3})(?=\s?年\s?\d{1,2}\s?月)")
_REPUBLIC, _BUDDHIST = 1911, 543  # years between
_BUDDHIST_YEAR = re.compile(
    r"(?:(?:พ\.?\s?ศ\.?|B\.?E\.?)\s?)?(?<!\d)(?P<year>2[456]\d\d)(?!\d)(?:\s?(?:พ\.?\s?ศ\.?|\(?B\.?E\b\.?\)?))?"
)
_BUDDHIST_SHORT = re.compile(
    r"(?P<day>\d{1,2}\s?(?:[\u0e01-\u0e4e][\u0e01-\u0e4e.]*\s?(?:พ\.?\s?ศ\.?\s?)?|(?P<sign>[./-])\d{1,2}(?P=sign)))"
    r"(?P<year>\d\d)(?![\d:.])"
)
_THAI_MONTH = re.compile(
    r"(?<![\u0e01-\u0e4e])([\u0e01-\u0e2e\u0e40][\u0e01-\u0e4e]?)\.([\u0e01-\u0e2e])(?:\.|(?![\u0e01-\u0e4e]))"
)
"""A short name of a month, which has a point inside: ม.ค."""
_THAI_AGO = re.compile("(?=ที่แล้ว|ที่ผ่านมา|ก่อน)")  # Thai has no spaces between words
_COMMON_YEAR = re.compile(r"ค\.?\s?ศ\.?\s?(?=\d{4})")
_SOLAR_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "فروردین حمل", "اردیبهشت ثور", "خرداد جوزا", "تیر سرطان", "مرداد امرداد اسد", "شهریور سنبله",
            "مهر میزان", "ابان عقرب", "اذر قوس", "دی جدی", "بهمن دلو", "اسفند حوت",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_SOLAR_NAMES = rf"(?P<name>{'|'.join(sorted(_SOLAR_MONTHS, key=len, reverse=True))})(?:\s?ماه)?"
_SOLAR = re.compile(
    rf"(?<!\d)(?P<day>\d{{1,2}})\s?(?:ام|م)?[\s/,-]*{_SOLAR_NAMES}[\s/,-]*(?:سال\s?)?(?P<year>1[34]\d\d)(?!\d)"
    rf"(?:\s?(?:ه\.?\s?ش\.?|هجری شمسی|خورشیدی|شمسی))?"
)
_SOLAR_YEAR_FIRST = re.compile(rf"(?<!\d)(?P<year>1[34]\d\d)[\s/,-]*{_SOLAR_NAMES}[\s/,-]*(?P<day>\d{{1,2}})(?!\d|:)")
_SOLAR_NUMERIC = re.compile(
    r"(?<![\d/.-])(?:(?P<year>1[34]\d\d)(?P<sign>[/.-])(?P<month>\d{1,2})(?P=sign)(?P<day>\d{1,2})"
    r"|(?P<day2>\d{1,2})(?P<sign2>[/.-])(?P<month2>\d{1,2})(?P=sign2)(?P<year2>1[34]\d\d))(?![\d/]|-\d)"
)
_FIRST_SOLAR = date(1990, 3, 21), 1369  # a first day of a year, and the year


def gregorian(text: str, lang: str | None, raw: str, latest: int) -> str:
    """A folded text with Gregorian years and days. `raw` is the text as it was, `latest` the last year it may name.

    Raises RefusedError for a day that its calendar does not have, or if two calendars contradict each other.

    >>> gregorian("令和6年5月12日", "ja", "", 2026), gregorian("6 มิถุนายน 2554", "th", "", 2026)
    ('2024年5月12日', '6 มิถุนายน 2011')
    >>> gregorian("23 اردیبهشت 1403", "fa", "", 2026).strip()
    '2024-05-12'
    """
    lang = lang and lang[:2]
    other = lang in _OTHERS or not (text.isascii() or _OTHER_SCRIPT.search(text) is None)
    if not (other or "BE" in text or "B.E" in text):
        return text
    if "年" in text or lang in ("ja", "zh"):
        text = _SPELLED.sub(_digits, text)
        text = _ERA.sub(lambda match: _of_era(match, lang), text)
        if lang == "zh":
            text = _BARE_REPUBLIC.sub(lambda match: str(int(match[1]) + _REPUBLIC), text)
    thai = lang == "th" or any("\u0e01" <= char <= "\u0e2e" for char in text)
    if thai or "B" in text:
        text = _buddhist(text, thai=thai, latest=latest)
    if lang == "fa" or any("\u0600" <= char <= "\u06ff" for char in text):
        text = _solar(text, numeric=lang == "fa" or any("۰" <= char <= "۹" for char in raw))
    return text


def _digits(match: re.Match[str]) -> str:
    """A spelled day with digits: 二〇二四年五月十二日."""
    year, month, day = (
        part and (part if part.isdigit() and part.isascii() else _number(part)) for part in match.groups()
    )
    return f"{year}年{month}月{day or ''}"


def _number(text: str) -> str:
    """Digits for signs: 二〇二四, 十二, 一百一十三."""
    if not set(text) & set("十百"):
        return "".join(_DIGITS[sign] for sign in text)
    total, last = 0, 0
    for sign in text:
        if sign in "十百":
            total += (last or 1) * (10 if sign == "十" else 100)
            last = 0
        else:
            last = int(_DIGITS[sign])
    return str(total + last)


def _of_era(match: re.Match[str], lang: str | None) -> str:
    name = match["era"]
    closes = match["before"] is not None
    if (
        (name in _LETTERS and lang != "ja")
        or not (match["sign"] or closes or match["behind"])
        or closes != (match["closed"] is not None)
    ):
        return match[0]
    first, last = _ERAS[_LETTERS.get(name, name)]
    year = first.year + (0 if match["year"] == "元" else int(match["year"]) - 1)
    if str(year) != (match["before"] or match["behind"] or str(year)):
        raise RefusedError
    month, day = int(match["month"] or 0), int(match["day"] or 0)
    if not (first.year, first.month if month else 0, first.day if day else 0) <= (year, month, day) <= (
        last.year, last.month if month else 0, last.day if day else 0,
    ):  # fmt: skip
        raise RefusedError
    sign = match["sign"] or "年"
    return f"{year}{sign}"


def _buddhist(text: str, *, thai: bool, latest: int) -> str:
    def year_of(match: re.Match[str]) -> str:
        said = match[0] != match["year"]
        return f"{int(match['year']) - _BUDDHIST}" if thai or said else match[0]

    def short(match: re.Match[str]) -> str:
        year = 2500 + int(match["year"]) - _BUDDHIST
        return f"{match['day']}{year}" if 1990 <= year <= latest else match[0]

    text = _BUDDHIST_YEAR.sub(year_of, text)
    if not thai:
        return text
    text = _COMMON_YEAR.sub("", _BUDDHIST_SHORT.sub(short, text))
    return _THAI_AGO.sub(" ", _THAI_MONTH.sub(r"\1\2", text))


def _solar(text: str, *, numeric: bool) -> str:
    for pattern in (_SOLAR, _SOLAR_YEAR_FIRST):
        text = pattern.sub(lambda m: _solar_day(int(m["year"]), _SOLAR_MONTHS[m["name"]], int(m["day"])), text)
    if numeric:
        text = _SOLAR_NUMERIC.sub(
            lambda m: _solar_day(*(int(m[part] or m[part + "2"]) for part in ("year", "month", "day"))), text
        )
    return text


def _solar_day(year: int, month: int, day: int) -> str:
    return f" {from_solar(year, month, day).isoformat()} "


def from_solar(year: int, month: int, day: int) -> date:
    """The Gregorian day of a day in the Solar Hijri calendar, for years from 1206 to 1633.

    Leap years follow a cycle of 33 years, which agrees with the astronomical rule in that time.

    >>> from_solar(1403, 12, 30), from_solar(1369, 1, 1)
    (datetime.date(2025, 3, 20), datetime.date(1990, 3, 21))
    """
    longest = 31 if month <= 6 else 30 if month < 12 or _is_leap(year) else 29
    if not 1 <= month <= 12 or not 1 <= day <= longest:
        raise RefusedError
    start, first = _FIRST_SOLAR
    years = range(first, year) if year >= first else range(year, first)
    days = sum(365 + _is_leap(number) for number in years) * (1 if year >= first else -1)
    return start + timedelta(days=days + 31 * min(month - 1, 6) + 30 * max(month - 7, 0) + day - 1)


def _is_leap(year: int) -> bool:
    return (25 * year + 11) % 33 < 8
