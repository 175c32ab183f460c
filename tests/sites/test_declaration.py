"""Declarations: what a site's TOML may say, and what an error says about the rest."""

from __future__ import annotations

import copy
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from locum_spider.clock import parse_span
from locum_spider.errors import DeclarationError, UsageError
from locum_spider.sites import SHIPPED, find_site, load_sites, read_site, site_of, undeclared
from locum_spider.sites.declaration import load_site

DECLARATION = """
name = "north-post"
title = "The North Post"
hosts = ["northpost.example", "archive.northpost.example"]
start = ["https://www.northpost.example/news"]
timezone = "Europe/Berlin"
language = "de"

[articles]
address = '/story/(\\d+)'
identity = ["id"]
date = '/(\\d{4})/(\\d\\d)/(\\d\\d)/'
slug = '/story/\\d+-([\\w-]+)'

[listings]
follow = '^/news'
ignore = 'login'

[[layouts]]
until = 2016-05-01
article.title = { css = "h2.old" }
article.published = { css = "time" }
article.body = { css = ".old" }

[[layouts]]
until = 2020-01-01
article.title = { css = "h1" }
article.published = { css = "time" }
article.body = []

[[layouts]]
[layouts.article]
title = [{ named_by = ["heading"] }, { css = "h1", drop = "small" }]
published = { label = "Stand:", after = "@title" }
standfirst = { after = "@title", before = ["@published"] }
body = { after = "@published", before = ["Kommentare"] }
"""


def declared() -> dict[str, Any]:
    return tomllib.loads(DECLARATION)


def changed(path: str, value: object) -> dict[str, Any]:
    """The declaration with the value at a dotted path changed; numbers are places in a list."""
    data = copy.deepcopy(declared())
    *way, last = path.split(".")
    place: Any = data
    for step in way:
        place = place[int(step)] if step.isdecimal() else place.setdefault(step, {})
    if value is None:
        del place[last]
    else:
        place[int(last) if last.isdecimal() else last] = value
    return data


@pytest.fixture
def site():
    return load_site(declared(), "north-post.toml")


