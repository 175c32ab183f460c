"""Pages and servers that misbehave: one clear sentence, the right exit code, nothing lost, nothing invented."""

from __future__ import annotations

import gzip
import json
import socket
from contextlib import closing
from dataclasses import replace

import pytest
from support.harness import (
    HOME,
    ROBOTS,
    Crawled,
    Endless,
    address,
    article_html,
    article_page,
    contents,
    crawl,
    crawl_once,
    declare,
    listing_page,
    scenario,
    slug,
    small,
)
from support.speaking import answering, self_signed

from locum_spider import Archive
from locum_spider.demo.sample import Page, Sample
from locum_spider.demo.server import SiteServer

LIMIT = 2_000_000


def declare_today(folder, **changes):
    """The shipped declaration of Locum Today in the archive's own folder, with another limit for a body."""
    from locum_spider.sites import SHIPPED

    text = (SHIPPED / "locum-today.toml").read_text(encoding="utf-8")
    lines = "\n".join(f"{key} = {value}" for key, value in changes.items())
    declare(folder, "locum-today", text.replace("[crawl]\n", f"[crawl]\n{lines}\n"))


def named(title):
    return address(slug(title))


def packed(page, body=None):
    """A page that says it is compressed, whatever it holds."""
    body = gzip.compress(page.body, mtime=0) if body is None else body
    return replace(page, body=body, headers=(("Content-Encoding", "gzip"),))


def moved(to, status=302):
    return Page(b"Moved", "text/plain", status=status, headers=(("Location", to),))


GOOD = "Good report"
TITLES = {
    "too_large": "Report of many bytes",
    "bomb": "Report that unpacks to much",
    "broken_gzip": "Report badly packed",
    "short_gzip": "Report half packed",
    "plain_gzip": "Report not packed at all",
    "cut": "Report cut in the middle",
    "charset": "Report in a wrong charset",
    "no_charset": "Report in no charset",
    "nested": "Report nested deep",
    "unclosed": "Report with a thousand open tags",
    "pdf": "Report that is a document",
    "empty": "Report without a word",
    "binary": "Report of noise",
    "no_title": "Report without a title",
    "no_date": "Report without a date",
    "teapot": "Report of a teapot",
    "no_content": "Report of nothing",
    "inside": "Report that moved inside",
    "twice": "Report that moved twice",
    "outside": "Report that moved outside",
    "home": "Report that leads home",
    "loop": "Report that goes round",
    "self_loop": "Report that leads to itself",
    "nowhere": "Report that moved nowhere",
    "bad_target": "Report that moved to nonsense",
    "script_target": "Report that moved to a script",
    "vanished": "Report that moved to a hole",
}
NOISE = bytes(range(256)) * 200


