"""Time read_date beside dateparser with one language, on the same strings, in the same run.

    python benchmarks/dates.py [FILE.jsonl]

The file's lines have `text`, `now`, `tz`, `lang`, `order`; without one, ../shared/dates/public.jsonl or, if that is
missing, dates as CLDR writes them. Times are CPU time in microseconds a string; nothing keeps results between calls.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from statistics import median
from typing import Any

import dateparser
from babel.dates import format_date

from locum_spider.dates import read_date

PUBLIC = Path(__file__).parents[2] / "shared" / "dates" / "public.jsonl"
ROUNDS = 9


def strings(path: Path) -> list[dict[str, Any]]:
    if path.exists():
        items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [item | {"now": datetime.fromisoformat(item["now"])} for item in items]
    now = datetime.fromisoformat("2026-08-15T12:00:00+00:00")
    return [
        {
            "text": format_date(date(2019, month, day), form, locale=lang),
            "now": now,
            "tz": "UTC",
            "lang": lang,
            "order": "DMY",
        }
        for lang in ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "ja")
        for month, day in ((1, 3), (5, 14), (10, 31))
        for form in ("full", "long", "medium", "short")
    ]


def mean_us(call: Callable[[dict[str, Any]], object], items: list[dict[str, Any]]) -> float:
    start = time.process_time()
    for item in items:
        call(item)
    return (time.process_time() - start) / len(items) * 1e6


def ours(item: dict[str, Any]) -> object:
    return read_date(item["text"], now=item["now"], tz=item["tz"], lang=item["lang"], order=item["order"])


def theirs(item: dict[str, Any]) -> object:
    return dateparser.parse(item["text"], languages=["en"], settings={"DATE_ORDER": "DMY"})


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else PUBLIC
    items = strings(path)
    print(f"{len(items)} strings {f'of {path}' if path.exists() else 'as CLDR writes them'}")
    first = mean_us(ours, items)
    mean_us(theirs, items)
    # in turns, so that a busy machine slows both
    rounds = [(mean_us(ours, items), mean_us(theirs, items)) for _ in range(ROUNDS)]
    us, them = median(pair[0] for pair in rounds), median(pair[1] for pair in rounds)
    print(f"read_date   {us:7.1f} us a string ({first:.1f} with the loading of its languages)")
    print(f"dateparser  {them:7.1f} us a string, one language")
    print(f"ratio       {median(pair[1] / pair[0] for pair in rounds):7.1f}")


if __name__ == "__main__":
    main()
