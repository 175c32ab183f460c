"""Sites that a user declares in the archive: read by CSS, metadata and JSON-LD, or refused with file, key and cure."""

from __future__ import annotations

import pytest
from support import invoke
from support.harness import Crawled, crawl, crawl_once, declare, locum, scenario

from locum_spider import Archive
from locum_spider.demo.sample import Page, Sample
from locum_spider.demo.server import SiteServer

DECLARED = """
name = "gazette"
title = "The Gazette"
hosts = ["gazette.example", "archive.gazette.example"]
start = ["http://gazette.example/", "http://archive.gazette.example/all"]
timezone = "Europe/Berlin"
language = "en"
date_order = "DMY"

[articles]
address = '^/story/\\d+'
date = '/story/(\\d{4})(\\d\\d)(\\d\\d)'

[listings]
follow = '^/(all|page/\\d+)$'
ignore = 'login'

[crawl]
delay = 0.0
concurrency = 2

[[layouts]]
until = %(until)s
[layouts.article]
title = { css = "h1.old" }
published = { css = "time.old", attr = "datetime" }
body = { css = "div.old" }

[[layouts]]
[layouts.article]
title = [{ meta = "og:title" }, { css = "h1.new" }]
standfirst = { css = ".lead", drop = "small" }
published = [{ json_ld = "datePublished" }, { css = "time", attr = "datetime" }]
authors = { json_ld = "author.name" }
section = { meta = "article:section" }
tags = { meta = "article:tag" }
modified = { json_ld = "dateModified" }
body = { css = "div.new", drop = "aside" }
"""

STORY = """<!DOCTYPE html><html lang="en-GB"><head><title>Whatever</title>
<meta property="og:title" content="The new title">
<meta property="article:section" content="Politics">
<meta property="article:tag" content="pay"><meta property="article:tag" content="councils, north">
<script type="application/ld+json">{"@context": "https://schema.org", "@graph": [{"@type": "NewsArticle",
"datePublished": "2018-04-10T15:45:00+01:00", "dateModified": "2018-04-11T08:00:00Z",
"author": [{"name": "Ann Other"}, {"name": "B. Writer"}]}]}</script></head>
<body><h1 class="old">The old title</h1><time class="old" datetime="2017-01-02">2nd</time>
<p class="lead">What it is about<small> and small print</small></p>
<div class="old"><p>Old text.</p></div>
<div class="new"><p>First paragraph.</p><aside>Buy this.</aside><p>Second paragraph.</p>
<ul><li>one</li><li>two</li></ul></div></body></html>"""


def gazette(*, whole=True):
    """A small site; if it is not whole, one of its articles has no title that the new layout knows."""
    home = (
        '<a href="/story/20180410-one">One story of many words</a> <a href="/page/2">More</a> <a href="/login">In</a>'
    )
    second = (
        '<a href="http://www.gazette.example/story/20180411-two">Two stories of many words</a> <a href="/about">Us</a>'
    )
    third = '<a href="/story/20180412-three">Three stories of many words</a>'
    pages = {
        "http://gazette.example/": home,
        "http://gazette.example/page/2": second,
        "http://gazette.example/story/20180410-one": STORY,
        "http://gazette.example/story/20180411-two": STORY.replace('"2018-04-10T15:45:00+01:00"', '""'),
        "http://archive.gazette.example/all": third,
        "http://archive.gazette.example/story/20180412-three": STORY if whole else STORY.replace("The new title", ""),
    }
    hosts = ("gazette.example", "archive.gazette.example")
    return Sample({url: Page(html.encode()) for url, html in pages.items()}, hosts=hosts)


@scenario
def new_layout(folder):
    declare(folder, "gazette", DECLARED % {"until": "2020-01-01"})
    return crawl_once(folder, gazette(whole=False), sites=["gazette"])


@scenario
def old_layout(folder):
    declare(folder, "gazette", DECLARED % {"until": "2999-01-01"})
    return crawl_once(folder, gazette(), sites=["gazette"])


