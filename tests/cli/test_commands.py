"""The command line over an archive: exit codes, JSON, odd queries, wrong folders, the demo."""

from __future__ import annotations

import json
import os
import shutil
import string

import pytest
from support import change, invoke
from support.foreign_files import run
from support.harness import (
    Crawled,
    PausingServer,
    Running,
    address,
    contents,
    crawl,
    crawl_once,
    environment,
    locum,
    scenario,
    slug,
    small,
    start_crawl,
    wait_until,
)

from locum_spider import Archive
from locum_spider.cli import locum as command
from locum_spider.demo.days import CHANGED, GONE
from locum_spider.demo.sample import HOME, Sample, build
from locum_spider.demo.server import SiteServer
from locum_spider.sites import find_site

COMMANDS = ("demo", "crawl", "sites", "status", "search", "show", "serve", "schedule")


# -- help -------------------------------------------------------------------------------------------------------------


def test_help_lists_every_command(tmp_path):
    shown = locum("--help", cwd=tmp_path)
    assert shown.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in shown.out] == []
    assert "Example" in shown.out
    assert "..." not in shown.out.partition("Commands:")[2], "a summary is cut at 80 columns"
    assert locum("--version", cwd=tmp_path).out.startswith("locum, version ")


@pytest.mark.parametrize("name", command.list_commands(None))
def test_help_of_every_command_has_an_example(name):
    result = invoke(name, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"locum {name}" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["crawl"],
        ["crawl", "locum-today", "--due"],
        ["crawl", "locum-today", "--delay", "-1"],
        ["crawl", "locum-today", "--concurrency", "0"],
        ["crawl", "--no-such-option"],
        ["search"],
        ["search", "x", "--limit", "0"],
        ["show"],
        ["schedule"],
        ["schedule", "no-such-site"],
        ["schedule", "locum-today", "--every", "often", "--print"],
    ],
)
def test_wrong_usage(arguments, tmp_path):
    result = invoke(*arguments, *(["--archive", tmp_path] if arguments[0] != "no-such-command" else []))
    assert result.exit_code == 2, result.exception
    assert result.output.strip()
    assert list(tmp_path.iterdir()) == []


# -- JSON -------------------------------------------------------------------------------------------------------------


def test_sites_as_json(sample_crawl):
    sites = run(sample_crawl.archive, "sites", "--json")
    today = next(site for site in sites if site["name"] == "locum-today")
    assert today["hosts"] == ["locumtoday.co.uk"]
    assert today["start"] == [HOME]


def test_status_as_json(sample_crawl):
    (row,) = run(sample_crawl.archive, "status", "--json")
    assert row["site"] == "locum-today"
    assert row["articles"] == build().expected["articles"]
    assert row["last_crawl"]["outcome"] == "done"
    assert row["last_crawl"]["reasons"] == []
    assert row["every"] is None


def test_search_as_json(sample_crawl):
    hits = run(sample_crawl.archive, "search", "agency contract", "--json", "--limit", "5")
    assert len(hits) == 5
    assert all("<mark>" in hit["snippet"] or "agency" in hit["title"].lower() for hit in hits)
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    assert run(sample_crawl.archive, "search", "zyzzyva", "--json") == []


def test_show_as_json(sample_crawl):
    truth = build().articles[0]
    shown = run(sample_crawl.archive, "show", truth.url, "--json")
    assert shown["title"] == truth.title
    assert shown["attachments"][0]["url"] == truth.attachments[0][1]
    assert [revision["seq"] for revision in shown["revisions"]] == [1]
    assert shown["revisions"][0]["warc_file"].endswith(".warc.gz")
    assert truth.url in shown["addresses"]


def test_the_same_as_text(sample_crawl):
    truth = build().articles[0]
    raw, (_, document) = truth.published_raw.removeprefix("Published on "), truth.attachments[0]
    shown = run(sample_crawl.archive, "show", truth.url)
    assert [words for words in (truth.title, truth.standfirst, raw, document) if words not in shown] == []
    searched = run(sample_crawl.archive, "search", "agency")
    assert "[agency]" in searched.lower()
    assert "articles found" in searched
    status = run(sample_crawl.archive, "status")
    assert "42 articles" in status
    assert "done" in status


# -- search -----------------------------------------------------------------------------------------------------------

