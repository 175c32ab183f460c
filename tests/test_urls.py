"""Hosts, and the one form of an address."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from locum_spider.urls import absolute, host_of, normalise_url


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://WWW.News.Example:8080/x", "news.example"),
        ("https://me:pw@news.example./", "news.example"),
        ("http://www2.news.example", "www2.news.example"),
        ("mailto:x@news.example", ""),
        ("/x", ""),
        ("http://[broken", ""),
        ("", ""),
    ],
)
def test_host(url, host):
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://www.x.org/a", "http://x.org/a/"),
        ("HTTP://X.org/a", "http://x.org:80/a"),
        ("https://x.org:443/", "https://x.org"),
        ("http://x.org/a#top", "http://x.org/a"),
        ("http://x.org/a?b=1&c=2", "http://x.org/a?c=2&b=1"),
        ("http://x.org/a?utm_source=x&UTM_Medium=y&fbclid=z&gclid=1", "http://x.org/a"),
        ("http://x.org/%7Ejo/caf%c3%a9", "http://x.org/~jo/caf%C3%A9"),
        ("http://x.org/caf\u00e9", "http://x.org/caf%C3%A9"),
        ("http://x.org/a b", "http://x.org/a%20b"),
        ("http://x.org/?q=a+b", "http://x.org/?q=a%20b"),
        ("http://x.org/a?", "http://x.org/a"),
        (" http://x.org/a ", "http://x.org/a"),
        ("http://x.org./a", "http://x.org/a"),
        ("http://x.org/a?x=&y=1", "http://x.org/a?y=1&x="),
    ],
)
def test_forms_of_one_address(one, other):
    assert normalise_url(one) == normalise_url(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://x.org/a", "http://x.org/A"),
        ("http://x.org/a", "https://x.org/a"),
        ("http://x.org/a", "http://y.x.org/a"),
        ("http://x.org/a", "http://x.org:8080/a"),
        ("http://x.org/a?b=1", "http://x.org/a?b=2"),
        ("http://x.org/a?b=1", "http://x.org/a"),
        ("http://x.org/a+b", "http://x.org/a%20b"),
        ("http://x.org/a%2Fb", "http://x.org/a/b"),
        ("http://x.org/a%3Fb", "http://x.org/a?b"),
        ("http://x.org/a%23b", "http://x.org/a"),
        ("http://x.org/100%25", "http://x.org/100"),
        ("http://x.org/?b=%26", "http://x.org/?b=&"),
    ],
)
def test_addresses_of_two_pages(one, other):
    assert normalise_url(one) != normalise_url(other)


URLS = st.builds(
    lambda host, path, query: f"http://{host}/{path}{query}",
    st.sampled_from(["x.org", "www.x.org", "X.ORG:80", "x.org:8080", "[::1]"]),
    st.text("abA/.+%20%2F%3f%é~_-@:;,", max_size=12),
    st.text("?&=ab+%20%26;utm_x#/é", max_size=14),
)


@given(URLS)
def test_the_one_form_is_its_own(url):
    try:
        known = normalise_url(url)
    except ValueError:
        assume(False)
        raise
    assert normalise_url(known) == known
    assert known.isascii()
    assert "#" not in known


@given(st.dictionaries(st.text("abcé &=+%", min_size=1, max_size=4), st.text("xyé &=+%", max_size=4), max_size=4))
def test_parameters_keep_their_values(pairs):
    from urllib.parse import urlencode

    known = normalise_url("http://x.org/?" + urlencode(pairs))
    assert dict(parse_qsl(urlsplit(known).query, keep_blank_values=True)) == pairs


def test_only_parameters_that_are_kept_stay():
    assert normalise_url("http://x.org/a?s=1&t=2&utm_x=3", keep=("s",)) == "http://x.org/a?s=1"
    assert normalise_url("http://x.org/a?t=2", keep=("s",)) == "http://x.org/a"


@pytest.mark.parametrize("path", ["/%CA%F0%E0%ED", "/%83A%83%8B", "/caf%E9", "/a%2Fb%FF", "/%80%80%80?q=%E9&r=%C3%A9"])
def test_escapes_of_other_character_sets_are_kept(path):
    assert normalise_url(f"http://x.org{path}") == f"http://x.org{path}"
    assert normalise_url(f"http://x.org{path.lower()}") != normalise_url("http://x.org/%EF%BF%BD")


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (r"\a\b", "http://x.org/a/b"),
        (r"c\..\d", "http://x.org/n/d"),
        (r"\\y.org\a", "http://y.org/a"),
        (r"http:\\y.org\a?b\c#d\e", r"http://y.org/a?b\c#d\e"),
        ("?q=a\\b", "http://x.org/n/m?q=a\\b"),
        ("mailto:a\\b", "mailto:a\\b"),
        (" /a\n/b\t", "http://x.org/a/b"),
        ("\x01/a", "http://x.org/a"),
    ],
)
def test_links_are_read_as_browsers_read_them(link, url):
    assert absolute("http://x.org/n/m", link) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://x.org/a;jsessionid=0A1B2C",
        "http://x.org/a?PHPSESSID=abc",
        "http://x.org/a?aspsessionidqqcrbdab=ABCD",
        "http://x.org/(S(lit3py55t21z5v55vlm25s55))/a",
        "http://x.org/(X(1)S(lit3py55t21z5v55vlm25s55))/a?sessid=1",
        "http://x.org/a?CFID=12&CFTOKEN=34",
    ],
)
def test_ids_of_sessions_are_no_part_of_an_address(url):
    assert normalise_url(url) == "http://x.org/a"


@pytest.mark.parametrize("url", ["http://x.org/a(b)/c", "http://x.org/a;v=1", "http://x.org/a?sid=64f1a2b3c4d5e6f7"])
def test_what_may_mean_something_stays(url):
    assert normalise_url(url) == url
