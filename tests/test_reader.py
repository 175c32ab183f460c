"""Reading pages without an archive."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from locum_spider.errors import UsageError
from locum_spider.reader import read_article, read_listing
from locum_spider.sites import find_site

URL = "http://www.locumtoday.co.uk/article.php?s=2017-03-09-pay-caps-stay&catTitle=news"
PAGE = """<title>Locum Today</title><h1>Pay caps stay</h1><p>For a year – at least</p><p>Published on 9th March 2017</p>
<p>Caps on hourly pay stay as they are.</p><p>Share this article:</p>""".encode()
NOW = datetime(2017, 3, 10, tzinfo=UTC)


@pytest.mark.parametrize("site", [None, "locum-today", find_site("locum-today")], ids=["address", "name", "site"])
def test_site_is_found_by_address_name_or_given(site):
    article = read_article(PAGE, URL, site=site, fetched_at=NOW)
    assert (article.url, article.title, article.published) == (URL, "Pay caps stay", "2017-03-09")
    assert (article.standfirst, article.text) == ("For a year – at least", "Caps on hourly pay stay as they are.")


def test_time_of_the_capture_is_now_by_default():
    article = read_article(PAGE, URL)
    assert article.published == "2017-03-09"


def test_content_type_says_the_character_set():
    article = read_article(PAGE.decode().encode("gb18030"), URL, content_type="text/html; charset=gb18030")
    assert article.standfirst == "For a year – at least"


@pytest.mark.parametrize(
    ("html", "url"),
    [
        (b"", URL),
        (b"<p>Sorry, there is no such article.</p>", URL),
        (PAGE, "http://www.locumtoday.co.uk/about.php"),
        (b"<div>" * 50_000, URL),
        (b"\x00\xff\xfe%PDF-1.4", URL),
    ],
    ids=["empty", "sorry", "other address", "deep", "binary"],
)
def test_a_page_that_is_not_an_article_gives_none(html, url):
    assert read_article(html, url, fetched_at=NOW) is None
    assert read_listing(html, url, fetched_at=NOW) is None


def test_unknown_name_of_a_site_is_refused():
    with pytest.raises(UsageError, match="south-post"):
        read_article(PAGE, URL, site="south-post")
    with pytest.raises(UsageError, match="south-post"):
        read_listing(PAGE, URL, site="south-post")


def test_reading_is_the_same_every_time():
    assert read_article(PAGE, URL, fetched_at=NOW) == read_article(PAGE, URL, fetched_at=NOW)