def troubled_pages():
    title = TITLES
    page = {name: article_page(title) for name, title in TITLES.items()}
    big = article_html(TITLES["bomb"], "zero " * 500_000).encode()
    latin = article_html(title["charset"], "Twelve pounds (£12) for a café’s tea.").encode("windows-1252")
    nested = article_html(title["nested"], f"{'<div>' * 150_000}deep{'</div>' * 150_000}").encode()
    open_tags = article_html(title["unclosed"], f"{'<b><i><font>' * 300}Shallow enough.").encode()
    no_title = "<html><body><p>Published on 10th April 2018</p><p>Text without a head.</p></body></html>"
    no_date = "<html><body><h1>Report without a date</h1><p>On 3rd May 2016 a committee met.</p></body></html>"
    served = {
        **page,
        "too_large": replace(page["too_large"], body=page["too_large"].body + b" " * LIMIT),
        "bomb": packed(page["bomb"], gzip.compress(big, mtime=0)),
        "broken_gzip": packed(page["broken_gzip"], b"\x1f\x8b\x08\x00 this is no deflate stream"),
        "short_gzip": packed(page["short_gzip"], gzip.compress(page["short_gzip"].body, mtime=0)[:-40]),
        "plain_gzip": packed(page["plain_gzip"], page["plain_gzip"].body),
        "cut": replace(page["cut"], cut=True),
        "charset": Page(latin, "text/html; charset=utf-8"),
        "no_charset": Page(article_page(title["no_charset"], "Tea for £12.").body, "text/html; charset=klingon"),
        "nested": Page(nested),
        "unclosed": Page(open_tags),
        "pdf": Page(b"%PDF-1.4 not a page", "application/pdf"),
        "empty": Page(b""),
        "binary": Page(NOISE),
        "no_title": Page(no_title.encode()),
        "no_date": Page(no_date.encode()),
        "teapot": Page(page["teapot"].body, status=418),
        "no_content": Page(b"", status=204),
        "inside": moved(named("Target inside"), 301),
        "twice": moved(f"{HOME}hop", 307),
        "outside": moved("http://elsewhere.example/article.php?s=2018-04-10-a-classless-society"),
        "home": moved(HOME),
        "loop": moved(f"{HOME}loop?n=1"),
        "self_loop": moved(named(title["self_loop"])),
        "nowhere": Page(b"Moved", status=302),
        "bad_target": moved("http://[half/an/address"),
        "script_target": moved("javascript:alert(1)"),
        "vanished": moved(f"{HOME}hole"),
    }
    pages = {named(title[name]): page for name, page in served.items()}
    pages[f"{HOME}hop"] = moved(named("Target of two"), 303)
    pages[f"{HOME}loop?n=1"] = moved(f"{HOME}loop?n=2")
    pages[f"{HOME}loop?n=2"] = moved(f"{HOME}loop?n=1")
    pages[named("Target inside")] = article_page("Target inside")
    pages[named("Target of two")] = article_page("Target of two")
    pages[named(GOOD)] = article_page(GOOD)
    pages[HOME] = listing_page(*map(named, TITLES.values()), named(GOOD))
    return pages


@scenario
def troubled(folder):
    declare_today(folder, max_bytes=LIMIT)
    return crawl_once(folder, Sample(troubled_pages()), "--concurrency", "4")


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        ("too_large", "failed", "limit of 2,000,000 bytes"),
        ("bomb", "failed", "more than the limit of 2,000,000 bytes"),
        ("broken_gzip", "failed", "compressed body is broken"),
        ("short_gzip", "failed", "ends too early"),
        ("plain_gzip", "new", None),
        ("cut", "failed", "ended too early"),
        ("charset", "new", None),
        ("no_charset", "new", None),
        ("nested", "failed", "elements deep"),
        ("unclosed", "new", None),
        ("pdf", "not_article", "application/pdf"),
        ("empty", "not_article", "no title"),
        ("binary", "not_article", "no title"),
        ("no_title", "not_article", "no title"),
        ("no_date", "not_article", "no date"),
        ("teapot", "failed", "HTTP 418"),
        ("no_content", "failed", "HTTP 204"),
        ("inside", "new", None),
        ("twice", "new", None),
        ("outside", "failed", "it leads to another site, http://elsewhere.example/"),
        ("home", "not_article", ""),
        ("loop", "failed", "redirect"),
        ("self_loop", "failed", "redirect"),
        ("nowhere", "failed", "HTTP 302"),
        ("bad_target", "failed", ""),
        ("script_target", "failed", ""),
        ("vanished", "failed", "HTTP 404"),
    ],
)
def test_trouble_has_an_outcome_and_a_reason(troubled, name, outcome, words):
    stored, reason = troubled.outcome(named(TITLES[name]))
    assert (stored, reason is None) == (outcome, words is None), reason
    if words is not None:
        assert words in reason
        assert reason
        assert "TLS" not in reason


def test_trouble_keeps_nothing_else_from_being_read(troubled):
    assert troubled.outcome(named(GOOD)) == ("new", None)
    assert troubled.run.code == 6
    assert troubled.value("SELECT outcome FROM crawls") == "check_failed"
    assert troubled.rows("SELECT url FROM entry_outcomes WHERE outcome IS NULL OR outcome = 'queued'") == []
    assert "article addresses gave no article" in " ".join(troubled.run.out.split())


