"""Listings: entries in order, each article once, and the pages that they lead to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from locum_spider.extract.declared.listing import article_links, read_declared_listing
from locum_spider.extract.page.document import Document
from locum_spider.reader import read_listing
from locum_spider.sites import find_site

SITE = find_site("locum-today")
NOW = datetime(2016, 2, 1, tzinfo=UTC)
URL = "http://locumtoday.co.uk/category.php?catTitle=news"
ONE, TWO, THREE = (f"/article.php?s=2016-01-0{n}-story-number-{n}" for n in (1, 2, 3))


def document(html: str, url: str = URL) -> Document:
    return Document(html.encode(), url, "text/html; charset=utf-8")


def entries(html: str) -> list[tuple[str | None, str | None, str | None]]:
    listing = read_declared_listing(document(html), SITE, NOW)
    assert [entry.position for entry in listing.entries] == list(range(len(listing.entries)))
    return [(entry.title, entry.published, entry.summary) for entry in listing.entries]


PICTURE = '<a href="{url}"><img src="/t.gif" alt="{title}"></a>'
HEADLINE = '<h4><a href="{url}">{title}</a></h4>'
DATE, SUMMARY = "<p>Published on {date}</p>", "<p>{summary}</p>"
SHAPES = {
    "picture and headline": f"<div>{PICTURE}{HEADLINE}{DATE}{SUMMARY}</div>",
    "headline only": HEADLINE + DATE + SUMMARY,
    "breaks": '<a href="{url}">{title}</a><br>Published on {date}<br>{summary}<br><br>',
    "card in a link": f'<a href="{{url}}"><h4>{{title}}</h4>{DATE}{SUMMARY}</a>',
    "date above": f"<div>{DATE}{HEADLINE}{SUMMARY}</div>",
    "date above in a cell": f"<tr><td>{DATE}</td></tr><tr><td>{HEADLINE}{SUMMARY}</td></tr>",
    "read more": f'{HEADLINE}{DATE}{SUMMARY}<a href="{{url}}">Read more</a>',
    "headline without a link": f"<div>{PICTURE}{DATE}{SUMMARY}</div>",
    "list": '<ul><li><a href="{url}">{title}</a><br>Published on {date}<br>{summary}</li></ul>',
}
STORIES = [
    (ONE, "Story number one", "01 January 2016", "2016-01-01", "It is about one thing."),
    (TWO, "Story number two", "02 January 2016", "2016-01-02", "It is about two things."),
    (THREE, "Story number three", "03 January 2016", "2016-01-03", "It is about three things."),
]


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("count", [1, 2, 3])
def test_listing_of_any_shape(shape, count):
    body = "".join(
        SHAPES[shape].format(url=url, title=title, date=date, summary=summary)
        for url, title, date, _, summary in STORIES[:count]
    )
    table = ("<table>", "</table>") if body.startswith("<tr>") else ("", "")
    html = f'<p><a href="/">Home</a></p>{table[0]}{body}{table[1]}<a href="{URL}&page=2">2</a>'
    assert entries(html) == [(title, day, summary) for _, title, _, day, summary in STORIES[:count]]


def test_article_that_is_named_twice_is_one_entry_with_what_both_places_say():
    html = f"""<div class="featured"><a href="{TWO}&amp;catTitle=featured"><img src="/t.gif" alt=""></a></div>
    <h4><a href="{ONE}">Story number one</a></h4><p>Published on 01 January 2016</p>
    <h4><a href="http://www.locumtoday.co.uk{TWO}">Story number two</a></h4><p>Published on 02 January 2016</p>"""
    assert entries(html) == [("Story number two", "2016-01-02", None), ("Story number one", "2016-01-01", None)]


def test_entry_without_a_date_takes_none_of_its_neighbours():
    html = f"""<h4><a href="{ONE}">Story number one</a></h4><p>It is about one thing.</p>
    <h4><a href="{TWO}">Story number two</a></h4><p>Published on 02 January 2016</p><p>It is about two things.</p>"""
    assert entries(html) == [
        ("Story number one", None, "It is about one thing."),
        ("Story number two", "2016-01-02", "It is about two things."),
    ]


def test_impossible_date_is_kept_as_printed_only():
    html = f'<h4><a href="{ONE}">Story number one</a></h4><p>Published on 31 February 2016</p>'
    (entry,) = read_declared_listing(document(html), SITE, NOW).entries
    assert (entry.published_raw, entry.published) == ("31 February 2016", None)


def test_pages_are_the_site_s_own_once_each_without_fragments():
    html = f"""<a href="/">Home</a> <a href="{URL}&page=2">2</a> <a href="{URL}&amp;page=2#top">Next</a>
    <a href="http://elsewhere.example/">x</a><a href="/login.php">x</a><a href="/x.pdf">x</a><a href="mailto:x">x</a>
    <a href="{ONE}">Story number one</a>"""
    listing = read_declared_listing(document(html), SITE, NOW)
    assert listing.pages == ("http://locumtoday.co.uk/", URL + "&page=2")


def test_page_without_entries_is_no_listing():
    assert read_declared_listing(document("<p>Nothing</p>"), SITE, NOW).entries == ()
    assert read_listing(b"<p>Nothing</p>", URL, fetched_at=NOW) is None
    assert read_listing(b"<p>Nothing</p>", "http://elsewhere.example/", fetched_at=NOW) is None


def test_links_of_an_article_page_leave_out_itself():
    html = f'<a href="{ONE}">One</a><a href="{TWO}&amp;catTitle=x">Two</a><a href="{TWO}">Two</a><a href="/">Home</a>'
    page = document(html, f"http://www.locumtoday.co.uk{ONE}&catTitle=news")
    assert [link.url for link in article_links(page, SITE)] == [f"http://www.locumtoday.co.uk{TWO}&catTitle=x"]