FAULTS = [
    # (what is written where, the key that the error names, what it says is allowed)
    ("colour", "red", "colour", "allowed here: name, title, hosts, start, timezone, language"),
    ("articles.adress", "/x", "articles.adress", "allowed here: address, identity, date, slug"),
    ("listings.folow", "/x", "listings.folow", "allowed here: follow, ignore"),
    ("crawl.rate", 5, "crawl.rate", "allowed here: delay, concurrency, every, max_bytes, max_listings, max_"),
    ("layouts.0.since", "x", "layouts[0].since", "allowed here: until, article, listing"),
    ("layouts.2.article.headline", {"css": "h1"}, "layouts[2].article.headline", "allowed here: title, published"),
    ("layouts.2.article.title.1.xpath", "//h1", "layouts[2].article.title[1].xpath", "allowed here: css, attr, drop"),
    ("layouts.2.article.published.xpath", "//h1", "layouts[2].article.published.xpath", "allowed here: css, attr"),
    ("layouts.2.listing.published", {"csss": "p"}, "layouts[2].listing.published.csss", "allowed here: css"),
    ("layouts.2.listing.title", {"css": "p"}, "layouts[2].listing.title", "allowed here: published"),
    ("name", None, "the file", "the key name is missing"),
    ("articles", None, "the file", "the key articles is missing"),
    ("timezone", None, "the file", "the key timezone is missing"),
    ("title", 7, "title", "expected `str`, got `int`"),
    ("hosts", "northpost.example", "hosts", "expected `array`, got `str`"),
    ("hosts.1", 9, "hosts[1]", "expected `str`, got `int`"),
    ("crawl.delay", "slow", "crawl.delay", "expected `float`, got `str`"),
    ("crawl.concurrency", 1.5, "crawl.concurrency", "expected `int`, got `float`"),
    ("layouts.0.until", 2016, "layouts[0].until", "expected `date | null`, got `int`"),
    ("layouts", {}, "layouts", "expected `array`, got `object`"),
    ("date_order", "DYM", "date_order", "invalid enum value 'DYM'"),
    ("layouts.2.article.title", {"named_by": ["url"]}, "layouts[2].article.title.named_by[0]", "'url'"),
    ("name", "North Post", "name", "only a-z, 0-9 and hyphens"),
    ("name", "-north", "name", "only a-z, 0-9 and hyphens"),
    ("name", "../north", "name", "only a-z, 0-9 and hyphens"),
    ("hosts", [], "hosts", "at least one host"),
    ("hosts", ["https://northpost.example/"], "hosts", "write example.org"),
    ("start", [], "start", "at least one address"),
    ("start", ["/news"], "start", "not an http address on northpost.example"),
    ("start", ["ftp://northpost.example/"], "start", "not an http address on northpost.example"),
    ("start", ["https://elsewhere.example/"], "start", "not an http address on northpost.example"),
    ("start", ["http://[northpost.example/"], "start", "not an http address on northpost.example"),
    ("timezone", "Berlin", "timezone", "write Europe/London"),
    ("timezone", "../../etc/passwd", "timezone", "write Europe/London"),
    ("timezone", "", "timezone", "write Europe/London"),
    ("language", "German", "language", "write en, de, fr"),
    ("language", "de-AT", "language", "write en, de, fr"),
    ("articles.address", "/story/(", "articles.address", "not a regular expression"),
    ("articles.date", "[0-9", "articles.date", "not a regular expression"),
    ("articles.date", r"/(\d{4})/(\d\d)", "articles.date", "one group (2018-04-10) or three (year, month, day)"),
    ("articles.date", r"/\d{4}", "articles.date", "but has 0"),
    ("articles.slug", r"/story/\d+", "articles.slug", "must have one group, but has 0"),
    ("articles.slug", r"(a)(b)", "articles.slug", "must have one group, but has 2"),
    ("listings.follow", "*", "listings.follow", "not a regular expression"),
    ("listings.ignore", "(?P<x", "listings.ignore", "not a regular expression"),
    ("crawl.delay", -1, "crawl", "delay must be 0"),
    ("crawl.delay", float("nan"), "crawl", "delay must be 0"),
    ("crawl.delay", float("inf"), "crawl", "delay must be 0"),
    ("crawl.concurrency", 0, "crawl", "concurrency"),
    ("crawl.max_bytes", 0, "crawl", "max_bytes"),
    ("crawl.max_listings", 0, "crawl", "max_listings"),
    ("crawl.max_memory", 0, "crawl", "max_memory"),
    ("crawl.max_reading", 0, "crawl.max_reading", "more than 0"),
    ("crawl.max_reading", float("inf"), "crawl.max_reading", "at most 86,400 seconds"),
    ("crawl.every", "daily", "crawl.every", "12h, 1d, 2w"),
    ("crawl.every", "0h", "crawl.every", "12h, 1d, 2w"),
    ("layouts.1.until", None, "layouts[1].until", "only the last layout may be without a date"),
    ("layouts.0.until", tomllib.loads("d = 2020-01-01")["d"], "layouts", "until must rise"),
    ("layouts.0.until", tomllib.loads("d = 2021-01-01")["d"], "layouts", "until must rise"),
    ("layouts.2.until", tomllib.loads("d = 2022-01-01")["d"], "layouts[2].until", "must have no date"),
    ("layouts.2.article.title", {}, "layouts[2].article.title", "exactly one of css, meta, json_ld"),
    ("layouts.2.article.title", {"css": "h1", "meta": "x"}, "layouts[2].article.title", "this one has css, meta"),
    ("layouts.2.article.title.1", {"drop": "small"}, "layouts[2].article.title", "this one has none"),
    ("layouts.2.article.title", {"meta": "x", "attr": "y"}, "layouts[2].article.title", "attr goes with css only"),
    ("layouts.2.article.title", {"meta": "x", "drop": "y"}, "layouts[2].article.title", "drop goes with css only"),
    ("layouts.2.article.body", {"css": "p", "before": ["x"]}, "layouts[2].article.body", "before goes with after only"),
    ("layouts.2.article.body", {"css": "p", "after": "x"}, "layouts[2].article.body", "after goes with after or label"),
    ("layouts.2.article.body", {"css": "p", "followed_by": "x"}, "layouts[2].article.body", "goes with named_by only"),
    ("layouts.2.article.body", {"css": "p..x"}, "layouts[2].article.body", "'p..x' is not a CSS selector"),
    ("layouts.2.article.body", {"css": "p["}, "layouts[2].article.body", "'p[' is not a CSS selector"),
    ("layouts.2.article.body", {"css": ""}, "layouts[2].article.body", "'' is not a CSS selector"),
    ("layouts.2.article.body", {"css": "p", "drop": ">>"}, "layouts[2].article.body", "'>>' is not a CSS selector"),
    (
        "layouts.2.article",
        {"title": {"css": "p"}, "published": {"css": "p"}},
        "layouts[2].article.body",
        "write a rule",
    ),
    ("layouts.1.article.title", [], "layouts[1].article.title", "write a rule for it"),
    ("layouts.1.article.published", [], "layouts[1].article.published", "write a rule for it"),
    ("layouts.2.article.title", {"css": "h1"}, "layouts[2].article.published", "@title has no place on the page"),
    ("layouts.2.article.title", {"label": "T", "after": "@body"}, "layouts[2].article.title", "@body has no place"),
    ("layouts", {"article": {}}, "layouts", "write [[layouts]], with two brackets"),
    ("layouts.2.article.section", {"above": "@headline"}, "layouts[2].article.section", "allowed: @title, @published"),
    ("layouts.2.article.body.after", "@date", "layouts[2].article.body", "allowed: @title, @published"),
    ("layouts.2.article.body.before", ["@end"], "layouts[2].article.body", "allowed: @title, @published"),
    ("layouts.2.listing.published", {"css": "p..x"}, "layouts[2].listing.published", "not a CSS selector"),
]