def test_only_what_is_an_article_is_stored(troubled):
    read = ["plain_gzip", "charset", "no_charset", "unclosed"]
    titles = {TITLES[name] for name in read} | {GOOD, "Target inside", "Target of two"}
    assert {row[0] for row in troubled.rows("SELECT title FROM articles")} == titles


@pytest.mark.parametrize(
    "name", ["bomb", "broken_gzip", "short_gzip", "nested", "no_title", "no_date", "pdf", "binary"]
)
def test_what_cannot_be_read_is_kept_as_it_came(troubled, name):
    from locum_spider.warc.reader import read_exchange

    url = named(TITLES[name])
    file, offset = troubled.rows("SELECT warc_file, warc_offset FROM captures WHERE url = ?", url)[0]
    assert read_exchange(troubled.archive / "warc", file, offset).body == troubled_pages()[url].body
    assert url in troubled.run.out


def test_a_wrong_charset_is_seen_through(troubled):
    with Archive(troubled.archive) as archive:
        assert archive.require(named(TITLES["charset"])).text == "Twelve pounds (£12) for a café’s tea."
        assert archive.require(named(TITLES["no_charset"])).text == "Tea for £12."


def test_nothing_outside_the_site_is_asked_for(troubled):
    assert {hit.host.removeprefix("www.") for hit in troubled.log} == {"locumtoday.co.uk"}


def test_redirects_are_captured_each(troubled):
    for name, statuses in (
        ("inside", [301]),
        ("twice", [307]),
        ("home", [302]),
        ("outside", [302]),
        ("nowhere", [302]),
    ):
        visited = troubled.rows("SELECT status FROM captures WHERE url = ?", named(TITLES[name]))
        assert [status for (status,) in visited] == statuses, name
    assert troubled.value("SELECT count(*) FROM captures WHERE url LIKE '%/hop'") == 1


def test_an_article_behind_two_redirects_is_known_at_both_ends(troubled):
    known = troubled.rows(
        "SELECT u.url FROM article_urls u JOIN articles a ON a.id = u.article_id WHERE a.title = 'Target of two'"
    )
    assert {url for (url,) in known} == {named("Target of two"), named(TITLES["twice"])}


def test_a_loop_ends_soon(troubled):
    assert len([hit for hit in troubled.log if hit.path.startswith("/loop")]) <= 25


def test_a_page_that_leads_home_is_no_second_home(troubled):
    assert troubled.value("SELECT count(DISTINCT capture_id) FROM entry_outcomes WHERE listing_url = ?", HOME) == 1


# -- links and data that no browser would follow ----------------------------------------------------------------------

HOSTILE = [
    "http://locumtoday.co.uk:99999/article.php?s=2018-04-10-port-too-high",
    "http://locumtoday.co.uk:port/article.php?s=2018-04-10-port-in-letters",
    "http://locumtoday.co.uk:/article.php?s=2018-04-10-no-port",
    "http://[::1/article.php?s=2018-04-10-half-an-address",
    "http://[locumtoday.co.uk]/article.php?s=2018-04-10-brackets",
    "//locumtoday.co.uk\\@elsewhere.example/article.php?s=2018-04-10-backslash",
    "http:///article.php?s=2018-04-10-no-host",
    "http:article.php?s=2018-04-10-no-slashes",
    "http://user:secret@locumtoday.co.uk/article.php?s=2018-04-10-with-a-password",
    "ftp://locumtoday.co.uk/article.php?s=2018-04-10-by-ftp",
    "javascript:location='/article.php?s=2018-04-10-by-script'",
    "mailto:editor@locumtoday.co.uk?subject=/article.php?s=2018-04-10-by-mail",
    "data:text/html,/article.php?s=2018-04-10-inside",
    "/article.php?s=%zz%",
    "/article.php?s=2018-04-10-%00-nul",
    "/article.php?s=2018-04-10-\N{SNOWMAN}-\N{FIRE}",
    "/article.php?s=2018-04-10-%ff%fe",
    "/article.php?s=2018-04-10-line\r\nbreak: yes",
    "/article.php?s=2018-04-10-" + "long" * 20_000,
    "/article.php?" + "&".join(f"p{n}={n}" for n in range(3_000)) + "&s=2018-04-10-many",
    "/article.php?s=2018-99-99-no-such-day",
    "/article.php?s=0000-00-00-zero",
    "/../../article.php?s=2018-04-10-above-the-root",
    "?s=&&&===;;;",
    "http://xn--a.locumtoday.co.uk/article.php?s=2018-04-10-bad-punycode",
    "http://locumtoday.co.uk./article.php?s=2018-04-10-dot-behind-the-host",
    "HTTP://LOCUMTODAY.CO.UK/article.php?s=2018-04-10-shouting",
    "http://locumtodäy.co.uk/article.php?s=2018-04-10-umlaut",
]


