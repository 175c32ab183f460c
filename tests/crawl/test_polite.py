"""Politeness, as the server sees it: one request at a time, the pauses asked for, and who is asking."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from support import records
from support.harness import (
    HOME,
    ROBOTS,
    Crawled,
    Endless,
    address,
    article_page,
    crawl,
    crawl_once,
    listing_page,
    locum,
    scenario,
    slug,
    small,
)

from locum_spider.demo.sample import Page, Sample
from locum_spider.demo.server import SiteServer

TITLES = [f"Report number {name}" for name in ("one", "two", "three", "four", "five", "six")]
SLOWNESS = 0.3


def gaps(log):
    return [after.time - before.time for before, after in pairwise(log)]


def slow(sample, delay=SLOWNESS):
    """Every page takes its time, so that two requests at once would be seen."""
    return replace(sample, pages={url: replace(page, delay=delay) for url, page in sample.pages.items()})


@scenario
def by_default(folder):
    """No option at all: what a user gets who knows nothing but whom to name and where to put it."""
    with SiteServer(small(*TITLES[:3])) as server:
        variables = {"LOCUM_ARCHIVE": "elsewhere", "LOCUM_CONTACT": "desk@example.org"}
        run = locum("crawl", "locum-today", cwd=folder, proxy=server.url, **variables)
        return Crawled(folder, server.log, [run])


def test_a_second_passes_between_two_requests_by_default(by_default):
    assert by_default.run.code == 0
    assert len(by_default.log) == 5
    # On a busy machine a request may reach the server late, and the next one in time: only their sum is sure.
    assert sum(gaps(by_default.log)) >= 1.0 * (4 - 0.5)


@scenario
def one_at_a_time(folder):
    return crawl_once(folder, slow(small(*TITLES)))


def test_one_request_at_a_time(one_at_a_time):
    assert one_at_a_time.run.code == 0
    answered = [hit for hit in one_at_a_time.log if hit.path != "/robots.txt"]
    assert len(answered) == 7
    assert min(gaps(answered)) >= SLOWNESS


@scenario
def four_at_a_time(folder):
    with SiteServer(slow(small(*TITLES), 2)) as server:
        server.pages[HOME] = replace(server.pages[HOME], delay=0)
        return Crawled(folder, server.log, [crawl(folder, server, "--concurrency", "4")])


def test_more_requests_at_a_time_if_the_user_says_so(four_at_a_time):
    assert four_at_a_time.run.code == 0
    times = [hit.time for hit in four_at_a_time.log[2:]]
    assert len(times) == 6
    within = max(sum(start <= time < start + 2 for time in times) for start in times)
    assert within == 4


@scenario
def crawl_delay(folder):
    text = "User-agent: GreedyBot\nCrawl-delay: 30\nDisallow: /\n\nUser-agent: *\nCrawl-delay: 1.2\n"
    return crawl_once(folder, Sample({**small(*TITLES[:3]).pages, ROBOTS: Page(text.encode(), "text/plain")}))


def test_crawl_delay_is_kept(crawl_delay):
    """Also where the user asks for none: it is the site's word."""
    assert crawl_delay.run.code == 0
    assert len(crawl_delay.log) == 2 + 3
    assert sum(gaps(crawl_delay.log)[1:]) >= 1.2 * (3 - 0.5)
    assert max(gaps(crawl_delay.log)) < 30, "GreedyBot is another"


def test_crawl_delay_counts_from_robots_txt_on(crawl_delay):
    assert gaps(crawl_delay.log)[0] >= 0.5


@scenario
def busy(folder):
    """A page that is busy for two requests (`Retry-After: 1`), one that asks for hours, one that is down for good."""
    sample = small(*TITLES[:4])
    first, second, third = (address(slug(title)) for title in TITLES[:3])
    pages = dict(sample.pages)
    pages[first] = replace(pages[first], fail_first=2)
    pages[second] = Page(b"Later", status=503, headers=(("Retry-After", "86400"),))
    pages[third] = Page(b"Broken", status=500)
    return crawl_once(folder, Sample(pages))