@pytest.mark.parametrize(("path", "value", "key", "allowed"), FAULTS, ids=[f"{f[0]}={f[1]}"[:60] for f in FAULTS])
def test_fault_names_file_key_and_what_is_allowed(path, value, key, allowed):
    with pytest.raises(DeclarationError) as caught:
        load_site(changed(path, value), "sites/north-post.toml")
    message = str(caught.value)
    assert message.startswith(f"sites/north-post.toml: {key}:"), message
    assert allowed in message
    assert "\n" not in message


def test_declaration_of_the_table_is_itself_without_fault(site):
    assert site.name == "north-post"
    assert len(site.layouts) == 3
    assert site.layouts[2].article.rules("title")[1].drop == "small"
    assert site.layouts[2].article.rules("tags") == ()


@pytest.mark.parametrize("text", ["12h", "1 d", "2 weeks", " 3w ", "36 hours", "1 day"])
def test_time_spans_people_write(text):
    assert parse_span(text).total_seconds() > 0


@pytest.mark.parametrize("text", ["", "h", "1", "0d", "-1d", "1.5h", "1m", "1 month", "d1", "1d2h"])
def test_other_time_spans_are_refused(text):
    with pytest.raises(ValueError, match="is not a time span"):
        parse_span(text)


# -- files ---------------------------------------------------------------------------------------------------------


def test_every_shipped_declaration_loads_under_its_name():
    sites = load_sites()
    assert sorted(sites) == sorted(path.stem for path in SHIPPED.glob("*.toml"))
    assert sites["locum-today"].timezone == "Europe/London"


def test_shipped_declarations_stay_short():
    for path in SHIPPED.glob("*.toml"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60, path.name


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "sites" / f"{name}.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_declaration_in_the_archive_is_found_and_replaces_a_shipped_one(tmp_path):
    write(tmp_path, "north-post", DECLARATION)
    shipped = (SHIPPED / "locum-today.toml").read_text(encoding="utf-8")
    write(tmp_path, "locum-today", shipped.replace('title = "Locum Today"', 'title = "My Locum Today"'))
    sites = load_sites(tmp_path)
    assert {"north-post", "locum-today"} <= set(sites)
    assert sites["locum-today"].title == find_site("locum-today", tmp_path).title == "My Locum Today"
    assert find_site("locum-today").title == "Locum Today"
    assert site_of("https://archive.northpost.example/story/1", tmp_path).name == "north-post"
    assert site_of("https://elsewhere.example/story/1", tmp_path) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"name = ", "cannot be read as TOML"),
        (b"\xff\xfe\x00", "cannot be read as TOML"),
        (DECLARATION.replace("north-post", "south-post").encode(), "must be the file's name, 'north-post'"),
        (b"", "the key name is missing"),
    ],
    ids=["broken", "binary", "other name", "empty"],
)
def test_unreadable_file_is_named(tmp_path, text, says):
    path = write(tmp_path, "north-post", "")
    path.write_bytes(text)
    with pytest.raises(DeclarationError, match=re.escape(str(path))) as caught:
        read_site(path)
    assert says in str(caught.value)