ODD = [
    '"', '""', "'", "*", "**", "-", "--", "-agency", "- agency", "NEAR", "NEAR(", "NEAR(a b, 5)", "AND", "OR", "NOT",
    "OR OR", "agency OR", "agency AND", "NOT agency", "title:agency", "body : x", "{title body} : x", "^agency", "(",
    ")", "(agency", "agency)", "a + b", "agency*", "*agency", "ag*ncy", '"agency', 'agency"', '"agency contract"*',
    '-"agency contract"', "it's", "it’s", "£40m", "50%", "_", "\\", "/", ";", ",", "?", "#", "@x", "<b>", "&amp;",
    "\t", "\n", " ", "é", "ß", "日本語", "🙂", "\u200b", "\ufeff", "a\u0301", "\u202e", "x" * 10_000, "agency " * 300,
    "'; DROP TABLE articles; --", "%s%s", "{}", "${HOME}", "$(id)", "`id`", "NULL", "0x00", "1e999",
    "agency NEAR/5 contract", '"a" "b', "a:b:c", "~", "|", "=",
]  # fmt: skip


def test_search_understands_any_words(sample_crawl):
    """In this process; the real command comes below."""
    for query in ODD:
        result = invoke("search", "--archive", sample_crawl.archive, "--", query)
        assert result.exit_code == 0, (query, result.exception, result.output)
        assert "found" in result.output.lower()


def test_search_understands_every_mark_beside_a_word(sample_crawl):
    with Archive(sample_crawl.archive) as archive:
        everything = {hit.id for hit in archive.search("agency", limit=100)}
        for mark in string.punctuation + " \t\0\x01\x7f«»“”‘’–…•":
            for query in (f"{mark}agency", f"agency{mark}", f"{mark}agency{mark}", f"agency {mark} contract", mark * 3):
                hits = archive.search(query, limit=100)
                assert archive.count(query) == len(hits) or len(hits) == 100, query
                if query == f"agency{mark}" and mark not in "*-":
                    assert {hit.id for hit in hits} == everything, query


@pytest.mark.parametrize("query", ['"', "NEAR(", "-agency", "", os.fsdecode(b"agency \xff\xfe")], ids=ascii)
def test_search_by_the_real_command(sample_crawl, query):
    """The last query has bytes that are not text."""
    searched = locum("search", "--archive", "archive", "--json", "--", query, cwd=sample_crawl.folder)
    assert searched.code == 0
    assert isinstance(searched.json, list)


def test_show_with_what_is_not_an_address(sample_crawl):
    for odd in (
        "",
        "0",
        "-1",
        "9" * 40,
        "http://[half",
        "http://x:99999/",
        "\0",
        os.fsdecode(b"\xff"),
        "🙂",
        "1 OR 1=1",
    ):
        result = invoke("show", "--archive", sample_crawl.archive, "--", odd)
        assert result.exit_code == 2, (odd, result.exception)
        assert "no article" in result.output


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--", "-agency"], "There is only a word to leave out; add a word to look for."),
        (["agency", "--site", "locum-toda"], "The archive has no site 'locum-toda'; it has locum-today."),
        (["agency", "--section", "Nwes"], "The archive has no section 'Nwes'"),
        (["agency", "--from", "2019", "--to", "2018-05"], "--from 2019 is after --to 2018-05"),
        (["agency"] * 45, "A search looks for 40 words; the last 5 are left out."),
        (["agency", "--from", "2018-05", "--to", "2018"], ""),
        (["agency", "--site", "LOCUM-TODAY"], ""),
        (["zyzzyva"], ""),
    ],
)
def test_search_says_what_may_be_wrong(sample_crawl, words, hint):
    result = invoke("search", "--archive", sample_crawl.archive, *words)
    assert result.exit_code == 0
    assert (hint in result.stderr) if hint else not result.stderr


def test_an_option_that_search_does_not_have_is_not_a_word(sample_crawl):
    for option in ("--form", "--form=2017", "--jsn"):
        result = invoke("search", "--archive", sample_crawl.archive, "agency", option, "2017")
        assert result.exit_code == 2, option
        assert option.partition("=")[0] in result.stderr
    assert invoke("search", "--archive", sample_crawl.archive, "--", "agency", "--form").exit_code == 0


def test_search_takes_phrases_and_what_to_leave_out(sample_crawl):
    with Archive(sample_crawl.archive) as archive:
        both = {hit.id for hit in archive.search("agency contract", limit=100)}
        phrase = {hit.id for hit in archive.search('"agency contract"', limit=100)}
        without = {hit.id for hit in archive.search("agency -contract", limit=100)}
        either = {hit.id for hit in archive.search("agency OR contract", limit=100)}
        start = {hit.id for hit in archive.search("agenc*", limit=100)}
        agency = {hit.id for hit in archive.search("agency", limit=100)}
    assert phrase <= both <= agency <= either
    assert without == agency - both
    assert agency <= start
    assert len(phrase) < len(both)


