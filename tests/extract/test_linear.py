"""Reading a page is work in proportion to it, whatever is in it: twice the page, twice the work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from support.work import calls

from locum_spider.errors import PageError
from locum_spider.extract.declared.article import read_declared
from locum_spider.extract.declared.listing import read_declared_listing
from locum_spider.extract.general.article import read_general
from locum_spider.extract.page.bounds import MAX_ATTRIBUTES, within_bounds
from locum_spider.extract.page.document import Document
from locum_spider.sites import find_site

SITE = find_site("locum-today")
URL = "http://locumtoday.co.uk/article.php?s=2018-04-10-crane-moved-to-harbour"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PARAGRAPH = "<p>The crane was lifted on Tuesday by the harbour crew and set down beside the old customs house.</p>"
ARTICLE = f"<h1>Crane moved to harbour</h1><p>Published on 10th April 2018</p>{PARAGRAPH * 6}"
OTHER = "article.php?s=2018-04-{:02}-story-{}"


def many(piece: str) -> Callable[[int], str]:
    """A page with a piece many times; `#` in it is the number of the time."""
    return lambda size: ARTICLE + "".join(piece.replace("#", str(number)) for number in range(size))


def many_objects(thing: str) -> Callable[[int], str]:
    def page(size: int) -> str:
        things = ",".join(thing.replace("#", str(number)) for number in range(size))
        return f"<script type='application/ld+json'>[{things}]</script>{ARTICLE}"

    return page


PAGES = {
    "links of a paragraph": many("<a href=/x#>word #</a> "),
    "links to one page": many(f"<a href=/{OTHER.format(1, 1)}>word #</a> "),
    "entries": many(f"<p><a href=/{OTHER.format(2, '#')}>The story of crane #</a><p>Published on 2 May 2018<p>A text"),
    "items": many("<li>item # of a list"),
    "lines": many("a line of many<br>"),
    "labels": many("<p>Published on 2 May 2018"),
    "pictures": many("<div><img src=/x#.jpg alt=crane>A crane</div>"),
    "documents": many("<p><a href=/x#.pdf>Report #</a>"),
    "headings": many("<h2>Crane moved</h2>"),
    "equal paragraphs": many(PARAGRAPH),
    "times": many("<time datetime=2018-04-10 itemprop=datePublished>10 April</time>"),
    "nested links": many("<table><td><a href=/x#>"),
    "articles": many_objects('{"@type": "Article", "headline": "Crane moved #", "datePublished": "2018-04-10"}'),
    "people": many_objects('{"@type": "Article", "@id": "#", "author": {"@id": "#"}, "publisher": {"name": "P#"}}'),
    "metadata": many("<meta name=articledate# content=2018-04-10><meta name=author content='Jo Smith, Ann Lee'>"),
    "a long title": lambda size: f"<title>{'crane moved - ' * size}</title>{ARTICLE}{'<p>crane' * size}",
}
READERS: dict[str, Callable[[Document], object]] = {
    "declared": lambda page: read_declared(page, SITE, NOW),
    "listing": lambda page: read_declared_listing(page, SITE, NOW),
    "general": lambda page: read_general(page, NOW),
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("reader", READERS)
def test_reading_is_work_in_proportion_to_the_page(page, reader):
    def work(size: int) -> int:
        body = PAGES[page](size).encode()
        return calls(lambda: READERS[reader](Document(body, URL)))

    work(240)  # patterns are compiled, and addresses remembered
    assert work(240) < 3 * work(120) + 2_000


@pytest.mark.parametrize(
    "html",
    [
        "<p {}>x</p>".format(" ".join(f"a{number}=1" for number in range(100_000))),
        "<p{}>x</p>".format("".join(f"/a{number}" for number in range(100_000))),
        "<p x='<' y='>' {}>x</p>".format("".join(f"a{number}=''" for number in range(100_000))),
        "{}x".format("".join(f"<html a{number}=1></html>" for number in range(50_000))),
        "{}x".format("".join(f"<BODY\na{number}=1></BODY>" for number in range(50_000))),
        "<select>{}</select>x".format("<option>y" * 50_000),
        "{}x".format("<select><OPTION>y</OPTION></select>" * 50_000),
    ],
    ids=range(7),
)
def test_tags_beyond_the_bounds_end(html):
    """Parsing is work in proportion to the square there, and would not end: the parser's work is no call to count."""
    assert [line.text for line in Document(html.encode(), URL).lines] == ["x"]


@pytest.mark.parametrize("block", ["p", "div", "li", "h2", "ul", "center"])
def test_elements_that_are_opened_again_and_again_are_refused(block):
    page = "".join(f"<{block}><b id=a{number}>x</{block}>" for number in range(2_000))
    with pytest.raises(PageError, match="never closes"):
        within_bounds(page)


@pytest.mark.parametrize(
    "html",
    [
        "<p><b>x" * 1000 + "</b>" * 1000,  # the parser itself opens three of a kind again
        "<table>" + "".join(f"<tr><td><font id=a{number}>x" for number in range(2000)) + "</table>",
        "".join(f"<p><b id=a{number}>x</b></p>" for number in range(2000)),
        "".join(f"<p><a name=a{number}>x" for number in range(2000)),
        "<script>" + "if (a<b) { c }" * 5000 + "</script>" + "<b id=x>y" * 3,
    ],
    ids=range(5),
)
def test_old_and_long_pages_are_not_refused(html):
    assert within_bounds(html) == html


def test_first_attributes_stay():
    attributes = " ".join(f"a{number}='>'" for number in range(3 * MAX_ATTRIBUTES))
    node = Document(f"<p class=x id='y' {attributes} z=1>text</p><i>more".encode(), URL).tree.css_first("p.x#y")
    assert len(node.attributes) == MAX_ATTRIBUTES
    assert node.text() == "text"


def test_address_of_the_base_is_not_repeated_without_bound():
    page = f"<base href='http://locumtoday.co.uk/{'a' * 5000}/'><a href=x>y</a>"
    assert [link.url for link in Document(page.encode(), URL).links] == ["http://locumtoday.co.uk/x"]
