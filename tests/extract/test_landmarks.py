"""Finding parts of a page by the words around them."""

from __future__ import annotations

import pytest

from locum_spider.extract.declared.landmarks import (
    after_label,
    find_above,
    find_end,
    find_inner_label,
    find_label,
    find_title,
    similarity,
)
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.sites import find_site
from locum_spider.text import words

SITE = find_site("locum-today")
URL = "http://www.locumtoday.co.uk/article.php?s=2016-05-11-your-first-week-as-a-manager"
EVIDENCE = ("address", "metadata", "heading")


def page(html: str, url: str = URL) -> Document:
    return Document(html.encode(), url, "text/html; charset=utf-8")


def title(html: str, url: str = URL) -> str | None:
    span = find_title(page(html, url), SITE, EVIDENCE, "Published on")
    return span.text if span else None


@pytest.mark.parametrize(
    ("line", "mark", "found"),
    [
        ("Share this article:", "Share this article:", True),
        ("SHARE THIS ARTICLE", "Share this article:", True),
        ("Share this article: Facebook | Twitter", "Share this article:", True),
        ("Share this article with your team", "Share this article:", False),
        ("Latest articles", "Latest articles", True),
        ("Latest articles »", "Latest articles", True),
        ("— latest articles …", "Latest articles", True),
        ("Latest articles on pay", "Latest articles", False),
        ("The latest articles", "Latest articles", False),
        ("Post a comment (3)", "Post a comment", False),
        ("Type in your email address below and click Subscribe.", "Type in your email address below", True),
        ("Type in your", "Type in your email address below", False),
        ("", "Latest articles", False),
    ],
)
def test_landmarks_are_whole_lines_or_openings(line, mark, found):
    assert find_end([Line(line, "p", 0, 0)], [mark], 0) == (0 if found else 1)


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("Published on 10th April 2018", "10th April 2018"),
        ("published ON: 10th April 2018", "10th April 2018"),
        ("Published on – 10th April 2018", "10th April 2018"),
        ("Published on", ""),
        ("Published on10th April", None),
        ("Published once", None),
        ("First published on 10th April", None),
        ("", None),
    ],
)
def test_what_follows_a_label(line, rest):
    assert after_label(line, "Published on") == rest


def test_label_alone_takes_the_line_below():
    lines = page("<p>Published on</p><p>10th April 2018</p><p>Text</p>").lines
    span = find_label(lines, "Published on", 0)
    assert span is not None
    assert (span.start, span.stop, span.text) == (0, 2, "10th April 2018")


def test_label_is_looked_for_in_its_range_only():
    lines = page("<p>Published on 1 May</p><p>x</p><p>Published on 2 May</p>").lines
    assert find_label(lines, "Published on", 1, 2) is None
    found = find_label(lines, "Published on", 1)
    assert found is not None
    assert found.text == "2 May"


@pytest.mark.parametrize(
    ("text", "front", "rest"),
    [
        ("Money for all. Published on 1 May 2016", "Money for all.", "1 May 2016"),
        ("Money for all | published on: 1 May 2016", "Money for all", "1 May 2016"),
        ("Money for allPublished on 1 May 2016", "Money for all", "1 May 2016"),
    ],
)
def test_label_in_the_middle_of_a_line(text, front, rest):
    found = find_inner_label(page(f"<p>{text}</p>").lines, "Published on", 0)
    assert found is not None
    assert (found[1], found[0].text) == (front, rest)


@pytest.mark.parametrize("text", ["Unpublished on 1 May", "unpublished once", "Published only once"])
def test_label_inside_a_word_is_none(text):
    assert find_inner_label(page(f"<p>{text}</p>").lines, "Published on", 0) is None


def test_end_is_the_first_landmark_else_the_end_of_the_page():
    lines = page("<p>One</p><p>Latest articles</p><p>Back to top</p>").lines
    assert find_end(lines, ["Back to top", "Latest articles"], 0) == 1
    assert find_end(lines, ["Back to top", "Latest articles"], 2) == 2
    assert find_end(lines, ["No such words"], 0) == 3


def test_landmark_may_be_a_picture_of_its_words():
    lines = page('<p>One</p><img src="/latest.gif" alt="Latest articles">').lines
    assert find_end(lines, ["Latest articles"], 0) == 1


@pytest.mark.parametrize(
    ("line", "named", "low", "high"),
    [
        ("Your first week as a manager", "your first week as a manager", 1, 1),
        ("Your first week as a manager: what to do", "your first week as a manager", 0.7, 1),
        ("Your first week", "your first week as a manager", 0.3, 0.9),
        ("Holiday pay", "your first week as a manager", 0, 0.2),
        ("", "your first week", 0, 0),
        ("Your", "", 0, 0),
    ],
)
def test_similarity(line, named, low, high):
    assert low <= similarity(words(line), words(named)) <= high


