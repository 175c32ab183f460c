"""Articles by the rules of a layout: every way to find a field, and the errors if one is missing."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest

from locum_spider.errors import PageError
from locum_spider.extract.declared.article import read_declared
from locum_spider.extract.page.document import Document
from locum_spider.items import Attachment, Image
from locum_spider.sites import find_site
from locum_spider.sites.declaration import load_site

NOW = datetime(2020, 6, 1, 12, tzinfo=UTC)
SITE = """
name = "post"
title = "The Post"
hosts = ["post.example"]
start = ["https://post.example/"]
timezone = "Europe/London"
language = "en"
articles.address = '^/story'
articles.date = '/story/(\\d{4}-\\d\\d-\\d\\d)'
"""
PAGE = """<!DOCTYPE html><html lang="en-GB"><head>
<meta name="author" content="The desk"><meta name="author" content="A guest">
<meta property="article:published_time" content="2018-04-10T15:45:00+01:00">
<meta name="keywords" content="pay, rates; caps">
<script type="application/ld+json">{"@graph": [{"@type": "WebSite", "name": "The Post"}, {"@type": "NewsArticle",
"headline": "Headline", "datePublished": "2018-04-11", "dateModified": "2018-05-01T10:00:00Z",
"author": [{"name": "One"}, {"name": "Two"}]}]}</script></head><body>
<h1>Rates <small>Published in <i class="d">March 2018</i></small></h1><p class="s">Money</p>
<time datetime="2018-04-12">yesterday</time>
<div class="b"><p>One<br>more</p><div class="ad">Buy!</div><ul><li>a</li></ul><img src="/i.jpg" alt="x"></div>
<div class="b"><p>Two</p></div><p class="by">By The desk and A guest</p><p>Updated 2 May 2018</p></body></html>"""


def article(rules: str, html: str = PAGE, url: str = "https://post.example/story/1", now: datetime = NOW):
    site = load_site(tomllib.loads(f"{SITE}\n{rules}"), "post.toml")
    return read_declared(Document(html.encode(), url, "text/html; charset=utf-8"), site, now)


def rules(**fields: str) -> str:
    ways = {"title": '{ css = "h1", drop = "small" }', "published": '{ css = "time", attr = "datetime" }', "body": "[]"}
    ways |= fields
    return "[[layouts]]\n[layouts.article]\n" + "\n".join(f"{key} = {way}" for key, way in ways.items())


def test_fields_by_selector():
    found = article(rules(standfirst='{ css = "p.s" }', body='{ css = ".b", drop = ".ad" }'))
    assert (found.title, found.standfirst, found.published) == ("Rates", "Money", "2018-04-12")
    assert found.text == "One\nmore\n\n• a\n\nTwo"
    assert found.lang == "en"


def test_fields_by_metadata():
    found = article(
        rules(
            published='{ meta = "Article:Published_Time" }', authors='{ meta = "author" }', tags='{ meta = "keywords" }'
        )
    )
    assert (found.published, found.published_at) == ("2018-04-10", "2018-04-10T15:45:00+01:00")
    assert found.published_source == "meta"
    assert found.authors == ("The desk", "A guest")
    assert found.tags == ("pay", "rates", "caps")


def test_fields_by_json_ld():
    found = article(
        rules(
            title='{ json_ld = "headline" }',
            published='{ json_ld = "datePublished" }',
            modified='{ json_ld = "dateModified" }',
            authors='{ json_ld = "author.name" }',
        )
    )
    assert (found.title, found.published, found.published_source) == ("Headline", "2018-04-11", "json-ld")
    assert datetime.fromisoformat(found.modified_at) == datetime(2018, 5, 1, 10, tzinfo=UTC)
    assert found.authors == ("One", "Two")


@pytest.mark.parametrize(
    ("byline", "authors"),
    [
        ("Jo Smith, Tom Kay, and Ann Lee", ("Jo Smith", "Tom Kay", "Ann Lee")),
        ("<span>Jo Smith</span>, <span>Ann Lee</span>", ("Jo Smith", "Ann Lee")),
        ("By Jo Smith; and Ann Lee", ("Jo Smith", "Ann Lee")),
        ("<ul><li>Jo Smith<li>Ann Lee</ul>", ("Jo Smith", "Ann Lee")),
        ("Jo Smith<br>Political Editor", ("Jo Smith",)),
        ("Jo Smith, Jr.", ("Jo Smith, Jr.",)),
        ("Smith, Jo", ("Jo Smith",)),
        ("Staff", ("Staff",)),
        ("admin", ("admin",)),
    ],
)
def test_names_of_a_byline(byline, authors):
    html = PAGE.replace('<p class="by">By The desk and A guest</p>', f'<div class="by">{byline}</div>')
    assert article(rules(authors='{ css = ".by" }'), html).authors == authors


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ('"Jo Smith and Ann Lee"', ("Jo Smith", "Ann Lee")),
        ('{"name": {"name": "Jo Smith"}}', ("Jo Smith",)),
        ('{"givenName": "Jo", "familyName": "Smith"}', ("Jo Smith",)),
        ('[{"@id": "#jo"}, {"name": "Ann Lee"}]', ("Jo Smith", "Ann Lee")),
        ('{"@type": "Organization", "name": "Office for Health and Care"}', ("Office for Health and Care",)),
    ],
)
@pytest.mark.parametrize("path", ["author", "author.name"])
def test_names_in_json_ld(author, names, path):
    path = "author" if author[0] == '"' else path
    other = '{"@type": "Article", "headline": "Boat", "author": "No One"}, {"@id": "#jo", "name": "Jo Smith"}'
    own = f'{{"type": "Article", "headline": "Rates published", "author": {author}}}'
    html = f'<title>Rates published</title><script type="application/ld+json">[{other}, {own},]</script>{PAGE}'
    assert article(rules(authors=f'{{ json_ld = "{path}" }}'), html).authors == names


def test_what_the_own_article_does_not_say_is_not_taken_from_a_comment():
    html = """<script type="application/ld+json">[{"@type": "Comment", "datePublished": "2019-01-01"},
    {"@type": "Article", "headline": "Pay", "comment": {"datePublished": "2019-01-01"}}]</script><h1>Pay</h1>"""
    with pytest.raises(PageError, match="no date"):
        article(rules(published='{ json_ld = "datePublished" }'), html)


def test_text_of_a_selector_inside_another_match_is_read_once():
    html = PAGE.replace('<div class="b"><p>Two</p></div>', '<div class="b"><p>Two</p><div class="b">Three</div></div>')
    assert article(rules(body='{ css = ".b", drop = ".ad" }'), html).text.endswith("Two\n\nThree")
    assert article(rules(body='{ css = ".b", drop = ".ad" }'), html).text.count("Three") == 1


def test_half_a_character_in_json_ld_is_no_text_that_cannot_be_stored():
    """A headline cut after so many characters may end in half an emoji."""
    html = """<script type="application/ld+json">{"headline": "Pay \\ud83d"}</script><i>1 May 2018</i><p>Pay</p>"""
    found = article(rules(title='{ json_ld = "headline" }', published='{ css = "i" }'), html)
    assert found.title.encode().startswith(b"Pay")


def test_fields_by_label():
    found = article(rules(published='{ label = "Updated" }', authors='{ label = "By" }'))
    assert (found.published, found.published_raw, found.published_source) == ("2018-05-02", "2 May 2018", "visible")
    assert found.authors == ("The desk", "A guest")


def test_first_rule_that_finds_something_counts_and_is_the_evidence():
    found = article(rules(standfirst='[{ css = "p.none" }, { meta = "none" }, { css = "p.s" }, { css = "p.by" }]'))
    assert found.standfirst == "Money"
    assert found.evidence["standfirst"] == "css = 'p.s'"
    assert set(found.evidence) - {"lang"} == {"title", "published", "standfirst"}


def test_dropping_for_one_field_takes_nothing_from_another():
    """`drop` removes something from a field; other fields still have it."""
    found = article(rules(title='{ css = "h1", drop = "small" }', published='{ css = "h1 i.d" }'))
    assert (found.title, found.published) == ("Rates", "2018-03")


def test_fields_without_rules_stay_empty():
    found = article(rules())
    assert (found.standfirst, found.section, found.text, found.authors, found.tags) == (None, None, "", (), ())
    assert (found.attachments, found.images, found.modified_at, found.canonical_url) == ((), (), None, None)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"title": '{ css = "h7" }'}, "no title on the page (looked for css = 'h7')"),
        ({"published": '{ label = "Printed" }'}, "no date on the page (looked for label = 'Printed')"),
        ({"published": '[{ meta = "x" }, { css = "y" }]'}, "no date on the page (looked for meta = 'x'; css = 'y')"),
    ],
)
def test_what_is_missing_is_named_with_the_rules_that_looked_for_it(changed, says):
    with pytest.raises(PageError) as caught:
        article(rules(**changed))
    assert says in str(caught.value)


def test_address_that_is_no_article_s_is_refused():
    with pytest.raises(PageError, match=r"its address is not that of an article of The Post"):
        article(rules(), url="https://post.example/about")


@pytest.mark.parametrize(
    ("now", "title"),
    [
        (datetime(2015, 12, 31, 23, 59, tzinfo=UTC), "Old"),
        (datetime(2016, 1, 1, tzinfo=UTC), "New"),
        (datetime.fromisoformat("2016-01-01T00:30:00+01:00"), "Old"),  # the day before in UTC
    ],
)
def test_layout_is_that_of_the_capture_s_day(now, title):
    layouts = """