def test_css_metadata_and_json_ld_are_read(new_layout):
    assert new_layout.run.code == 6  # one of three could not be read
    with Archive(new_layout.archive) as archive:
        article = archive.require("http://gazette.example/story/20180410-one")
    assert article.title == "The new title"
    assert article.standfirst == "What it is about"
    assert article.authors == ("Ann Other", "B. Writer")
    assert article.section == "Politics"
    assert article.tags == ("pay", "councils", "north")
    assert article.published == "2018-04-10"
    assert article.published_at == "2018-04-10T15:45:00+01:00"
    assert article.published_source == "json-ld"
    assert article.published_conflict is None
    assert article.modified_at == "2018-04-11T08:00:00+00:00"
    assert article.lang in {"en", "en-GB"}
    assert article.text.split("\n\n")[:2] == ["First paragraph.", "Second paragraph."]
    assert "Buy this" not in article.text
    assert [line for line in article.text.splitlines() if line.startswith("•")] == ["• one", "• two"]


def test_the_next_rule_counts_if_the_first_finds_nothing(new_layout):
    with Archive(new_layout.archive) as archive:
        two = archive.require("http://gazette.example/story/20180411-two")
    assert two.published == "2017-01-02"
    assert "2018-04-11" in (two.published_conflict or "")


def test_an_article_without_what_the_layout_wants_is_reported(new_layout):
    outcome, reason = new_layout.outcome("http://archive.gazette.example/story/20180412-three")
    assert outcome == "not_article"
    assert "no title" in reason
    assert "og:title" in reason
    assert "h1.new" in reason


def test_a_page_of_its_time_is_read_by_the_layout_of_its_time(old_layout):
    with Archive(old_layout.archive) as archive:
        articles = list(archive.articles())
    assert {(article.title, article.published, article.text) for article in articles} == {
        ("The old title", "2017-01-02", "Old text.")
    }
    assert len(articles) == 3


def test_only_declared_listings_are_followed(new_layout):
    asked = {(hit.host, hit.path) for hit in new_layout.log if hit.path != "/robots.txt"}
    assert asked == {
        ("gazette.example", "/"),
        ("gazette.example", "/page/2"),
        ("gazette.example", "/story/20180410-one"),
        ("www.gazette.example", "/story/20180411-two"),
        ("archive.gazette.example", "/all"),
        ("archive.gazette.example", "/story/20180412-three"),
    }


def test_each_host_is_asked_for_its_robots_txt(new_layout):
    asked = [hit.host for hit in new_layout.log if hit.path == "/robots.txt"]
    assert sorted(asked) == ["archive.gazette.example", "gazette.example", "www.gazette.example"]


def test_a_declaration_in_the_archive_is_listed(new_layout):
    run = locum("sites", "--json", "--archive", "archive", cwd=new_layout.folder)
    sites = {site["name"]: site for site in run.json}
    assert sites.keys() >= {"gazette", "locum-today"}
    assert sites["gazette"]["layouts"] == 2
    assert sites["gazette"]["declared_in"].endswith("gazette.toml")
    assert "The Gazette" in locum("sites", "--archive", "archive", cwd=new_layout.folder).out


@scenario
def named_by_address(folder):
    declare(folder, "gazette", DECLARED % {"until": "2020-01-01"})
    return crawl_once(folder, gazette(), sites=["http://www.gazette.example/page/2"])


def test_a_site_can_be_named_by_its_address(named_by_address):
    assert named_by_address.run.code == 0
    assert len(named_by_address.log) > 4


