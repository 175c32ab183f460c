import json
import re
from datetime import date
from html import unescape
from itertools import islice
from urllib.parse import urljoin, urlsplit

import pytest

from locum_spider.demo.sample import HOME, MARKUPS, Page, Sample, build, generate, load, page_key

CHARSETS = {"table": "utf-8", "bootstrap": "utf-8", "html5": "utf-8", "unclosed": "windows-1252"}


def text_of(page: Page, markup: str) -> str:
    """Visible text in one line, alternative texts included."""
    html = page.body.decode(CHARSETS[markup])
    html = re.sub(r"(?s)<head>.*?(</head>|<BODY)", "", html, flags=re.IGNORECASE)
    html = re.sub(r'(?i)<img[^>]*?alt="([^"]*)"[^>]*>', r" \1 ", html)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def links_of(url: str, page: Page) -> set[str]:
    """Keys of all pages that one page leads to."""
    hrefs = re.findall(r'(?i)<a [^>]*?href="([^"]*)"', page.body.decode("latin-1"))
    targets = (urlsplit(urljoin(url, unescape(href))) for href in hrefs)
    return {page_key(to.netloc, f"{to.path}?{to.query}") for to in targets if to.scheme == "http"}


def reach(sample: Sample) -> dict[str, set[str]]:
    """What can be reached by links from the home page, and what each page leads to."""
    seen: dict[str, set[str]] = {}
    waiting = [HOME]
    while waiting:
        url = waiting.pop()
        if url in seen or url not in sample.pages:
            continue
        page = sample.pages[url]
        location = dict(page.headers).get("Location")
        seen[url] = {location} if location else links_of(url, page)
        waiting += seen[url]
    return seen


@pytest.mark.parametrize("markup", MARKUPS)
def test_every_article_says_the_same_in_every_markup(markup):
    sample = build(markup)
    for article in sample.articles:
        assert article.markup == markup
        text = text_of(sample.pages[article.url], markup)
        title = f"{article.section} {article.title}" if article.section else article.title
        parts = [title, article.standfirst, article.published_raw, *article.captions]
        parts += [block.removeprefix("• ") for block in article.blocks]
        parts += [title for title, _ in article.attachments]
        parts += ["Share this article:", "Back to top", "Subscribe to Locum Today", "Post a comment"]
        parts += ["Type in your email address below and click Subscribe.", "Leave a comment"]
        parts += [words for who, _, comment in article.comments for words in (who, comment)]
        parts += ["Latest articles", "Published on" if article.latest else "Published on 10 December 2015"]
        position = 0
        for part in parts:
            position = text.find(part, position) + len(part)
            assert position >= len(part), f"{part!r} is missing or out of order at {article.url}"


def test_markups_take_turns():
    articles = load()
    assert len(articles) == 44
    assert [article.markup for article in articles[:5]] == [*MARKUPS, "table"]
    assert build().pages == build().pages


def test_truth_of_a_known_article():
    article = next(a for a in build().articles if "violence-strategy" in a.slug)
    assert article.url == f"{HOME}article.php?s=2018-04-10-home-office-launches-serious-violence-strategy"
    assert article.published == "2018-04-10"
    assert article.published_raw == "Published on 10th April 2018"
    assert article.listed_raw == "Published on 10 April 2018"
    assert article.section is None
    document = f"{HOME}documents/serious-violence-strategy.pdf"
    assert article.attachments == (("Serious Violence Strategy", document),)
    assert "• a fund for local projects that work with children at risk of exploitation" in article.blocks


def test_dates_lie_between_2015_and_2018():
    published = [article.published for article in build().articles]
    assert published.count(None) == 1
    assert all("2015-01-01" <= day <= "2018-12-31" for day in published if day)


def test_everything_is_found_by_links_from_the_home_page():
    sample = build()
    graph = reach(sample)
    assert {article.url for article in sample.articles} <= graph.keys()
    assert sample.odd["gone"] in set().union(*graph.values())
    listings = [url for url in graph if "category.php" in url or url == HOME]
    assert len(listings) == sample.expected["listings"]
    assert sum("page=2" in url for url in listings) >= 4


def test_odd_addresses():
    sample = build()
    odd, pages = sample.odd, sample.pages
    assert pages[odd["gone"]].status == 404
    assert pages[odd["busy"]].fail_first == 1
    assert pages[odd["gzip"]].gzip
    assert pages[odd["chunked"]].chunked
    assert pages[odd["moved"]].status == 301
    assert dict(pages[odd["moved"]].headers)["Location"] in pages
    assert b"Published on" not in pages[odd["no_article"]].body
    robots = pages[f"{HOME}robots.txt"].body.decode()
    assert f"Disallow: {odd['refused'].removeprefix(HOME[:-1])}\n" in robots.partition("User-agent: *")[2]
    assert "Crawl-delay" not in robots.partition("User-agent: *")[2]

    by_url = {article.url: article for article in sample.articles}
    assert by_url[odd["contradicted"]].slug[:10] != by_url[odd["contradicted"]].published == "2016-08-08"
    assert by_url[odd["impossible"]].published_raw == "Published on 31st June 2016"
    with pytest.raises(ValueError, match="day"):
        date.fromisoformat(by_url[odd["impossible"]].visible_date)


def test_one_article_stands_in_no_listing():
    sample = build()
    unlisted = sample.odd["unlisted"]
    leading = [url for url, links in reach(sample).items() if unlisted in links and url != unlisted]
    assert len(leading) == 1
    assert "article.php" in leading[0]


def test_addresses_vary_as_on_the_real_site():
    html = build().pages[HOME].body.decode()
    assert "&amp;catTitle=social workhome page featured" in html
    variants = {
        href
        for page in build().pages.values()
        for href in re.findall(r'(?i)href="([^"]*2018-04-10-home[^"]*)"', page.body.decode("latin-1"))
    }
    assert len(variants) >= 3


def test_old_pages_are_windows_1252():
    sample = build("unclosed")
    page = next(sample.pages[a.url] for a in sample.articles if "résumé" in a.text)
    assert page.content_type == "text/html"
    assert "“A résumé with".encode("cp1252") in page.body


def test_metadata_of_html5():
    sample = build("html5")
    article = sample.articles[1]
    html = sample.pages[article.url].body.decode()
    json_ld = json.loads(re.search(r'ld\+json">(.*?)</script>', html)[1])
    assert json_ld["@type"] == "NewsArticle"
    assert json_ld["headline"] == article.title
    assert json_ld["datePublished"] == article.published
    assert json_ld["articleSection"] == article.section
    assert f'<time datetime="{article.published}">{article.published_raw}' in html


def test_generated_site_is_lazy_and_repeatable():
    sample = generate(5_000)
    assert len(sample.articles) == sample.expected["articles"] == 5_000
    article = sample.articles[1_234]
    page = sample.pages[article.url]
    assert page == generate(5_000).pages[article.url]
    assert "LT001234" in page.body.decode(CHARSETS[article.markup])
    sizes = [len(sample.pages[a.url].body) for a in islice(sample.articles, 0, 5_000, 100)]
    assert 8_000 < min(sizes) < max(sizes) < 21_000


def test_generated_site_hangs_together():
    sample = generate(230)
    graph = reach(sample)
    assert {article.url for article in sample.articles} <= graph.keys()
    assert sum("category.php" in url or url == HOME for url in graph) == sample.expected["listings"] == 16
    listing = sample.pages[f"{HOME}category.php?c=careers&page=2"]
    assert len(set(re.findall(r"s=20\d\d[^&\"]*(?=&amp;catTitle)", listing.body.decode("cp1252")))) == 20