def test_folder_in_place_of_a_file_is_named(tmp_path):
    path = tmp_path / "sites" / "north-post.toml"
    path.mkdir(parents=True)
    with pytest.raises(DeclarationError, match=r"north-post\.toml: cannot be opened"):
        read_site(path)


def test_unknown_site_is_told_which_there_are(tmp_path):
    write(tmp_path, "north-post", DECLARATION)
    with pytest.raises(UsageError, match=r"'south-post'.*locum-today, north-post"):
        find_site("south-post", tmp_path)


@pytest.mark.parametrize("name", ["../locum-today", "/etc/passwd", "", ".", "locum-today.toml"])
def test_name_that_is_a_path_is_no_site(tmp_path, name):
    (tmp_path / "locum-today.toml").write_text(DECLARATION)
    with pytest.raises(UsageError):
        find_site(name, tmp_path)


# -- layouts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fetched_at", "number"),
    [
        ("2001-01-01T00:00:00Z", 0),
        ("2016-04-30T23:59:59Z", 0),
        ("2016-05-01T00:00:00Z", 1),
        ("2019-12-31", 1),
        ("2020-01-01", 2),
        ("2031-01-01T00:00:00Z", 2),
        (None, 2),
    ],
)
def test_layout_is_that_of_the_capture_s_day(site, fetched_at, number):
    assert site.layout(fetched_at) is site.layouts[number]


# -- addresses -----------------------------------------------------------------------------------------------------

ARTICLE = "http://locumtoday.co.uk/article.php?s=2018-04-10-home-office-launches-serious-violence-strategy"


@pytest.mark.parametrize(
    "variant",
    [
        ARTICLE,
        ARTICLE.replace("http://", "http://www."),
        ARTICLE.replace("http:", "https:"),
        ARTICLE.replace("locumtoday.co.uk", "LocumToday.CO.UK"),
        ARTICLE.replace("locumtoday.co.uk", "locumtoday.co.uk:80"),
        ARTICLE.replace("http://", "https://www.").replace(".co.uk", ".co.uk:443"),
        ARTICLE + "&catTitle=social%20workhome%20page%20featured",
        ARTICLE + "&catTitle=social+work",
        ARTICLE.replace("?s=", "?catTitle=social%20work&s="),
        ARTICLE + "&utm_source=newsletter&utm_medium=email&fbclid=IwAR0",
        ARTICLE + "#comments",
        ARTICLE + "&catTitle=&#top",
        ARTICLE.replace("-home-", "%2Dhome%2D"),
        ARTICLE.replace("locumtoday.co.uk", "locumtoday.co.uk."),
    ],
)
def test_one_article_has_one_key_whatever_its_address(variant):
    site = find_site("locum-today")
    assert site.is_article(variant)
    assert not site.is_listing(variant)
    assert site.key(variant) == ARTICLE


@pytest.mark.parametrize(
    "other",
    [
        ARTICLE + "-2",
        ARTICLE.replace("2018-04-10", "2018-04-11"),
        "http://locumtoday.co.uk/category.php?s=2018-04-10-home-office-launches-serious-violence-strategy",
        "http://other.locumtoday.co.uk/article.php?s=2018-04-10-home-office-launches-serious-violence-strategy",
    ],
)
def test_another_article_has_another_key(other):
    assert find_site("locum-today").key(other) != ARTICLE


@pytest.mark.parametrize("url", [ARTICLE + "&catTitle=a", "http://www.locumtoday.co.uk/cat.php?b=2&a=1&utm_source=x"])
def test_key_of_a_key_is_the_key(url):
    site = find_site("locum-today")
    assert site.key(site.key(url)) == site.key(url)


def test_listing_pages_keep_the_parameters_that_tell_them_apart():
    site = find_site("locum-today")
    first, second = (f"http://www.locumtoday.co.uk/category.php?catTitle=news&page={n}" for n in (1, 2))
    assert site.key(first) != site.key(second)
    assert site.key(first) == site.key("http://locumtoday.co.uk/category.php?page=1&catTitle=news#top")