@scenario
def hostile(folder):
    page = listing_page(named(GOOD), *HOSTILE, more=["http://locumtoday.co.uk:99999/", "http://[x/", "/\N{SNOWMAN}"])
    article = article_page(GOOD, "".join(f'<a href="{link}">A link of many words</a> ' for link in HOSTILE))
    return crawl_once(folder, Sample({HOME: page, named(GOOD): article}), "--concurrency", "4")


def test_hostile_links_harm_nothing(hostile):
    assert hostile.run.code in {0, 6}
    assert hostile.outcome(named(GOOD)) == ("new", None)
    assert hostile.rows("SELECT url FROM frontier WHERE state <> 'done'") == []
    assert {hit.host.strip(".").removeprefix("www.") for hit in hostile.log} == {"locumtoday.co.uk"}
    assert {hit.path.count(" ") for hit in hostile.log} == {0}


def test_secrets_in_an_address_are_not_asked_for_elsewhere(hostile):
    assert not [hit for hit in hostile.log if "secret" in hit.host]


JSON_SITE = """
name = "json-site"
title = "A site read by its JSON-LD"
hosts = ["json.example"]
start = ["http://json.example/"]
timezone = "Europe/London"
language = "en"

[articles]
address = '^/news/'

[[layouts]]
[layouts.article]
title = { json_ld = "headline" }
published = { json_ld = "datePublished" }
authors = { json_ld = "author.name" }
body = { css = "article" }
"""
POISON = {
    "half-a-smiley": r'{"headline": "Half a smiley \ud83d", "datePublished": "2018-04-10", "author": "\udc00"}',
    "nul": r'{"headline": "A \u0000 inside", "datePublished": "2018-04-10"}',
    "deep": '{"headline": "Deep", "datePublished": "2018-04-10", "x": ' + "[" * 200_000 + "]" * 200_000 + "}",
    "deep-graph": '{"@graph": ' * 900 + '{"headline": "Deep graph", "datePublished": "2018-04-10"}' + "}" * 900,
    "long-number": '{"headline": "Long number", "datePublished": ' + "9" * 10_000 + "}",
    "infinite": '{"headline": "Infinite", "datePublished": 1e999, "author": {"name": NaN}}',
    "odd-types": '{"headline": ["One", 2, null], "datePublished": {"a": "2018-04-10"}, "author": 7}',
    "far-year": '{"headline": "Far", "datePublished": "9999-12-31T23:59:59-12:00"}',
    "early-year": '{"headline": "Early", "datePublished": "0001-01-01T00:00:00+14:00"}',
    "broken": '{"headline": "Broken", ',
    "many": "[" + ",".join(['{"headline": "Many", "datePublished": "2018-04-10"}'] * 20_000) + "]",
    "huge-headline": json.dumps({"headline": "x" * 500_000, "datePublished": "2018-04-10"}),
}


@scenario
def poisoned(folder):
    """Structured data that breaks careless readers; between each page a good one."""
    declare(folder, "json-site", JSON_SITE)
    pages = {}
    for name, data in {**POISON, "good": '{"headline": "Good", "datePublished": "2018-04-10"}'}.items():
        html = f'<html><head><script type="application/ld+json">{data}</script></head><article>Text.</article></html>'
        pages[f"http://json.example/news/{name}"] = Page(html.encode())
    pages["http://json.example/"] = listing_page(*pages)
    return crawl_once(folder, Sample(pages, hosts=("json.example",)), "--concurrency", "4", sites=["json-site"])


