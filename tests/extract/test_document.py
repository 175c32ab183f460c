"""A page as a browser has it: character sets, addresses, metadata, and what is refused."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.work import calls

from locum_spider.errors import PageError
from locum_spider.extract.page.bounds import MAX_DEPTH
from locum_spider.extract.page.document import Document

# -- addresses -----------------------------------------------------------------------------------------------------

BASES = [
    "http://news.example/a/b.php?x=1",
    "https://www.news.example/",
    "http://news.example",
    "http://news.example:8080/a/",
    "http://news.example/a/b/c?q=/z/../y#f",
    "http://news.example?q=/a/b",
]
SEGMENT = st.one_of(
    st.sampled_from([*". .. ... a b.php %20 ~x a:b x;y é + @ , * a..b".split(), "", "c d"]),
    st.text("abc.-_~%+0", max_size=5),
)
HREFS = st.one_of(
    st.builds(
        lambda head, parts, query, end: head + "/".join(parts) + query + end,
        st.sampled_from(["", *"/ //other.example/ http://other.example/ HTTPS:// ./ ../ ? http: //".split()]),
        st.lists(SEGMENT, max_size=4),
        st.sampled_from(["", "?", "?a=1&b=2", "?/x/../y", "?s=2018-04-10-a b", "?a=1#", "?http://x.example/"]),
        st.sampled_from(["", "#", "#top", "/", " ", "\n"]),
    ),
    st.text("/.?#&=:;@ab12%+-_~, \t\n", max_size=14),
)


@given(st.sampled_from(BASES), HREFS)
@example(BASES[0], "article.php?s=2018-04-10-home-office&catTitle=social%20work")
@example(BASES[0], "../x/./y/../z")
@example(BASES[0], "/x/../y")
@example(BASES[0], "//")
@example(BASES[0], "x:1")
@example(BASES[0], "localhost:80/x")
@example(BASES[0], "?page=2")
@example(BASES[2], "x")
@example(BASES[5], "x")
def test_absolute_addresses_are_those_of_urljoin(base, href):
    # urljoin folds the empty segment of "a//b", a browser does not.
    assume("//" not in href.partition("?")[0].partition("#")[0].removeprefix("http:").removeprefix("//"))
    assume("@" not in urlsplit(href.strip()).netloc if "[" not in href else True)  # see below
    page = _page(base)
    try:
        expected = urljoin(base, href.strip().replace("\n", "").replace("\t", "").replace("\r", ""))
        parts = urlsplit(expected)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    if href.startswith("#") or not href:
        assert page.absolute(href) is None
    elif usable:
        absolute = page.absolute(href)
        assert absolute is not None
        assert urlsplit(absolute).geturl() == urlsplit(expected).geturl()  # an empty query may stay or go
    else:
        assert page.absolute(href) is None


@pytest.mark.parametrize("base", ["http://news.example/a/b/../c", "http://news.example/./a/c"])
def test_dots_in_the_page_s_own_address_are_resolved(base):
    assert _page(base).absolute("d") == "http://news.example/a/d"


@pytest.mark.parametrize("href", ["http://me:secret@news.example/d", "//me@news.example/d", "http://@news.example/d"])
def test_password_is_no_part_of_an_address(href):
    assert _page(BASES[0]).absolute(href) == "http://news.example/d"


_pages: dict[str, Document] = {}


def _page(base: str) -> Document:
    if base not in _pages:
        _pages[base] = Document(b"<p>x", base)
    return _pages[base]


@pytest.mark.parametrize(
    ("base", "href", "absolute"),
    [
        ("/other/", "x.php", "http://news.example/other/x.php"),
        ("/other", "x.php", "http://news.example/x.php"),
        ("http://cdn.example/z/", "x.php", "http://cdn.example/z/x.php"),
        ("http://cdn.example/z/", "/x.php", "http://cdn.example/x.php"),
        ("//cdn.example", "x.php", "http://cdn.example/x.php"),
        ("", "x.php", "http://news.example/a/x.php"),
        ("javascript:x", "x.php", "http://news.example/a/x.php"),
        ("#top", "x.php", "http://news.example/a/x.php"),
        ("http://[broken", "x.php", "http://news.example/a/x.php"),
    ],
)
def test_base_of_the_page_counts(base, href, absolute):
    page = Document(f'<base href="{base}"><a href="{href}">x</a>'.encode(), "http://news.example/a/b.php")
    assert page.absolute(href) == absolute
    assert [link.url for link in page.links] == [absolute]
    assert page.url == "http://news.example/a/b.php"


def test_first_base_counts_and_one_without_address_does_not():
    body = b'<base target="_blank"><base href="/one/"><base href="/two/"><a href="x">x</a>'
    assert Document(body, "http://news.example/").links[0].url == "http://news.example/one/x"


# -- metadata ------------------------------------------------------------------------------------------------------

HEAD = b"""<html lang="EN-gb"><head><title>
  Pay &amp; rates