FINE = DECLARED % {"until": "2020-01-01"}
FAULTS = {
    "unknown key": (FINE.replace("ignore = ", "ignored = "), "listings.ignored", "follow, ignore"),
    "unknown key at the top": (f"colour = 1\n{FINE}", "colour", "timezone"),
    "unknown key in a rule": (FINE.replace("drop = ", "without = "), "without", "css, attr, drop"),
    "unknown field": (FINE.replace("standfirst = ", "teaser = "), "layouts[1].article.teaser", "standfirst"),
    "wrong type": (FINE.replace('hosts = ["gazette.example", ', 'hosts = [7, "gazette.example", '), "hosts[0]", "str"),
    "text for a number": (FINE.replace("concurrency = 2", 'concurrency = "two"'), "crawl.concurrency", "int"),
    "date as text": (FINE.replace("until = 2020-01-01", 'until = "soon"'), "layouts[0].until", "date"),
    "bad selector": (FINE.replace("h1.old", "h1..[old"), "layouts[0].article.title", "CSS selector"),
    "bad selector to drop": (FINE.replace('drop = "aside"', 'drop = ">>"'), "layouts[1].article.body", "CSS selector"),
    "bad pattern": (FINE.replace("'login'", "'log(in'"), "listings.ignore", "regular expression"),
    "overlapping layouts": (
        FINE.replace("[[layouts]]\n[layouts.article]", "[[layouts]]\nuntil = 2019-01-01\n[layouts.article]"),
        "layouts",
        "2019-01-01",
    ),
    "last layout with an end": (
        FINE.replace("[[layouts]]\n[layouts.article]", "[[layouts]]\nuntil = 2021-01-01\n[layouts.article]"),
        "layouts[1].until",
        "last layout",
    ),
    "first layout without an end": (FINE.replace("until = 2020-01-01\n", ""), "layouts[0].until", "without a date"),
    "missing key": (FINE.replace('timezone = "Europe/Berlin"\n', ""), "timezone", "missing"),
    "missing table": (FINE.replace("[articles]", "[listings.articles]"), "articles", ""),
    "no such zone": (FINE.replace("Europe/Berlin", "Europe/Bonn"), "timezone", "IANA"),
    "zone outside": (FINE.replace("Europe/Berlin", "../../etc/passwd"), "timezone", "IANA"),
    "bad date order": (FINE.replace('"DMY"', '"MYD"'), "date_order", "MYD"),
    "start elsewhere": (FINE.replace('["http://gazette.example/"', '["http://other.example/"'), "start", "not an http"),
    "start with a bad port": (FINE.replace("gazette.example/all", "gazette.example:99999/all"), "start", "99999"),
    "start without a scheme": (FINE.replace('"http://gazette.example/"', '"gazette.example"'), "start", "http"),
    "no hosts": (FINE.replace('["gazette.example", "archive.gazette.example"]', "[]"), "hosts", "at least one"),
    "negative delay": (FINE.replace("delay = 0.0", "delay = -1.0"), "crawl", "delay must be"),
    "delay that is not a number": (FINE.replace("delay = 0.0", "delay = nan"), "crawl", "delay"),
    "endless delay": (FINE.replace("delay = 0.0", "delay = inf"), "crawl", "delay"),
    "bad span": (FINE.replace("delay = 0.0", 'every = "often"'), "crawl.every", "12h, 1d, 2w"),
    "huge span": (FINE.replace("delay = 0.0", 'every = "99999999999w"'), "crawl.every", "99999999999w"),
    "two ways in a rule": (FINE.replace('css = "h1.old"', 'css = "h1", meta = "x"'), "article.title", "one of"),
    "no way in a rule": (FINE.replace('{ css = "h1.old" }', "{}"), "layouts[0].article.title", "one of"),
    "groups in the date": (FINE.replace("(\\d\\d)(\\d\\d)'", "(\\d\\d)\\d\\d'"), "articles.date", "three"),
    "name of another file": (FINE.replace('name = "gazette"', 'name = "journal"'), "name", "gazette"),
    "bad name": (FINE.replace('name = "gazette"', 'name = "The Gazette"'), "name", "hyphens"),
    "unreadable": (FINE.replace("[crawl]", "[crawl"), "TOML", "line"),
    "no text": ("\0\1\2", "TOML", ""),
    "empty": ("", "name", "missing"),
}  # fmt: skip


def assert_named(message, fault):
    _, key, allowed = FAULTS[fault]
    assert len(message.strip().splitlines()) == 1
    for word in ("gazette.toml", key, allowed):
        assert word in message


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_declaration_is_refused(tmp_path, fault):
    assert FAULTS[fault][0] != FINE, "the fault is not in the text"
    declare(tmp_path, "gazette", FAULTS[fault][0])
    result = invoke("sites", "--archive", tmp_path / "archive")
    assert result.exit_code == 2, result.exception
    assert_named(result.stderr, fault)
    assert "locum-today" in result.stdout


