"""Write locum_spider/dates/names.jsonl: month names, weekdays, relative phrases of each language.

    python tools/make_date_names.py

Months, weekdays, day periods, quarters and the literal words of date patterns come from Unicode CLDR as Babel
carries it; relative phrases and some spellings that CLDR lacks from dateparser's tables. The reader needs neither
package at run time.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from babel import Locale, localedata

from locum_spider.dates.tokens import SIGNS, fold
from locum_spider.dates.vocabulary import ONE

LANGUAGES = (
    "en de fr es it pt nl pl sv da nb nn fi cs sk tr ru uk be bg sr hr bs sl mk ro hu el et lv lt sq ca gl eu is ga cy"
    " mt lb fo af az hy ka kk ky uz he ar fa ur hi bn mr gu ta te kn ml ne th vi id ms fil sw zu ja zh ko"
).split()
MONTHS = "january february march april may june july august september october november december".split()
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
UNITS = "second minute hour day week month year".split()
NUMBER = r"(\d++[.,]?\d*+)"
# markers that neither source has
AFTER = {
    "pt": ["atras"],
    "es": ["atras"],
    "ro": ["in urma"],
    "ar": [],
    "el": ["πριν"],
    "id": ["yang lalu", "lalu"],
    "th": ["ที่แล้ว", "ที่ผ่านมา", "ก่อน"],
}
BEFORE = {"ar": ["منذ", "قبل"], "en": [], "el": ["πριν απο", "πριν"], "it": [], "sq": ["para"]}
CONNECT = {"de": ["am"], "lb": ["am"], "cs": ["v"], "sk": ["v"], "sl": ["v"]}
# unit and marker in one word: Hungarian órája, Japanese 時間前
MARKED = ("hu", "mr", "ja", "zh")
# "until", which is another word in other languages
RANGE = {lang: ["do"] for lang in ("pl", "cs", "sk", "hr", "bs", "sl")}
# "the other day", "till date": not a day
NOT_DAYS = {"gecen gun", "till date", "كل", "снощи"}


def plain(name: str) -> str:
    return " ".join(fold(name).lower().replace(".", " ").split())


def words_of(name: str) -> list[str]:
    return re.findall(rf"(?:[^\W\d_]|[{SIGNS}])+", plain(name))


def belongs(code: str, lang: str) -> bool:
    # English in the scripts of Deseret and Shaw is not in use
    return code.split("_", maxsplit=1)[0] == lang and not ({"Dsrt", "Shaw"} & set(code.split("_")))


def table(lang: str) -> dict[str, Any]:
    locales = [Locale.parse(code) for code in localedata.locale_identifiers() if belongs(code, lang)]
    try:
        info = importlib.import_module(f"dateparser.data.date_translation_data.{lang}").info
    except ImportError:
        info = {}
    months = names(locales, "months", info, MONTHS, first=1)
    days = names(locales, "days", info, DAYS, first=0)
    affixed: dict[str, int | None] = {}
    for before, after in affixes(locales):
        affixed |= {before + word + after: number for word, number in known(months).items()}
    months = affixed | months
    if lang == "vi":
        months = {}  # Vietnamese numbers its months; the words for them are the numbers themselves
    connect = literals(locales) | fillers(locales, months, days) | set(CONNECT.get(lang, []))
    connect -= known(months).keys() | known(days).keys()
    connect = {word for word in connect if not "\u0e01" <= word <= "\u0e2e"}  # letters of Thai months: ม.ค.
    result: dict[str, Any] = {
        "lang": lang,
        "months": known(months),
        "days": known(days),
        "connect": sorted(connect),
        "range": RANGE.get(lang, []),
        "quarter": sorted(quarter_words(locales) - months.keys() - days.keys()),
    }
    result |= periods(locales, info)
    return result | relative(lang, info)


def names(
    locales: list[Locale], kind: str, info: dict[str, Any], keys: list[str], *, first: int
) -> dict[str, int | None]:
    """Folded word to number; None if a word stands for two."""
    numbers: dict[str, int | None] = {}
    pairs: list[tuple[str, int]] = []
    for locale in locales:
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                pairs += [(name, number) for number, name in getattr(locale, kind)[context][width].items()]
    for number, key in enumerate(keys, first):
        pairs += [(name, number) for name in info.get(key, []) if usable(name, kind)]
        for local in info.get("locale_specific", {}).values():
            pairs += [(name, number) for name in local.get(key, []) if usable(name, kind)]
    singles = [(words_of(name), number) for name, number in pairs if not re.search(r"\d", name)]
    owners: dict[str, set[int]] = {}
    for parts, number in singles:
        for part in parts:
            owners.setdefault(part, set()).add(number)
    for parts, number in singles:
        for part in parts:
            # of "segunda-feira" the first word tells the day, of "de gener" the second
            if len(parts) > 1 and len(owners[part]) > 1:
                continue
            if len(parts) == 1 or len(part) > 1:
                numbers[part] = number if numbers.get(part, number) == number else None
    multi = {part for parts, _ in singles if len(parts) > 1 for part in parts}
    for parts, number in singles:
        # months of two words, neither of which is enough alone: the Levant's كانون الثاني
        if kind == "months" and len(parts) == 2 and all(len(owners[part]) > 1 for part in parts):
            numbers[" ".join(parts)] = number
    return {w: (None if n is not None and w in multi and len(owners.get(w, ())) > 1 else n) for w, n in numbers.items()}


def usable(name: str, kind: str) -> bool:
    """Whether a name from dateparser is safe: short ones are other words, too (German "die", Turkish "su")."""
    return "(" not in name and (not name.isascii() or len(name) > (2 if kind == "months" else 3))


def known(numbers: dict[str, int | None]) -> dict[str, int]:
    return {word: number for word, number in sorted(numbers.items()) if number is not None}


def patterns(locale: Locale) -> list[str]:
    texts = [p.pattern for p in locale.date_formats.values()] + [p.pattern for p in locale.time_formats.values()]
    texts += [str(p) for p in locale.datetime_formats.values()]
    return texts + [p.pattern for k, p in locale.datetime_skeletons.items() if not re.search("[QwWYUG]", k)]


def literals(locales: list[Locale]) -> set[str]:
    """The words that stand between the parts of a date."""
    words = set()
    for locale in locales:
        for pattern in patterns(locale):
            if re.search("[QwWYU]", re.sub("'[^']*'", "", pattern)):
                continue
            for quoted in re.findall("'([^']+)'", pattern):
                words.update(words_of(quoted))
            words.update(word for word in words_of(re.sub("'[^']*'|[a-zA-Z]", " ", pattern)))
    return {word for word in words if not re.search("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", word)}


def affixes(locales: list[Locale]) -> set[tuple[str, str]]:
    """Letters attached to the month's name (Hebrew, Basque, Mongolian)."""
    pairs = set()
    for locale in locales:
        for pattern in patterns(locale):
            match = re.search(r"([^\W\d_a-zA-Z]*)'?MMMM?'?([^\W\d_A-Z]*)", pattern)
            if match and (match[1] or (match[2] and "MMM'" in pattern)):
                pairs.add((plain(match[1]), plain(match[2])))
    return pairs