[[layouts]]
until = 2016-01-01
article.title = { css = "b" }
article.published = { css = "i" }
article.body = []
[[layouts]]
article.title = { css = "h1" }
article.published = { css = "i" }
article.body = []
"""
    assert article(layouts, "<h1>New</h1><b>Old</b><i>1 May 2015</i>", now=now).title == title


@pytest.mark.parametrize(
    ("printed", "published", "conflict"),
    [
        ("10 April 2018", "2018-04-10", None),
        ("April 2018", "2018-04", None),
        ("10/04/2018", None, "..."),
        ("11 April 2018", "2018-04-11", "the page prints 2018-04-11, the address says 2018-04-10"),
        ("March 2018", "2018-03", "the page prints 2018-03, the address says 2018-04-10"),
        (
            "31 April 2018",
            None,
            "the page prints '31 April 2018', which cannot be read as a date; the address says 2018-04-10",
        ),
        ("soon", None, "the page prints 'soon', which cannot be read as a date; the address says 2018-04-10"),
        ("10 April 2018 | News", "2018-04-10", None),
        ("10 April 2018 by the desk", "2018-04-10", None),
    ],
)
def test_visible_date_wins_over_the_address_and_a_contradiction_is_kept(printed, published, conflict):
    found = article(
        rules(published='{ css = "i" }', title='{ css = "b" }'),
        f"<b>T</b><i>{printed}</i>",
        "https://post.example/story/2018-04-10-x",
    )
    if conflict != "...":  # without an order of day and month 10/04 may be either
        assert (found.published, found.published_conflict) == (published, conflict)
    assert found.published in {published, "2018-04-10"}
    assert found.published_raw


# -- by landmarks, as Locum Today's ----------------------------------------------------------------------------------

URL = "http://locumtoday.co.uk/article.php?s=2017-03-09-pay-caps-stay"
TODAY = """<h1>Pay caps stay</h1><p>For a year</p><p>Published on 9th March 2017</p>{}<p>Share this article:</p>
<p>Back to top</p><p>Post a comment</p><p>Text below</p>"""


def locum(body: str, page: str = TODAY):
    document = Document(page.format(body).encode(), URL, "text/html; charset=utf-8")
    return read_declared(document, find_site("locum-today"), NOW)


def test_nothing_below_the_end_is_in_the_body():
    assert locum("<p>One</p><p>Two</p>").text == "One\n\nTwo"


@pytest.mark.parametrize(
    "end",
    [
        "Share this article:",
        "Back to top",
        "Subscribe to Locum Today",
        "Post a comment",
        "Receive the latest interviews, features and news stories in the Locum Today newsletter.",
        "Type in your email address below and click Subscribe.",
        "Leave a comment",
        "Latest articles",
    ],
)
def test_each_landmark_ends_the_body_alone(end):
    page = "<h1>Pay caps stay</h1><p>Published on 9th March 2017</p><p>One</p><p>{}</p><p>Published on 1st May 2012</p>"
    found = locum(end, page)
    assert (found.text, found.published) == ("One", "2017-03-09")


def test_article_without_an_end_goes_on_to_the_end_of_the_page():
    page = "<h1>Pay caps stay</h1><p>Published on 9th March 2017</p><p>One</p>{}"
    assert locum("<p>Two</p>", page).text == "One\n\nTwo"


def test_sharing_tools_above_the_text_do_not_end_it():
    found = locum("<p>Share this article:</p><p>One</p><p>Two</p>")
    assert "One\n\nTwo" in found.text
    assert "Text below" not in found.text


@pytest.mark.parametrize(
    "tail",
    [
        "<p>Back to top</p><p>Leave a comment</p><p>A locum, 3rd May 2017</p><p>I was paid more in 2012.</p>",
        "<p>Latest articles</p><p>Published on 07 January 2016</p><p>These words belong to another article.</p>",
    ],
)
def test_article_without_text_takes_none_of_what_follows(tail):
    page = "<h1>Pay caps stay</h1><p>Published on 9th March 2017</p>{}<p>Share this article:</p>" + tail
    assert locum("", page).text == ""


@pytest.mark.parametrize(
    "html",
    [
        '<p><a href="/documents/pay.pdf">Pay caps (PDF)</a></p>',
        '<p><b>Downloads</b></p><p><a href="/documents/pay.pdf">Pay caps (PDF)</a></p>',
        '<ul><li><a href="/documents/pay.pdf">Pay caps (PDF)</a></li></ul>',
    ],
)
def test_document_behind_the_text_is_an_attachment(html):
    found = locum(f"<p>One</p>{html}")
    assert found.text == "One"
    assert found.attachments == (Attachment("Pay caps (PDF)", "http://locumtoday.co.uk/documents/pay.pdf"),)


def test_link_in_a_sentence_is_no_attachment():
    found = locum('<p>Read <a href="/documents/pay.pdf">the caps</a> first.</p>')
    assert (found.text, found.attachments) == ("Read the caps first.", ())


def test_document_in_the_middle_of_the_text_is_an_attachment_and_the_text_goes_on():
    found = locum('<p>One</p><p><a href="/documents/pay.pdf">Pay caps</a></p><p>Two</p>')
    assert found.text == "One\n\nTwo"
    assert [a.title for a in found.attachments] == ["Pay caps"]


@pytest.mark.parametrize(
    ("html", "caption"),
    [
        ('<figure><img src="/t.jpg" alt="A team"><figcaption>Six of nine</figcaption></figure>', "Six of nine"),
        ('<div><img src="/t.jpg" alt="A team"><br>Six of nine</div>', "Six of nine"),
        ('<p><img src="/t.jpg" alt="A team"></p><p class="caption">Six of nine.</p>', "Six of nine."),
        ('<img src="/t.jpg" alt="A team"><p>A team</p>', "A team"),
        ('<img src="/t.jpg" alt="A team"><p>This is a paragraph of the article and not a caption.</p>', None),
        ('<img src="/t.jpg" alt="A team"><h3>Six of nine</h3>', None),
    ],
)
def test_captions_are_apart_from_the_body(html, caption):
    found = locum(f"<p>Zero</p>{html}<p>One comes at last.</p>")
    assert found.images == (Image("http://locumtoday.co.uk/t.jpg", "A team", caption),)
    assert found.text.startswith("Zero")
    assert found.text.endswith("One comes at last.")
    assert "A team" not in found.text
    if caption:
        assert caption not in found.text
    else:
        assert found.text.count("\n\n") == 2


def test_layout_table_is_no_table_of_data():
    found = locum("<table><tr><td>One is a paragraph.</td></tr><tr><td>Two is another.</td></tr></table>")
    assert found.text == "One is a paragraph.\n\nTwo is another."
