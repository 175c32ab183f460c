"""A disk that is full or fails at any write: exit code 5, one sentence, nothing lost, and the next crawl goes on."""

from __future__ import annotations

import os
from types import SimpleNamespace

import click
import pytest
from crash import SITE, faults
from crash_site import site
from disk import compiler, sweep
from support import no_file_beyond, rows, run_locum
from support.crash_facts import finish, require_same
from support.opened import OpenedRecorder

from locum_spider.cli.common import Size
from locum_spider.demo.server import SiteServer
from locum_spider.errors import NoSpaceError
from locum_spider.recorder.reserve import Reserve


def captures(archive):
    """Every capture in its order; none if the strike came before there was a table for them."""
    if not rows(archive, "SELECT 1 FROM sqlite_master WHERE name = 'captures'"):
        return []
    return rows(archive, "SELECT url, fetched_at, digest, warc_file, warc_offset FROM captures ORDER BY id")


def struck(runs, undisturbed, archive, **strike) -> bool:
    """Whether a strike hits a crawl. One that is hit says so in a sentence, and the next one ends as if none was."""
    ended = runs.run(archive, **strike)
    assert faults(archive) == []
    if ended.code == 0:
        return False
    assert ended.code == 5, ended.message
    assert "nothing is lost" in ended.message
    assert "\n" not in ended.message
    kept = captures(archive)
    finish(runs, archive, crawls=1)
    assert captures(archive)[: len(kept)] == kept
    require_same(archive, undisturbed, crawls=1)
    return True


@pytest.mark.parametrize(
    ("point", "error", "first", "step"),
    [("warc-torn", "ENOSPC", 1, 4), ("warc-append", "EIO", 3, 4), ("warc-started", "ENOSPC", 1, 1),
     ("warc-closed", "EIO", 1, 1)],
)  # fmt: skip
def test_a_failing_write_of_a_warc(runs, undisturbed, tmp_path, steps, point, error, first, step):
    number = steps(first)
    while struck(runs, undisturbed, tmp_path / str(number), fail=f"{point}:{number}:{error}"):
        number += steps(step)
    assert number > 1


def test_a_database_that_cannot_grow(runs, undisturbed, tmp_path, steps):
    """Whatever number of pages the database may still grow by."""
    pages = 0
    while struck(runs, undisturbed, tmp_path / str(pages), max_pages=pages):
        pages += steps(4)
    assert pages > 10


def test_files_that_cannot_grow(runs, undisturbed, tmp_path):
    """The system refuses a write of the database, its log or a WARC, at any size."""
    size = 4096
    while struck(runs, undisturbed, tmp_path / str(size), file_size=size):
        size = size * 3 // 2 + 1000
    assert size > 200_000


@pytest.mark.skipif(compiler() is None, reason="needs Linux and a C compiler")
def test_any_write_that_the_system_refuses(steps):
    """WARC, database and log, with the real command; `make disk` lets every single write fail."""
    done, cases = sweep(steps(450), first=steps(100), lanes=2)
    assert done.wrong == []
    assert cases >= 4  # of about 1,100 writes, each with ENOSPC and with EIO
    assert done.reported >= cases // 2


@pytest.fixture(scope="module")
def server():
    with SiteServer(site(changed=False)) as running:
        yield running


def crawl(archive, server, *options, limit=None, **environment):
    also = {"http_proxy": server.url, "https_proxy": server.url, "no_proxy": "", **environment}
    limits = no_file_beyond(limit) if limit else None
    return run_locum("crawl", SITE, "--delay", "0", "--archive", archive, *options, also=also, preexec_fn=limits)


def test_the_command_says_so_in_one_sentence_and_goes_on_later(server, tmp_path):
    ended = crawl(tmp_path / "archive", server, limit=330_000)
    assert ended.returncode == 5, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "no more can be written" in ended.stderr
    assert faults(tmp_path / "archive") == []
    ended = crawl(tmp_path / "archive", server)
    assert ended.returncode == 0, ended.stderr
    assert rows(tmp_path / "archive", "SELECT count(*) FROM crawls WHERE outcome = 'done'") == [(1,)]


@pytest.mark.parametrize("point", ["before-close", "warc-closed", "closed"])
def test_a_recorder_that_cannot_close_its_files_says_so_and_ends(server, tmp_path, point):
    """The crawl is over by then, and waits for nothing but the end of the recorder."""
    ended = crawl(tmp_path / "archive", server, LOCUM_FAIL_AT=f"{point}:1:EIO")
    assert ended.returncode == 5, ended.stderr
    assert "no more can be written" in ended.stderr
    assert faults(tmp_path / "archive") == []
    assert rows(tmp_path / "archive", "SELECT outcome FROM crawls") == [("done",)]
    again = crawl(tmp_path / "archive", server)
    assert again.returncode == 0, again.stderr


def test_a_reserve_stops_a_crawl_before_it_writes(server, tmp_path):
    ended = crawl(tmp_path / "archive", server, "--min-free", "999999TB")
    assert ended.returncode == 5
    assert ended.stderr.count("\n") == 1
    assert "--min-free" in ended.stderr
    assert list((tmp_path / "archive").glob("warc/*")) == []


@pytest.mark.parametrize("size", ["much", "-1", "5 XB", ""])
def test_a_reserve_that_is_no_size_is_refused(size):
    with pytest.raises(click.BadParameter, match="500MB"):
        Size().convert(size, None, None)


def test_a_reserve_that_is_used_up_closes_everything(tmp_path, monkeypatch):
    free = iter([600, 600, 400])
    monkeypatch.setattr(os, "statvfs", lambda _folder: SimpleNamespace(f_bavail=next(free), f_frsize=1_000_000))
    monkeypatch.setattr("locum_spider.recorder.reserve._EVERY", 0.0)
    recorder = OpenedRecorder(tmp_path, min_free=500_000_000)
    from locum_spider.recorder.messages import Open

    recorder.open(Open(SITE))
    recorder.record([])
    with pytest.raises(NoSpaceError, match="400 MB are free"):
        recorder.record([])
    assert list(tmp_path.glob("warc/*.open")) == []
    assert not (tmp_path / "archive.db-wal").exists()


def test_the_disk_is_asked_once_a_second_at_most(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "statvfs", lambda folder: asked.append(folder) or SimpleNamespace(f_bavail=9, f_frsize=9))
    reserve = Reserve(tmp_path, 10)
    assert [reserve.lacking() for _ in range(100)] == [None] * 100
    assert len(asked) == 1
    assert Reserve(tmp_path, 0).lacking() is None
    assert len(asked) == 1