def fillers(locales: list[Locale], months: dict[str, int | None], days: dict[str, int | None]) -> set[str]:
    """The words in names of several words that say nothing ("feira", "Dé", "יום")."""
    names = {
        name
        for locale in locales
        for kind in (locale.months, locale.days)
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for name in kind[context][width].values()
    }
    words: set[str] = set()
    for name in names:
        parts = words_of(name)
        if (len(parts) > 1 or re.search(r"[^M]\d", name)) and " ".join(parts) not in months:
            words.update(part for part in parts if months.get(part) is None and days.get(part) is None)
    return {word for word in words if not re.search("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", word)}


def quarter_words(locales: list[Locale]) -> set[str]:
    """The words that the names of all four quarters have ("Quartal", "Q")."""
    words: set[str] = set()
    for locale in locales:
        for width in ("wide", "abbreviated"):
            four = [name for name in locale.quarters["format"][width].values() if re.search(r"\d", name)]
            if len(four) == 4:
                words |= set.intersection(*(set(words_of(name)) for name in four))
    return {word for word in words if len(word) > 2 or word in ("q", "t", "k", "kv", "т", "кв", "分기")}


def periods(locales: list[Locale], info: dict[str, Any]) -> dict[str, list[str]]:
    """The words for am and pm that are a single word, and only for one of the two."""
    marks: dict[str, set[str]] = {key: {plain(name) for name in info.get(key, [])} for key in ("am", "pm")}
    for locale in locales:
        for widths in locale.day_periods.values():
            for width, texts in widths.items():
                for key, words in marks.items():
                    if key in texts and width != "narrow":
                        words.add(plain(texts[key]))
    only = {"am": marks["am"] - marks["pm"], "pm": marks["pm"] - marks["am"]}
    return {key: sorted(word for word in words if words_of(word) == [word]) for key, words in only.items()}


