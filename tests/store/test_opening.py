"""Opening an archive: made if there is none, refused if it is something else, written by one process at a time."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support import change

from locum_spider.archive import Archive
from locum_spider.clock import utc_now
from locum_spider.errors import ArchiveError, DamagedArchiveError, NoSpaceError
from locum_spider.store import migrations
from locum_spider.store.connection import connect_reading, connect_writing
from locum_spider.store.files import disk_error, writing_errors
from locum_spider.store.lock import writer_lock

CONTRACT = {
    "articles": "id site url title standfirst authors section tags lang published published_at published_raw "
    "published_source modified_at word_count state first_seen last_seen",
    "article_text": "id title standfirst body",
    "article_urls": "url article_id",
    "revisions": "id article_id seq capture_id digest title standfirst body seen_at",
    "captures": "id crawl_id url fetched_at status content_type digest warc_file warc_offset warc_length",
    "listing_entries": "capture_id position url title published_raw",
    "crawls": "id site started_at finished_at outcome",
    "full_articles": "url site title standfirst authors section tags lang published published_at text",
}


def columns(db: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


@pytest.mark.parametrize("table", sorted(CONTRACT))
def test_new_archive_has_the_tables_that_scripts_rest_on(db, table):
    assert set(CONTRACT[table].split()) <= columns(db, table)


def test_new_archive_is_a_folder_with_its_parts(tmp_path):
    folder = tmp_path / "not" / "there" / "yet"
    connect_writing(folder).close()
    assert {path.name for path in folder.iterdir()} >= {"archive.db", "warc", "sites"}


def test_journal_and_keys_are_set(tmp_path):
    for durable, synchronous in ((False, 1), (True, 2)):
        db = connect_writing(tmp_path, durable=durable)
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA synchronous").fetchone()[0] == synchronous
        assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        db.close()


def test_opening_again_changes_nothing(tmp_path):
    def schema() -> list[tuple[str, str]]:
        db = connect_writing(tmp_path)
        rows = db.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        db.close()
        return rows

    assert schema() == schema()


def test_applied_migrations_are_the_known_ones_in_order(db):
    applied = [row[0] for row in db.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]
    assert set(applied) == migrations.known()
    assert applied == sorted(applied)


def test_reading_connection_cannot_write(tmp_path):
    connect_writing(tmp_path).close()
    db = connect_reading(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM articles")
    db.close()


def test_foreign_keys_are_held(db):
    with pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO article_urls (url, article_id) VALUES ('http://x.example/', 1)")


# -- not an archive --------------------------------------------------------------------------------------------------


def nothing(folder: Path) -> None:
    folder.rmdir()


def empty(folder: Path) -> None:
    pass


def a_file(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("x")


def text_file(folder: Path) -> None:
    (folder / "archive.db").write_text("This is no database, but it is long enough to look like one. " * 50)


def damaged(folder: Path) -> None:
    connect_writing(folder).close()
    path = folder / "archive.db"
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 5000)


def other_database(folder: Path) -> None:
    change(folder, "CREATE TABLE recipes (id INTEGER)")


def other_migrated_database(folder: Path) -> None:
    from sqlite_utils import Database, Migrations

    others = Migrations("recipes")

    @others()
    def m001(db: Database) -> None:
        db["recipes"].create({"id": int})

    database = Database(str(folder / "archive.db"))
    others.apply(database)
    database.close()


def folder_in_its_place(folder: Path) -> None:
    (folder / "archive.db").mkdir()


def newer(folder: Path) -> None:
    connect_writing(folder).close()
    values = "('locum_spider', 'm999_far', '2030')"
    change(folder, f"INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES {values}")


REFUSED = {
    nothing: "the folder does not exist",
    empty: "has no archive.db",
    a_file: "it is a file",
    text_file: "not an SQLite database",
    damaged: "cannot be read as an archive",
    other_database: "something else",
    other_migrated_database: "something else",
    folder_in_its_place: "is not an archive",
    newer: r"newer version of locum-spider \(m999_far\)",
}


@pytest.mark.parametrize("make", REFUSED, ids=lambda make: make.__name__)
def test_what_is_no_archive_is_not_read(tmp_path, make):
    folder = tmp_path / "archive"
    folder.mkdir()
    make(folder)
    with pytest.raises(ArchiveError, match=REFUSED[make]) as caught:
        Archive(folder)
    assert isinstance(caught.value, DamagedArchiveError) == (make in {text_file, damaged})
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("make", [m for m in REFUSED if m not in (nothing, empty)], ids=lambda make: make.__name__)
def test_what_is_no_archive_is_not_written(tmp_path, make):
    folder = tmp_path / "archive"
    folder.mkdir()
    make(folder)
    path = folder / "archive.db"
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ArchiveError) as caught:
        connect_writing(folder).close()
    assert str(folder) in str(caught.value)
    if before is not None:
        assert path.read_bytes() == before


@pytest.mark.parametrize("make", [nothing, empty], ids=lambda make: make.__name__)
def test_writing_makes_an_archive_where_nothing_is(tmp_path, make):
    folder = tmp_path / "archive"
    folder.mkdir()
    make(folder)
    connect_writing(folder).close()
    Archive(folder).close()


def test_empty_file_of_a_killed_first_start_is_no_obstacle(tmp_path):
    (tmp_path / "archive.db").touch()
    connect_writing(tmp_path).close()
    Archive(tmp_path).close()


def test_reading_an_empty_database_is_refused_or_empty(tmp_path):
    """Between the first `connect` and the first commit, a reader gets a sentence and not a traceback of SQLite."""
    (tmp_path / "archive.db").touch()
    with pytest.raises(ArchiveError):
        list(Archive(tmp_path).articles())


# -- a full disk -----------------------------------------------------------------------------------------------------


def full() -> Exception:
    """The error that SQLite raises if there is no room for another page."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("PRAGMA max_page_count = 1")
        try:
            db.execute("CREATE TABLE x (y)")
        except sqlite3.Error as error:
            return error
    raise AssertionError("there was room")


