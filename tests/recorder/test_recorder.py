"""The recorder: what is kept of each visit, what a kill leaves behind, and how a crawl ends."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
import sys
import zlib
from dataclasses import replace
from multiprocessing import Pipe

import pytest
from support import LONGEST, require_same_rebuilt
from support.opened import OpenedRecorder
from warcio.archiveiterator import ArchiveIterator

from locum_spider.archive import Archive
from locum_spider.errors import IntegrityError, UsageError
from locum_spider.items import Exchange, Visit
from locum_spider.recorder.messages import Close, Failed, Open
from locum_spider.recorder.recorder import BUFFER
from locum_spider.warc.reader import read_exchange

HOST = "http://post.example"
SITE = """
name = "post"
title = "The Post"
hosts = ["post.example"]
start = ["http://post.example/"]
timezone = "Europe/London"
language = "en"
articles.address = '^/story/'
listings.follow = '^/(page/\\d+)?$'
crawl.max_listings = 20
[[layouts]]
article.title = { css = "h1" }
article.published = { css = "i" }
article.body = { css = "p" }
"""


def exchange(url: str, body: str | bytes = b"", status: int = 200, at: str = "2016-05-02T10:00:00Z", **headers: str):
    pairs = {"content-type": "text/html; charset=utf-8", **{name.replace("_", "-"): v for name, v in headers.items()}}
    return Exchange(
        HOST + url if url.startswith("/") else url, "GET", ((b"Host", b"post.example"),), status,
        tuple((k.encode(), v.encode()) for k, v in pairs.items()), body.encode() if isinstance(body, str) else body, at,
    )  # fmt: skip


def listing(*urls: str) -> str:
    return "".join(f'<a href="{url}">A story of some length at {url}</a>' for url in urls)


def story(text: str = "Words", title: str = "Title") -> str:
    return f"<h1>{title}</h1><i>1 May 2016</i><p>{text}</p>"


class Crawl:
    """A crawl by hand: asks the recorder, and answers what each address is to say."""

    def __init__(self, recorder: OpenedRecorder) -> None:
        self.recorder = recorder
        opened = recorder.open(Open("post"))
        self.id, self.resumed, self.waiting = opened.crawl_id, opened.resumed, opened.waiting
        self.todo = list(opened.requests)

    def visit(self, *exchanges: Exchange, error: str | None = None, refused: bool = False) -> str:
        """Answer the next request."""
        request = self.todo.pop(0)
        (recorded,) = self.recorder.record([Visit(self.id, request.id, exchanges, error, refused)])
        self.todo += recorded.requests
        return recorded.outcome

    def run(self, pages: dict[str, str], limit: int = 1000) -> list[str]:
        """Answer requests until there are none; an address without a page is a 404."""
        seen = []
        while self.todo and len(seen) < limit:
            path = self.todo[0].url.removeprefix(HOST)
            seen.append(path)
            self.visit(exchange(path, pages.get(path, ""), 200 if path in pages else 404))
        return seen

    def close(self, reason: str = "finished"):
        return self.recorder.finish(Close(self.id, reason == "finished"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "post.toml").write_text(SITE)
    return tmp_path


@pytest.fixture
def recorder(folder):
    opened = OpenedRecorder(folder)
    yield opened
    opened.close()


@pytest.fixture
def crawl(recorder):
    return Crawl(recorder)


def rows(recorder: OpenedRecorder, sql: str) -> list[tuple]:
    return [tuple(row) for row in recorder.db.execute(sql).fetchall()]


# -- visits ----------------------------------------------------------------------------------------------------------


def test_whole_crawl(recorder, crawl, folder):
    pages = {"/": listing("/story/1", "/story/2", "/page/2"), "/page/2": listing("/story/2", "/story/3")}
    pages |= {f"/story/{n}": story(f"Words {n}", f"Title {n}") for n in (1, 2, 3)}
    assert sorted(crawl.run(pages)) == sorted(pages)
    report = crawl.close()
    assert (report.exit_code, report.crawl["outcome"], report.crawl["reasons"]) == (0, "done", [])
    assert [report.crawl[c] for c in ("captures", "articles_new", "listings", "entries")] == [5, 3, 2, 4]
    assert report.unread == []
    with Archive(folder) as archive:
        assert {article.title for article in archive.articles()} == {"Title 1", "Title 2", "Title 3"}
        assert [hit.title for hit in archive.search('"Words 2"')] == ["Title 2"]


def test_every_capture_lies_where_its_row_says(recorder, crawl, folder):
    crawl.run({"/": listing("/story/1"), "/story/1": story()})
    captures = rows(recorder, "SELECT url, status, digest, warc_file, warc_offset, warc_length FROM captures")
    assert len(captures) == 2
    for url, status, _, file, offset, length in captures:
        kept = read_exchange(folder / "warc", file, offset)
        assert (kept.url, kept.status) == (url, status)
        with (folder / "warc" / (file + ".open")).open("rb") as warc:
            warc.seek(offset)
            assert gzip.decompress(warc.read(length)).startswith(b"WARC/1.1")


def test_visits_of_one_batch_are_answered_in_order(recorder, crawl):
    crawl.visit(exchange("/", listing("/story/1", "/story/2", "/story/3")))
    batch = [
        Visit(crawl.id, request.id, (exchange(f"/story/{n}", story(title=f"T{n}") if n != 2 else "none"),))
        for n, request in enumerate(crawl.todo, 1)
    ]
    assert [recorded.outcome for recorded in recorder.record(batch)] == ["new", "not_article", "new"]
    assert rows(recorder, "SELECT url FROM captures ORDER BY id") == [
        (HOST + path,) for path in ("/", "/story/1", "/story/2", "/story/3")
    ]


def test_fault_in_a_batch_stores_nothing_of_it(recorder, crawl):
    crawl.visit(exchange("/", listing("/story/1", "/story/2")))
    first, second = crawl.todo
    good = Visit(crawl.id, first.id, (exchange("/story/1", story()),))
    bad = Visit(crawl.id, second.id, (exchange("/story/2", story(), ip="x", at=None),))  # no time: a NOT NULL column
    with pytest.raises((sqlite3.IntegrityError, TypeError, ValueError)):
        recorder.record([good, bad])
    assert rows(recorder, "SELECT count(*) FROM articles") == [(0,)]
    assert rows(recorder, "SELECT count(*) FROM frontier WHERE state = 'queued'") == [(2,)]
    assert recorder.record([good])[0].outcome == "new"


def test_redirects_are_kept_and_lead_to_the_article(recorder, crawl, folder):
    crawl.visit(exchange("/", listing("/story/old")))
    hops = [exchange("/story/old", status=301, location="/story/new"), exchange("/story/new", story())]
    assert crawl.visit(*hops) == "new"
    assert rows(recorder, "SELECT url, status, location FROM captures ORDER BY id")[1:] == [
        (HOST + "/story/old", 301, "/story/new"),
        (HOST + "/story/new", 200, None),
    ]
    with Archive(folder) as archive:
        assert archive.article(HOST + "/story/old").url == HOST + "/story/new"
        assert archive.addresses(1) == [HOST + "/story/new", HOST + "/story/old"]


def test_retries_are_kept_too(recorder, crawl):
    assert crawl.visit(exchange("/", status=503), exchange("/", listing("/story/1"))) == "listing"
    assert rows(recorder, "SELECT status FROM captures ORDER BY id") == [(503,), (200,)]


def test_repeated_visit_is_ignored(recorder, crawl, folder):
    request = crawl.todo[0]
    crawl.visit(exchange("/", listing("/story/1")))
    size = recorder.archive._warc.position
    (again,) = recorder.record([Visit(crawl.id, request.id, (exchange("/", listing("/story/2")),))])
    assert again.outcome == "repeated"
    assert recorder.archive._warc.position == size
    assert rows(recorder, "SELECT count(*) FROM captures") == [(1,)]


def test_same_visit_twice_in_one_batch_is_stored_once(recorder, crawl):
    visit = Visit(crawl.id, crawl.todo[0].id, (exchange("/", listing("/story/1")),))
    assert [recorded.outcome for recorded in recorder.record([visit, visit])] == ["listing", "repeated"]
    assert rows(recorder, "SELECT count(*) FROM captures") == [(1,)]


def test_robots_txt_is_kept_and_is_nobody_s_request(recorder, crawl):
    robots = exchange("/robots.txt", b"User-agent: *\nDisallow: /x\n", content_type="text/plain")
    (recorded,) = recorder.record([Visit(crawl.id, None, (robots,))])
    assert recorded.outcome == "robots"
    assert rows(recorder, "SELECT url FROM captures") == [(HOST + "/robots.txt",)]
    assert rows(recorder, "SELECT count(*) FROM frontier") == [(1,)]


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        ({"error": "connection refused"}, "failed", "connection refused"),
        ({"error": "robots.txt forbids it", "refused": True}, "refused", "robots.txt forbids it"),
        ({}, "failed", "no response"),
    ],
)
def test_visit_without_a_response_keeps_its_reason(recorder, crawl, answer, outcome, reason):
    assert crawl.visit(**answer) == outcome
    assert rows(recorder, "SELECT state, outcome, reason FROM frontier") == [("done", outcome, reason)]


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (exchange("/story/1", story()), "new", None),
        (exchange("/story/1", gzip.compress(story().encode(), mtime=0), content_encoding="gzip"), "new", None),
        (exchange("/story/1", "<p>Sorry</p>"), "not_article", "no title on the page"),
        (exchange("/story/1", status=404), "failed", "HTTP 404 Not Found"),
        (exchange("/story/1", status=599), "failed", "HTTP 599"),
        (exchange("/story/1", status=302, location="http://elsewhere.example/"), "failed", "HTTP 302 Found"),
        (exchange("/story/1", "%PDF", content_type="application/pdf"), "not_article", "it is application/pdf"),
        (exchange("http://elsewhere.example/story/1", story()), "failed", "it leads to another site"),
        (exchange("/story/1", b"\x1f\x8b\x08broken", content_encoding="gzip"), "failed", "compressed body"),
        (exchange("/story/1", "<div>" * 100_000), "failed", "nests"),
        (exchange("/story/1", zlib.compress(b" " * 40_000_000), content_encoding="deflate"), "failed", "limit"),
        (exchange("/story/1", ""), "not_article", "no title on the page"),
    ],
    ids=range(12),
)
def test_what_an_article_s_address_answers_is_accounted_for(recorder, crawl, answer, outcome, reason):
    crawl.visit(exchange("/", listing("/story/1")))
    assert crawl.visit(answer) == outcome
    ((stored, why),) = rows(recorder, "SELECT outcome, reason FROM entry_outcomes")
    assert stored == outcome
    assert (why is None) if reason is None else (reason in why)
    assert rows(recorder, "SELECT count(*) FROM captures") == [(2,)]


def test_second_crawl_finds_the_article_unchanged_then_changed_then_gone(recorder):
    outcomes = []
    for number, page in enumerate([story("A"), story("A"), story("B"), None]):
        crawl = Crawl(recorder)
        crawl.visit(exchange("/", listing("/story/1"), at=f"2016-05-0{number + 1}T10:00:00Z"))
        at = f"2016-05-0{number + 1}T10:00:01Z"
        outcomes.append(crawl.visit(exchange("/story/1", page or "", 410 if page is None else 200, at)))
        crawl.close()
    assert outcomes == ["new", "unchanged", "changed", "gone"]
    state = "SELECT state, last_seen, gone_at FROM articles"
    assert rows(recorder, state) == [("gone", "2016-05-03T10:00:01Z", "2016-05-04T10:00:01Z")]
    assert rows(recorder, "SELECT seq, body FROM revisions") == [(1, "A"), (2, "B")]


def test_a_gone_article_is_news_once_and_never_a_failure(recorder):
    """Gone, still gone, back, gone again; each crawl is done, though it read no other article."""
    ends = []
    for number, page in enumerate([story("A"), None, None, story("A"), None], 1):
        crawl = Crawl(recorder)
        crawl.visit(exchange("/", listing("/story/1"), at=f"2016-05-0{number}T10:00:00Z"))
        at = f"2016-05-0{number}T10:00:01Z"
        outcome = crawl.visit(exchange("/story/1", page or "", 404 if page is None else 200, at))
        report = crawl.close()
        ends.append((outcome, report.crawl["articles_gone"], report.crawl["failed"], report.exit_code))
        gone_at = rows(recorder, "SELECT gone_at FROM articles")[0][0]
        assert gone_at == {2: "2016-05-02T10:00:01Z", 3: "2016-05-02T10:00:01Z", 5: "2016-05-05T10:00:01Z"}.get(number)
    assert ends == [("new", 0, 0, 0), ("gone", 1, 0, 0), ("still_gone", 0, 0, 0), ("unchanged", 0, 0, 0),
                    ("gone", 1, 0, 0)]  # fmt: skip


def test_a_site_whose_articles_go_all_at_once_has_changed(recorder):
    paths = [f"/story/{number}" for number in range(12)]
    for status, at in ((200, "2016-05-01T10:00:00Z"), (404, "2016-05-02T10:00:00Z")):
        crawl = Crawl(recorder)
        crawl.visit(exchange("/", listing(*paths), at=at))
        for path in paths:
            crawl.visit(exchange(path, story(path) if status == 200 else "", status, at))
        report = crawl.close()
    assert report.exit_code == 6
    assert report.crawl["reasons"] == ["12 of 12 known articles went at once; look if the site has moved"]
    assert [(cause["outcome"], cause["count"], len(cause["urls"])) for cause in report.causes] == [("gone", 12, 3)]


def test_an_address_that_never_was_an_article_is_a_failure(recorder, crawl):
    crawl.visit(exchange("/", listing("/story/1", "/story/2")))
    assert crawl.visit(exchange("/story/1", "", 404)) == "failed"
    assert crawl.visit(exchange("/story/2", story("A"))) == "new"
    assert [cause["reason"] for cause in crawl.close().causes] == ["HTTP 404 Not Found"]


def test_revisions_keep_the_order_of_their_captures_if_the_clock_is_set_back(recorder):
    """The second and third crawl seem to come before the first."""
    for text, at in (("A", "2099-05-01"), ("B", "2016-05-02"), ("A", "2016-05-03"), ("A", "2016-05-01")):
        crawl = Crawl(recorder)
        crawl.visit(exchange("/", listing("/story/1"), at=f"{at}T10:00:00Z"))
        crawl.visit(exchange("/story/1", story(text), at=f"{at}T10:00:01Z"))
        crawl.close()
    assert rows(recorder, "SELECT seq, body FROM revisions ORDER BY seq") == [(1, "A"), (2, "B"), (3, "A")]
    assert rows(recorder, "SELECT DISTINCT seen_at FROM revisions") == [("2099-05-01T10:00:01Z",)]
    assert rows(recorder, "SELECT body FROM article_text") == [("A",)]
    times = rows(recorder, "SELECT c.fetched_at FROM revisions r JOIN captures c ON c.id = r.capture_id ORDER BY seq")
    assert [at[:4] for (at,) in times] == ["2099", "2016", "2016"], "a capture keeps the time that the clock showed"


def test_a_clock_that_was_set_back_is_told_and_nothing_is_asked_for_conditionally(recorder):
    first = recorder.open(Open("post"))
    assert first.warning is None
    crawl = Crawl(recorder)
    validators = ((b"content-type", b"text/html"), (b"etag", b'"one"'))
    page = replace(exchange("/", listing("/story/1"), at="2099-05-01T10:00:00Z"), response_headers=validators)
    crawl.visit(page)
    crawl.visit(exchange("/story/1", story("A"), at="2099-05-01T10:00:01Z"))
    crawl.close()
    again = recorder.open(Open("post"))
    assert "the newest capture is of 2099-05-01T10:00:01Z" in again.warning
    assert [request.etag for request in again.requests if request.kind == "listing"] == [None]


def test_unknown_site_is_refused(recorder):
    with pytest.raises(UsageError, match="south-post"):
        recorder.open(Open("south-post"))


# -- following -------------------------------------------------------------------------------------------------------


def test_endless_listings_lead_to_an_end(recorder, crawl):
    class Endless(dict):
        def __contains__(self, path):
            return True

        def get(self, path, default=None):
            if path.startswith("/story"):
                return story(title=path)
            number = int(path.rpartition("/")[2] or 1)
            return listing("/story/1", "/story/2", f"/page/{number + 1}")

    seen = crawl.run(Endless(), limit=200)
    assert not crawl.todo
    assert len(seen) < 12
    assert {"/story/1", "/story/2"} <= set(seen)


def test_listings_that_differ_are_followed_up_to_the_limit(recorder, crawl):
    pages = {"/": listing("/story/1", "/page/2")}
    pages |= {f"/page/{n}": listing(f"/story/{n}", f"/page/{n + 1}") for n in range(2, 100)}
    pages |= {f"/story/{n}": story(f"Words {n}", f"T{n}") for n in range(100)}
    seen = crawl.run(pages)
    assert sum(path.startswith("/page") or path == "/" for path in seen) == 20
    report = crawl.close()
    assert report.exit_code == 6
    assert any("max_listings" in reason for reason in report.crawl["reasons"])


def test_requests_are_handed_out_in_measure(recorder, crawl):
    crawl.visit(exchange("/", listing(*(f"/story/{n}" for n in range(300)))))
    assert 0 < len(crawl.todo) <= BUFFER
    seen = crawl.run({f"/story/{n}": story(f"Words {n}", f"T{n}") for n in range(300)})
    assert len(seen) == len(set(seen)) == 300
    assert crawl.close().crawl["articles_new"] == 300


# -- the end ---------------------------------------------------------------------------------------------------------


def test_stopped_crawl_is_interrupted_and_resumed(recorder, crawl):
    crawl.visit(exchange("/", listing("/story/1", "/story/2")))
    report = crawl.close("shutdown")
    assert (report.exit_code, report.crawl["outcome"], report.crawl["finished_at"]) == (3, "interrupted", None)
    assert report.crawl["waiting"] == 2
    again = Crawl(recorder)
    assert (again.id, again.resumed) == (crawl.id, True)
    assert [request.url for request in again.todo] == [HOST + "/story/1", HOST + "/story/2"]
    again.run({"/story/1": story("1"), "/story/2": story("2")})
    assert again.close().exit_code == 0
    assert not Crawl(recorder).resumed


def test_crawl_with_requests_left_is_not_done_whatever_is_said(recorder, crawl):
    assert crawl.close("finished").crawl["outcome"] == "interrupted"


def test_site_that_never_answers_is_unreachable(recorder, crawl):
    crawl.visit(error="connection refused")
    report = crawl.close()
    assert (report.exit_code, report.crawl["outcome"]) == (4, "unreachable")
    assert report.crawl["reasons"] == [f"{HOST}/: connection refused"]
    assert report.crawl["finished_at"]


def test_site_that_refuses_is_not_unreachable(recorder, crawl):
    crawl.visit(error="robots.txt forbids it", refused=True)
    report = crawl.close()
    assert (report.exit_code, report.crawl["outcome"]) == (6, "check_failed")


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ({"/": "<p>Under construction</p>"}, "no article was found"),
        ({"/": listing("/story/1", "/story/2"), "/story/1": story()}, "1 of 2 article addresses gave no article"),
        ({}, "the start page http://post.example/ could not be read as a listing"),
        ({"/": "<p>x</p>"}, "the start page http://post.example/ could not be read as a listing"),
    ],
)
def test_failed_check_says_why(recorder, crawl, pages, reason):
    crawl.run(pages)
    report = crawl.close()
    assert (report.exit_code, report.crawl["outcome"]) == (6, "check_failed")
    assert any(stated.startswith(reason) for stated in report.crawl["reasons"]), report.crawl["reasons"]


def test_few_pages_that_are_no_articles_are_reported_and_no_failure(recorder, crawl):
    names = [f"/story/{n}" for n in range(20)]
    crawl.run({"/": listing(*names), **{name: story(name, name) for name in names[1:]}})
    report = crawl.close()
    assert report.exit_code == 0
    assert [(row["url"], row["outcome"]) for row in report.unread] == [(HOST + "/story/0", "failed")]


def test_304_behind_a_new_body_of_one_batch_stands_for_that(folder):
    recorder = OpenedRecorder(folder)
    crawl = Crawl(recorder)
    crawl.run({"/": listing("/story/1"), "/story/1": story("Words as they were first")})
    crawl.close()
    again = Crawl(recorder)
    again.visit(exchange("/", listing("/story/old", "/story/1")))
    moved = exchange("/story/old", "", 301, location="/story/1")
    changed, unchanged = exchange("/story/1", story("Words since")), exchange("/story/1", "", 304)
    old, new = again.todo
    visits = [Visit(again.id, old.id, (moved, changed)), Visit(again.id, new.id, (unchanged,))]
    assert [recorded.outcome for recorded in recorder.record(visits)] == ["changed", "unchanged"]
    again.close()
    bodies = rows(recorder, "SELECT body FROM revisions ORDER BY seq")
    assert bodies == [("Words as they were first",), ("Words since",)]
    recorder.close()
    require_same_rebuilt(folder)


def test_an_article_is_not_gone_because_an_address_is_that_led_to_it(folder):
    recorder = OpenedRecorder(folder)
    pages = {"/": listing("/story/1", "/story/old"), "/story/1": story()}
    crawl = Crawl(recorder)
    crawl.visit(exchange("/", pages["/"]))
    crawl.visit(exchange("/story/1", story()))
    crawl.visit(exchange("/story/old", "", 301, location="/story/1"), exchange("/story/1", story()))
    crawl.close()
    for at, gone, state in (("06", ["/story/old"], "live"), ("07", ["/story/1", "/story/old"], "gone")):
        again = Crawl(recorder)
        while again.todo:
            path = again.todo[0].url.removeprefix(HOST)
            status = 404 if path in gone else 200
            again.visit(exchange(path, "" if status == 404 else pages[path], status, at=f"2016-{at}-02T10:00:00Z"))
        again.close()
        assert rows(recorder, "SELECT url, state FROM articles") == [(HOST + "/story/1", state)]
    recorder.close()
    require_same_rebuilt(folder)


# -- after a kill ----------------------------------------------------------------------------------------------------


def half_a_crawl(folder) -> tuple[str, int]:
    """A killed crawl with two articles; name and acknowledged length of its WARC."""
    recorder = OpenedRecorder(folder)
    crawl = Crawl(recorder)
    crawl.visit(exchange("/", listing("/story/1", "/story/2", "/story/3")))
    crawl.visit(exchange("/story/1", story("1")))
    ((name, size),) = rows(recorder, "SELECT name, bytes FROM warc_files")
    recorder.die()
    return name, size


def test_torn_tail_is_cut_and_the_crawl_goes_on(folder):
    name, size = half_a_crawl(folder)
    torn = folder / "warc" / (name + ".open")
    assert torn.stat().st_size == size
    with torn.open("ab") as file:
        file.write(b"\x1f\x8b\x08 half a record")
    recorder = OpenedRecorder(folder)
    assert (folder / "warc" / name).stat().st_size == size
    assert not torn.exists()
    with (folder / "warc" / name).open("rb") as file:
        assert sum(record.rec_type == "response" for record in ArchiveIterator(file)) == 2
    crawl = Crawl(recorder)
    assert crawl.resumed
    assert [request.url for request in crawl.todo] == [HOST + "/story/2", HOST + "/story/3"]
    crawl.run({"/story/2": story("2"), "/story/3": story("3")})
    report = crawl.close()
    assert (report.exit_code, report.crawl["articles_new"]) == (0, 3)
    for file, offset, url in rows(recorder, "SELECT warc_file, warc_offset, url FROM captures"):
        assert read_exchange(folder / "warc", file, offset).url == url
    recorder.close()
    assert list((folder / "warc").glob("*.open")) == []


def test_open_file_that_the_database_does_not_know_is_removed(folder):
    OpenedRecorder(folder).close()
    unknown, closed = folder / "warc" / "20160101T000000Z-00001.warc.gz.open", folder / "warc" / "others.warc.gz"
    unknown.write_bytes(b"never acknowledged")
    closed.write_bytes(b"somebody put it here")
    OpenedRecorder(folder).close()
    assert not unknown.exists()
    assert closed.exists()


def test_file_that_was_renamed_but_not_noted_is_taken_as_closed(folder):
    name, size = half_a_crawl(folder)
    (folder / "warc" / (name + ".open")).rename(folder / "warc" / name)
    recorder = OpenedRecorder(folder)
    assert rows(recorder, "SELECT name, bytes, closed FROM warc_files") == [(name, size, 1)]
    recorder.close()


def test_missing_file_is_an_integrity_error(folder):
    name, _ = half_a_crawl(folder)
    (folder / "warc" / (name + ".open")).unlink()
    with pytest.raises(IntegrityError, match=f"{name} is missing"):
        OpenedRecorder(folder)


def test_file_shorter_than_acknowledged_is_an_integrity_error(folder):
    name, size = half_a_crawl(folder)
    path = folder / "warc" / (name + ".open")
    with path.open("r+b") as file:
        file.truncate(size - 1)
    with pytest.raises(IntegrityError, match=f"has {size - 1:,} bytes, fewer than the {size:,} acknowledged"):
        OpenedRecorder(folder)


def test_closing_leaves_no_open_file_and_a_database_that_says_so(recorder, crawl, folder):
    crawl.visit(exchange("/", listing("/story/1")))
    recorder.archive._close_warc()
    ((name, size, closed),) = rows(recorder, "SELECT name, bytes, closed FROM warc_files")
    assert closed == 1
    assert (folder / "warc" / name).stat().st_size == size


def test_files_rotate_by_size(folder):
    recorder = OpenedRecorder(folder, warc_bytes=3_000)
    crawl = Crawl(recorder)
    crawl.run({"/": listing(*(f"/story/{n}" for n in range(20))), **{f"/story/{n}": story(str(n)) for n in range(20)}})
    assert crawl.close().exit_code == 0
    files = rows(recorder, "SELECT name, bytes, closed FROM warc_files ORDER BY name")
    assert len(files) > 2
    assert [closed for *_, closed in files[:-1]] == [1] * (len(files) - 1)
    recorder.close()
    for name, size, _ in files[:-1]:
        assert (folder / "warc" / name).stat().st_size == size < 6_000
    with Archive(folder) as archive:
        assert archive.counts() == {"post": 20}


# -- the process -----------------------------------------------------------------------------------------------------


def test_a_process_that_cannot_go_on_says_why_and_listens_until_it_is_let_go(folder):
    (folder / "archive.db").write_bytes(b"no database at all" * 100)
    ours, theirs = Pipe()
    with theirs:
        command = [sys.executable, "-m", "locum_spider.recorder", folder, str(theirs.fileno()), "{}"]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
    with ours:
        failed = ours.recv()
        assert isinstance(failed, Failed)
        assert str(folder) in str(failed.error)
        for _ in range(100):  # what the crawl was sending meanwhile: were that refused, it would not read the reason
            ours.send(Open("post"))
        assert process.poll() is None
    assert process.wait(timeout=LONGEST) == failed.error.exit_code


# -- sites without layouts ---------------------------------------------------------------------------------------------


@pytest.fixture
def general(folder):
    """The same site, whose declaration says nothing of how its pages are read."""
    (folder / "sites" / "post.toml").write_text(SITE[: SITE.index("[[layouts]]")])
    return folder


def test_a_site_without_layouts_is_read_by_the_general_reader(general):
    words = "The rates that agencies pay have been agreed for another year, both sides said in a statement today. "
    page = (
        '<head><title>Rates agreed - The Post</title><meta property="og:type" content="article">'
        '<meta property="article:published_time" content="2016-05-01T09:00:00+01:00"></head>'
        f"<h1>Rates agreed</h1><p>{words * 3}</p><p>{words * 2}</p>"
    )
    recorder = OpenedRecorder(general)
    crawl = Crawl(recorder)
    crawl.run({"/": listing("/story/1", "/story/2"), "/story/1": page, "/story/2": "<p>Nothing to read</p>"})
    report = crawl.close()
    recorder.close()
    assert (report.crawl["articles_new"], report.crawl["not_articles"]) == (1, 1)
    assert [row["reason"] for row in report.unread] == ["nothing on the page reads like an article"]
    with Archive(general) as archive:
        (article,) = archive.articles()
    assert (article.title, article.published, article.site) == ("Rates agreed", "2016-05-01", "post")
    require_same_rebuilt(general)
