"""Crawls that are stopped, killed or starved of space: the same command goes on, and the end is the same."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

from support import LONGEST, no_file_beyond, records, rows, warcs
from support.harness import (
    Crawled,
    PausingServer,
    address,
    article_page,
    contents,
    crawl,
    crawl_once,
    declare,
    locum,
    scenario,
    slug,
    small,
    start_crawl,
    wait_until,
)

from locum_spider.demo.sample import build
from locum_spider.demo.server import SiteServer


def sample():
    """The sample without its busy server: a 503 that a killed process has seen would not come a second time."""
    whole = build()
    busy = whole.odd["busy"]
    return replace(whole, pages={**whole.pages, busy: replace(whole.pages[busy], fail_first=0)})


@scenario
def uninterrupted(folder):
    return crawl_once(folder, sample())


def assert_same(crawled, whole):
    """The end of an interrupted crawl beside one that was left in peace."""
    assert crawled.run.code == whole.run.code == 0
    once, again = contents(whole.archive), contents(crawled.archive)
    for table in once:
        assert again[table] == once[table], table
    assert crawled.rows("SELECT count(*), count(finished_at), max(outcome) FROM crawls") == [(1, 1, "done")]
    counts = "SELECT articles_new, articles_changed, articles_unchanged, listings, entries, refused, failed FROM crawls"
    assert crawled.rows(counts) == whole.rows(counts)
    assert_sound(crawled)


def assert_sound(crawled):
    """Every file closed, every record whole, every capture at its place."""
    assert crawled.rows("PRAGMA integrity_check") == [("ok",)]
    assert crawled.rows("PRAGMA foreign_key_check") == []
    assert all(path.name.endswith(".warc.gz") for path in warcs(crawled.archive))
    responses = {
        (path.name, offset): (record.rec_headers["WARC-Target-URI"], length)
        for path, offset, length, record, _ in records(crawled.archive)
        if record.rec_type in {"response", "revisit"}
    }
    captures = {
        (file, offset): (url, length)
        for file, offset, url, length in crawled.rows("SELECT warc_file, warc_offset, url, warc_length FROM captures")
    }
    assert responses == captures


# -- Ctrl-C -----------------------------------------------------------------------------------------------------------


@scenario
def stopped_once(folder):
    with PausingServer(sample()) as server:
        pause = server.pause_after(20)
        with start_crawl(folder, server) as running:
            with pause:
                running.send(signal.SIGINT)
            stopped = running.end()
        seen = len(server.log)
        status = locum("status", "--json", "--archive", "archive", cwd=folder)
        return Crawled(folder, server.log, [stopped, crawl(folder, server)]), seen, status.json


def test_ctrl_c_stops_a_crawl_soon_and_says_how_to_go_on(stopped_once):
    crawled, seen, _ = stopped_once
    stopped = crawled.runs[0]
    assert stopped.code == 3
    assert seen < 60
    assert "interrupted" in stopped.out
    assert "Run the same command again" in stopped.out


def test_an_interrupted_crawl_is_seen_as_such(stopped_once):
    _, _, status = stopped_once
    assert [(row["site"], row["last_crawl"]["outcome"]) for row in status] == [("locum-today", "interrupted")]
    assert status[0]["last_crawl"]["finished_at"] is None


def test_a_stopped_crawl_ends_like_one_left_in_peace(stopped_once, uninterrupted):
    crawled, seen, _ = stopped_once
    assert_same(crawled, uninterrupted)
    again = [hit for hit in crawled.log[seen:] if hit.path != "/robots.txt"]
    asked = [hit for hit in crawled.log[:seen] if hit.path != "/robots.txt"]
    assert {hit.path for hit in again}.isdisjoint(hit.path for hit in asked), "Ctrl-C waits for what is under way"


@scenario
def stopped_twice(folder):
    """A second Ctrl-C while the first waits for a page that takes its time."""
    pages = small("First report", "Slow report", "Third report")
    slow = address(slug("slow report"))
    with SiteServer(pages) as server:
        server.pages[slow] = replace(server.pages[slow], delay=2 * LONGEST)
        with start_crawl(folder, server, "--log", "log") as running:
            wait_until(lambda: any("slow" in hit.path for hit in server.log), "the slow page asked for")
            running.send(signal.SIGINT)
            wait_until(lambda: "SIGINT" in (folder / "log").read_text(), "the first signal seen")  # or two were one
            running.send(signal.SIGINT)
            stopped = running.end()
        wait_until(running.is_over, "the end of the recorder")
        server.pages[slow] = replace(server.pages[slow], delay=0)
        return Crawled(folder, server.log, [stopped, crawl(folder, server)])


def test_a_second_ctrl_c_waits_for_nothing(stopped_twice):
    assert stopped_twice.runs[0].code == 3
    assert stopped_twice.runs[1].code == 0
    assert stopped_twice.value("SELECT count(*) FROM articles") == 3
    assert stopped_twice.value("SELECT count(*) FROM crawls") == 1
    assert_sound(stopped_twice)


@scenario
def stopped_early(folder):
    """Ctrl-C before the first page: while Scrapy is set up, while the recorder is, and at robots.txt."""
    runs = []
    with PausingServer(small("First report")) as server:
        for sign in (folder / "log", folder / "archive" / "archive.lock"):
            sign.unlink(missing_ok=True)
            with start_crawl(folder, server, "--log", "log") as running:
                wait_until(sign.exists, sign.name)
                running.send(signal.SIGINT)
                runs.append(running.end())
                wait_until(running.is_over, "the end of the recorder")
        pause = server.pause_after(1)
        with start_crawl(folder, server) as running:
            with pause:
                running.send(signal.SIGINT)
            runs.append(running.end())
        return Crawled(folder, server.log, [*runs, crawl(folder, server)])


def test_ctrl_c_before_the_first_page(stopped_early):
    assert [run.code for run in stopped_early.runs] == [3, 3, 3, 0]
    assert stopped_early.value("SELECT count(*) FROM articles") == 1
    assert stopped_early.value("SELECT count(*) FROM crawls") == 1


@scenario
def terminated(folder):
    """SIGTERM, as systemd sends it to the whole group."""
    with PausingServer(sample()) as server:
        pause = server.pause_after(10)
        with start_crawl(folder, server) as running:
            with pause:
                running.send(signal.SIGTERM)
            return Crawled(folder, server.log, [running.end()])


def test_sigterm_is_ctrl_c(terminated):
    assert terminated.run.code == 3
    assert terminated.rows("SELECT outcome, finished_at FROM crawls") == [("interrupted", None)]
    assert_sound(terminated)


# -- kill -9 ----------------------------------------------------------------------------------------------------------


def kill_again_and_again(folder, steps, *options):
    """Kill a crawl each time it has asked for some pages more, tear its WARC's tail, and let the last one end."""
    with PausingServer(sample()) as server:
        for step in steps:
            pause = server.pause_after(step)
            with start_crawl(folder, server, *options) as running, pause:
                running.kill()
            wait_until(running.is_over, "the end of the group")
            for path in (folder / "archive" / "warc").glob("*.open"):
                with path.open("ab") as file:
                    file.write(b"\x1f\x8b\x08\x00 torn off in the middle of a record")
        return Crawled(folder, server.log, [crawl(folder, server)])


