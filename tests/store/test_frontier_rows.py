"""The rows of the frontier: each address once a crawl, oldest first, with its outcome."""

from __future__ import annotations

import json

import pytest

from locum_spider.items import Child, CrawlOutcome, Kind, Outcome
from locum_spider.store import crawls, frontier


@pytest.fixture
def crawl(db):
    return crawls.start_crawl(db, "first", "x", "1.0", "2016-01-01T00:00:00Z")


def put(db, crawl: int, *names: str, kind: Kind = Kind.ARTICLE) -> dict[str, int]:
    return frontier.enqueue(db, crawl, [Child(name, f"http://x.example/{name}", kind) for name in names], None)


def finish(db, request: int, outcome: str, reason: str | None = None, capture: int | None = None) -> None:
    frontier.finish(db, frontier.find(db, request), Outcome(outcome), reason, capture)


def test_each_key_is_queued_once_a_crawl(db, crawl):
    first = put(db, crawl, "a", "b", "a")
    again = put(db, crawl, "b", "c")
    assert sorted(first) == ["a", "b"]
    assert again["b"] == first["b"]
    assert frontier.count_queued(db, crawl) == 3
    other = crawls.start_crawl(db, "other", "x", "1.0", "2016-01-02T00:00:00Z")
    assert put(db, other, "a")["a"] not in first.values()


def test_requests_are_handed_out_oldest_first_and_never_twice(db, crawl):
    rows = put(db, crawl, *"abcde")
    first = frontier.queued(db, crawl, 0, 2)
    assert [request.url for request in first] == ["http://x.example/a", "http://x.example/b"]
    second = frontier.queued(db, crawl, first[-1].id, 2)
    assert [request.id for request in second] == [rows["c"], rows["d"]]
    assert frontier.count_queued(db, crawl, second[-1].id) == 1


def test_finished_request_is_queued_no_more(db, crawl):
    rows = put(db, crawl, "a", "b")
    row = frontier.find(db, rows["a"])
    assert row.is_queued
    frontier.finish(db, row, Outcome.FAILED, "HTTP 500")
    assert not row.is_queued
    assert not frontier.find(db, rows["a"]).is_queued
    assert frontier.find(db, 999) is None
    assert [request.id for request in frontier.queued(db, crawl, 0, 10)] == [rows["b"]]
    assert put(db, crawl, "a") == {"a": rows["a"]}
    assert frontier.count_queued(db, crawl) == 1


def test_unfinished_crawl_is_the_site_s_own_and_the_latest(db, crawl):
    assert crawls.unfinished_crawl(db, "x") == crawl
    assert crawls.unfinished_crawl(db, "y") is None
    crawls.finish_crawl(db, crawl, CrawlOutcome.DONE, [], "2016-01-01T01:00:00Z")
    assert crawls.unfinished_crawl(db, "x") is None


def test_interrupted_crawl_stays_unfinished(db, crawl):
    crawls.finish_crawl(db, crawl, CrawlOutcome.INTERRUPTED, ["stopped"], None)
    assert crawls.unfinished_crawl(db, "x") == crawl


def test_counts_are_those_of_the_frontier(db, crawl, capture):
    rows = put(db, crawl, *"abcdefgh")
    outcomes = ["new", "new", "changed", "unchanged", "refused", "failed", "not_article"]
    for name, outcome in zip("abcdefg", outcomes, strict=True):
        finish(db, rows[name], outcome, None, capture(crawl_id=crawl))
    capture()  # without a crawl
    crawls.finish_crawl(db, crawl, CrawlOutcome.DONE, ["é"], "2016-01-01T01:00:00Z")
    names = (
        "outcome reasons captures articles_new articles_changed articles_unchanged listings refused failed not_articles"
    )
    row = db.execute(f"SELECT {names.replace(' ', ', ')} FROM crawls WHERE id = ?", (crawl,)).fetchone()
    assert row == ("done", json.dumps(["é"], ensure_ascii=False), 7, 2, 1, 1, 0, 1, 1, 1)


def test_unread_names_what_gave_nothing_and_why(db, crawl):
    rows = put(db, crawl, "a", "b", "c")
    finish(db, rows["a"], "new")
    finish(db, rows["b"], "failed", "HTTP 500")
    finish(db, rows["c"], "refused", "robots.txt")
    unread = [(row["url"], row["outcome"], row["reason"]) for row in crawls.unread(db, crawl)]
    assert unread == [("http://x.example/b", "failed", "HTTP 500"), ("http://x.example/c", "refused", "robots.txt")]


def test_listings_of_a_crawl_are_counted(db, crawl):
    put(db, crawl, "a", "b", kind=Kind.LISTING)
    put(db, crawl, "c")
    assert frontier.count_listings(db, crawl) == 2


def test_the_row_of_a_request(db, crawl):
    rows = put(db, crawl, "a", kind=Kind.LISTING)
    assert frontier.find(db, rows["a"]) == frontier.Row(rows["a"], "a", Kind.LISTING)


def test_an_import_is_no_crawl_to_go_on_with(db, crawl):
    crawls.begin_import(db, crawl)
    assert crawls.unfinished_crawl(db, "x") is None
    assert crawls.unfinished_import(db, "x") == crawl
    crawls.count_import(db, crawl, {}, "2016-01-01T01:00:00Z")
    assert crawls.unfinished_import(db, "x") is None
