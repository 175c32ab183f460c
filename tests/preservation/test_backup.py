"""`locum backup`: the copy is an archive, whatever happens while it is made."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest
from support import change, flipped, invoke, no_file_beyond, rows, run_locum, warcs
from support.gazette import HOST, address, crawl, declare, places_of, sentences, site, story

from locum_spider import Archive
from locum_spider.errors import ArchiveError, IntegrityError
from locum_spider.preservation.backup import back_up
from locum_spider.preservation.takedown.plan import prepare
from locum_spider.preservation.verify import read_head, verify


def same(one: Path, other: Path) -> bool:
    """Whether two archives hold the same files and articles."""
    files = [{path.name: path.read_bytes() for path in warcs(folder)} for folder in (one, other)]
    with Archive(one) as first, Archive(other) as second:
        return files[0] == files[1] and list(first.articles()) == list(second.articles())


def test_the_copy_is_an_archive(sound, tmp_path):
    copied = back_up(sound, tmp_path / "a" / "copy")
    assert (copied.new, copied.grown, copied.kept) == (len(warcs(sound)), 0, 0)
    assert copied.report.findings == []
    assert same(sound, tmp_path / "a" / "copy")
    assert read_head(tmp_path / "a" / "copy") == read_head(sound)
    assert (tmp_path / "a" / "copy" / "sites" / "gazette.toml").exists()
    assert [path.name for path in tmp_path.rglob("*.part")] == []


def test_the_second_time_only_what_is_new_is_copied(archive, tmp_path):
    first = back_up(archive, tmp_path / "copy")
    assert back_up(archive, tmp_path / "copy").bytes == 0
    stamps = {path: path.stat().st_mtime_ns for path in warcs(tmp_path / "copy")}
    crawl(archive, site(), day=3)
    again = back_up(archive, tmp_path / "copy")
    assert (again.new, again.kept) == (len(warcs(archive)) - first.new, first.new)
    assert again.bytes < first.bytes
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert same(archive, tmp_path / "copy")


def test_while_a_crawl_goes_on(tmp_path):
    folder, copy = tmp_path / "archive", tmp_path / "copy"
    done = []
    crawl(folder, site(), each=lambda _: done.append(back_up(folder, copy)))
    assert all(copied.report.sound for copied in done)
    assert not any(copied.report.notes for copied in done)
    assert sum(copied.grown for copied in done) > 3
    total = sum(copied.bytes for copied in done)
    last = back_up(folder, copy)
    assert total + last.bytes == sum(path.stat().st_size for path in warcs(folder))
    assert same(folder, copy)


def test_in_a_thread_beside_a_crawl(tmp_path):
    folder, copy = tmp_path / "archive", tmp_path / "copy"
    crawl(folder, site(2))
    faults, rounds, stop = [], [], threading.Event()

    def copying() -> None:
        while not stop.is_set():
            faults.extend(back_up(folder, copy).report.findings)
            rounds.append(1)

    thread = threading.Thread(target=copying)
    thread.start()
    try:
        for day in range(2, 6):
            crawl(folder, site(12), day=day, warc_bytes=5_000)
    finally:
        stop.set()
        thread.join()
    assert faults == []
    assert rounds
    back_up(folder, copy)
    assert same(folder, copy)


def test_never_more_than_is_acknowledged(archive, tmp_path):
    path = warcs(archive)[-1]
    change(archive, "UPDATE warc_files SET closed = 0 WHERE name = ?", path.name)
    whole = path.read_bytes()
    path = path.rename(path.with_name(path.name + ".open"))
    path.write_bytes(whole + b"what a crawl is writing")
    copied = back_up(archive, tmp_path / "copy")
    assert copied.report.sound
    assert copied.report.notes == []
    assert (tmp_path / "copy" / "warc" / path.name).read_bytes() == whole


def test_the_copy_can_be_crawled_into_and_restored(archive, tmp_path):
    copy = tmp_path / "copy"
    back_up(archive, copy)
    restored = shutil.copytree(copy, tmp_path / "restored")
    assert set(crawl(restored, site(), day=3)) == {"listing", "unchanged", "changed", "failed"}
    assert verify(restored).sound
    with pytest.raises(ArchiveError, match="records that"):
        back_up(archive, restored)  # the copy is ahead of the archive now
    back_up(restored, copy)
    assert same(restored, copy)


def test_an_interrupted_crawl_goes_on_in_the_copy(tmp_path):
    folder, copy = tmp_path / "archive", tmp_path / "copy"

    def stop(number: int) -> None:
        if number == 4:
            back_up(folder, copy)

    crawl(folder, site(), each=stop)
    outcomes = crawl(copy, site())
    assert len(outcomes) == 12 - 4
    assert verify(copy).sound
    with Archive(folder) as one, Archive(copy) as other:
        assert {article.text for article in one.articles()} == {article.text for article in other.articles()}


def test_a_takedown_reaches_the_copy(archive, tmp_path):
    copy = tmp_path / "copy"
    back_up(archive, copy)
    text = sentences(2).split(". ")
    assert places_of(copy, *text)
    with prepare(archive, HOST + address(2)) as takedown:
        takedown.carry_out("by order of a court")
    assert back_up(archive, copy).report.sound
    assert places_of(copy, *text) == set()
    assert same(archive, copy)
    assert back_up(archive, copy).bytes == 0


# -- refused -----------------------------------------------------------------------------------------------------------


def test_folders_that_are_refused(archive, tmp_path):
    other = tmp_path / "other"
    crawl(other, {"/": site()["/news"], **{address(n): story(n) for n in range(5, 9)}})
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    (tmp_path / "file").write_text("")
    for dest, words in (
        (archive, "overlaps the"), (archive / "copy", "overlaps the"), (tmp_path, "overlaps the"),
        (other, "another archive"), (tmp_path / "full", "holds letter.txt"), (tmp_path / "file", "is a file"),
        (tmp_path / "file" / "below", "cannot be written"),
    ):  # fmt: skip
        with pytest.raises(ArchiveError, match=words):
            back_up(archive, dest)
    assert not (archive / "copy").exists()
    assert verify(other).sound
    with pytest.raises(ArchiveError, match="not an archive"):
        back_up(tmp_path / "none", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


# -- damage ------------------------------------------------------------------------------------------------------------


def test_damage_of_the_copy_is_mended(archive, tmp_path):
    copy = tmp_path / "copy"
    back_up(archive, copy)
    first, second, third, *_ = warcs(copy)
    first.write_bytes(flipped(first.read_bytes(), 400))
    second.unlink()
    third.write_bytes(third.read_bytes()[:100])
    (copy / "warc" / "x.warc.gz.part").write_bytes(b"half")
    assert back_up(archive, copy).report.sound
    assert same(archive, copy)


def test_damage_of_the_archive_is_told(archive, tmp_path):
    path = warcs(archive)[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:400] + b"!" + whole[401:])
    report = back_up(archive, tmp_path / "copy").report
    assert {finding.kind for finding in report.findings} == {"records"}
    path.write_bytes(whole[:400])
    with pytest.raises(IntegrityError, match="bytes too early"):
        back_up(archive, tmp_path / "second")


# -- cut short ---------------------------------------------------------------------------------------------------------


def command(archive: Path, dest: Path, *, limit: int | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    limits = no_file_beyond(limit) if limit else None
    return run_locum("backup", dest, "--archive", archive, also=env, preexec_fn=limits)


POINTS = [
    ("backup-database", 1), ("backup-torn", 1), ("backup-warc", 1), ("backup-torn", 3), ("backup-complete", 1),
    ("database-log-removed", 1),
]  # fmt: skip


@pytest.mark.parametrize(("point", "count"), POINTS)
def test_a_kill_leaves_the_old_copy_and_the_next_run_mends(archive, tmp_path, point, count):
    fresh, copy = tmp_path / "fresh", tmp_path / "copy"
    back_up(archive, copy)
    head = read_head(copy)
    crawl(archive, site(), day=3, warc_bytes=4_000)
    for dest in (fresh, copy):
        done = command(archive, dest, LOCUM_KILL_AT=f"{point}:{count}")
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert not list(fresh.glob("warc/*.gz")) or not verify(fresh).sound
    with pytest.raises(ArchiveError, match=r"not an archive|is missing, but warc/ has"):
        read_head(fresh)
    assert read_head(copy) == head
    assert {finding.kind for finding in verify(copy).findings} <= {
        "files"
    }  # those that the old database does not know yet
    for dest in (fresh, copy):
        assert back_up(archive, dest).report.sound
        assert same(archive, dest)
        assert list(dest.rglob("*.part")) == []


def test_no_space(archive, tmp_path):
    size = (archive / "archive.db").stat().st_size
    for limit in (40_000, size // 2):  # the smaller one is more than the log of what is read takes
        done = command(archive, tmp_path / "copy", limit=limit)
        assert done.returncode == 5, done.stderr
        assert done.stderr.startswith("locum: ")
        assert "make room" in done.stderr
        assert "Traceback" not in done.stderr
    assert back_up(archive, tmp_path / "copy").report.sound


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command(archive, tmp_path):
    result = invoke("backup", tmp_path / "copy", "--archive", archive)
    assert result.exit_code == 0, result.output
    assert "new WARC files" in result.output
    assert "Nothing is wrong" in result.output
    report = json.loads(invoke("backup", tmp_path / "copy", "--json", "--archive", archive).output)
    assert report["verification"]["sound"] is True
    assert report["bytes"] == 0
    assert invoke("backup", archive / "x", "--archive", archive).exit_code == 2
    (archive / "warc" / "foreign.warc.gz").write_bytes(b"")
    assert invoke("backup", tmp_path / "copy", "--archive", archive).exit_code == 0
    change(archive, "UPDATE article_text SET body = 'x' WHERE id = 1")
    assert invoke("backup", tmp_path / "copy", "--archive", archive).exit_code == 7


def test_an_archive_without_captures(tmp_path):
    from locum_spider.store.connection import connect_writing

    folder = tmp_path / "archive"
    declare(folder)
    connect_writing(folder).close()
    for _ in range(2):
        assert back_up(folder, tmp_path / "copy").report.sound
    assert rows(tmp_path / "copy", "SELECT count(*) FROM records") == [(0,)]