def test_poisoned_data_harms_nothing(poisoned):
    assert poisoned.run.code in {0, 6}
    assert poisoned.outcome("http://json.example/news/good") == ("new", None)
    assert poisoned.rows("SELECT url FROM frontier WHERE state <> 'done'") == []
    assert poisoned.value("SELECT count(*) FROM frontier WHERE kind = 'article'") == len(POISON) + 1


@pytest.mark.parametrize("name", POISON)
def test_each_poisoned_page_has_an_outcome(poisoned, name):
    outcome, reason = poisoned.outcome(f"http://json.example/news/{name}")
    assert outcome in {"new", "not_article", "failed"}
    assert (reason is None) == (outcome == "new")


def test_half_a_smiley_costs_only_itself(poisoned):
    titles = [title for (title,) in poisoned.rows("SELECT title FROM articles WHERE title LIKE 'Half%'")]
    assert len(titles) == 1
    assert titles[0].startswith("Half a smiley")


# -- traps ------------------------------------------------------------------------------------------------------------


def number_in(url):
    return int(url.rpartition("=")[2])


@scenario
def endless(folder):
    """A listing whose next page is always there with the same articles, and a calendar of empty days."""
    sample = small(GOOD, "Other report")
    entries = [url for url in sample.pages if url != HOME]
    pager, calendar = f"{HOME}list.php?page=", f"{HOME}calendar.php?day="

    def make(url):
        if url.startswith(pager):
            return listing_page(*entries, more=[f"{pager}{number_in(url) + 1}"])
        if url.startswith(calendar):
            return Page(f'<html><body><p>Nothing.</p><a href="{calendar}{number_in(url) + 1}">Next day</a>'.encode())
        return None

    pages = Endless({**sample.pages, HOME: listing_page(*entries, more=[f"{pager}1", f"{calendar}1"])}, make)
    return crawl_once(folder, Sample(pages))


def test_a_listing_that_repeats_itself_ends(endless):
    assert endless.run.code == 0
    assert len([hit for hit in endless.log if hit.path.startswith("/list")]) < 15
    assert endless.value("SELECT count(*) FROM articles") == 2


def test_a_calendar_without_entries_ends(endless):
    assert len([hit for hit in endless.log if hit.path.startswith("/calendar")]) < 15


@scenario
def endless_mixture(folder):
    """Each next page names the same articles in another order; only the declared limit ends it."""
    declare_today(folder, max_listings=12)
    titles = [f"Report of {name}" for name in ("spring", "summer", "autumn", "winter")]
    more = f"{HOME}list.php?page="
    entries = [named(title) for title in titles]

    def make(url):
        if not url.startswith(more):
            return None
        turn = number_in(url)
        order = entries[turn % 4 :] + entries[: turn % 4]
        return listing_page(*(order if turn % 3 else order[:3]), more=[f"{more}{turn + 1}", f"{more}{turn + 2}"])

    pages = Endless({**small(*titles).pages, HOME: listing_page(*entries, more=[f"{more}1"])}, make)
    return crawl_once(folder, Sample(pages))


def test_the_declared_limit_ends_a_mixture(endless_mixture):
    listings = endless_mixture.value("SELECT count(*) FROM frontier WHERE kind = 'listing'")
    assert listings <= 12
    assert endless_mixture.value("SELECT count(*) FROM articles") == 4
    # What was left out is said; a limit that cuts a site in silence would look like a whole crawl.
    assert "max_listings" in endless_mixture.run.out


@scenario
def sections_alike(folder):
    """Eight sections that begin with the same page of latest articles, each going on to articles of its own."""
    latest = [named(GOOD), named("Other report")]
    pages = dict(small(GOOD, "Other report").pages)
    pages[HOME] = listing_page(*latest, more=[f"{HOME}section.php?n={n}" for n in range(8)])
    for n in range(8):
        title = f"Report of section {n}"
        pages[f"{HOME}section.php?n={n}"] = listing_page(*latest, more=[f"{HOME}section.php?n={n}&page=2"])
        pages[f"{HOME}section.php?n={n}&page=2"] = listing_page(named(title))
        pages[named(title)] = article_page(title)
    return crawl_once(folder, Sample(pages))


