"""Pages of undeclared sites: what is read from articles, and which pages are not articles."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from locum_spider.extract.general.article import read_general
from locum_spider.extract.general.bylines import read_authors
from locum_spider.extract.general.metadata import read_metadata
from locum_spider.extract.general.titles import read_title
from locum_spider.extract.page.document import Document
from locum_spider.items import Article
from locum_spider.sites.declaration import load_site
from locum_spider.sites.site import Site
from locum_spider.text import words

ARTICLES = Path(__file__).resolve().parents[3] / "shared" / "articles"
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TITLE = "Councils ask for more locum social workers"
FIRST = (
    "Councils in the north have asked for more help, a report says, and the number of those who work for an "
    "agency has grown again since the last count."
)
SECOND = (
    "The report, which was written by two universities, follows forty councils over three years. It finds that "
    "those which pay more keep their people longer."
)
THIRD = "“We cannot go on like this for another winter”, the head of one council said when the report was presented."


def page(body: str, head: str = "", lang: str = "en") -> bytes:
    top = f"<html lang='{lang}'><head><title>{TITLE} | The Paper</title>{head}</head>"
    return f"{top}<body>{body}</body></html>".encode()


def article(
    *inside: str, head: str = "", url: str = "https://www.thepaper.co.uk/news/councils-1", site: Site | None = None
) -> Article | None:
    menu = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/news'>News</a></li></ul></nav>"
    html = page(f"{menu}<main><article>{''.join(inside)}</article></main><footer>© The Paper 2020</footer>", head)
    return read_general(Document(html, url), NOW, site=site)


def paragraphs(*texts: str) -> str:
    return "".join(f"<p>{text}</p>" for text in texts)


def test_the_name_of_the_site_that_leads_home_is_not_the_title() -> None:
    masthead = "<header><h1><a href='/'>The Harbour Post</a></h1></header>"
    html = page(f"{masthead}<article><h1>{TITLE}</h1>{paragraphs(FIRST, SECOND, THIRD)}</article>")
    html = html.replace(b" | The Paper", b"")
    found = read_general(Document(html, "https://news.example/councils-1"), NOW)
    assert found is not None
    assert found.title == TITLE


def test_a_declaration_without_layouts_tells_clock_and_order_of_dates() -> None:
    inside = (f"<h1>{TITLE}</h1>", "<p>Published 04/05/2018 at 23:30</p>", paragraphs(FIRST, SECOND, THIRD))
    url = "https://thepaper.example/news/councils-1"
    declaration = {
        "name": "paper", "title": "The Paper", "hosts": ["thepaper.example"], "start": ["https://thepaper.example/"],
        "timezone": "America/New_York", "language": "en", "articles": {"address": "^/news/"},
    }  # fmt: skip
    found = {}
    for order in ("DMY", "MDY"):
        site = load_site({**declaration, "date_order": order}, "test")
        read = article(*inside, url=url, site=site)
        assert read is not None
        found[order] = read.published, read.published_at
    assert found == {
        "DMY": ("2018-05-04", "2018-05-04T23:30:00-04:00"), "MDY": ("2018-04-05", "2018-04-05T23:30:00-04:00"),
    }  # fmt: skip


def test_an_article_without_any_metadata() -> None:
    found = article(
        f"<h1>{TITLE}</h1>", "<p>By Jo Smith, Political Editor</p>", "<p>Published on 10th April 2018</p>",
        paragraphs(FIRST, SECOND), "<h2>What happens next</h2>", "<ul><li>A second report</li><li>A vote</li></ul>",
        paragraphs(THIRD),
    )  # fmt: skip
    assert found is not None
    assert (found.title, found.authors, found.published) == (TITLE, ("Jo Smith",), "2018-04-10")
    assert (found.published_raw, found.published_source) == ("Published on 10th April 2018", "visible")
    assert found.text.split("\n\n") == [
        FIRST, SECOND, "What happens next", "• A second report", "• A vote", THIRD
    ]  # fmt: skip
    assert found.lang == "en"


def test_structured_data_first() -> None:
    thing = {
        "@type": "NewsArticle", "headline": "Councils ask for more &#8216;locums&#8217;",
        "datePublished": "2018-04-10T09:30:00+01:00", "dateModified": "2018-04-11T08:00:00+01:00",
        "author": [{"@type": "Person", "name": "Jo Smith"}, {"@type": "Person", "name": "Ann Lee"}],
        "publisher": {"@type": "Organization", "name": "The Paper"}, "articleSection": "Social care",
        "keywords": ["locums", "councils"], "description": FIRST,
    }  # fmt: skip
    head = f'<script type="application/ld+json">{json.dumps(thing)}</script>'
    head += '<link rel="canonical" href="/news/councils">'
    heading = "<header><h1>Councils ask for more ‘locums’</h1></header>"
    found = article(heading, paragraphs(FIRST, SECOND, THIRD), head=head)
    assert found is not None
    assert found.title == "Councils ask for more ‘locums’"
    assert found.authors == ("Jo Smith", "Ann Lee")
    assert (found.published, found.published_at) == ("2018-04-10", "2018-04-10T09:30:00+01:00")
    assert found.modified_at == "2018-04-11T08:00:00+01:00"
    assert (found.section, found.tags) == ("Social care", ("locums", "councils"))
    assert found.standfirst is None, "the description is the first paragraph"
    assert found.canonical_url == "https://www.thepaper.co.uk/news/councils"
    assert found.evidence["title"] == "json-ld"


def test_standfirst_stands_apart_from_the_text() -> None:
    told = "A report by two universities says that pay alone is not enough to keep people for longer."
    head = f'<meta name="description" content="{told}">'
    found = article(
        f"<header><h1>{TITLE}</h1><h2>{told}</h2></header>",
        f"<div>{paragraphs(FIRST, SECOND, THIRD)}</div>",
        head=head,
    )
    assert found is not None
    assert found.standfirst == told
    assert told not in found.text
    hidden = article(f"<h1>{TITLE}</h1>", paragraphs(FIRST, SECOND, THIRD), head=head)
    assert hidden is not None
    assert hidden.standfirst is None, "said to search engines only"


@pytest.mark.parametrize(
    "noise",
    [
        "<p>Read more: <a href='/b'>Home Office launches a new strategy</a></p>",
        "<p>Lesen Sie auch: <a href='/b'>Neue Strategie der Regierung</a></p>",
        "<p><a href='/b'>Home Office launches a new strategy for social work</a></p>",
        """<p>Related stories:</p><ul><li><a href='/b'>Home Office launches a new strategy</a></li>
        <li><a href='/c'>Pay in the north rises for the third time</a></li></ul>""",
        "<p>Sign up to our newsletter for the best stories in your inbox</p>",
        "<figure><img src='a.jpg'><figcaption>A team of social workers at work in Leeds</figcaption></figure>",
    ],
)
def test_what_is_no_text_is_left_out(noise: str) -> None:
    found = article(f"<h1>{TITLE}</h1>", paragraphs(FIRST), noise, paragraphs(SECOND, THIRD))
    assert found is not None
    assert found.text.split("\n\n") == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    "tail",
    [
        "<p>Reporting by Jo Smith; editing by Ann Lee</p>",
        "<p>Follow us on Facebook and Twitter</p>",
        "<p>This article was originally published in The Other Paper.</p>",
        "<h3>About The Paper</h3><p>The Paper is the leading paper for all who read papers, since 1843.</p>",
        "<p>(dpa)</p>",
    ],
)
def test_what_stands_behind_the_text_is_left_out(tail: str) -> None:
    found = article(f"<h1>{TITLE}</h1>", paragraphs(FIRST, SECOND, THIRD), tail)
    assert found is not None
    assert found.text.split("\n\n") == [FIRST, SECOND, THIRD]


def test_a_text_that_goes_on_behind_an_advertisement() -> None:
    sections = [
        f"<div class='grid'><div class='body'>{paragraphs(text)}</div></div>" for text in (FIRST, SECOND, THIRD)
    ]
    found = article(f"<h1>{TITLE}</h1>", *[part + "<div>Advertisement</div>" for part in sections])
    assert found is not None
    assert found.text.split("\n\n") == [FIRST, SECOND, THIRD]


TEASERS = "".join(
    f"<article><h2><a href='/news/{n}'>Councils ask for help, part {n} of this</a></h2><p>{FIRST}</p></article>"
    for n in range(8)
)


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("https://paper.com/", f"<h1>{TITLE}</h1>{paragraphs(FIRST, SECOND, THIRD)}"),
        ("https://paper.com/index.html", f"<h1>{TITLE}</h1>{paragraphs(FIRST, SECOND, THIRD)}"),
        ("https://paper.com/news", f"<h1>News</h1>{TEASERS}"),
        ("https://paper.com/tag/pay", f"<h1>Pay</h1>{paragraphs(FIRST, SECOND, THIRD)}"),
        ("https://paper.com/?s=pay", f"<h1>Pay</h1>{paragraphs(FIRST, SECOND, THIRD)}"),
        (
            "https://paper.com/gone",
            "<h1>404 - page not found</h1><p>Sorry, what you look for is not here any more.</p>",
        ),
        ("https://paper.com/gone", f"<h1>Page not found</h1>{paragraphs(FIRST, SECOND)}"),
        ("https://paper.com/a", f"<h1>{TITLE}</h1><p>Please log in.</p>"),
        ("https://paper.com/a", ""),
    ],
)
def test_pages_that_are_no_articles(url: str, body: str) -> None:
    html = (
        page(body).replace(f"<title>{TITLE} | The Paper</title>".encode(), b"") if "not found" in body else page(body)
    )
    assert read_general(Document(html, url), NOW) is None


@pytest.mark.parametrize(
    ("title_tag", "head", "h1", "wanted"),
    [
        (f"{TITLE} | The Paper", "", TITLE, TITLE),
        (f"{TITLE} - News - The Paper", "", None, f"{TITLE} - News"),
        (f"{TITLE} | News | The Paper", "", None, TITLE),
        (f"The Paper - {TITLE}", "", None, TITLE),
        (f"{TITLE} | Politics | 3 May 2019", "", TITLE, TITLE),
        ("Locums: councils ask - once again", "", None, "Locums: councils ask - once again"),
        (TITLE, '<meta property="og:title" content="You will not believe this">', TITLE, TITLE),
        ("A | The Paper", f'<meta property="og:title" content="{TITLE} - The Paper">', "The Paper", TITLE),
    ],
)
def test_titles(title_tag: str, head: str, h1: str | None, wanted: str) -> None:
    heading = f"<h1>{h1}</h1>" if h1 else ""
    site = '<meta property="og:site_name" content="The Paper">'
    html = f"<html><head><title>{title_tag}</title>{site}{head}</head><body>{heading}<p>{FIRST}</p></body></html>"
    assert read_title(Document(html.encode(), "https://thepaper.co.uk/news/1"))[0] == wanted


def author(value: Any, publisher: str = "The Paper") -> str:
    thing = {
        "@type": "NewsArticle",
        "headline": TITLE,
        "author": value,
        "publisher": {"@type": "Organization", "name": publisher},
    }
    return f'<script type="application/ld+json">{json.dumps(thing)}</script>'


@pytest.mark.parametrize(
    ("head", "byline", "wanted"),
    [
        (author({"@type": "Person", "name": "Jo Smith"}), "", ["Jo Smith"]),
        (author("By Jo Smith and Ann Lee"), "", ["Jo Smith", "Ann Lee"]),
        (author([{"name": "Jo Smith"}, {"@type": "Organization", "name": "The Paper"}]), "", ["Jo Smith"]),
        (author({"@type": "Organization", "name": "The Paper"}), "By Jo Smith", ["Jo Smith"]),
        (author({"@type": "Organization", "name": "The Paper"}), "", ["The Paper"]),
        ('<meta name="author" content="The Paper">', "", []),
        ('<meta name="author" content="jo.smith@thepaper.co.uk">', "By Jo Smith | The Paper", ["Jo Smith"]),
        ('<meta name="author" content="jo-smith">', "Von Jo Smith, Berlin", ["Jo Smith"]),
        ('<meta name="author" content="admin">', "", []),
        (
            '<meta name="author" content="Jo Smith, Ann Lee; Max Müller">',
            "",
            ["Jo Smith", "Ann Lee", "Max Müller"],
        ),
        (
            '<meta property="article:author" content="https://facebook.com/jo">',
            "Words by Jo Smith",
            ["Jo Smith"],
        ),
        ("", "<a href='/author/jo-smith'>Jo Smith</a>", ["Jo Smith"]),
        ("", "Jo Smith | 3 May 2019", ["Jo Smith"]),
        ("", "By the way, this is no byline at all.", []),
    ],
)
def test_authors(head: str, byline: str, wanted: list[str]) -> None:
    html = page(f"<h1>{TITLE}</h1><p>{byline}</p>{paragraphs(FIRST, SECOND)}", head)
    document = Document(html, "https://thepaper.co.uk/news/1")
    assert list(read_authors(document, read_metadata(document).headline)[0]) == wanted


@pytest.mark.skipif(not ARTICLES.is_dir(), reason="../shared/articles is not here: no pages to measure on")
def test_floor_of_titles_and_authors() -> None:
    rows = [json.loads(line) for line in (ARTICLES / "news.jsonl").read_text(encoding="utf-8").splitlines()]
    titles = authors = named = 0
    for row in rows:
        metadata = read_metadata(Document(gzip.decompress((ARTICLES / row["html_path"]).read_bytes()), row["url"]))
        titles += words(metadata.title or "") == words(row["title"])
        if row["authors"]:
            named += 1
            authors += {name.casefold() for name in metadata.authors} == {name.casefold() for name in row["authors"]}
    assert titles >= 0.83 * len(rows)
    assert authors >= 0.91 * named
