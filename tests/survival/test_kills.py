"""SIGKILL at every named point, each time it is reached; Ctrl-C; a kill in a migration."""

from __future__ import annotations

import re
import shutil

import pytest
from crash import REBUILD_POINTS, SITE, Blow, faults, finished, run
from dump import dump_archive
from support import PROJECT, python, rows, run_locum
from support.crash_facts import finish, require_same

from locum_spider.checkpoints import POINTS
from locum_spider.demo.sample import HOME, Page, Sample
from locum_spider.demo.server import SiteServer
from locum_spider.preservation.rebuild import rebuild

FREQUENT = {
    "warc-torn": 11, "warc-append": 11, "migration": 17, "warc-written": 3, "warc-flushed": 3, "before-commit": 3,
    "after-commit": 3,
}  # fmt: skip
"""Points that are reached too often to try each time, with the step between those tried; the long form tries all."""

RECOVERY = tuple(point for point in POINTS if point.startswith("recover"))


@pytest.mark.parametrize("point", [p for p in POINTS if p not in RECOVERY])
def test_killed_at_a_point_a_crawl_goes_on_as_if_nothing_had_been(runs, undisturbed, tmp_path, steps, point):
    number, step = 1, steps(FREQUENT.get(point, 1))
    killed = True
    while killed:
        archive = tmp_path / f"{point}-{number}"
        killed = runs.run(archive, kill=f"{point}:{number}").killed
        assert faults(archive) == []
        finish(runs, archive, crawls=1)
        require_same(archive, undisturbed, crawls=1)
        number += step
    assert number > 1 + step


@pytest.mark.parametrize("point", RECOVERY)
def test_killed_while_it_recovers_from_a_kill(runs, undisturbed, tmp_path, point):
    archive = tmp_path / "archive"
    assert runs.run(archive, kill="warc-torn:12").killed
    assert runs.run(archive, kill=f"{point}:1").killed
    assert faults(archive) == []
    finish(runs, archive)
    require_same(archive, undisturbed)


def test_killed_in_the_second_crawl_too(runs, undisturbed, tmp_path, steps):
    for number in range(1, 30, steps(7)):
        archive = tmp_path / str(number)
        runs.run(archive)
        assert runs.run(archive, changed=True, kill=f"warc-torn:{number}").killed
        finish(runs, archive)
        require_same(archive, undisturbed)


def test_killed_again_and_again(runs, undisturbed, tmp_path):
    archive = tmp_path / "archive"
    kills = 0
    while finished(archive) < 2:
        kills += runs.run(archive, changed=finished(archive) == 1, kill="after-commit:4").killed
        assert faults(archive) == []
    assert kills > 3
    require_same(archive, undisturbed)


def test_stopped_in_good_order_a_crawl_goes_on(runs, undisturbed, tmp_path):
    for batches in (0, 1, 3):
        archive = tmp_path / str(batches)
        assert runs.run(archive, stop_after=batches).code == 3
        assert rows(archive, "SELECT outcome, finished_at FROM crawls") == [("interrupted", None)]
        assert list(archive.glob("warc/*.open")) == []
        finish(runs, archive)
        require_same(archive, undisturbed)


def test_a_power_cut_that_undoes_the_renaming_loses_no_file(runs, undisturbed, tmp_path):
    archive = tmp_path / "archive"
    assert runs.run(archive, stop_after=3).code == 3
    for path in list(archive.glob("warc/*.gz")):
        path.rename(path.with_name(path.name + ".open"))
    finish(runs, archive)
    require_same(archive, undisturbed)


def test_a_clock_set_back_keeps_the_files_in_order(runs, undisturbed, tmp_path):
    archive = tmp_path / "archive"
    assert runs.run(archive, stop_after=2).code == 3
    for path in list(archive.glob("warc/*.gz")):
        path.rename(path.with_name(re.sub(r"^\w+", "29991231T000000Z", path.name)))
    (archive / "archive.db").unlink()
    rebuild(archive, jobs=1)
    finish(runs, archive)
    names = [name for (name,) in rows(archive, "SELECT warc_file FROM records ORDER BY seq")]
    assert names == sorted(names)
    assert len(set(names)) > 3
    require_same(archive, undisturbed)


@pytest.mark.parametrize("point", REBUILD_POINTS)
def test_killed_in_a_rebuild_the_archive_has_the_old_database_or_the_new(undisturbed, tmp_path, point):
    archive = tmp_path / "archive"
    shutil.copytree(undisturbed.archive, archive)
    before = dump_archive(archive)
    ended = run_locum("rebuild", "--jobs", "1", "--archive", archive, also={"LOCUM_KILL_AT": f"{point}:1"})
    assert ended.returncode == -9
    assert dump_archive(archive) == before
    rebuild(archive, jobs=1)
    assert dump_archive(archive) == before
    assert list(archive.glob("archive.db.*")) == []


def test_a_resumed_crawl_asks_robots_txt_before_all_its_requests(tmp_path):
    """They wait for it together. Scrapy's own middleware lets all but two of them through without it."""
    urls = [f"{HOME}article.php?s=2018-04-10-report-{number}" for number in range(6)]
    links = "".join(f'<h3><a href="{url}">Report number {n} of many</a></h3>' for n, url in enumerate(urls))
    rules = "User-agent: *\nDisallow: /article.php\n"
    pages = {HOME: Page(f"<html><body>{links}</body></html>".encode()), f"{HOME}robots.txt": Page(rules.encode())}
    command = ["crawl", SITE, "--archive", str(tmp_path), "--delay", "0", "--concurrency", "6", "--min-free", "0"]
    with SiteServer(Sample(pages)) as server:
        assert run(command, server.url, Blow(point="after-commit:3")).code == -9
        assert rows(tmp_path, "SELECT count(*) FROM frontier WHERE state = 'queued'") == [(6,)]
        run(command, server.url, Blow())
        assert {hit.path for hit in server.log} == {"/", "/robots.txt"}
    assert rows(tmp_path, "SELECT count(*) FROM frontier WHERE outcome = 'refused'") == [(6,)]


def test_the_crash_harness_finds_nothing():
    ended = python("tools/crash.py", "--kills", "1", cwd=PROJECT)
    assert "0 lost, 0 doubled, 0 corrupt" in ended.stdout, ended.stdout + ended.stderr
    assert ended.returncode == 0
