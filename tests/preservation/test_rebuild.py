"""`locum rebuild` makes the same database again from the WARC files, whatever happened to the old one."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from dump import dump_archive
from support import LONGEST, flipped, invoke, require_same_rebuilt, rows, run_locum
from support.crash_facts import finish, require_same
from support.scripted import SITES

from locum_spider.demo.sample import HOME
from locum_spider.errors import ArchiveError
from locum_spider.operate.schedule import schedule
from locum_spider.preservation import rebuild
from locum_spider.sites import SHIPPED
from locum_spider.store.lock import writer_lock

SITE = "locum-today"


@pytest.fixture
def archive(undisturbed, tmp_path):
    """A copy of an archive after two crawls."""
    return shutil.copytree(undisturbed.archive, tmp_path / "archive")


def declare(archive, **changes):
    """Put the site's declaration into the archive, with some lines changed."""
    text = (SHIPPED / f"{SITE}.toml").read_text(encoding="utf-8")
    for before, after in changes.values():
        assert before in text
        text = text.replace(before, after)
    (archive / "sites").mkdir(exist_ok=True)
    (archive / "sites" / f"{SITE}.toml").write_text(text, encoding="utf-8")


def damage(archive, offset):
    """Flip a bit of the first WARC file."""
    path = min(archive.glob("warc/*.gz"))
    path.write_bytes(flipped(path.read_bytes(), offset, 4))


@pytest.mark.parametrize("jobs", [1, 2])
def test_it_is_the_database_of_the_crawl_again(archive, monkeypatch, jobs):
    monkeypatch.setattr(rebuild, "_WORTH_PROCESSES", 0)
    before = dump_archive(archive)
    rebuilt = rebuild.rebuild(archive, jobs=jobs)
    assert (rebuilt.broken, rebuilt.kept_old, rebuilt.exit_code) == ([], False, 0)
    assert (rebuilt.crawls, rebuilt.articles) == (2, 10)
    assert dump_archive(archive) == before
    with closing(sqlite3.connect(archive / "archive.db")) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        db.execute("INSERT INTO articles_fts(articles_fts, rank) VALUES ('integrity-check', 1)")
        found = db.execute("SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'agency'").fetchone()
        assert found == (rebuilt.articles - 1,)
        db.execute("UPDATE article_text SET title = 'Zebra' WHERE id = 1")  # the index follows the texts again
        assert db.execute("SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'zebra'").fetchall() == [(1,)]


@pytest.mark.parametrize("state", ["lost", "torn", "empty", "something else"])
def test_it_needs_no_old_database(archive, state):
    before, path = dump_archive(archive), archive / "archive.db"
    if state == "lost":
        path.unlink()
    elif state == "torn":
        path.write_bytes(path.read_bytes()[:20_000])
    else:
        path.write_bytes(b"" if state == "empty" else b"no database at all")
    ended = run_locum("rebuild", "--archive", archive)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert dump_archive(archive) == before


@pytest.mark.parametrize("kept", [True, False], ids=["with the old database", "without"])
@pytest.mark.parametrize("point", ["warc-torn:9", "warc-append:12", "after-commit:3", "before-rotation:2"])
def test_a_killed_crawl_is_resumed_after_a_rebuild(runs, undisturbed, tmp_path, point, kept):
    archive = tmp_path / "archive"
    assert runs.run(archive, kill=point).killed
    if not kept:
        for path in archive.glob("archive.db*"):
            path.unlink()
    assert rebuild.rebuild(archive, jobs=1).exit_code == 0
    assert list(archive.glob("warc/*.open")) == []
    assert rows(archive, "SELECT count(*) FROM crawls WHERE finished_at IS NULL") == [(1,)]
    finish(runs, archive)
    require_same(archive, undisturbed)


def test_rules_that_find_more_or_less_leave_every_capture_in_its_place(archive):
    before = rows(archive, "SELECT id, url, fetched_at, digest, warc_file, warc_offset FROM captures ORDER BY id")
    declare(archive, listings=("ignore = '(?i)(login", "ignore = '(?i)(page=2|login"))
    rebuilt = rebuild.rebuild(archive)
    assert rebuilt.exit_code == 0
    after = rows(archive, "SELECT id, url, fetched_at, digest, warc_file, warc_offset FROM captures ORDER BY id")
    assert after == before
    assert rows(archive, "SELECT count(*) FROM articles") == [(10,)]


def test_diff_shows_each_field_and_replaces_nothing(archive):
    before = dump_archive(archive)
    declare(archive, title=('after = "@title"', 'before = ["Share this article:"]'))
    declare(archive, published=('label = "Published on", after', 'label = "Never on", after'))
    ended = run_locum("rebuild", "--diff", "--json", "--archive", archive)
    assert ended.returncode == 0, ended.stderr
    comparison = json.loads(ended.stdout)
    assert (comparison["changed"], comparison["added"], comparison["unchanged"]) == ([], [], 0)
    assert len(comparison["gone"]) == 10
    declare(archive, body=('    "Share this article:",\n', '    "about agency work",\n'))
    ended = run_locum("rebuild", "--diff", "--archive", archive)
    assert ended.returncode == 0, ended.stderr
    assert "10 articles would change, 0 be added, 0 be gone; 0 stay" in ended.stdout
    assert "  text: " in ended.stdout
    assert dump_archive(archive) == before
    assert list(archive.glob("archive.db.*")) == []