def relative(lang: str, info: dict[str, Any]) -> dict[str, Any]:
    before, after = set(BEFORE.get(lang, [])), set(AFTER.get(lang, []))
    markers = sorted({plain(word) for word in info.get("ago", [])} | after, key=len, reverse=True)
    units: dict[str, str] = {}
    marked: dict[str, str] = {}
    for unit, left, right in amounts(lang, info):
        if re.search(r"[^\W\d_]", left):
            before.add(left)
            tail = next((m for m in (*markers, "sedan", "siden", "sen") if right.endswith(" " + m)), "")
        else:
            tail = next((m for m in markers if right.endswith(m) and right != m), "")
            tail = tail or (right.split()[-1] if " " in right else "")
            if not tail or not right.endswith(" " + tail):
                if lang in MARKED:
                    marked[right] = unit
                continue
        if tail:
            after.add(tail)
        word = right.removesuffix(tail).strip()
        if word and units.get(word, unit) == unit:
            units[word] = unit
    for unit in UNITS:
        for name in info.get(unit, []):
            if units and "(" not in name:
                units.setdefault(plain(name), unit)
    one = {plain(key) for entry in info.get("simplifications", []) for key, value in entry.items() if value == "1"}
    return {
        "relative_days": relative_days(info),
        "units": units,
        "marked": marked,
        "before": sorted(before),
        "after": sorted(after),
        "one": sorted(word for word in one - ONE if re.fullmatch(r"[^\W\d_' ]+", word)),
    }


def amounts(lang: str, info: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Unit, and what stands before and after the number in a phrase for "so many of it ago"."""
    # Swahili puts the unit first and the marker last; the reader knows no such phrases
    for unit in UNITS if lang != "sw" else ():
        for phrase in info.get("relative-type-regex", {}).get(f"\\1 {unit} ago", []):
            if phrase.count(NUMBER) == 1:
                left, right = (plain(part.replace(r"\s*", " ")) for part in phrase.split(NUMBER))
                if right and not re.search(r"[\\()\[\]?*|]", left + right):
                    yield unit, left, right


def relative_days(info: dict[str, Any]) -> dict[str, int]:
    """ "yesterday" and the like; not the words that are "tomorrow" as well (Hindi कल)."""
    types = info.get("relative-type", {})
    tomorrow = {plain(word) for word in types.get("in 1 day", [])}
    return {
        plain(word): number
        for number in (0, 1, 2)
        for word in types.get(f"{number} day ago", [])
        if plain(word) not in NOT_DAYS | tomorrow
    }


def main() -> None:
    source = (
        f"Unicode CLDR through Babel {version('babel')} (Unicode-3.0), relative phrases through dateparser "
        f"{version('dateparser')} (BSD-3-Clause); written by tools/make_date_names.py"
    )
    rows = [{"source": source}, *(table(lang) for lang in LANGUAGES)]
    text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    Path(__file__).parent.parent.joinpath("locum_spider", "dates", "names.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
