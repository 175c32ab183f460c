"""Archives that one may only read, and archives that another program holds: every command says what it can."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest
from support import change, invoke
from support.readers import only_readable

from locum_spider.store.connection import reading_place

READING = (
    ["search", "agency"], ["show", "1"], ["status"], ["sites"], ["verify"], ["verify", "--head"],
)  # fmt: skip
WRITING = (["schedule", "locum-today", "--print"], ["schedule", "locum-today", "--off"],
           ["takedown", "1", "--reason", "r", "--yes"], ["rebuild"])  # fmt: skip


def log_left(folder):
    """Give an archive a log, as a killed crawl leaves it: only the log has its last row."""
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        with db:
            db.execute("INSERT INTO schedules VALUES ('only-in-the-log', '1d', '2026-05-04T10:00:00Z')")
        shutil.copytree(folder, folder.with_name("killed"))
    (folder.with_name("killed") / "archive.db-shm").unlink()
    return folder.with_name("killed")


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_what_one_may_only_read_can_be_read(sample_crawl, arguments):
    expected = invoke(*arguments, "--archive", sample_crawl.archive)
    with only_readable(sample_crawl.archive) as folder:
        result = invoke(*arguments, "--archive", folder)
    assert (result.exit_code, result.exception) == (0, None), result.output
    assert result.output == expected.output


def test_a_log_that_a_kill_left_is_read_too(sample_crawl, tmp_path):
    shutil.copytree(sample_crawl.archive, tmp_path / "archive")
    with only_readable(log_left(tmp_path / "archive")) as folder:
        first, again = reading_place(folder), reading_place(folder)
        assert first.path.parent != folder.resolve()
        assert first == again, "copied twice"
        result = invoke("verify", "--archive", folder)
        assert result.exit_code == 0, result.output
        assert "only-in-the-log" in invoke("status", "--archive", folder).output


@pytest.mark.parametrize("arguments", WRITING, ids=lambda arguments: arguments[0] + arguments[-1])
def test_what_cannot_be_written_is_told_in_one_line(sample_crawl, arguments):
    invoke(*arguments, "--archive", sample_crawl.folder / "nowhere")  # imports what nobody may read
    with only_readable(sample_crawl.archive) as folder:
        result = invoke(*arguments, "--archive", folder)
    assert (result.exit_code, type(result.exception)) == (2, SystemExit), result.output
    assert len(result.output.strip().splitlines()) == 1
    assert "cannot be written" in result.output


@pytest.mark.parametrize("arguments", [["schedule", "locum-today", "--print"], ["schedule", "locum-today", "--off"]])
def test_an_archive_that_another_program_holds_is_in_use(sample_crawl, tmp_path, monkeypatch, arguments):
    shutil.copytree(sample_crawl.archive, tmp_path / "archive")
    monkeypatch.setattr("locum_spider.store.connection.PATIENCE", 0)
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        result = invoke(*arguments, "--archive", tmp_path / "archive")
    assert result.exit_code == 2, result.output
    assert "is in use" in result.output


def test_an_archive_that_is_locked_for_reading_is_not_called_damaged(sample_crawl, tmp_path, monkeypatch):
    shutil.copytree(sample_crawl.archive, tmp_path / "archive")
    change(tmp_path / "archive", "PRAGMA journal_mode = DELETE")
    monkeypatch.setattr("locum_spider.store.connection.PATIENCE", 0)
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        for command in (["verify"], ["status"], ["search", "agency"]):
            result = invoke(*command, "--archive", tmp_path / "archive")
            assert result.exit_code == 2, result.output
            assert "is in use" in result.output
