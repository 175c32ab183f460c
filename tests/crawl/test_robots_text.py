"""robots.txt, whatever it is wrapped in."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from protego import Protego

from locum_spider.crawl.robots_text import LIMIT, robots_text
from locum_spider.errors import PageError

NAME = "locum-spider"
RULES = b"User-agent: *\nDisallow: /secret\n"
OURS = b"User-agent: *\nDisallow:\n\nUser-agent: %b\nDisallow: /secret\n"
FILLER = b"# filler filler\n" * (LIMIT // 16)


def allows(body, path="/secret", coding=None):
    return Protego.parse(robots_text(body, coding, name=NAME)).can_fetch(f"http://a.example{path}", NAME)


WRAPPED = {
    "plain": (RULES, None),
    "gzip": (gzip.compress(RULES), "gzip"),
    "gzip unsaid": (gzip.compress(RULES), None),
    "gzip cut": (gzip.compress(RULES)[:-9], "gzip"),
    "gzip cut and unsaid": (gzip.compress(RULES)[:-3], None),
    "gzip with junk behind": (gzip.compress(RULES) + b"junk", "gzip"),
    "gzip twice": (gzip.compress(gzip.compress(RULES)), "gzip"),
    "deflate": (zlib.compress(RULES), "deflate"),
    "deflate called gzip": (zlib.compress(RULES), "gzip"),
    "br": (brotli.compress(RULES), "br"),
    "plain called gzip": (RULES, "gzip"),
    "plain called br": (RULES, "br"),
    "plain called zstd": (RULES, "zstd"),
    "plain called utf-8": (RULES, "utf-8"),
    "plain called none": (RULES, "none"),
    "byte order mark": (b"\xef\xbb\xbf" + RULES, None),
    "marks inside": (b"\n\xef\xbb\xbfUser-agent: *\n\xef\xbb\xbfDisallow: /secret", None),
    "utf-16": (RULES.decode().encode("utf-16"), None),
    "utf-16 unsaid": (RULES.decode().encode("utf-16-le"), None),
    "latin-1": (b"# caf\xe9\n" + RULES, None),
    "CR": (RULES.replace(b"\n", b"\r"), None),
    "CRLF": (RULES.replace(b"\n", b"\r\n"), None),
    "blank lines": (RULES.replace(b"\n", b"\n\n\n"), None),
    "tabs": (b"user-agent:*\ndisallow:\t/secret", None),
    "version": (OURS % b"locum-spider/0.1", None),
    "version and words": (OURS % b"Locum-Spider 1.0 (news archiver; nobody)", None),
    "among others": (OURS % b"Mozilla/5.0 (compatible; locum-spider/2)", None),
    "comment behind": (OURS % b"locum-spider # you", None),
    "long": (RULES + FILLER, None),
    "very long": (RULES + FILLER * 9, None),
    "long and packed": (gzip.compress(RULES + FILLER * 9), "gzip"),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_the_rules_are_read(name):
    body, coding = WRAPPED[name]
    assert not allows(body, coding=coding)
    assert allows(body, "/open", coding)


@pytest.mark.parametrize("other", [b"not-locum-spider", b"locum-spider-2", b"Mozilla/5.0", b"x # not locum-spider"])
def test_rules_for_others_are_not_for_us(other):
    assert allows(OURS % other)


def test_the_first_500_kib_count():
    behind = b"User-agent: *\n" + FILLER + b"Disallow: /secret\n"
    assert allows(behind)
    last = b"User-agent: *\nDisallow: /secret\n"
    lines = FILLER[: LIMIT - len(last)]
    assert not allows(lines[: lines.rfind(b"\n") + 1] + last + b"Allow: /secret\n")


def test_half_a_rule_is_no_rule():
    head = b"User-agent: *\n"
    start = head + b"#" * (LIMIT - len(head) - len(b"\nDisallow: /")) + b"\nDisallow: /"
    assert len(start) == LIMIT
    assert allows(start + b"secret\n", "/open")


@pytest.mark.parametrize("path", ["/caf%E9/1", "/caf%C3%A9/1"])
def test_an_address_in_no_known_charset_is_left_alone_in_each(path):
    assert not allows(b"User-agent: *\nDisallow: /caf\xe9\n", path)


@pytest.mark.parametrize(
    ("body", "coding"),
    [(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", None), (b"\x1f\x8b\x08\0 nothing", "gzip"), (b"\x8b\x02\x80\0", "sdch")],
)
def test_what_cannot_be_read_is_an_error(body, coding):
    with pytest.raises(PageError):
        robots_text(body, coding, name=NAME)


@pytest.mark.parametrize("body", [b"", b"<!doctype html><title>404</title>", b"\n\n"])
def test_what_has_no_rules_allows_everything(body):
    assert allows(body)