def test_sections_that_begin_alike_are_all_read(sections_alike):
    assert sections_alike.value("SELECT count(*) FROM articles") == 10


# -- servers ----------------------------------------------------------------------------------------------------------


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def assert_unreachable(crawled):
    """Exit code 4, and why, in a sentence that names the site."""
    run = crawled.runs[0]
    assert run.code == 4
    assert crawled.value("SELECT outcome FROM crawls WHERE id = 1") == "unreachable"
    assert crawled.value("SELECT count(*) FROM captures WHERE crawl_id = 1") == 0
    output = " ".join((run.out + run.err).split())
    assert "could not be reached" in output
    return output


@scenario
def back_again(folder):
    """Nobody there at first, then the site."""
    runs = [crawl(folder, f"http://127.0.0.1:{free_port()}")]
    with SiteServer(small(GOOD)) as server:
        runs.append(crawl(folder, server))
        return Crawled(folder, server.log, runs)


def test_a_site_that_does_not_answer(back_again):
    assert "refused" in assert_unreachable(back_again)


def test_a_site_that_comes_back_is_crawled(back_again):
    assert [run.code for run in back_again.runs] == [4, 0]
    assert back_again.value("SELECT count(*) FROM articles") == 1


@scenario
def no_http(folder):
    with answering(lambda _: [b"SSH-2.0-OpenSSH_9.2\r\n"]) as (port, _):
        return Crawled(folder, [], [crawl(folder, f"http://127.0.0.1:{port}")])


def test_a_server_that_speaks_no_http(no_http):
    assert_unreachable(no_http)


@scenario
def forged(folder):
    """A site behind TLS whose certificate cannot be trusted."""
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    with answering(lambda _: [body], self_signed(folder)) as (port, heads):
        text = JSON_SITE.replace("json-site", "tls-site").replace("json.example", "localhost")
        declare(folder, "tls-site", text.replace('"http://localhost/"', f'"https://localhost:{port}/"'))
        run = crawl(folder, "", sites=["tls-site"])
        return Crawled(folder, [], [run]), heads


def test_a_certificate_that_cannot_be_trusted(forged):
    crawled, heads = forged
    assert "TLS" in assert_unreachable(crawled)
    assert heads == []


@scenario
def endless_bodies(folder):
    """One page promises a terabyte, another says nothing of its length; both go on for as long as anybody listens."""
    declare_today(folder, max_bytes=LIMIT)
    listing = listing_page(named("Declared length"), named("Unknown length")).body
    sent = {"declared": 0, "unknown": 0}

    def answer(head):
        if b"/robots.txt" in head:
            yield NOT_FOUND
            return
        kind = next((kind for kind in sent if kind.encode() in head), None)
        length = {"declared": 10**12, None: len(listing)}.get(kind)
        yield b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
        yield f"Content-Length: {length}\r\n\r\n".encode() if length else b"\r\n"
        if kind is None:
            yield listing
        while kind and sent[kind] < 50 * LIMIT:
            sent[kind] += 50_000
            yield b" " * 50_000

    with answering(answer) as (port, _):
        return Crawled(folder, [], [crawl(folder, f"http://127.0.0.1:{port}")]), sent


@pytest.mark.parametrize("kind", ["declared", "unknown"])
def test_a_body_without_end_is_let_go(endless_bodies, kind):
    crawled, sent = endless_bodies
    assert crawled.run.code == 6
    outcome, reason = crawled.outcome(named(f"{kind.capitalize()} length"))
    assert outcome == "failed"
    assert "limit of 2,000,000 bytes" in reason
    assert sent[kind] < 50 * LIMIT