@scenario
def killed_early(folder):
    return kill_again_and_again(folder, (1, 6))


@scenario
def killed_in_the_middle(folder):
    return kill_again_and_again(folder, (17, 12), "--concurrency", "4")


@scenario
def killed_late(folder):
    return kill_again_and_again(folder, (50,), "--concurrency", "2")


def test_killed_early(killed_early, uninterrupted):
    assert_same(killed_early, uninterrupted)


def test_killed_in_the_middle(killed_in_the_middle, uninterrupted):
    assert_same(killed_in_the_middle, uninterrupted)


def test_killed_late(killed_late, uninterrupted):
    assert_same(killed_late, uninterrupted)


def test_a_killed_crawl_does_not_begin_again(killed_late):
    """Only what was under way is asked for again: a few pages for each kill, not the whole site."""
    assert len(killed_late.log) < 63 + 2 * 20


@scenario
def recorder_killed(folder):
    """The recorder alone dies; and then the crawl alone, whose recorder must let go of the archive."""
    with PausingServer(sample()) as server:
        pause = server.pause_after(15)
        with start_crawl(folder, server) as running:
            with pause:
                holder = int((folder / "archive" / "archive.lock").read_text())
                assert holder != running.process.pid
                os.kill(holder, signal.SIGKILL)
            runs = [running.end()]
        pause = server.pause_after(10)
        with start_crawl(folder, server) as running, pause:
            os.kill(running.process.pid, signal.SIGKILL)
            running.process.communicate()
        wait_until(running.is_over, "the end of a recorder whose crawl is gone")
        runs.append(crawl(folder, server))
        return Crawled(folder, server.log, runs)


def test_a_recorder_that_dies_is_one_sentence(recorder_killed):
    died = recorder_killed.runs[0]
    assert died.code == 1
    assert "run the same command again" in died.err
    assert len(died.err.strip().splitlines()) == 1


def test_a_crawl_whose_recorder_died_ends_like_one_left_in_peace(recorder_killed, uninterrupted):
    assert_same(recorder_killed, uninterrupted)


