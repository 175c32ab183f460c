"""A page that costs too much costs itself alone, whatever road it comes by."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import msgspec.structs
import pytest
from dump import dump_archive
from support import LONGEST
from support.foreign_files import http, imported, members, put, record
from support.opened import OpenedRecorder

from locum_spider.interpret import interpret, read_page
from locum_spider.items import Exchange, Outcome, Visit
from locum_spider.preservation import rebuild
from locum_spider.recorder import reading
from locum_spider.recorder.messages import Close, Open
from locum_spider.recorder.reading import LARGE, read
from locum_spider.sites import read_site, undeclared

HOST = "http://post.example"
SITE = """
name = "post"
title = "The Post"
hosts = ["post.example"]
start = ["http://post.example/"]
timezone = "Europe/London"
language = "en"
articles.address = '^/story/'
crawl.max_reading = 0.001
[[layouts]]
article.title = { css = "h1" }
article.published = { css = "i" }
article.body = { css = "p" }
"""
LISTING = "".join(f'<a href="/story/{name}">A story of some length, {name}</a>' for name in ("one", "large", "two"))
WORDS = "<p>" + "The <b>council</b> has met again, and has said so. " * 6_000


def story(name: str, text: str = "<p>Words of a story") -> bytes:
    return f"<title>{name}</title><h1>Story {name}</h1><i>1 May 2016</i>{text}".encode()


PAGES = {"/": LISTING.encode(), "/story/one": story("one"), "/story/large": story("large", WORDS),
         "/story/two": story("two")}  # fmt: skip
TOO_LONG = "reading the page took more than 0.001 seconds of computing (crawl.max_reading); it is kept, but not read"


def exchange(path: str, body: bytes | None = None) -> Exchange:
    head = ((b"Content-Type", b"text/html; charset=utf-8"),)
    return Exchange(HOST + path, "GET", (), 200, head, PAGES[path] if body is None else body, "2016-05-02T10:00:00Z")


@pytest.fixture(autouse=True)
def _ended():
    yield
    reading._end()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "archive"
    (folder / "sites").mkdir(parents=True)
    (folder / "sites" / "post.toml").write_text(SITE, encoding="utf-8")
    return folder


@pytest.fixture
def site(folder):
    return within(read_site(folder / "sites" / "post.toml"), max_reading=600)


def within(site, **bounds):
    return msgspec.structs.replace(site, crawl=msgspec.structs.replace(site.crawl, **bounds))


def in_place(site, page):
    return interpret(site, page, None, read_page)


def process():
    return reading._processes.get(os.getpid())


def require_next_is_read(site):
    assert read(site, exchange("/story/large")).article.title == "Story large"


@pytest.mark.parametrize("path", ["/story/one", "/"])
@pytest.mark.parametrize("declared", [True, False])
def test_a_large_page_is_read_apart_and_says_the_same(site, path, declared):
    rules = site if declared else within(undeclared("post.example"), max_reading=600)
    page = exchange(path, PAGES[path] + b"<!--" + b"x" * LARGE)
    apart = read(rules, page)
    assert process() is not None
    assert apart == in_place(rules, page)
    assert not declared or apart.outcome in {Outcome.ARTICLE, Outcome.LISTING}


def test_a_usual_page_needs_no_process(site):
    assert read(site, exchange("/story/one")) == in_place(site, exchange("/story/one"))
    assert read(site, replace(exchange("/story/large"), status=404)).outcome is Outcome.FAILED
    assert process() is None


def test_one_process_reads_all(site):
    require_next_is_read(site)
    first = process()
    require_next_is_read(site)
    assert process() is first


@pytest.mark.parametrize(
    ("bounds", "why"),
    [
        ({"max_reading": 0.001}, TOO_LONG),
        ({"max_memory": 1}, "took more than 1 bytes of memory (crawl.max_memory)"),
        ({"max_memory": 1_000_000}, "took more than 1,000,000 bytes of memory (crawl.max_memory)"),
    ],
)
def test_what_costs_too_much_costs_itself_alone(site, bounds, why):
    if "max_memory" in bounds and sys.platform == "darwin":
        pytest.skip("the system does not limit it")
    assert (failed := read(within(site, **bounds), exchange("/story/large"))).outcome is Outcome.FAILED
    assert why in failed.reason
    require_next_is_read(site)


def test_a_process_that_does_not_answer(site, monkeypatch):
    require_next_is_read(site)
    first = process()
    os.kill(first._process.pid, signal.SIGSTOP)
    monkeypatch.setattr(reading, "_START", 0)
    monkeypatch.setattr(reading, "_PATIENCE", 0)
    assert "was stopped; it is kept" in read(site, exchange("/story/large")).reason
    monkeypatch.undo()
    assert first.has_ended()
    require_next_is_read(site)


def test_a_process_that_was_killed_between_pages(site):
    require_next_is_read(site)
    first = process()._process
    first.kill()
    first.wait()
    require_next_is_read(site)


def test_a_process_that_cannot_begin(site, monkeypatch, tmp_path):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(program))
        assert "its process ended with 3" in read(site, exchange("/story/large")).reason
    require_next_is_read(site)


PARENT = """
import os, pickle, signal, sys
from locum_spider.recorder import reading
from locum_spider.interpret import Page
from locum_spider.sites import undeclared
process = reading._Process()
page = Page("http://post.example/story/one", "text/html", "2016-05-02T10:00:00Z", b"<p>words" * int(sys.argv[1]))
process._connection.send_bytes(pickle.dumps((pickle.dumps(undeclared("post.example")), page)))
if sys.argv[2] == "read":
    process._connection.recv_bytes()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("paragraphs", "when"), [(1, "read"), (100_000, "reading")])