def test_diff_without_a_change_says_so(archive):
    ended = run_locum("rebuild", "--diff", "--archive", archive)
    assert ended.stdout == (
        "0 articles would change, 0 be added, 0 be gone; 10 stay as they are.\nNothing was replaced.\n"
    )


def test_diff_wants_a_database_to_compare(archive):
    (archive / "archive.db").write_bytes(b"broken")
    with pytest.raises(ArchiveError):
        rebuild.compare(archive)


def test_a_broken_record_is_told_and_passed_over(archive):
    place = rows(archive, "SELECT warc_offset + warc_length / 2 FROM captures WHERE url LIKE '%report-00'")[0][0]
    damage(archive, place)
    ended = run_locum("rebuild", "--archive", archive)
    assert ended.returncode == 7
    assert "the record is damaged" in ended.stderr
    assert rows(archive, "SELECT count(*) FROM articles") == [(9,)]
    for command in ("status", "verify"):
        assert "archive.db.old is an older database" in invoke(command, "--archive", archive).stdout
    with closing(sqlite3.connect(archive / "archive.db.old")) as db:
        assert db.execute("SELECT count(*) FROM articles").fetchone() == (10,)
    assert run_locum("rebuild", "--diff", "--archive", archive).returncode == 7


def test_a_changed_record_is_told(archive):
    """Bytes that gzip does not protect: only the old ledger knows them."""
    place = rows(archive, "SELECT warc_offset + 4 FROM captures WHERE url LIKE '%report-00'")[0][0]
    damage(archive, place)
    rebuilt = rebuild.rebuild(archive)
    assert rebuilt.exit_code == 7
    assert ["is not the one in the ledger" in fault for fault in rebuilt.broken] == [True]


def test_a_missing_file_is_told(archive):
    min(archive.glob("warc/*.gz")).unlink()
    rebuilt = rebuild.rebuild(archive)
    assert rebuilt.exit_code == 7
    assert rebuilt.kept_old
    told = [fault for fault in rebuilt.broken if "with the body of" not in fault]
    assert len(told) == 1
    assert re.fullmatch(r"\S+\.warc\.gz is missing, with \d+ records", told[0])


def test_schedules_stay(archive):
    schedule(archive, SITE, "2d")
    before = rows(archive, "SELECT * FROM schedules")
    rebuild.rebuild(archive)
    assert rows(archive, "SELECT * FROM schedules") == before


def test_what_was_taken_down_stays_so(archive):
    url = f"{HOME}article.php?s=2018-04-10-report-00"
    ended = run_locum("takedown", url, "--reason", "by order of a court", "--yes", "--archive", archive)
    assert ended.returncode == 0, ended.stderr
    head = run_locum("verify", "--head", "--archive", archive).stdout
    ids = rows(archive, "SELECT id, url FROM articles ORDER BY id")
    rebuilt = rebuild.rebuild(archive)
    assert rebuilt.exit_code == 0
    assert rows(archive, "SELECT id, url FROM articles ORDER BY id") == ids
    assert run_locum("verify", "--head", "--archive", archive).stdout == head
    ended = run_locum("verify", "--archive", archive)
    assert ended.returncode == 0, ended.stdout
    assert "by order of a court" in ended.stdout
    first = dump_archive(archive)
    (archive / "archive.db").unlink()
    assert rebuild.rebuild(archive).exit_code == 0
    assert dump_archive(archive) == first
    assert "report-00" not in "\n".join(first)


def test_what_was_imported_is_there_again(undisturbed, tmp_path):
    archive = tmp_path / "other"
    files = sorted(undisturbed.archive.glob("warc/*.gz"))
    ended = run_locum("import", *files, "--archive", archive)
    assert ended.returncode == 0, ended.stderr
    require_same_rebuilt(archive)


def test_an_archive_that_is_written_is_left_alone(archive):
    with writer_lock(archive):
        ended = run_locum("rebuild", "--archive", archive)
    assert ended.returncode == 2
    assert "is being written" in ended.stderr


def test_without_files_there_is_nothing_to_rebuild(tmp_path):
    ended = run_locum("rebuild", "--archive", tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "no WARC files" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_reader_holds_the_old_database_until_it_lets_go(archive):
    before = dump_archive(archive)
    with closing(sqlite3.connect(archive / "archive.db")) as db:
        assert db.execute("SELECT count(*) FROM articles").fetchone() == (10,)  # open, but without a transaction
        rebuild.rebuild(archive)
        assert db.execute("SELECT count(*) FROM articles").fetchone() == (10,)
    assert dump_archive(archive) == before


def test_the_sample_differs_between_the_crawls():
    assert SITES[False].pages.keys() == SITES[True].pages.keys()
    assert sum(SITES[False].pages[url] != SITES[True].pages[url] for url in SITES[True].pages) == 4


_READERS = """
import sys
from pathlib import Path
from locum_spider.preservation.rebuild.pool import readers

if __name__ == "__main__":
    with readers(Path(sys.argv[1]), 2) as read_ahead:
        read_ahead([]).result()
        print("reading", flush=True)
        sys.stdin.read()
"""


def test_reading_processes_end_with_one_that_is_killed(tmp_path):
    script = tmp_path / "readers.py"
    script.write_text(_READERS, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, script, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "reading\n"
        process.kill()
        # Their output ends when the last process that can print has ended.
        assert process.communicate(timeout=LONGEST) == ("", None)
    finally:
        process.kill()
