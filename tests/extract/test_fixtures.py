"""Every folder of tests/fixtures/pages: a page, the facts of its capture, and what must be read from it.

A new folder needs no test code. `python tests/extract/test_fixtures.py --write NAME...` writes `expected.json` from
what is read now; look through the difference before you keep it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from locum_spider import read_article
from locum_spider.reader import read_listing

PAGES = Path(__file__).parent.parent / "fixtures" / "pages"
NAMES = sorted(path.name for path in PAGES.iterdir() if path.is_dir())
KINDS = {"article": read_article, "listing": read_listing, "none": read_article}
KEYS = {"url", "content_type", "fetched_at", "kind"}


def capture(name: str) -> dict[str, Any]:
    """The facts of a page's capture; `content_type` is empty if the server sent none."""
    facts = tomllib.loads((PAGES / name / "capture.toml").read_text(encoding="utf-8"))
    assert set(facts) == KEYS, f"{name}/capture.toml must have exactly the keys {sorted(KEYS)}"
    assert facts["kind"] in KINDS, f"{name}/capture.toml: kind is one of {sorted(KINDS)}"
    return facts


def read(name: str) -> Any:
    """What is read from a page now, as JSON values."""
    facts = capture(name)
    found = KINDS[facts["kind"]](
        (PAGES / name / "page.html").read_bytes(),
        facts["url"],
        content_type=facts["content_type"] or None,
        fetched_at=datetime.fromisoformat(facts["fetched_at"]),
    )
    if found is None:
        return None
    fields = json.loads(json.dumps(asdict(found)))
    fields.pop("evidence", None)  # names rules, not what the page says
    if facts["kind"] == "article":
        fields["text"] = fields["text"].split("\n\n")  # one block a line: differences can be read
    return fields


@pytest.mark.parametrize("name", NAMES)
def test_page_reads_as_expected(name):
    expected = json.loads((PAGES / name / "expected.json").read_text(encoding="utf-8"))
    assert (expected is None) == (capture(name)["kind"] == "none")
    found = read(name)
    if found and expected:  # a new field need not be entered for pages that do not have it
        found = {key: value for key, value in found.items() if value or key in expected}
    if found != expected:
        keys = sorted({*(found or {}), *(expected or {})})
        wrong = [key for key in keys if (found or {}).get(key, "-") != (expected or {}).get(key, "-")]
        shown = "\n".join(
            f"  {key}:\n    expected {json.dumps((expected or {}).get(key), ensure_ascii=False)}"
            f"\n    found    {json.dumps((found or {}).get(key), ensure_ascii=False)}"
            for key in wrong
        )
        pytest.fail(
            f"{name} does not read as expected.json says:\n{shown}\n"
            f"If the new reading is right: python tests/extract/test_fixtures.py --write {name}, and review the diff.",
            pytrace=False,
        )


def test_there_are_pages():
    assert len(NAMES) >= 14


def write(names: list[str]) -> None:
    """Write expected.json for some pages from what is read now."""
    for name in names:
        found = read(name)
        text = json.dumps(found, indent=2, ensure_ascii=False) + "\n"
        (PAGES / name / "expected.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", nargs="+", metavar="NAME", choices=NAMES, required=True)
    write(parser.parse_args().write)
    sys.exit(0)