def test_it_ends_with_its_parent(paragraphs, when):
    command = [sys.executable, "-c", PARENT, str(paragraphs), when]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as parent:
        _, errors = parent.communicate(timeout=LONGEST)  # both must have ended: both have this pipe
    assert (parent.returncode, errors) == (-signal.SIGKILL, b"")


PROGRAM = """
import sys
from locum_spider.recorder import reading
from locum_spider.items import Exchange
from locum_spider.sites import undeclared
body, head = b"<title>A</title><!--" + b"x" * reading.LARGE, ((b"Content-Type", b"text/html"),)
page = Exchange("http://post.example/", "GET", (), 200, head, body, "2016-05-02T10:00:00Z")
print(reading.read(undeclared("post.example"), page).outcome)
"""


def test_a_program_without_a_file_leaves_nothing_behind():
    """It is run neither twice nor with warnings, and ends with nothing that still runs."""
    command = [sys.executable, "-W", "error", "-"]
    done = subprocess.run(command, input=PROGRAM, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "not_article\n", "")


def test_a_crawl_goes_on_and_a_rebuild_says_the_same(folder, monkeypatch):
    with closing(OpenedRecorder(folder)) as recorder:
        opened = recorder.open(Open("post"))
        todo = list(opened.requests)
        while todo:
            request = todo.pop(0)
            page = exchange(request.url.removeprefix(HOST))
            (recorded,) = recorder.record([Visit(opened.crawl_id, request.id, (page,))])
            todo += recorded.requests
        report = recorder.finish(Close(opened.crawl_id, complete=True))
    assert (report.crawl["articles_new"], report.crawl["failed"]) == (2, 1)
    assert [TOO_LONG in str(unread) for unread in report.unread] == [True]
    before = dump_archive(folder)
    monkeypatch.setattr(rebuild, "_WORTH_PROCESSES", 0)
    for jobs in (1, 2):
        assert rebuild.rebuild(folder, jobs=jobs).broken == []
        assert dump_archive(folder) == before


def test_an_import_goes_on(folder, tmp_path):
    file = put(tmp_path, members(*(record(HOST + path, http(body)) for path, body in PAGES.items())))
    (result,) = imported(folder, file)
    assert result["outcomes"] == {"listing": 1, "new": 2, "failed": 1}
    assert TOO_LONG in str(result)
