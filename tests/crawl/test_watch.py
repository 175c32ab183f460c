"""What a crawl tells on the way, in its log and at its end: wrong rules, empty fields, each address, notifications."""

from __future__ import annotations

import pytest
from support.harness import article_html, crawl_once, declare, scenario

from locum_spider.crawl.watch import ENOUGH, Watch
from locum_spider.demo.sample import Page, Sample
from locum_spider.items import Outcome

DECLARED = """
name = "gazette"
title = "The Gazette"
hosts = ["gazette.example"]
start = ["http://gazette.example/"]
timezone = "Europe/Berlin"
language = "en"
[articles]
address = '^/story/'
[[layouts]]
[layouts.article]
title = { css = "%s" }
published = { label = "Published on" }
authors = { css = ".no-such-byline" }
standfirst = { css = "h1 + p" }
body = { css = "p" }
"""
COUNT = 12


def gazette():
    addresses = [f"http://gazette.example/story/{number}" for number in range(COUNT)]
    links = "".join(f'<p><a href="{url}">A story with a long name {url[-1]}</a></p>' for url in addresses)
    pages = {url: Page(article_html(f"Story {url}").encode()) for url in addresses}
    return Sample({"http://gazette.example/": Page(links.encode()), **pages}, hosts=("gazette.example",))


def crawled(folder, selector):
    declare(folder, "gazette", DECLARED % selector)
    options = ("--log", "log", "--notify", "cat > told", "--min-free", "0")
    return crawl_once(folder, gazette(), *options, sites=["gazette"])


@scenario
def wrong_rule(folder):
    return crawled(folder, "h1.no-such-class")


@scenario
def empty_field(folder):
    return crawled(folder, "h1")


def test_a_wrong_rule_is_told_while_the_crawl_goes_on(wrong_rule):
    told = " ".join(wrong_rule.run.err.replace("!", "").split())
    assert told.count(f"gazette: none of the first {ENOUGH} article pages could be read: no title on the page") == 1
    assert "h1.no-such-class" in told
    assert wrong_rule.value("SELECT count(*) FROM captures WHERE url LIKE '%/story/%'") == COUNT
    assert wrong_rule.run.code == 6


def test_a_report_says_equal_reasons_once(wrong_rule):
    report = wrong_rule.run.out
    assert report.count("no title on the page") == 1
    assert f"and {COUNT - 3} more" in report
    assert report.count("http://gazette.example/story/") == 3


def test_a_log_tells_what_became_of_each_address(wrong_rule, empty_field):
    log = (wrong_rule.folder / "log").read_text()
    for number in range(COUNT):
        assert f"not_article http://gazette.example/story/{number}: no title on the page" in log
    log = (empty_field.folder / "log").read_text()
    assert log.count(" new http://gazette.example/story/") == COUNT
    assert "listing http://gazette.example/\n" in log


def test_a_field_that_is_empty_everywhere_is_named(empty_field):
    assert empty_field.run.code == 0
    report = " ".join(empty_field.run.out.replace("!", "").split())
    assert f"none of {COUNT} articles has authors; look at its rule in the declaration" in report
    assert "none of" not in empty_field.run.err
    assert "standfirst" not in report


def test_a_command_is_told_what_was_found(wrong_rule, empty_field):
    assert (empty_field.folder / "told").read_text().startswith(f"gazette: {COUNT} new\n")
    told = (wrong_rule.folder / "told").read_text()
    assert told.startswith(f"gazette: {COUNT} failed, check failed\n")
    assert f"- {COUNT} × no title on the page" in told


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ("n" * 4, 0),
        ("n" * 40, 1),
        ("lnlnlnlnln", 1),
        ("nnnn!nnnn", 0),
        ("nnnnmnnnn", 0),
        ("nnnnmnnnnn", 1),
        ("f" * 40, 0),
    ],
    ids=lambda value: str(value)[:12],
)
def test_only_the_first_pages_that_fail_alike_are_told(outcomes, told):
    meaning = {
        "n": (Outcome.NOT_ARTICLE, "no title"), "m": (Outcome.NOT_ARTICLE, "no date"), "l": (Outcome.LISTING, None),
        "!": (Outcome.NEW, None), "f": (Outcome.FAILED, "HTTP 404"),
    }  # fmt: skip
    watch = Watch()
    assert sum(watch.take(*meaning[sign]) is not None for sign in outcomes) == told
