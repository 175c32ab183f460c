"""Dates as news pages print them, by language and form: one test for each line of `tests/fixtures/dates/forms.tsv`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from locum_spider.dates import read_date

FORMS = Path(__file__).parents[1] / "fixtures" / "dates" / "forms.tsv"
NOW = datetime.fromisoformat("2026-08-15T12:00:00+00:00")


def test_every_form_is_read_as_its_line_says() -> None:
    lines = FORMS.read_text(encoding="utf-8").split("\n")
    cases = [(number, line.split("\t")) for number, line in enumerate(lines, 1) if line and line[0] != "#"]
    wrong = []
    for number, (lang, tz, text, expected) in cases:
        found = read_date(text, now=NOW, tz=tz, lang=None if lang == "-" else lang, order="DMY")
        got = found.isoformat() if found else "-"
        if got != expected:
            wrong.append(f"{FORMS.name}:{number}: {text!r} is read as {got}, not as {expected}")
    assert not wrong, "\n".join(wrong)
    assert len(cases) > 800
