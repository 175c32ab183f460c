"""`locum takedown`: nothing of the article stays, everything else does, and the archive still verifies."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from support import change, invoke, python, rows, run_locum, warcs
from support.gazette import HOST, address, crawl, listing, page, places_of, sentences, site, story, title
from warcio.archiveiterator import ArchiveIterator

from locum_spider import Archive
from locum_spider.checkpoints import arm
from locum_spider.errors import ArchiveError, IntegrityError, UsageError
from locum_spider.preservation.takedown.plan import finish_earlier, prepare
from locum_spider.preservation.verify import read_head, verify
from locum_spider.recorder.writer import ArchiveWriter
from locum_spider.store.lock import writer_lock

REASON = "by order of a court"
GONE = 2
SLUG = f"a-slug-of-report-{GONE}"
BODIES = sentences(GONE).split(". ") + sentences(GONE, 22).split(". ")
KEY = HOST + address(GONE)


def take_down(folder: Path, number: int = GONE, *, everywhere: bool = False) -> int:
    with prepare(folder, HOST + address(number)) as takedown:
        return takedown.carry_out(REASON, everywhere=everywhere)


def test_the_archive_verifies_and_says_why(archive):
    head, sizes = read_head(archive), {path: path.stat().st_size for path in warcs(archive)}
    number = take_down(archive)
    report = verify(archive, expect=head)
    assert report.findings == []
    assert [note.partition(" at ")[0] for note in report.notes] == [f"{number} records were taken down"]
    assert report.notes[0].endswith(REASON)
    assert {path: path.stat().st_size for path in sizes} == sizes


def test_its_rows_are_gone_and_others_are_not(archive):
    before = {
        table: len(rows(archive, f"SELECT 1 FROM {table}")) for table in ("articles", "captures", "listing_entries")
    }
    with Archive(archive) as opened:
        article = opened.article(KEY)
        others = [other for other in opened.articles() if other.id != article.id]
    take_down(archive)
    with Archive(archive) as opened:
        assert opened.article(KEY) is None
        assert opened.article(article.id) is None
        assert list(opened.articles()) == others
        assert opened.search("number 2") == []
        assert len(opened.search("nurses")) == len(others)
    for table in ("revisions", "article_urls"):
        assert rows(archive, f"SELECT 1 FROM {table} WHERE article_id = ?", article.id) == []
    after = {table: len(rows(archive, f"SELECT 1 FROM {table}")) for table in before}
    assert after == {**before, "articles": before["articles"] - 1}
    assert rows(archive, "SELECT count(*) FROM listing_entries WHERE url LIKE 'taken-down:%' AND title IS NULL") == [
        (2,)
    ]
    assert rows(archive, "SELECT DISTINCT state, outcome FROM frontier WHERE key LIKE 'taken-down:%'") == [
        ("done", "taken_down")
    ]


def test_no_byte_of_it_is_left_in_the_database(archive):
    take_down(archive)
    assert {name for name in places_of(archive, *BODIES, SLUG, title(GONE)) if "warc" not in name} == set()


def test_its_text_is_left_nowhere(archive):
    assert places_of(archive, *BODIES)
    take_down(archive)
    assert places_of(archive, *BODIES) == set()


def test_where_no_other_page_names_it_nothing_is_left_at_all(tmp_path):
    folder = tmp_path / "archive"
    pages = {"/": page('<a href="/story/x?id=2">Some words of a link</a>'), "/story/x?id=2": story(GONE)}
    crawl(folder, pages)
    assert places_of(folder, "/story/x", title(GONE), *BODIES)
    with prepare(folder, "1") as takedown:
        assert len(takedown.listings) == 1
        takedown.carry_out(REASON, everywhere=True)
    assert places_of(folder, "/story/x", "id=2", title(GONE), "Some words of a link", *BODIES) == set()
    assert verify(folder).findings == []


def test_other_captures_that_name_it_are_counted_and_emptied_everywhere(archive):
    with prepare(archive, KEY) as takedown:
        assert len(takedown.listings) == 2  # the home page of two crawls
        assert (
            len(takedown.pages) == 1
        )  # the story before it; the second crawl has only a revisit of that, without a body
        takedown.carry_out(REASON, everywhere=True)
    assert places_of(archive, SLUG, title(GONE), *BODIES) == set()
    assert verify(archive).findings == []
    with Archive(archive) as opened:
        assert len(list(opened.articles())) == 7
    crawl(archive, site(), day=3)
    assert verify(archive).findings == []


def test_readers_of_others_read_the_files(archive):
    before = {path.name: len(list(foreign(path))) for path in warcs(archive)}
    number = take_down(archive)
    after = {path.name: list(foreign(path)) for path in warcs(archive)}
    assert {name: len(records) for name, records in after.items() if name in before} == before
    assert after.keys() - before.keys() == {warcs(archive)[-1].name}
    stones = [json.loads(block) for records in after.values() for kind, block in records if "tombstone" in kind]
    assert stones == [{"removed": REASON}] * number


def foreign(path: Path) -> Iterator[tuple[str, bytes]]:
    """Content types and blocks as warcio reads them."""
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            yield record.rec_headers.get_header("Content-Type"), record.content_stream().read()


def test_pywb_indexes_the_files(archive, tmp_path):
    pytest.importorskip("pywb")
    take_down(archive)
    index = Path(sys.executable).with_name("cdx-indexer")
    if not index.exists():
        pytest.skip("pywb's indexer is not installed")
    done = python(index, *warcs(archive))
    assert done.returncode == 0, done.stderr
    assert "a-slug-of-report-3" in done.stdout
    assert SLUG not in done.stdout


# -- it stays away -----------------------------------------------------------------------------------------------------


def test_a_later_crawl_does_not_bring_it_back(archive):
    take_down(archive)
    pages = site()
    outcomes = crawl(archive, {**pages, address(98): (301, b"", {"Location": KEY})}, day=3)
    assert outcomes.count("taken_down") == 1  # the address that leads to it; its own is not even requested
    assert len(outcomes) == 11
    assert places_of(archive, *BODIES) == set()
    assert {name for name in places_of(archive, SLUG, title(GONE)) if "warc" not in name} == set()
    with Archive(archive) as opened:
        assert opened.article(KEY) is None
    assert verify(archive).findings == []


def test_a_page_that_claims_to_be_it_stays_away_too(archive):
    take_down(archive)
    copy = page(f'<link rel="canonical" href="{KEY}"><h1>{title(GONE)}</h1><i>2 May 2016</i><p>{sentences(GONE)}</p>')
    other = page(f'<link rel="canonical" href="{KEY}"><h1>Another title here</h1><i>2 May 2016</i><p>Words.</p>')
    pages = {"/": page('<a href="/story/copy?id=77">A copy of words</a><a href="/story/o?id=78">Another one here</a>'),
             "/story/copy?id=77": copy, "/story/o?id=78": other}  # fmt: skip
    assert crawl(archive, pages, day=3)[:3] == ["listing", "taken_down", "new"]
    assert places_of(archive, *BODIES) == set()


def test_a_revisit_of_what_is_gone_becomes_a_capture_of_its_own(tmp_path):
    """Another address with the same page keeps its article, and the next crawl captures it with its body."""
    folder = tmp_path / "archive"
    pages = {"/": page('<a href="/story/a?id=5">Some words of one</a><a href="/story/b?id=6">Some words of two</a>'),
             "/story/a?id=5": story(GONE), "/story/b?id=6": story(GONE)}  # fmt: skip
    crawl(folder, pages)
    assert rows(folder, "SELECT count(*) FROM captures WHERE same_as IS NOT NULL") == [(1,)]
    with prepare(folder, HOST + "/story/a?id=5") as takedown:
        assert takedown.others == [(2, title(GONE))]
        takedown.carry_out(REASON)
    assert crawl(folder, pages, day=2) == ["listing", "unchanged"]
    assert rows(folder, "SELECT same_as FROM captures WHERE url LIKE '%/b?id=6' ORDER BY id DESC LIMIT 1") == [(None,)]
    assert verify(folder).findings == []


def test_failures_of_it_are_removed_too(tmp_path):
    folder = tmp_path / "archive"
    pages = {"/": listing(1, GONE), address(1): story(1), address(GONE): story(GONE)}
    crawl(folder, pages)
    crawl(folder, {**pages, address(GONE): (404, b"gone " + SLUG.encode(), {})}, day=2)
    crawl(folder, {"/": listing(1, GONE), address(1): story(1)}, day=3)
    take_down(folder)
    assert places_of(folder, "visit-failed") == set()
    assert verify(folder).findings == []
    with prepare(folder, HOST + address(1)) as takedown:
        takedown.carry_out("and the other one", everywhere=True)
    assert places_of(folder, "a-slug-of", title(1), title(GONE)) == set()
    assert len(verify(folder).notes) == 2


# -- cut short ---------------------------------------------------------------------------------------------------------

POINTS = [
    ("warc-written", 1), ("before-commit", 1), ("after-commit", 1), ("takedown-record", 1), ("takedown-record", 3),
    ("takedown-overwritten", 1), ("before-rotation", 1), ("warc-renamed", 1), ("after-rotation", 1),
]  # fmt: skip


def killed(folder: Path, point: str, count: int) -> None:
    command = ["takedown", KEY, "--reason", REASON, "--yes", "--archive", str(folder)]
    done = run_locum(*command, also={"LOCUM_KILL_AT": f"{point}:{count}"})
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(("point", "count"), POINTS)
def test_a_kill_leaves_the_old_state_or_one_that_is_finished(archive, tmp_path, point, count):
    killed(archive, point, count)
    with Archive(archive) as opened:
        old = opened.article(KEY) is not None
    assert old == (point in {"warc-written", "before-commit"})
    if point == "after-commit":
        assert {finding.kind for finding in verify(archive).findings} == {"takedown"}
    again = shutil.copytree(archive, tmp_path / "again")
    # another takedown finishes it
    if old:
        take_down(archive)
    else:
        done = invoke("takedown", KEY, "--reason", REASON, "--yes", "--archive", archive)
        assert done.exit_code == (0 if "is finished now" in done.output else 2)
        assert ("is finished now" in done.output) == (not point.startswith(("before-r", "warc-r", "after-r")))
        # and so does any crawl
        crawl(again, site(), day=3)
        assert places_of(again, *BODIES) == set()
        assert verify(again).findings == []
    assert places_of(archive, *BODIES) == set()
    assert {name for name in places_of(archive, SLUG) if "warc" not in name} == set()
    assert verify(archive).findings == []


def test_a_reader_that_holds_old_pages_is_named(archive, monkeypatch):
    with closing(sqlite3.connect(archive / "archive.db")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM articles").fetchone()
        start = ArchiveWriter.__init__

        def impatient(self, *args, **options):
            start(self, *args, **options)
            self.db.execute("PRAGMA busy_timeout = 10")

        monkeypatch.setattr(ArchiveWriter, "__init__", impatient)
        with pytest.raises(ArchiveError, match="still reads old pages"):
            take_down(archive)
    monkeypatch.undo()
    assert rows(archive, "SELECT count(*) FROM takedowns WHERE finished_at IS NULL") != [(0,)]
    assert finish_earlier(archive)
    assert not finish_earlier(archive)
    with pytest.raises(UsageError, match="no article"):
        take_down(archive)
    assert rows(archive, "SELECT count(*) FROM takedowns WHERE finished_at IS NULL") == [(0,)]
    assert places_of(archive, *BODIES) == set()


@pytest.mark.parametrize("point", ["before-commit", "takedown-record", "takedown-overwritten"])
def test_no_space(archive, point):
    arm(fail=f"{point}:1:ENOSPC")
    try:
        done = invoke("takedown", KEY, "--reason", REASON, "--yes", "--archive", archive)
    finally:
        arm()
    assert done.exit_code == 5
    assert "make room" in done.output
    again = invoke("takedown", KEY, "--reason", REASON, "--yes", "--archive", archive)
    assert again.exit_code == 0, again.output
    assert ("is finished now" in again.output) == (point != "before-commit")
    assert places_of(archive, *BODIES) == set()
    assert verify(archive).findings == []


def test_damaged_records_are_not_overwritten(archive):
    sql = "SELECT warc_file, warc_offset FROM captures WHERE url LIKE ? ORDER BY id LIMIT 1"
    (own, start), (other, elsewhere) = (rows(archive, sql, f"%report-{number}?%")[0] for number in (GONE, 5))
    path = archive / "warc" / own
    whole = path.read_bytes()
    path.write_bytes(whole[: start + 50] + b"!" + whole[start + 51 :])
    damaged = path.read_bytes()
    with pytest.raises(IntegrityError, match="nothing was changed"):
        take_down(archive)
    assert path.read_bytes() == damaged
    path.write_bytes(whole)
    path = archive / "warc" / other
    whole = path.read_bytes()
    path.write_bytes(whole[: elsewhere + 50] + b"!" + whole[elsewhere + 51 :])
    with prepare(archive, KEY) as takedown:
        assert takedown.unread == 1
        takedown.carry_out(REASON)
    assert [finding.offset for finding in verify(archive).findings] == [elsewhere]


# -- forged ------------------------------------------------------------------------------------------------------------


def test_a_record_cannot_be_removed_by_hand(archive):
    take_down(archive, 3)
    (facts,) = rows(archive, "SELECT removed FROM records WHERE removed IS NOT NULL LIMIT 1")[0]
    change(archive, "UPDATE records SET removed = ? WHERE seq = 8", facts)
    assert any("no takedown in the ledger says so" in finding.text for finding in verify(archive).findings)
    change(archive, "UPDATE records SET removed = 'x' WHERE seq = 8")
    assert {finding.kind for finding in verify(archive).findings} == {"takedown"}
    change(archive, "UPDATE records SET removed = NULL WHERE seq = 8")
    assert verify(archive).sound


def test_a_reason_cannot_be_changed_nor_a_removal_denied(archive):
    take_down(archive)
    change(archive, "UPDATE records SET removed = replace(removed, 'court', 'friend') WHERE removed IS NOT NULL")
    assert {finding.kind for finding in verify(archive).findings} == {"takedown"}
    change(archive, "UPDATE records SET removed = NULL")
    assert {finding.kind for finding in verify(archive).findings} == {"records"}


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command(archive):
    (number,) = rows(archive, "SELECT article_id FROM article_urls WHERE url = ?", KEY)[0]
    asked = invoke("takedown", number, "--reason", REASON, "--archive", archive)
    assert asked.exit_code == 2
    assert "--yes" in asked.output
    assert invoke("takedown", number, "--reason", " ", "--yes", "--archive", archive).exit_code == 2
    assert invoke("takedown", number, "--yes", "--archive", archive).exit_code == 2
    (archive / "archive.db.old").write_bytes(b"")
    done = invoke("takedown", number, "--reason", REASON, "--yes", "--archive", archive)
    assert done.exit_code == 0, done.output
    assert title(GONE) in done.output
    output = " ".join(done.output.replace("! ", "").split())
    assert "2 captures of listings and 1 capture of another page. They stay as they are" in output
    assert "archive.db.old" in done.output
    assert invoke("takedown", number, "--reason", REASON, "--yes", "--archive", archive).exit_code == 2
    assert REASON in invoke("verify", "--archive", archive).output


def test_an_archive_in_use(archive):
    with writer_lock(archive):
        assert invoke("takedown", KEY, "--reason", REASON, "--yes", "--archive", archive).exit_code == 2
    assert invoke("takedown", KEY, "--reason", REASON, "--yes", "--archive", archive / "none").exit_code == 2
    assert not (archive / "none").exists()


def test_the_question_is_asked_when_no_bar_runs_any_more(archive):
    """On a terminal, the bar is drawn and removed, and only then comes the question."""
    terminal, inner = pty.openpty()
    command = [sys.executable, "-m", "locum_spider", "takedown", "1", "--reason", "by order", "--archive", str(archive)]
    environment = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, env=environment) as process:
        os.close(inner)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(terminal, 4096)
        os.write(terminal, b"n\n")
        with suppress(OSError):  # Linux says so when the other end is closed
            while more := os.read(terminal, 4096):
                said += more
    os.close(terminal)
    hidden, shown = b"\x1b[?25l", b"\x1b[?25h"  # the cursor, while a bar runs
    assert said.index(hidden) < said.rindex(shown) < said.index(b"Article 1:") < said.index(b"[y/N]")
    assert process.returncode == 0
    assert b"Nothing was removed" in said
    assert verify(archive).sound