def test_filters(sample_crawl):
    key = find_site("locum-today").key
    truth = build().articles

    def urls(*options):
        hits = run(sample_crawl.archive, "search", "the", "--json", "--limit", 100, *options)
        return {key(hit["url"]) for hit in hits}

    assert urls() == {article.url for article in truth}
    assert urls("--section", "careers") == {a.url for a in truth if a.section == "Careers"}
    assert urls("--site", "no-such-site") == set()
    of_2018 = {a.url for a in truth if (a.published or "").startswith("2018")}
    assert urls("--from", "2018", "--to", "2018") == of_2018
    in_april = {a.url for a in truth if (a.published or "").startswith("2018-04")}
    assert urls("--from", "2018-04", "--to", "2018-04") == in_april
    assert urls("--from", "2018-04-10", "--to", "2018-04-10") == {a.url for a in truth if a.published == "2018-04-10"}
    for wrong in ("yesterday", "2018-13", "10/04/2018", ""):
        assert "2018-04-10" in run(sample_crawl.archive, "search", "the", "--from", wrong, code=2)


def test_offset_walks_through_all_hits(sample_crawl):
    with Archive(sample_crawl.archive) as archive:
        pages = [archive.search("agency", limit=7, offset=offset) for offset in range(0, 49, 7)]
        ids = [hit.id for page in pages for hit in page]
        assert len(ids) == len(set(ids)) == archive.count("agency")


# -- folders that are not archives -------------------------------------------------------------------------------------


def nothing(_):
    pass


def empty(folder):
    folder.mkdir()


def file(folder):
    folder.write_text("a file")


def other_folder(folder):
    folder.mkdir()
    (folder / "letter.txt").write_text("Dear reader")


def garbage(folder):
    folder.mkdir()
    (folder / "archive.db").write_bytes(b"this is not a database" * 1000)


def other_database(folder):
    folder.mkdir()
    change(folder, "CREATE TABLE recipes (id INTEGER)")


def folder_as_database(folder):
    (folder / "archive.db").mkdir(parents=True)


@pytest.mark.parametrize("make", [nothing, empty, file, other_folder, garbage, other_database, folder_as_database])
@pytest.mark.parametrize("arguments", [["search", "x"], ["status"], ["show", "1"], ["crawl", "--due"]])
def test_reading_what_is_not_an_archive(tmp_path, make, arguments):
    folder = tmp_path / "place"
    make(folder)
    before = sorted(tmp_path.rglob("*"))
    output = run(folder, *arguments, code=2)
    assert len(output.strip().splitlines()) == 1
    assert str(folder) in output
    assert sorted(tmp_path.rglob("*")) == before


@scenario
def wrong_folders(folder):
    """Crawls into places that hold something else: the run, and what was there before and after."""
    crawls = {}
    for make in (file, garbage, other_database):
        place = folder / make.__name__
        place.mkdir()
        make(place / "archive")
        before = snapshot(place)
        crawls[make] = crawl(place, "http://127.0.0.1:9"), before, snapshot(place)
    return crawls


def snapshot(place):
    return {
        path: path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and path.name in {"archive", "archive.db"}
    }


@pytest.mark.parametrize("make", [file, garbage, other_database])
def test_crawling_into_what_is_not_an_archive(wrong_folders, make):
    done, before, after = wrong_folders[make]
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.strip().splitlines()) == 1
    assert "archive" in done.err
    assert before == after


@scenario
def newer(folder):
    """An archive that a later version has written to."""
    with SiteServer(small("First report")) as server:
        runs = [crawl(folder, server)]
        mark = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('locum_spider', ?, '')"
        change(folder / "archive", mark, "m999_later")
        before = contents(folder / "archive")
        runs.append(crawl(folder, server))
        return Crawled(folder, server.log, runs), before


def test_an_archive_of_a_newer_version_is_left_alone(newer):
    crawled, before = newer
    assert crawled.run.code == 2
    assert "newer version" in crawled.run.err
    assert "m999_later" in crawled.run.err
    assert len(crawled.run.err.strip().splitlines()) == 1
    assert contents(crawled.archive) == before
    assert len(crawled.log) == 3
    for arguments in (["search", "x"], ["status"], ["show", "1"], ["schedule", "locum-today", "--print"]):
        assert "newer version" in run(crawled.archive, *arguments, code=2)


@pytest.mark.parametrize("sql", ["DELETE FROM _sqlite_migrations", "DROP TABLE _sqlite_migrations"])
def test_a_database_without_our_mark_is_not_touched(newer, tmp_path, sql):
    crawled, _ = newer
    (tmp_path / "archive").mkdir()
    shutil.copy(crawled.archive / "archive.db", tmp_path / "archive" / "archive.db")
    change(tmp_path / "archive", sql)
    assert "something else" in run(tmp_path / "archive", "status", code=2)