# -- one writer -------------------------------------------------------------------------------------------------------


@scenario
def second_writer(folder):
    """A second crawl of the same archive while one waits for a page; readers are welcome meanwhile."""
    with PausingServer(small("First report", "Slow report")) as server:
        pause = server.pause_after(4)
        with start_crawl(folder, server) as running:
            with pause:
                wait_until(lambda: rows(folder / "archive", "SELECT 1 FROM articles"), "the first article stored")
                second = crawl(folder, server)
                search = locum("search", "agency", "--json", "--archive", "archive", cwd=folder)
                status = locum("status", "--json", "--archive", "archive", cwd=folder)
            return Crawled(folder, server.log, [running.end(), second, search, status])


def test_a_second_crawl_of_an_archive_is_refused(second_writer):
    first, second, *_ = second_writer.runs
    assert second.code == 2
    assert second.out == ""
    assert "is being written by process" in second.err
    assert len(second.err.strip().splitlines()) == 1
    assert first.code == 0
    assert second_writer.value("SELECT count(*) FROM crawls") == 1
    assert second_writer.value("SELECT count(*) FROM articles") == 2


def test_an_archive_can_be_read_while_it_is_written(second_writer):
    *_, search, status = second_writer.runs
    assert search.code == status.code == 0
    assert [hit["title"] for hit in search.json] == ["First report"]
    assert status.json[0]["site"] == "locum-today"


# -- no space ---------------------------------------------------------------------------------------------------------


@scenario
def starved(folder):
    """No file may grow beyond some size: like a full disk in the middle of a record, then of the database."""
    with SiteServer(sample()) as server:
        runs = [start_crawl(folder, server, limits=no_file_beyond(limit)).end() for limit in (100_000, 300_000)]
        return Crawled(folder, server.log, [*runs, crawl(folder, server)])


def test_no_space_left(starved):
    for run in starved.runs[:-1]:
        assert run.code == 5
        assert "make room" in run.err
        assert len(run.err.strip().splitlines()) == 1


def test_a_starved_crawl_ends_like_one_left_in_peace(starved, uninterrupted):
    assert_same(starved, uninterrupted)


@scenario
def other_site_meanwhile(folder):
    """One site's crawl is killed; another site is crawled into the same archive; then the first again."""
    text = (
        'name = "other"\ntitle = "Other"\nhosts = ["other.example"]\nstart = ["http://other.example/"]\n'
        'timezone = "Europe/London"\nlanguage = "en"\n[articles]\naddress = "^/a/"\n'
    )
    hosts = ("locumtoday.co.uk", "other.example")
    with PausingServer(replace(small("First report", "Second report"), hosts=hosts)) as server:
        pause = server.pause_after(2)
        with start_crawl(folder, server) as running, pause:
            running.kill()
        declare(folder, "other", text)
        other = crawl(folder, server, sites=["other"])
        return Crawled(folder, server.log, [other, crawl(folder, server)])


def test_what_a_site_left_unfinished_is_its_own(other_site_meanwhile):
    assert [run.code for run in other_site_meanwhile.runs] == [6, 0]
    assert other_site_meanwhile.rows("SELECT site, outcome FROM crawls ORDER BY id") == [
        ("locum-today", "done"),
        ("other", "check_failed"),
    ]


@scenario
def changed_meanwhile(folder):
    """A page changes between the kill of a crawl that has asked for it and the next run."""
    changing = address(slug("first report"))
    with PausingServer(small("First report", "Second report")) as server:
        pause = server.pause_after(3)
        with start_crawl(folder, server) as running, pause:
            running.kill()
        assert "first" in server.log[-1].path
        server.pages[changing] = article_page("First report", "Another text of the article.")
        return Crawled(folder, server.log, [crawl(folder, server)])


def test_an_article_that_changes_while_a_crawl_is_dead(changed_meanwhile):
    text = "SELECT text FROM full_articles WHERE title = 'First report'"
    assert changed_meanwhile.rows(text) == [("Another text of the article.",)]
    assert changed_meanwhile.value("SELECT count(*) FROM revisions") == 2


@scenario
def closed_pipe(folder):
    """Standard output closed at the other end, as `locum crawl … | head -1` leaves it."""
    with SiteServer(small("First report", "Second report")) as server:
        with start_crawl(folder, server) as running:
            errors = running.end_unheard()
        return Crawled(folder, server.log, []), errors


def test_a_closed_pipe_harms_nothing(closed_pipe):
    crawled, errors = closed_pipe
    assert "Traceback" not in errors
    assert "Exception" not in errors
    assert crawled.value("SELECT count(*) FROM articles") == 2
    assert crawled.value("SELECT outcome FROM crawls") == "done"