@pytest.mark.parametrize(
    ("url", "is_article", "is_listing"),
    [
        ("http://locumtoday.co.uk/", False, True),
        ("http://www.locumtoday.co.uk/category.php?catTitle=news&page=2", False, True),
        ("http://locumtoday.co.uk/article.php?catTitle=news", False, True),
        ("http://locumtoday.co.uk/article.php?s=", False, True),
        ("http://locumtoday.co.uk/login.php", False, False),
        ("http://locumtoday.co.uk/documents/strategy.pdf", False, False),
        ("http://locumtoday.co.uk/images/team.JPG", False, False),
        ("http://elsewhere.example/article.php?s=2018-04-10-home-office", False, False),
        ("http://elsewhere.example/", False, False),
        ("http://notlocumtoday.co.uk/article.php?s=2018-04-10-home-office", False, False),
        ("http://locumtoday.co.uk.evil.example/article.php?s=2018-04-10-home", False, False),
        ("http://[broken/article.php?s=2018-04-10-home", False, False),
    ],
)
def test_what_an_address_is(url, is_article, is_listing):
    site = find_site("locum-today")
    assert (site.is_article(url), site.is_listing(url)) == (is_article, is_listing)


def test_only_what_is_to_be_followed_is_a_listing(site):
    assert site.is_listing("https://northpost.example/news/page/2")
    assert not site.is_listing("https://northpost.example/weather")
    assert not site.is_listing("https://northpost.example/news/login")


@pytest.mark.parametrize(
    ("url", "day"),
    [
        (ARTICLE, "2018-04-10"),
        (ARTICLE.replace("04-10", "02-30"), None),
        (ARTICLE.replace("2018-04-10-", ""), None),
        ("http://locumtoday.co.uk/", None),
    ],
)
def test_day_in_the_address(url, day):
    assert find_site("locum-today").address_date(url) == day


def test_day_in_three_groups(site):
    assert site.address_date("https://northpost.example/2017/03/09/story/4") == "2017-03-09"
    assert site.address_date("https://northpost.example/2017/13/09/story/4") is None


def test_slug_is_unescaped():
    site = find_site("locum-today")
    assert site.address_slug(ARTICLE + "&catTitle=x") == "home-office-launches-serious-violence-strategy"
    assert site.address_slug("http://locumtoday.co.uk/article.php?s=2018-04-10-pay+%26+rates") == "pay & rates"
    assert site.address_slug("http://locumtoday.co.uk/") is None


def test_second_host_keeps_its_own_keys(site):
    assert site.key("https://archive.northpost.example/story/1") == "https://archive.northpost.example/story/1"
    assert site.key("http://www.northpost.example/story/1") == "https://northpost.example/story/1"


def test_memory_of_addresses_stays_bounded(site):
    for number in range(12_000):
        site.key(f"https://northpost.example/story/{number}")
    assert site._facts.cache_info().currsize <= 5_000
    assert site.key("https://www.northpost.example/story/1") == "https://northpost.example/story/1"


def test_a_broken_address_is_not_an_article_of_an_undeclared_site():
    site = undeclared("blog.example")
    assert (site.key("http://[broken"), site.is_article("http://[broken")) == ("http://[broken", False)


@pytest.mark.parametrize(
    ("hosts", "start", "own", "other"),
    [
        (["x.org"], "http://x.org/", ["http://x.org/a", "https://www.x.org/a"], ["http://x.org:8104/a"]),
        (["x.org"], "http://x.org:8104/", ["http://x.org:8104/a"], ["http://x.org:8300/a", "http://x.org/a"]),
        (["x.org:81", "y.org"], "http://x.org:81/", ["http://x.org:81/", "https://y.org/"], ["http://x.org/"]),
    ],
)
def test_a_port_belongs_to_its_site(hosts, start, own, other):
    site = load_site({**declared(), "hosts": hosts, "start": [start]}, "x.toml")
    assert [site.owns(url) for url in own] == [True] * len(own)
    assert [site.owns(url) for url in other] == [False] * len(other)


def test_ids_of_sessions_may_be_declared():
    site = load_site({**declared(), "sessions": r"zz=\w+|/s-\w+(?=/)"}, "x.toml")
    plain = "https://www.northpost.example/story/1"
    assert site.key(f"{plain}?zz=1") == site.key("https://www.northpost.example/s-ab12/story/1") == site.key(plain)
    assert site.without_session(f"{plain}?a=1&zz=2&b=3") == f"{plain}?a=1&b=3"
