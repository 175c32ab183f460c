"""A page as a browser has it: character sets, addresses, metadata, and what is refused."""

from __future__ import annotations

import itertools
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.work import calls

from locum_spider.errors import PageError
from locum_spider.extract.page.document import MAX_DEPTH, Document, decode

TEXT = "“Café” costs £5 – naïve"
META = '<meta charset="{}">'
OLD_META = '<meta http-equiv="Content-Type" content="text/html; charset={}">'


def header(charset: str) -> str:
    return f"text/html; charset={charset}"


# -- character sets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        # one source says it
        (TEXT.encode(), header("utf-8")),
        (TEXT.encode("cp1252"), header("windows-1252")),
        (TEXT.encode("cp1252"), header('"windows-1252"')),
        ((META.format("utf-8") + TEXT).encode(), None),
        ((META.format("windows-1252") + TEXT).encode("cp1252"), None),
        ((OLD_META.format("windows-1252") + TEXT).encode("cp1252"), "text/html"),
        # nobody says it
        (TEXT.encode(), None),
        (TEXT.encode("cp1252"), None),
        (TEXT.encode("cp1252"), "text/html"),
        # latin-1 is what people say of windows-1252
        (TEXT.encode("cp1252"), header("iso-8859-1")),
        ((META.format("latin1") + TEXT).encode("cp1252"), None),
        (TEXT.encode("cp1252"), header("us-ascii")),
        # a header that lies
        (TEXT.encode(), header("iso-8859-1")),
        (TEXT.encode(), header("windows-1252")),
        (TEXT.encode(), header("us-ascii")),
        (TEXT.encode("cp1252"), header("utf-8")),
        (TEXT.encode("cp1252"), header("no-such-charset")),
        (TEXT.encode("cp1252"), header("")),
        # a page that lies
        ((META.format("iso-8859-1") + TEXT).encode(), None),
        ((META.format("utf-8") + TEXT).encode("cp1252"), None),
        # HTTP goes before the page
        ((META.format("koi8-r") + TEXT).encode("cp1252"), header("windows-1252")),
        # a byte order mark goes before all
        (b"\xef\xbb\xbf" + TEXT.encode(), header("iso-8859-1")),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), header("utf-8")),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), None),
        ((META.format("windows-1252") + TEXT).encode("utf-8-sig"), None),
    ],
    ids=itertools.count(),
)
def test_character_set_is_found(body, content_type):
    assert decode(body, content_type).removeprefix("\ufeff").endswith(TEXT)


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Ставки оплаты", "koi8-r"),
        ("Ставки оплаты", "windows-1251"),
        ("報酬の改定", "shift_jis"),
        ("報酬の改定", "euc-jp"),
        ("Płace łódź", "iso-8859-2"),
        ("工资标准", "gb18030"),
    ],
)
def test_declared_character_sets_of_elsewhere_are_read(text, charset):
    assert decode(text.encode(charset), header(charset)) == text
    assert decode((OLD_META.format(charset) + text).encode(charset)).endswith(text)


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", None])
def test_single_bytes_of_windows_1252_in_a_utf8_page(charset):
    """A page from two sources: an old text pasted into a new template."""
    body = "£5 – ".encode() + b"\x93caf\xe9\x94" + " €9".encode()
    if charset:
        assert decode(body, header(charset)) == "£5 – “café” €9"
    assert decode(b'<meta charset="utf-8">' + body).endswith("£5 – “café” €9")


def test_bytes_that_windows_1252_does_not_have_are_no_error():
    assert decode(b"a\x81\x8d\x8f\x90\x9db\xe9", header("windows-1252")).startswith("a")
    assert decode(b"a\x81b\xff", header("utf-8"))[0] == "a"


NAMED = [
    None, "utf-8", "cp1252", "utf-16", "utf-7", "shift_jis", "x", "\0", "idna", "punycode", "hex", "rot13", "zlib",
    "unicode_escape", "undefined", "mbcs", "iso2022_jp",
]  # fmt: skip


@given(st.binary(max_size=80), st.sampled_from(NAMED))
def test_no_bytes_under_no_name_are_an_error(body, charset):
    assert isinstance(decode(body, header(charset) if charset else None), str)


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
