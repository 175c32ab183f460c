"""The WARC files are the archive: whatever database lies beside them, no whole record is ever lost."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest
from dump import dump_archive
from support import flipped, invoke, require_same_rebuilt, rows
from support.gazette import crawl, site, story
from warcio.archiveiterator import ArchiveIterator

from locum_spider.errors import IntegrityError, LostDatabaseError
from locum_spider.preservation.rebuild import rebuild
from locum_spider.preservation.verify import verify
from locum_spider.recorder import ingest
from locum_spider.recorder.writer import open_archive


def kept(archive):
    """The id of every whole record in the folder, whatever the file is called."""
    found = set()
    for path in (archive / "warc").iterdir():
        whole = path.read_bytes()
        with path.open("rb") as file:
            try:
                for record in ArchiveIterator(file):
                    found.add(record.rec_headers["WARC-Record-ID"])
                    record.raw_stream.read()
            except Exception:  # noqa: BLE001 - the torn end
                assert whole
    return found


def copy_database(archive, copy):
    with closing(sqlite3.connect(archive / "archive.db")) as db, closing(sqlite3.connect(copy)) as to:
        db.backup(to)


@pytest.fixture
def archive(tmp_path):
    """One crawl that is complete."""
    crawl(tmp_path / "archive", site(), warc_bytes=10**9)
    return tmp_path / "archive"


@pytest.fixture
def older(archive, tmp_path):
    """The database as it was before a second crawl, which saw a change."""
    copy = tmp_path / "older.db"
    shutil.copyfile(archive / "archive.db", copy)
    crawl(archive, {**site(), "/story/a-slug-of-report-2?id=2": story(2, "Other words.")}, day=2, warc_bytes=10**9)
    return copy


def open_and_close(archive):
    with open_archive(archive):
        pass


def test_a_lost_database_is_told_by_every_command_and_nothing_is_touched(archive, tmp_path):
    (archive / "archive.db").unlink()
    before, foreign = kept(archive), tmp_path / "other.warc"
    foreign.write_bytes(b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n")
    for command in (["verify"], ["search", "nurse"], ["status"], ["crawl", "locum-today"], ["import", foreign]):
        ended = invoke(*command, "--archive", archive)
        assert ended.exit_code == 7, command
        assert "`locum rebuild`" in ended.stderr + ended.stdout
    with pytest.raises(LostDatabaseError, match=r"archive\.db is missing, but warc/ has 1 WARC file: run"):
        open_and_close(archive)
    assert kept(archive) == before
    assert rebuild(archive, jobs=1).exit_code == 0
    assert verify(archive).sound


def test_an_empty_database_beside_warc_files_is_a_lost_one(archive):
    (archive / "archive.db").write_bytes(b"")
    with pytest.raises(LostDatabaseError, match="`locum rebuild`"):
        open_and_close(archive)


def test_an_older_database_is_refused_until_it_is_made_again(archive, older):
    whole, before = dump_archive(archive), kept(archive)
    shutil.copyfile(older, archive / "archive.db")
    with pytest.raises(IntegrityError, match=r"archive\.db is older .* is not in it; run `locum rebuild`"):
        open_and_close(archive)
    report = verify(archive)
    assert [finding.text for finding in report.findings if "older" in finding.text and "rebuild" in finding.text]
    assert kept(archive) == before
    assert rebuild(archive, jobs=1).exit_code == 0
    assert dump_archive(archive) == whole
    open_and_close(archive)


def test_a_database_that_was_copied_in_a_crawl_takes_in_what_came_after(tmp_path):
    archive, copy = tmp_path / "archive", tmp_path / "copy.db"
    crawl(archive, site(), warc_bytes=10**9, each=lambda number: number == 5 and copy_database(archive, copy))
    whole, before = dump_archive(archive), kept(archive)
    shutil.copyfile(copy, archive / "archive.db")
    assert len(dump_archive(archive)) < len(whole)
    assert "does not know" in verify(archive).findings[0].text
    open_and_close(archive)
    assert kept(archive) == before
    assert dump_archive(archive) == whole
    assert verify(archive).sound


def test_a_database_of_before_a_closed_file_grew_is_refused(archive, older):
    shutil.copyfile(older, archive / "archive.db")
    first, second = sorted((archive / "warc").iterdir())
    first.write_bytes(first.read_bytes() + second.read_bytes())
    second.unlink()
    before = kept(archive)
    with pytest.raises(IntegrityError, match=r"bytes more than it knows; run `locum rebuild`"):
        open_and_close(archive)
    assert kept(archive) == before


def test_a_database_of_another_archive_is_refused(archive, tmp_path):
    other = tmp_path / "other"
    crawl(other, {**site(), "/story/a-slug-of-report-2?id=2": story(2, "Other words.")}, warc_bytes=10**9)
    path, theirs = next((archive / "warc").iterdir()), next((other / "warc").iterdir())
    named = path.rename(path.with_name(theirs.name))
    named.write_bytes(named.read_bytes().ljust(theirs.stat().st_size, b"\0")[: theirs.stat().st_size])
    shutil.copyfile(other / "archive.db", archive / "archive.db")
    with pytest.raises(IntegrityError, match="the database belongs to other files"):
        open_and_close(archive)


def test_missing_files_stop_a_crawl_before_it_writes(archive, older):
    for path in (archive / "warc").iterdir():
        path.unlink()
    with pytest.raises(IntegrityError, match=r"and 1 more are missing; restore them from a backup"):
        open_and_close(archive)
    assert list((archive / "warc").iterdir()) == []


def test_an_unknown_file_that_does_not_follow_is_not_taken_in(archive, older):
    """Its crawl was killed, then the database was put back."""
    first, second = sorted((archive / "warc").iterdir())
    crawl(archive, site(), day=3, warc_bytes=10**9)
    third = next(path for path in (archive / "warc").iterdir() if path not in {first, second})
    third.rename(third.with_name(third.name + ".open"))
    shutil.copyfile(older, archive / "archive.db")
    second.unlink()
    with pytest.raises(IntegrityError, match=r"older .*\.open is not in it"):
        open_and_close(archive)


def test_a_file_of_others_in_the_folder(archive, tmp_path):
    foreign = archive / "warc" / "20200101T000000Z-00001.warc.gz"
    warcinfo = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 16\r\n\r\nsoftware: other\n\r\n\r\n"
    foreign.write_bytes(gzip.compress(warcinfo))
    open_and_close(archive)  # it does not stop a crawl
    assert [finding.file for finding in verify(archive).findings] == [foreign.name]
    ended = invoke("rebuild", "--archive", archive)
    assert (ended.exit_code, "move it out of warc/" in ended.stderr) == (7, True)
    assert foreign.exists()


def test_a_damaged_body_is_not_referred_to(archive):
    """A page that stays as it is is kept again, in full, and its article is read."""
    name, offset, length = rows(
        archive, "SELECT warc_file, warc_offset, warc_length FROM captures WHERE url LIKE '%report-2?%'"
    )[0]
    path = archive / "warc" / name
    path.write_bytes(flipped(path.read_bytes(), offset + length // 2))
    for day in (2, 3):
        crawl(archive, site(), day=day)
    states = "SELECT status, same_as IS NOT NULL, truncated FROM captures WHERE url LIKE '%report-2?%' ORDER BY id"
    assert rows(archive, states) == [(200, 0, None), (200, 0, None), (200, 1, None)]
    assert {finding.kind for finding in verify(archive).findings} == {"records"}


def test_crawls_of_an_older_version_that_have_one_number_are_two(tmp_path, monkeypatch):
    """Both counted from 1, as after a lost database."""
    archive, other = tmp_path / "archive", tmp_path / "other"
    monkeypatch.setattr(ingest, "uuid4", lambda: SimpleNamespace(hex="1"))
    for day, folder in enumerate((archive, other), 1):
        crawl(folder, site(), day=day)
    for path in (other / "warc").iterdir():
        shutil.copyfile(path, archive / "warc" / f"2999{path.name}")
    assert rebuild(archive, jobs=1).exit_code == 0
    crawls = rows(archive, "SELECT c.id, c.uid, c.outcome, count(*) FROM crawls c JOIN captures ON crawl_id = c.id "
                           "GROUP BY c.id")  # fmt: skip
    assert [(number, uid[:5], outcome) for number, uid, outcome, _ in crawls] == [
        (1, "1", "done"), (2, "1 of ", "done"),
    ]  # fmt: skip
    assert crawls[0][3] == crawls[1][3]
    assert verify(archive).sound
    require_same_rebuilt(archive)