def statuses(crawled, url):
    return [hit.status for hit in crawled.log if f"{HOME[:-1]}{hit.path}" == url]


def test_retry_after_is_waited_for_by_all_requests_to_the_host(busy):
    first = address(slug(TITLES[0]))
    assert statuses(busy, first) == [503, 503, 200]
    assert busy.outcome(first)[0] == "new"
    for before, after in pairwise(busy.log):
        if before.status == 503 and f"{HOME[:-1]}{before.path}" == first:
            assert after.time - before.time >= 1.0


def test_hours_are_not_waited_for(busy):
    second = address(slug(TITLES[1]))
    assert statuses(busy, second) == [503]
    assert busy.outcome(second) == ("failed", "HTTP 503 Service Unavailable")


def test_a_fault_is_tried_again_with_growing_pauses(busy):
    third = address(slug(TITLES[2]))
    hits = [hit for hit in busy.log if f"{HOME[:-1]}{hit.path}" == third]
    assert [hit.status for hit in hits] == [500] * 4
    assert all(pause >= least for pause, least in zip(gaps(hits), (0.5, 1, 2), strict=True))
    assert busy.outcome(third) == ("failed", "HTTP 500 Internal Server Error")


def test_each_try_is_a_capture(busy):
    for title, expected in zip(TITLES[:4], ([503, 503, 200], [503], [500] * 4, [200]), strict=True):
        rows = busy.rows("SELECT status FROM captures WHERE url = ? ORDER BY id", address(slug(title)))
        assert [status for (status,) in rows] == expected, title


def test_an_article_that_fails_is_not_said_to_be_gone(busy):
    assert {state for (state,) in busy.rows("SELECT state FROM articles")} == {"live"}
    assert busy.run.code == 6
    assert "2 of 4 article addresses gave no article" in " ".join(busy.run.out.split())


RETRY_AFTER = {
    "soon": "soon",
    "superscript": "²",
    "huge": "9" * 400,
    "negative": "-5",
    "past": "Thu, 01 Jan 1970 00:00:00 GMT",
}


@scenario
def odd_retry_after(folder):
    """Values of Retry-After that no standard knows; each article is busy once."""
    titles = {name: f"Report of {name} things" for name in RETRY_AFTER}
    counts = dict.fromkeys(titles, 0)
    by_url = {address(slug(title)): name for name, title in titles.items()}

    def make(url):
        if url not in by_url:
            return None
        name = by_url[url]
        counts[name] += 1
        if counts[name] == 1:
            return Page(b"Busy", status=503, headers=(("Retry-After", RETRY_AFTER[name]),))
        return article_page(titles[name])

    return crawl_once(folder, Sample(Endless({HOME: listing_page(*by_url)}, make)), "--log", "log")


@pytest.mark.parametrize("name", RETRY_AFTER)
def test_an_odd_retry_after_is_no_trouble(odd_retry_after, name):
    outcome, reason = odd_retry_after.outcome(address(slug(f"Report of {name} things")))
    if name == "huge":
        assert (outcome, reason) == ("failed", "HTTP 503 Service Unavailable")
    else:
        assert outcome == "new", reason
    assert "Traceback" not in (odd_retry_after.folder / "log").read_text()


def agents(archive):
    """Every user agent by which the server was asked."""
    requests = (record for *_, record, _ in records(archive) if record.rec_type == "request")
    return {record.http_headers.get_header("User-Agent") for record in requests}


def test_archive_and_contact_may_come_from_the_environment(by_default):
    assert {path.name for path in by_default.folder.iterdir()} == {"elsewhere"}
    (agent,) = agents(by_default.folder / "elsewhere")
    assert agent.startswith("locum-spider/")
    assert "desk@example.org" in agent


def test_the_user_agent_names_the_project_in_any_case(crawl_delay):
    (agent,) = agents(crawl_delay.archive)
    assert agent.startswith("locum-spider/")