OTHER = """<a href="/article.php?s=2016-05-02-your-first-week">Your first week as a manager</a>
<p>Published on 02 May 2016</p>"""
TAIL = "<p>Leading a team</p><p>Published on 11th May 2016</p><p>Text of the article.</p>"


@pytest.mark.parametrize(
    "html",
    [
        f"<h1>Your first week as a manager</h1>{TAIL}",
        f"<div>Your first week as a manager</div>{TAIL}",
        f"<h1>Locum Today</h1><b>Your first week as a manager</b>{TAIL}",
        f"<h1>Your first week<br>as a manager</h1>{TAIL}",
        f"<title>Your first week as a manager - Locum Today</title><h1>X</h1><p>Your first week as a manager</p>{TAIL}",
        f"<div>{OTHER}</div><h2>Your first week as a manager</h2>{TAIL}",
        f'<p><a href="{URL}">Your first week as a manager</a></p>{TAIL}',
        f"<h1>Your first week as a manager</h1>{TAIL}<div>{OTHER}</div>",
        f"<p>Home &gt; News &gt; Your first week as a manager</p><h1>Your first week as a manager</h1>{TAIL}",
    ],
)
def test_title_is_found(html):
    assert title(html) == "Your first week as a manager"


@pytest.mark.parametrize(
    "html",
    ["<h1>Sorry</h1><p>No such page.</p>", f"<h1>Locum Today</h1>{OTHER}", "", "<img src=/x alt='Your first week'>"],
)
def test_page_without_its_title_has_none(html):
    assert title(html) is None


@pytest.mark.parametrize("slug", ["your-first-week-as-a", "a-managers-first-week", "1234"])
def test_title_is_found_where_the_address_says_it_otherwise(slug):
    html = f"<div><h1>Your first week as a manager</h1>{TAIL}</div>"
    assert title(html, "http://locumtoday.co.uk/article.php?s=2016-05-11-" + slug) == "Your first week as a manager"


@pytest.mark.parametrize(
    ("html", "section"),
    [
        ('<p><a href="/category.php?catTitle=news">News</a></p><h1>T</h1>', "News"),
        ('<ul><li><a href="/a.php">A</a></li><li><a href="/b.php">B</a></li></ul><h1>T</h1>', None),
        ("<div><p>Advice and Guides</p><h1>T</h1></div>", "Advice and Guides"),
        ('<a href="/">Home</a><h1>T</h1>', None),
        ("<p>Locum Today</p><h1>T</h1>", None),
        ("<p>The newsletter for everybody who works in a team for a while.</p><h1>T</h1>", None),
        ("<h1>T</h1>", None),
        ('<p>News</p><img src="/x.jpg" alt="A team"><h1>T</h1>', "News"),
        ("<button>Menu</button><h1>T</h1>", None),
        ('<p><a href="/subscribe.php">Subscribe to Locum Today</a></p><h1>T</h1>', None),
        ('<div><a href="/jobs.php">Find a job</a><h1>T</h1></div>', None),
        ('<a href="/advertise.php">Advertise</a><div><a href="/advertise.php">Advertise</a><h1>T</h1></div>', None),
        ('<div><a href="http://agency.example/category/">Agency</a><h1>T</h1></div>', None),
        ('<div><a href="/events.php">Events</a><h1>T</h1></div>', None),
        ("<div><p>Subscribe to Locum Today</p><h1>T</h1></div>", None),
        ("<div><p>Sign up today</p><h1>T</h1></div>", None),
        ('<div><a href="/section/pay">Pay</a><h1>T</h1></div>', "Pay"),
        ('<div><a href="/category.php?c=pay">Pay</a><h1>T</h1></div>', "Pay"),
        ('<a href="/?catTitle=pay">Pay</a><hr><p>Pay</p><p><b>T</b></p>', "Pay"),
        ('<meta property="article:section" content="Events"><a href="/e.php">Events</a><h1>T</h1>', "Events"),
        (
            (
                '<script type="application/ld+json">{"@type": "BreadcrumbList", "itemListElement": [{"name": "Events"},'
                '{"name": "T"}]}</script><a href="/e.php">Events</a><h1>T</h1>'
            ),
            "Events",
        ),
    ],
)
def test_section_above_the_title(html, section):
    found = page(html)
    index = next(i for i, line in enumerate(found.lines) if line.text == "T")
    span = find_above(found, SITE, index)
    assert (span.text if span else None) == section
