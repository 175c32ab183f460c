"""Properties of every date that is read: the text says it, and nothing else changes it."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_date, format_time
from hypothesis import example, given
from hypothesis import strategies as st
from support import python
from support.work import calls

from locum_spider.dates import Date, Dates, learn_order, names, read_date, read_dates
from locum_spider.dates.tokens import fold

NOW = datetime.fromisoformat("2026-08-15T12:00:00+00:00")
PUBLIC = Path(__file__).parents[3] / "shared" / "dates" / "public.jsonl"
LANGUAGES = (
    "th en de fr es it pt nl pl sv da nb fi cs tr ru uk el ja zh ko ar hu ro bg sr hr sl sk lt lv et id he fa hi "
    "bn ca vi"
).split()
DAYS = st.dates(date(1990, 1, 1), date(2026, 8, 15))
BITS = st.sampled_from(
    """10 3 31 2018 18 '18 0 00 99 1985 20180410 April Apr. May March mars Mai lundi Tuesday Tue 10/04/2018 10.4.18
    2018-04-10 T Z 15:45 3.45pm pm a.m. 15h30 15 Uhr h at um à of de the , . : / - – | • ( ) + +01:00 EST ET GMT+1 UTC
    Published Updated: hours ago vor gestern yesterday il y a 年 月 日 午後 10월 3rd 1er $ % © by John 12,5 1.2.3 noon
    \x00 \ud800 \u200b İ ١٠ २०१८""".split()
)
DATE_LIKE = st.lists(st.tuples(BITS, st.sampled_from(["", " ", " ", "\xa0", "\n"])), max_size=14).map(
    lambda parts: "".join(bit + space for bit, space in parts)
)
LANGS = st.sampled_from([None, "en", "de", "fr", "es", "ja", "pl", "xx"])
ORDERS = st.sampled_from([None, "DMY", "MDY", "YMD"])


def read(text: str, lang: str | None = "en", tz: str = "Europe/London", **more: Any) -> str | None:
    found = read_date(text, now=NOW, tz=tz, lang=lang, **more)
    return found and found.isoformat()


@given(st.text() | DATE_LIKE, LANGS, ORDERS)
@example("\ud800 10 April 2018 \x00", "en", None)
@example("İ" * 50 + " 10 ago", None, None)
def test_never_raises(text: str, lang: str | None, order: str | None) -> None:
    read_dates(text, now=NOW, tz="Europe/London", lang=lang, order=order)
    learn_order([text])


@pytest.mark.parametrize(
    "part", ["1", "1 ", "10 April ", "10/", "a", " ", "(", "ago ", "\x00", "İ", "3h ", "pm", "日", "10 Apr 2018 "]
)
def test_long_texts_are_refused_at_once(part: str) -> None:
    assert read(part * 100_000) is None
    assert calls(lambda: read(part * 100_000)) < 50
    assert calls(lambda: read(part * (240 // len(part)))) < 5_000


@given(DATE_LIKE, LANGS, ORDERS)
def test_the_text_says_what_is_read(text: str, lang: str | None, order: str | None) -> None:
    found = read_date(text, now=NOW, tz="Europe/London", lang=lang, order=order)
    if found is None or re.search("ago|vor|gestern|yesterday|il y a", fold(text), re.IGNORECASE):
        return
    digits = fold(text)
    value = found.value
    assert f"{value.year % 100:02}" in digits
    if found.precision not in ("month", "quarter"):
        assert str(value.day) in digits
    if found.precision in ("minute", "second"):
        assert isinstance(value, datetime)
        assert f"{value.minute:02}" in digits or "noon" in text


def texts_of(day: date, lang: str) -> list[str]:
    return [format_date(day, form, locale=lang) for form in ("full", "long", "medium")]


@given(DAYS, st.sampled_from(LANGUAGES))
def test_what_cldr_writes_is_read_back(day: date, lang: str) -> None:
    medium = Locale.parse(lang).date_formats["medium"].pattern
    order = "MDY" if medium.startswith("M") else "YMD" if medium.startswith("y") else "DMY"
    for text in texts_of(day, lang):
        assert read(text, lang, order=order) == day.isoformat(), text


@given(DAYS, st.times().map(lambda t: t.replace(second=0, microsecond=0)), st.sampled_from(LANGUAGES))
def test_a_time_beside_the_day_is_read_back(day: date, clock: Any, lang: str) -> None:
    moment = datetime.combine(day, clock, ZoneInfo("Asia/Dubai"))
    shown = format_time(moment, "short", locale=lang, tzinfo=moment.tzinfo)
    for text in (
        f"{format_date(day, 'long', locale=lang)} {shown}",
        f"{format_date(day, 'full', locale=lang)}, {shown}",
    ):
        assert read(text, lang, tz="Asia/Dubai") == moment.isoformat(), text


@given(DAYS, st.sampled_from(["/", ".", "-", ". "]), st.booleans())
def test_numeric_dates_are_read_by_the_order(day: date, sign: str, padded: bool) -> None:
    d, m, y = (
        (f"{day.day:02}", f"{day.month:02}", str(day.year)) if padded else (str(day.day), str(day.month), str(day.year))
    )
    assert read(sign.join((d, m, y)), order="DMY") == day.isoformat()
    assert read(sign.join((m, d, y)), order="MDY") == day.isoformat()
    assert read(sign.join((y, m, d))) == day.isoformat()
    assert read(sign.join((d, m, y[2:])), order="DMY") == day.isoformat()
    alone = read(sign.join((d, m, y)))
    assert alone == (day.isoformat() if day.day > 12 or day.day == day.month else None)


@given(DAYS, st.sampled_from(["en", "de", "fr", "es", "ru", "ja"]), st.integers(0, 99_999).map(str), st.data())
def test_unrelated_digits_refuse_or_change_nothing(day: date, lang: str, digits: str, data: Any) -> None:
    forms = [
        *texts_of(day, lang),
        day.isoformat(),
        f"{day.day:02}.{day.month:02}.{day.year}",
        f"{day.day}/{day.month}/{day.year}",
    ]
    text = data.draw(st.sampled_from(forms))
    before, after = data.draw(
        st.sampled_from([("", " "), (" ", ""), (" ", " "), ("", ""), (", ", ""), (" (", ")"), ("", "|")])
    )
    for place in {0, len(text)}:
        changed = text[:place] + before + digits + after + text[place:]
        if re.search(r"\d$", changed[:place] + before) or (after + text[place:])[:1].isdigit():
            continue  # more digits in the first or last number are not unrelated
        assert read(changed, lang, order="DMY") in (None, day.isoformat()), changed


@given(DAYS, st.sampled_from(["en", "de", "fr", "es", "it", "pl", "ru"]), st.integers(1, 6))
def test_a_wrong_weekday_refuses(day: date, lang: str, shift: int) -> None:
    wrong = format_date(day + timedelta(days=shift), "EEEE", locale=lang)
    assert read(f"{wrong}, {format_date(day, 'long', locale=lang)}", lang) is None


def test_limits_are_parameters() -> None:
    assert read("10 April 1985") is None
    assert read("10 April 1985", earliest=date(1980, 1, 1)) == "1985-04-10"
    assert read("16 August 2026") == "2026-08-16"
    assert read("17 August 2026") is None
    assert read("17 August 2026", latest=date(2026, 8, 17)) == "2026-08-17"
    assert read("15 August 2026", latest=date(2026, 8, 14)) is None


def test_unknown_order_and_zone_are_errors() -> None:
    with pytest.raises(ValueError, match="order must be"):
        read("10/04/2018", order="DYM")
    with pytest.raises(KeyError):  # zoneinfo.ZoneInfoNotFoundError
        read("10/04/2018", tz="Europe/Nowhere")


def test_labels_tell_the_dates_apart() -> None:
    def both(text: str) -> tuple[str | None, str | None]:
        found = read_dates(text, now=NOW, tz="UTC", lang="en")
        return found.published and found.published.isoformat(), found.modified and found.modified.isoformat()

    assert both("Published 3 May 2019 | Updated 4 May 2019") == ("2019-05-03", "2019-05-04")
    assert both("Updated 4 May 2019") == (None, "2019-05-04")
    assert both("3 May 2019") == ("2019-05-03", None)
    assert both("3 May 2019 (updated 4 May 2019)") == ("2019-05-03", "2019-05-04")
    assert both("3 May 2019, 4 May 2019") == (None, None)
    assert read_dates("no date", now=NOW, tz="UTC") == Dates()


def test_what_is_given_back() -> None:
    found = read_date("3 May 2019, 15:45", now=NOW, tz="Europe/London")
    assert found == Date(datetime.fromisoformat("2019-05-03T15:45:00+01:00"), "minute")
    assert found.day == date(2019, 5, 3)


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["25/12/2019", "01/02/2019"], "DMY"),
        (["12/25/2019", "01/02/2019"], "MDY"),
        (["Published 25.12.2019 at 15:45", "2019-12-25T10:00:00Z"], "DMY"),
        (["25/12/2019", "12/25/2019"], None),
        (["01/02/2019", "3 May 2019", ""], None),
        (["2019/12/25"], "YMD"),
        (["25/25/2019", "32/01/2019", "25/12/19"], None),
        ([], None),
    ],
)
def test_order_is_learned(texts: list[str], order: str | None) -> None:
    assert learn_order(texts) == order


def test_dateparser_reads_only_what_the_text_says_in_a_language_without_a_table() -> None:
    assert "be" in names.languages()
    assert "so" not in names.languages()
    assert read("10 Abriil 2018", "so") == read("10 Apr 2018", "so") == "2018-04-10"
    assert read("10 Xyz 2018", "so") is None
    assert read("10 Abriil 20189", "so") is None


def test_importing_takes_no_language_and_no_dateparser() -> None:
    code = "import sys, locum_spider.dates; sys.exit(any(m in sys.modules for m in ('dateparser', 'babel', 'json')))"
    assert python("-c", code).returncode == 0


def test_public_strings() -> None:
    if not PUBLIC.exists():
        pytest.skip(f"{PUBLIC} is not there")
    wrong = []
    for line in PUBLIC.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        found = read_date(
            item["text"],
            now=datetime.fromisoformat(item["now"]),
            tz=item["tz"],
            lang=item["lang"],
            order=item["order"],
        )
        got, expected = found and found.isoformat(), item["expect"]
        if "T" in (expected or "") and got:
            slack = timedelta(hours=1) if item["precision"] == "hour" else timedelta(seconds=1)
            same = abs(datetime.fromisoformat(got) - datetime.fromisoformat(expected)) < slack
        else:
            same = got == expected
        if not same:
            wrong.append((item["text"], expected, got))
    assert wrong == []
