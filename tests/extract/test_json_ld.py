"""JSON-LD as pages have it: in wrappings, not quite JSON, and with objects of other things."""

from __future__ import annotations

import json

import pytest
from support.work import calls

from locum_spider.extract.page.document import Document
from locum_spider.extract.page.json_ld import read_json_ld

ARTICLE = {"@type": "NewsArticle", "headline": "Crane // moved, at last,}", "url": "https://paper.example/news/crane"}
TEXT = json.dumps(ARTICLE)


@pytest.mark.parametrize(
    "block",
    [
        TEXT,
        f"\ufeff{TEXT}",
        f"<![CDATA[{TEXT}]]>",
        f"/* <![CDATA[ */{TEXT}/* ]]> */",
        f"//<![CDATA[\n{TEXT}\n//]]>",
        f"<!--\n{TEXT}\n-->",
        f"<!-- {TEXT} // -->",
        f"/* schema */ {TEXT} // end",
        f"{TEXT};",
        f"{TEXT[:-1]},}}",
        f"{TEXT[:-1]}, /* the end */ }}",
        f"[{TEXT},]",
        f'{TEXT}\n{{"@type": "Organization"}}',
        f"window.data = {TEXT};",
        TEXT.replace('"', "&quot;"),
    ],
)
def test_block_is_read_in_any_wrapping(block):
    page = Document(f'<script type="application/ld+json">{block}</script>'.encode(), "https://paper.example/")
    assert page.json_ld[0] == ARTICLE


def test_line_end_in_a_string_is_read():
    assert read_json_ld('{"name": "Jo\nSmith"}') == [{"name": "Jo\nSmith"}]


@pytest.mark.parametrize("block", ["", "{", "nothing", "{'a': 1}", "[" * 100_000, '{"a": 1', '"'])
def test_what_cannot_be_read_is_no_error(block):
    assert [value for value in read_json_ld(block) if value] == []


def scripts(*things: object) -> Document:
    html = "".join(f'<script type="application/ld+json">{json.dumps(thing)}</script>' for thing in things)
    return Document(f"<title>Crane moved</title>{html}".encode(), "https://paper.example/news/crane")


def test_own_article_is_found_by_address_by_title_or_as_the_first():
    other = {"type": "NewsArticle", "headline": "Boat sinks"}
    assert scripts(other, ARTICLE).articles == [ARTICLE]
    assert scripts(other, {"type": "Article", "headline": "Crane moved"}).articles[0]["headline"] == "Crane moved"
    assert scripts(other, {"@type": "Article", "headline": "Ferry late"}).articles == [other]
    assert scripts({"@type": "WebPage", "mainEntity": ARTICLE}).articles == [ARTICLE]


@pytest.mark.parametrize("piece", ['"', "/*", "//", ",", ", ", '\\"', "{", '"\\', "<!--", "[[", "] ,", "\n"])
def test_megabytes_of_what_is_never_closed_end(piece):
    """Were it work in proportion to the square, this would not end: patterns are no calls that could be counted."""
    assert [value for value in read_json_ld('{"a": [' + piece * 500_000) if value] == []


def test_many_objects_are_work_in_proportion_to_them():
    def work(size: int) -> int:
        things = [
            {"@type": "Article", "@id": f"#{i}", "author": {"@id": f"#{i}"}, "headline": "x"} for i in range(size)
        ]
        page = scripts(things)
        return calls(lambda: [page.resolve(thing["author"]) for thing in page.articles or page.json_ld])

    assert work(2000) < 3 * work(1000)
