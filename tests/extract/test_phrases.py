"""The words of languages: the file says what it means, and every phrase in it is found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import locum_spider.extract
from locum_spider.extract.phrases import pattern

ROOM = Path(locum_spider.extract.__file__).parent
ENTRIES: list[dict[str, Any]] = [
    json.loads(line) for line in (ROOM / "phrases.jsonl").read_text(encoding="utf-8").splitlines()[1:]
]


def shortest(phrase: str) -> str:
    """A phrase as a page has it, without all that may be missing, the first of what may stand in one place."""
    while "[" in phrase:
        phrase = re.sub(r"\[[^][]*\] ?", "", phrase)
    while "{" in phrase:
        phrase = re.sub(r"\{([^{}|]*)[^{}]*\}", r"\1", phrase)
    return phrase.replace("#", "7").replace("…", "very").replace("Aa", "Jo").replace("*", "").removesuffix("$")


@pytest.mark.parametrize("entry", ENTRIES, ids=[f"{entry['lang']}-{entry['kind']}" for entry in ENTRIES])
def test_every_phrase_is_found_as_it_is_written(entry: dict[str, Any]) -> None:
    for phrase in entry["phrases"]:
        assert pattern(entry["kind"], lang=entry["lang"]).fullmatch(shortest(phrase)), phrase


def test_a_language_has_one_entry_a_kind_and_no_phrase_twice() -> None:
    places = [(entry["lang"], entry["kind"]) for entry in ENTRIES]
    assert len(set(places)) == len(places)
    assert [entry for entry in ENTRIES if len(set(entry["phrases"])) < len(entry["phrases"])] == []


def test_every_kind_has_a_reader() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in ROOM.rglob("*.py"))
    assert {entry["kind"] for entry in ENTRIES if f'"{entry["kind"]}"' not in code} == set()


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("others", "Read more: who pays", "Read more"),
        ("others", "Read moreover", None),
        ("others", "12 comments", "12 comments"),
        ("others", "Comments that nobody asked for", None),
        ("others", "You might also like", "You might also like"),
        ("others", "LEA TAMBIEN", "LEA TAMBIEN"),
        ("leads_away", "Don’t forget", None),
        ("leads_away", "Get the news in our Newsletters", "Get the news in our Newsletters"),
        ("about", "About the Author", "About the Author"),
        ("about", "about the author", None),
        ("closes", "Follow Jo on Mastodon", "Follow Jo on"),
    ],
)
def test_signs_mean_what_the_first_line_says(kind: str, text: str, found: str | None) -> None:
    match = pattern(kind).match(text)
    assert (match and match[0]) == found


def test_a_word_that_is_none_of_whole_words_is_found_inside_others() -> None:
    assert pattern("marked_published", whole_words=False).search("datePublished")
    assert not pattern("marked_published").search("datePublished")