def failing() -> Exception:
    """One of SQLite's many I/O errors; its message does not say that it is one."""
    error = sqlite3.OperationalError("something about a page")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    return error


FULL = [OSError(getattr(errno, name), "words of some system") for name in ("ENOSPC", "EDQUOT", "EIO", "EFBIG")]
OTHER = [PermissionError(errno.EACCES, "no space left in the words alone"), sqlite3.OperationalError("disk is full")]


@pytest.mark.parametrize("error", [*FULL, full(), failing()], ids=str)
def test_full_disk_is_said_so(tmp_path, error):
    found = disk_error(error, tmp_path)
    assert isinstance(found, NoSpaceError)
    assert found.exit_code == 5
    assert str(tmp_path) in str(found)
    with pytest.raises(NoSpaceError), writing_errors(tmp_path):
        raise error


@pytest.mark.parametrize("error", OTHER, ids=str)
def test_other_errors_are_not_taken_for_a_full_disk(tmp_path, error):
    assert disk_error(error, tmp_path) is None
    with (
        pytest.raises(ArchiveError, match=r"cannot be written: (no space left in|disk is full)"),
        writing_errors(tmp_path),
    ):
        raise error


def test_errors_of_ours_and_faults_pass(tmp_path):
    for error in (ArchiveError("as it is"), KeyError("a fault")):
        with pytest.raises(type(error)) as caught, writing_errors(tmp_path):
            raise error
        assert caught.value is error


# -- one writer ------------------------------------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from locum_spider.store.lock import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_writer_is_refused_and_told_who_is_first(tmp_path, holder):
    with pytest.raises(ArchiveError, match=f"is being written by process {holder.pid}"), writer_lock(tmp_path):
        pass
    assert holder.poll() is None


def test_lock_is_freed_when_its_holder_is_killed(tmp_path, holder):
    holder.kill()
    holder.wait()
    with writer_lock(tmp_path):
        assert (tmp_path / "archive.lock").read_text() == f"{os.getpid()}\n"


def test_lock_is_freed_at_the_end_of_the_block_also_by_an_error(tmp_path):
    with pytest.raises(RuntimeError), writer_lock(tmp_path):
        raise RuntimeError
    with writer_lock(tmp_path):
        pass


def test_reading_goes_on_while_one_writes(tmp_path, holder):
    db = connect_writing(tmp_path)
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO crawls (site, started_at, version) VALUES ('x', 'now', '1')")
    with Archive(tmp_path) as archive:
        assert archive.crawls() == []
    db.execute("COMMIT")
    db.close()


def test_our_times_are_utc_in_one_form():
    assert len(utc_now()) == 20
    assert utc_now().endswith("Z")