@scenario
def odd_answers(folder):
    """A status that no standard knows, with headers in no charset, on every address."""
    head = (
        b"HTTP/1.1 799 Caf\xe9\r\nContent-Type: text/html\r\nX-Odd: \xff\xfe\r\nX-Odd: twice\r\nContent-Length: 2\r\n"
    )
    answer = [head + b"Connection: close\r\n\r\nhi"]
    with answering(lambda head: [NOT_FOUND] if b"/robots.txt" in head else answer) as (port, heads):
        run = crawl(folder, f"http://127.0.0.1:{port}", "--contact", "me@example.org")
        return Crawled(folder, [], [run]), heads


def test_a_status_that_nobody_knows(odd_answers):
    crawled, _ = odd_answers
    assert crawled.run.code == 6
    assert "HTTP 799" in crawled.outcome(HOME)[1]
    assert crawled.rows("SELECT status FROM captures ORDER BY id") == [(404,), (799,)]


def test_requests_on_the_wire_say_who_asks(odd_answers):
    _, heads = odd_answers
    assert len(heads) >= 2
    for head in heads:
        assert head.startswith((b"GET http://locumtoday.co.uk/robots.txt ", b"GET http://locumtoday.co.uk/ "))
        assert b"\r\nHost: locumtoday.co.uk\r\n" in head
        assert b"\r\nUser-Agent: locum-spider/" in head
        assert b"me@example.org" in head
        assert b"\r\nCookie" not in head


# -- robots.txt -------------------------------------------------------------------------------------------------------


def crawl_with_robots(folder, page):
    return crawl_once(folder, Sample({**small(GOOD, "Other report").pages, ROBOTS: page}))


@scenario
def robots_fault(folder):
    return crawl_with_robots(folder, Page(b"Busy", status=503))


def test_nothing_is_fetched_if_robots_txt_fails(robots_fault):
    assert {hit.path for hit in robots_fault.log} == {"/robots.txt"}
    assert robots_fault.run.code in {4, 6}
    assert robots_fault.outcome(HOME)[0] == "refused"
    assert "robots.txt" in robots_fault.run.out


@scenario
def robots_cut(folder):
    return crawl_with_robots(folder, Page(b"User-agent: *\nDisallow: /\n" * 10, "text/plain", cut=True))


def test_nothing_is_fetched_if_robots_txt_is_cut_short(robots_cut):
    """RFC 9309, 2.3.1.4: unreachable by a network error means that everything is disallowed."""
    assert {hit.path for hit in robots_cut.log} == {"/robots.txt"}


def test_everything_is_allowed_without_robots_txt(endless):
    assert (endless.log[0].path, endless.log[0].status) == ("/robots.txt", 404)
    assert endless.run.code == 0


@scenario
def robots_for_us(folder):
    """Rules for us beside rules for others, in gzip, with CRLF and a byte order mark."""
    text = "\ufeffUser-agent: *\r\nDisallow: /\r\n\r\nUser-agent: Locum-Spider\r\nDisallow: /*other\r\nAllow: /\r\n"
    return crawl_with_robots(folder, Page(text.encode(), "text/plain", gzip=True))


def test_the_rules_for_us_count(robots_for_us):
    assert robots_for_us.run.code == 0
    assert robots_for_us.outcome(named("Other report"))[0] == "refused"
    assert robots_for_us.outcome(named(GOOD))[0] == "new"
    assert not [hit for hit in robots_for_us.log if "other" in hit.path]


@scenario
def robots_all(folder):
    return crawl_with_robots(folder, Page(b"User-agent: *\nDisallow: /\n", "text/plain"))


def test_a_site_that_wants_nobody_is_left_alone(robots_all):
    assert [hit.path for hit in robots_all.log] == ["/robots.txt"]
    assert robots_all.run.code == 6
    assert "robots.txt forbids it" in robots_all.run.out


@scenario
def troubled_again(folder):
    declare_today(folder, max_bytes=LIMIT)
    return crawl_once(folder, Sample(troubled_pages()))


def test_the_outcome_of_trouble_hangs_on_no_chance(troubled, troubled_again):
    assert troubled.run.code == troubled_again.run.code
    once, again = contents(troubled.archive), contents(troubled_again.archive)
    assert once["outcomes"] == again["outcomes"]
    assert once["articles"] == again["articles"]
