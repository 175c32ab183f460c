"""The pages for readers, asked of a real Datasette."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from support import change

Get = Callable[[str], Any]


ODD = [
    '"', "'", '"open', "NEAR(a b", "a AND", "*", "-", "-x", "^a", "a:b", "title:x", "{a}", "(", "\x00", "%", "a\x00b",
    "\\", "OR", "OR OR", "agency OR", "“curly”", "🦊", "x" * 5000, "a " * 500, "';--", "<b>", "\ud7ff\uffff", "col:*",
    "+a", "&", "#", "²", "١",
]  # fmt: skip


def test_front_page_greets_with_search_newest_sections_and_questions(get: Get) -> None:
    page = get("/")
    assert page.status_code == 200
    assert "Archive of elsewhere and Locum Today" in page.text
    assert "4 articles, from June 2016 to 2 January 2020." in " ".join(page.text.split())
    assert 'type="search"' in page.text
    titles = re.findall(r"/-/article/(\d)\"", page.text)
    assert titles == ["3", "1", "2", "4"], "newest first, dateless last"
    assert 'find?section=News">News</a> <span class="quiet">1' in page.text
    assert 'href="/archive/on_this_day">On this day' in page.text


def test_no_page_loads_anything_from_elsewhere_or_runs_scripts(get: Get) -> None:
    for path in ("/", "/archive/-/find?q=agency", "/archive/-/article/1", "/archive/-/article/3"):
        page = get(path)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "<script" not in page.text
        assert "<img" not in page.text
        loaded = re.findall(r'<link[^>]*href="([^"]+)"', page.text)
        assert loaded
        for address in loaded:
            assert address.startswith("/-/locum/")
            sheet = get(address)
            assert sheet.status_code == 200
            assert "url(" not in sheet.text
            assert "prefers-color-scheme: dark" in sheet.text


def test_article_page_shows_everything(get: Get) -> None:
    text = get("/archive/-/article/1").text
    for wanted in (
        '<article lang="en">', ">Care orders: what changes in April</h1>", "The ‘no order’ principle stays.",
        ">Ann Ash</a>", "10 April 2018, 15:45 (UTC+01:00)", "<q>10th April 2018, 3.45pm</q>",
        "find?section=News", "<p dir=\"auto\">A care order costs £12.</p>", "<ul>\n<li dir=\"auto\">who</li>",
        "<ol>\n<li dir=\"auto\">First write.</li>", "Corrected.", "A desk at night", ">The guidance</a>",
        "find?tag=law", "<dt>Modified, it says</dt><dd>12 April 2018, 10:00 (UTC+01:00)</dd>",
        "article.php?s=2018-04-10-care&amp;catTitle=news", "one.warc.gz, byte 3,000, 100 bytes", "sha1:ABC",
        "?revision=1", "?revision=2",
    ):  # fmt: skip
        assert wanted in text, wanted
    assert "Bo Birch" not in text


def test_article_page_tells_of_doubtful_date_and_of_a_page_that_is_gone(get: Get) -> None:
    text = get("/archive/-/article/2").text
    assert "The date is in doubt:</strong> the page prints &#39;31st June 2016&#39;, which is no date" in text
    assert '<time datetime="2016-06">June 2016</time>' in text
    assert "The site no longer serves this article" in text
    assert "not changed since" in text


def test_revision_shows_its_own_content_and_what_changed(get: Get) -> None:
    first, second = get("/archive/-/article/1?revision=1").text, get("/archive/-/article/1?revision=2").text
    assert "A care order costs £10." in first
    assert "Bo Birch" in first
    assert "<del>" not in first
    assert "<dd>11 April 2018, 09:30 (UTC+01:00)</dd>" in first
    assert "A care order costs <del>£10.</del><ins>£12.</ins>" in second
    assert "<ins>Corrected.</ins>" in second
    assert "<del>Social work</del> <ins>News</ins>" in second
    assert "<del>Ann Ash, Bo Birch</del> <ins>Ann Ash</ins>" in second
    assert "<del>2018-04-11T09:30:00+01:00</del> <ins>2018-04-12T10:00:00+01:00</ins>" in second


def test_what_others_wrote_is_text_and_never_html_or_a_script_link(get: Get) -> None:
    pages = ("/-/article/3", "/-/find?q=agency", "/articles", "/full_articles", "/search?q=agency", "/-/read")
    for path in ("/", *(f"/archive{page}" for page in pages)):
        text = get(path).text
        assert "&lt;script&gt;alert(1)" in text, path
        for bad in ("<script>alert", "<img src=x", "<b>Bold", "<i>Eve", 'href="javascript:', 'href="data:'):
            assert bad not in text, (path, bad)


@pytest.mark.parametrize("path", ["/archive/-/article/99", "/archive/-/article/1?revision=9"])
def test_what_is_not_there_is_a_page_that_says_so(get: Get, path: str) -> None:
    page = get(path)
    assert page.status_code == 404
    assert "No such article" in page.text


def test_addresses_of_datasette_that_are_not_there_are_still_answered(get: Get) -> None:
    assert get("/archive/no_such_table").status_code == 404
    assert get("/nothing/-/find").status_code == 404
    assert get("/archive/articles/77").status_code == 404


def test_search_ranks_and_marks_what_was_found(get: Get) -> None:
    text = get("/archive/-/find?q=agency").text
    assert "2 articles, the best first" in text
    assert "Vacancies rose; <mark>agency</mark> pay did not." in text
    assert "&lt;script&gt;alert(2)&lt;/script&gt; <mark>agency</mark>" in text
    care = get("/archive/-/find?q=care").text
    assert "<mark>Care</mark> orders: what changes in April</a>" in care, "found in the title, marked there"
    assert "The ‘no order’ principle stays." in care
    assert "Nothing was found" in get("/archive/-/find?q=unheard").text


def test_list_is_narrowed_by_section_author_tag_site_and_dates(get: Get) -> None:
    def ids(query: str) -> list[str]:
        return re.findall(r"/-/article/(\d)\"", get(f"/archive/-/find?{query}").text)

    assert ids("") == ["3", "1", "2", "4"]
    assert ids("section=News") == ["1"]
    assert ids("author=Ann+Ash") == ["1"]
    assert ids("tag=law&q=care") == ["1"]
    assert ids("site=elsewhere") == ["3", "4"]
    assert ids("from=2016&to=2018-04") == ["1", "2"]
    assert ids("page=2") == []


def test_a_filter_that_is_not_a_date_is_an_error(get: Get) -> None:
    page = get("/archive/-/find?from=yesterday")
    assert page.status_code == 400
    assert "from &#39;yesterday&#39; is not a date; write 2018-04-10, 2018-04 or 2018" in page.text


@pytest.mark.parametrize("text", ODD)
def test_no_input_makes_a_search_fail(get: Get, text: str) -> None:
    typed = quote(text, errors="replace")
    assert get(f"/archive/-/find?q={typed}").status_code == 200
    assert get(f"/archive/-/find?q=care&section={typed}&author={typed}&page={typed}").status_code == 200
    assert get(f"/archive/search.json?_shape=array&q={typed}").status_code == 200
    assert get(f"/archive/-/article/1?revision={typed}").status_code in {200, 404}


def test_many_hits_come_in_pages(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locum_spider.browse.pages.find.PAGE_SIZE", 1)
    first, second = get("/archive/-/find?q=agency").text, get("/archive/-/find?q=agency&page=2").text
    assert 'rel="next" href="/archive/-/find?page=2&amp;q=agency"' in first
    assert "Next page" not in second
    assert "Previous page" in second
    assert "Next page" in get("/archive/-/find?page=3").text


def test_signs_that_turn_the_direction_of_text_stay_within_the_words_of_others(archive: Path, tmp_path: Path) -> None:
    from locum_spider.browse.serve import datasette

    copy = tmp_path / "archive"
    shutil.copytree(archive, copy)
    turned = "\u202egnp.exe"
    change(
        copy, "UPDATE articles SET title = ?, section = ?, authors = ? WHERE id = 1", turned, turned, f'["{turned}"]'
    )
    served = datasette(copy)
    page = asyncio.run(served.client.get("/archive/-/article/1")).text
    assert "<title>gnp.exe – " in page
    assert f'<h1 dir="auto">{turned}</h1>' in page
    assert f'dir="auto" href="/archive/-/find?section=%E2%80%AEgnp.exe">{turned}</a>' in page
    assert f'dir="auto" href="/archive/-/find?author=%E2%80%AEgnp.exe">{turned}</a>' in page
    front = asyncio.run(served.client.get("/")).text
    assert f'<h3 dir="auto"><a href="/archive/-/article/1">{turned}</a></h3>' in front
    assert f"<bdi>{turned}</bdi>" in front
    served.get_database("archive").close()


def luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_every_ground_in_light_and_dark(get: Get) -> None:
    """WCAG 2.2: a contrast of 4.5 to 1; also a link that is a title with a marked word."""
    sheet = get("/-/locum/pages.css").text
    for scheme in sheet.split("prefers-color-scheme: dark"):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        grounds = {"paper": "ink quiet link", "raised": "ink quiet link", "mark": "ink link", "note": "ink link",
                   "ins": "ink", "del": "ink"}  # fmt: skip
        for ground, texts in grounds.items():
            for text in texts.split():
                light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground, colours[text], colours[ground])