@scenario
def missing_warc(folder):
    """A crawl is killed, and somebody removes the WARC that it was writing."""
    with PausingServer(small("First report", "Second report")) as server:
        pause = server.pause_after(3)
        with start_crawl(folder, server) as running, pause:
            wait_until(lambda: list((folder / "archive" / "warc").glob("*.open")), "a WARC")
            running.kill()
        for path in (folder / "archive" / "warc").iterdir():
            path.unlink()
        return Crawled(folder, server.log, [crawl(folder, server)])


def test_a_missing_warc_is_a_fault_of_integrity(missing_warc):
    assert missing_warc.run.code == 7
    assert "is missing; restore it from a backup" in missing_warc.run.err
    assert len(missing_warc.run.err.strip().splitlines()) == 1


# -- the demo -------------------------------------------------------------------------------------------------------


@scenario
def demonstrated(folder):
    place = folder / "a folder with spaces"
    place.mkdir()
    runs = [locum("demo", "--archive", "archive", cwd=place), locum("demo", "--archive", "archive", cwd=place)]
    return Crawled(place, [], runs)


def test_demo_works_twice(demonstrated):
    for done in demonstrated.runs:
        assert done.code == 0
        for words in (
            "42 new",
            "2 changed",
            "1 gone",
            "locum search",
            "[agency",
            "What to do next",
            " serve --archive",
        ):
            assert words in done.out
    assert demonstrated.value("SELECT count(*) FROM crawls") == 2
    assert demonstrated.value("SELECT count(*) FROM articles") == build().expected["articles"]


def test_demo_shows_revisions_a_gone_article_authors_and_tags(demonstrated):
    revised = "SELECT a.url FROM articles a JOIN revisions r ON r.article_id = a.id WHERE r.seq = 2"
    assert {url.partition("?s=")[2].partition("&")[0] for (url,) in demonstrated.rows(revised)} == set(CHANGED)
    ((gone, at),) = demonstrated.rows("SELECT url, gone_at FROM articles WHERE state = 'gone'")
    assert GONE in gone
    assert at
    assert demonstrated.value("SELECT count(*) FROM articles WHERE authors = '[]'") == 0
    assert demonstrated.value("SELECT count(DISTINCT value) FROM articles, json_each(authors)") > 3
    assert demonstrated.value("SELECT count(DISTINCT value) FROM articles, json_each(tags)") > 5


def test_demo_touches_no_other_folder(tmp_path):
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "letter.txt").write_text("Dear reader")
    done = locum("demo", "--archive", "archive", cwd=tmp_path)
    assert done.code == 2
    assert "not empty" in done.err
    assert [path.name for path in (tmp_path / "archive").iterdir()] == ["letter.txt"]


# -- exit codes and logs ----------------------------------------------------------------------------------------------


@scenario
def nothing_found(folder):
    """A site that answers, but has not one article."""
    return crawl_once(folder, Sample({}), "--log", "crawl.log")


def test_a_crawl_that_finds_nothing_says_so(nothing_found):
    assert nothing_found.run.code == 6
    report = " ".join(nothing_found.run.out.split())
    assert "no article was found" in report
    assert f"the start page {HOME} could not be read as a listing" in report
    reasons = json.loads(nothing_found.value("SELECT reasons FROM crawls"))
    assert len(reasons) == 2


def test_a_log_holds_no_bodies(sample_crawl, nothing_found):
    log = (nothing_found.folder / "crawl.log").read_text(encoding="utf-8")
    assert "This page was not found" not in log
    assert " DEBUG " not in log


def test_plain_progress_goes_to_standard_error(nothing_found):
    assert "\x1b[" not in nothing_found.run.out + nothing_found.run.err


def test_a_log_file_that_cannot_be_written(tmp_path):
    done = crawl(tmp_path, "http://127.0.0.1:9", "--log", "no/such/folder/log")
    assert done.code == 2
    assert len(done.err.strip().splitlines()) <= 4
    assert "no/such/folder/log" in done.err


def test_search_into_a_pipe_that_closes(sample_crawl):
    arguments = ["locum_spider", "search", "the", "--limit", "1000", "--archive", "archive"]
    with Running(arguments, sample_crawl.folder, environment()) as running:
        errors = running.end_unheard()
    assert "Traceback" not in errors
    assert "Exception" not in errors


def test_the_article_is_shown_by_the_number_that_search_prints(sample_crawl):
    hit = run(sample_crawl.archive, "search", "county lines", "--json")[0]
    shown = run(sample_crawl.archive, "show", hit["id"], "--json")
    assert (shown["id"], shown["url"]) == (hit["id"], hit["url"])
    assert run(sample_crawl.archive, "show", 999999, code=2)
    assert address(slug("first report")) not in shown["addresses"]