</title>
<link rel="stylesheet canonical" href="/pay">
<meta NAME="Author" content="The desk"><meta name="author" content=" Another\n desk ">
<meta property="og:title" content="Pay"><meta itemprop="headline" content="Pay!"><meta name="empty" content="">
<script type="application/ld+json">{"@graph": [{"headline": "One"}, {"headline": "Two"}]}</script>
<script type="application/ld+json">not json</script>
<script type="application/LD+JSON; charset=utf-8"><!-- [{"headline": "Three",
 "text": "line
break"}] --></script>
<script type="text/javascript">{"headline": "Four"}</script></head><body><p>x"""


def test_standard_metadata():
    page = Document(HEAD, "http://news.example/a/b")
    assert page.title_tag == "Pay & rates"
    assert page.lang == "en"
    assert page.canonical == "http://news.example/pay"
    assert page.meta["author"] == ["The desk", "Another desk"]
    assert (page.meta["og:title"], page.meta["headline"], page.meta["empty"]) == (["Pay"], ["Pay!"], [""])
    assert [thing["headline"] for thing in page.json_ld if "headline" in thing] == ["One", "Two", "Three"]


def test_page_without_any():
    page = Document(b"<p>x", "http://news.example/")
    assert (page.title_tag, page.lang, page.canonical, page.meta, page.json_ld) == ("", None, None, {}, [])


@pytest.mark.parametrize("text", ["", "null", "3", '"x"', "[[[]]]", '{"@graph": 3}', "[" * 10_000, '{"a":'])
def test_json_ld_of_any_shape_is_no_error(text):
    page = Document(f'<script type="application/ld+json">{text}</script><p>x'.encode(), "http://news.example/")
    assert all(isinstance(thing, dict) for thing in page.json_ld)


@pytest.mark.parametrize("body", [b"", b"\0", b"<", b"<!doctype html>", b"<frameset><frame src=x></frameset>", b"{}"])
def test_body_that_is_no_page_has_no_lines_and_no_error(body):
    assert [line.text for line in Document(body, "http://news.example/").lines if "{" not in line.text] in ([], ["<"])


# -- depth ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        b"<div>" * 200_000,
        b"<b>" * 100_000,
        b"<font><i>" * 60_000,
        b"<table><tr><td>" * 60_000,
        b"<ul><li>" * 60_000,
        b"<SPAN\nclass=x>" * 60_000,
        b"<p>x</p>" * 20_000 + b"<div>" * 10_000,
    ],
    ids=["div", "b", "font", "table", "list", "span", "late"],
)
def test_megabytes_of_nesting_are_refused_at_once(html):
    def refuse():
        with pytest.raises(PageError, match=r"the page nests .* elements deep"):
            Document(html, "http://news.example/deep")

    assert calls(refuse) < 3 * html.count(b"<")


@pytest.mark.parametrize(
    "html",
    [
        b"<div>" * 2_500 + b"deep" + b"</div>" * 2_500,
        b"<p>x" * 30_000 + b"deep",
        b"<li>x" * 30_000 + b"deep",
        b"x<br>" * 30_000 + b"deep",
        b"<tr><td>x" * 15_000 + b"deep",
        b"<div>x</div>" * 15_000 + b"deep",
        b"<IMG src=x><INPUT>" * 15_000 + b"deep",
    ],
    ids=["deep but allowed", "p", "li", "br", "tr", "div", "void"],
)
def test_long_pages_are_not_deep_ones(html):
    assert "deep" in Document(html, "http://news.example/").lines[-1].text


def test_limit_is_named_where_it_is_broken():
    with pytest.raises(PageError, match=f"at most {MAX_DEPTH:,} are read"):
        Document(b"<div>" * (4 * MAX_DEPTH), "http://news.example/")