@pytest.mark.parametrize("fault", ["unknown key", "overlapping layouts", "unreadable"])
def test_a_faulty_declaration_is_not_crawled(tmp_path, fault):
    declare(tmp_path, "gazette", FAULTS[fault][0])
    run = locum("crawl", "gazette", "--archive", "archive", cwd=tmp_path, proxy="http://127.0.0.1:9")
    assert (run.code, run.out) == (2, "")
    assert_named(run.err, fault)
    assert not (tmp_path / "archive" / "archive.db").exists()


def test_a_declaration_in_another_charset_is_refused(tmp_path):
    declare(tmp_path, "gazette", "")
    (tmp_path / "archive" / "sites" / "gazette.toml").write_bytes(
        FINE.replace("The Gazette", "Der Bote für").encode("latin-1")
    )
    run = locum("crawl", "gazette", "--archive", "archive", cwd=tmp_path)
    assert run.code == 2
    assert "gazette.toml" in run.err
    assert "TOML" in run.err


@scenario
def fault_beside(folder):
    """Locum Today declared again in the archive, beside a declaration with a fault."""
    declare(folder, "gazette", FAULTS["unknown key"][0])
    declare(folder, "locum-today", FINE.replace('"gazette"', '"locum-today"'))
    with SiteServer(gazette()) as server:
        runs = [locum("sites", "--archive", "archive", cwd=folder), crawl(folder, server)]
        return Crawled(folder, server.log, runs)


def test_a_faulty_declaration_does_not_hide_the_others(fault_beside):
    listed, crawled = fault_beside.runs
    assert listed.code == 2
    assert "locum-today" in listed.out
    assert "listings.ignored" in listed.err
    assert crawled.code == 0


def test_a_declaration_in_the_archive_replaces_a_shipped_one(fault_beside):
    assert {hit.host for hit in fault_beside.log} >= {"gazette.example", "archive.gazette.example"}


@pytest.mark.parametrize("name", ["no-such-site", "http://elsewhere.example/", "../locum-today", "http://[half", ""])
def test_an_undeclared_site(tmp_path, name):
    result = invoke("crawl", name, "--archive", tmp_path / "archive")
    assert result.exit_code == 2, result.exception
    assert "declare" in result.stderr
    assert not (tmp_path / "archive" / "archive.db").exists()


@scenario
def two_sites(folder):
    """Two sites in one command, beside each other into one archive, and a third that nobody serves."""
    for name in ("first", "second"):
        declare(folder, name, FINE.replace('"gazette"', f'"{name}"').replace("gazette.example", f"{name}.example"))
    pages = {}
    for name in ("first", "second"):
        for url, page in gazette().pages.items():
            body = page.body.replace(b"gazette.example", f"{name}.example".encode())
            pages[url.replace("gazette.example", f"{name}.example")] = Page(body.replace(b"The new", name.encode()))
    hosts = tuple(f"{host}{name}.example" for name in ("first", "second") for host in ("", "archive."))
    return crawl_once(folder, Sample(pages, hosts=hosts), "--json", sites=["first", "second", "first"])


def test_two_sites_in_one_command(two_sites):
    assert two_sites.run.code == 0
    reports = two_sites.run.json
    assert [report["site"] for report in reports] == ["first", "second"]
    assert [report["exit_code"] for report in reports] == [0, 0]
    assert all(report["crawl"]["articles_new"] == 3 for report in reports)
    assert two_sites.rows("SELECT site, count(*), min(outcome) FROM crawls GROUP BY 1") == [
        ("first", 1, "done"),
        ("second", 1, "done"),
    ]
    assert two_sites.rows("SELECT site, count(*) FROM articles GROUP BY 1") == [("first", 3), ("second", 3)]
    mixed = (
        "SELECT count(*) FROM captures c JOIN crawls r ON r.id = c.crawl_id WHERE c.url NOT LIKE '%' || r.site || '%'"
    )
    assert two_sites.value(mixed) == 0


def test_two_sites_share_one_sound_archive(two_sites):
    assert two_sites.rows("PRAGMA integrity_check") == [("ok",)]
    assert two_sites.rows("PRAGMA foreign_key_check") == []
    assert not list((two_sites.archive / "warc").glob("*.open"))
    status = locum("status", "--json", "--archive", "archive", cwd=two_sites.folder)
    assert [row["site"] for row in status.json] == ["first", "second"]
