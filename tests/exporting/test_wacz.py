"""`locum export --format wacz`: other tools accept the file and replay it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from support import no_file_beyond, python, replay, rows, run_locum
from support.foreign_files import HOME, address, html, imported, members, page, put, run, state, wacz
from warcio.archiveiterator import ArchiveIterator

ONE, TWO, THREE, MOVED = map(address, ("one", "two", "three", "moved"))


@pytest.fixture(scope="session")
def whole(crawled, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "whole.wacz"
    run(crawled.archive, "export", "--format", "wacz", "-o", path)
    return path


@pytest.fixture(scope="session")
def single(crawled, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("single") / "single.wacz"
    run(crawled.archive, "export", "--format", "wacz", ONE, "-o", path)
    return path


def index(path: Path) -> list[tuple[str, str, dict[str, str]]]:
    with zipfile.ZipFile(path) as container:
        lines = container.read("indexes/index.cdx").decode().splitlines()
    return [(key, stamp, json.loads(rest)) for key, stamp, rest in (line.split(" ", 2) for line in lines)]


def stored(path: Path) -> Iterator[tuple[str, dict[str, str], bytes]]:
    """Time, entry and record of each line of the index."""
    with zipfile.ZipFile(path) as container:
        archives = {name: container.read(name) for name in container.namelist() if name.startswith("archive/")}
    for _, stamp, entry in index(path):
        offset, length = int(entry["offset"]), int(entry["length"])
        yield stamp, entry, archives[f"archive/{entry['filename']}"][offset : offset + length]


def pages(path: Path) -> list[dict[str, str]]:
    with zipfile.ZipFile(path) as container:
        return [json.loads(line) for line in container.read("pages/pages.jsonl").decode().splitlines()][1:]


@pytest.mark.parametrize("name", ["whole", "single"])
def test_wacz_validates(name, request):
    path = request.getfixturevalue(name)
    done = wacz("validate", "-f", path)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(path) as container:
        assert container.testzip() is None
        kinds = {info.filename: info.compress_type for info in container.infolist()}
    assert all(kind == zipfile.ZIP_STORED for name, kind in kinds.items() if name.endswith(".gz"))


@pytest.mark.parametrize("name", ["whole", "single"])
def test_index_is_sorted_and_leads_to_each_capture(crawled, name, request):
    path = request.getfixturevalue(name)
    with zipfile.ZipFile(path) as container:
        lines = container.read("indexes/index.cdx").splitlines()
    assert lines == sorted(lines)
    unmodified = {
        (url, "".join(c for c in fetched_at if c.isdigit()))
        for url, fetched_at in rows(crawled.archive, "SELECT url, fetched_at FROM captures WHERE status = 304")
    }
    for stamp, entry, data in stored(path):
        (record,) = ArchiveIterator(io.BytesIO(data))
        assert record.rec_headers["WARC-Target-URI"] == entry["url"]
        captured = "".join(c for c in record.rec_headers["WARC-Date"] if c.isdigit())
        # The index line of a 304 leads to the record with the body.
        assert captured == stamp or (entry["url"], stamp) in unmodified
        assert record.rec_headers["WARC-Payload-Digest"] == entry["digest"]
        assert (record.rec_type == "revisit") == (entry["mime"] == "warc/revisit")
        assert record.http_headers.get_statuscode() == entry["status"]


def test_everything_is_in_the_whole_archive(crawled, whole):
    assert len(index(whole)) == rows(crawled.archive, "SELECT count(*) FROM captures")[0][0]
    assert len(pages(whole)) == rows(crawled.archive, "SELECT count(*) FROM revisions")[0][0]


def test_one_article_has_all_of_its_own_and_nothing_else(crawled, single):
    assert {entry["url"] for _, _, entry in index(single)} == {ONE}
    assert [entry["status"] for _, _, entry in index(single)] == ["200", "200", "200", "200"]
    assert [each["url"] for each in pages(single)] == [ONE, ONE]
    with zipfile.ZipFile(single) as container:
        names = [name for name in container.namelist() if name.startswith("archive/")]
        records = [record.rec_type for record in ArchiveIterator(io.BytesIO(container.read(names[0])))]
    assert records.count("request") == 4


def lay_out(collection: Path, wacz: Path) -> None:
    """A pywb collection with the records and the index of a WACZ."""
    for name in ("archive", "indexes"):
        (collection / name).mkdir(parents=True)
    with zipfile.ZipFile(wacz) as container:
        for name in container.namelist():
            if name.startswith("archive/"):
                (collection / "archive" / Path(name).name).write_bytes(container.read(name))
        (collection / "indexes" / "index.cdxj").write_bytes(container.read("indexes/index.cdx"))


def replayed(folder: Path, asked: list[str]) -> list[dict[str, str]]:
    """What pywb replays for `collection timestamp url`."""
    done = python(replay.__file__, cwd=folder, input="\n".join(asked))
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"status"')]


def test_pywb_replays_the_same(tmp_path, crawled, whole, single):
    captures = {}
    for name, path in (("whole", whole), ("single", single)):
        lay_out(tmp_path / "collections" / name, path)
        captures |= {f"{name} {stamp} {each['url']}": each for _, stamp, each in index(path)}
    captures = {asked: each for asked, each in captures.items() if not asked.endswith("robots.txt")}
    answers = replayed(tmp_path, list(captures))
    assert len(answers) == len(captures) > 15
    bodies = {ONE: html("one"), TWO: html("two"), THREE: html("three"), MOVED: html("two")}
    for (asked, capture), answer in zip(captures.items(), answers, strict=True):
        _, stamp, url = asked.split()
        body = base64.b64decode(answer["body"])
        crawl_id, status = when(crawled.archive, url, stamp)
        if status == 301:
            assert (answer["status"], answer["location"].endswith(MOVED)) == (301, True)
            continue
        assert answer["status"] == 200, asked
        changed = url == ONE and crawl_id > 2
        if url == HOME:
            assert b"One report" in body
        else:
            assert body == (html("one", "Another text of the article.") if changed else bodies[url]), (asked, capture)


def when(archive: Path, url: str, stamp: str) -> tuple[int, int]:
    """The crawl and status of each capture."""
    time = datetime.strptime(f"{stamp}+0000", "%Y%m%d%H%M%S%z").strftime("%Y-%m-%dT%H:%M:%SZ")
    return rows(archive, "SELECT crawl_id, status FROM captures WHERE url = ? AND fetched_at = ?", url, time)[0]


def test_what_was_exported_can_be_imported(tmp_path, crawled, whole):
    (result,) = imported(tmp_path / "a", whole)
    assert (result["bodiless"], result["broken"]) == (0, [])
    theirs, ours = state(tmp_path / "a"), state(crawled.archive)
    assert theirs["revisions"] == ours["revisions"]
    assert theirs["captures"] == ours["captures"]
    (again,) = imported(crawled.archive, whole)
    assert set(again["outcomes"]) == {"known"}


# -- usage and faults --------------------------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path) -> Path:
    imported(tmp_path / "a", put(tmp_path, members(page(), page("two"))))
    return tmp_path / "a"


def test_article_by_id_and_by_any_address(small, tmp_path):
    for number, name in enumerate(("1", ONE, f"{ONE}&catTitle=x", ONE.replace("//", "//www."))):
        out = tmp_path / f"{number}.wacz"
        (done,) = [run(small, "export", name, "-o", out, "--json")]
        assert (done["captures"], done["pages"], done["bytes"]) == (1, 1, out.stat().st_size)


@pytest.mark.parametrize("name", ["99", f"{HOME}none", "nonsense", "9" * 30])
def test_article_that_is_not_there_is_wrong_usage(small, tmp_path, name):
    assert "no article" in run(small, "export", name, "-o", tmp_path / "x.wacz", code=2)
    assert not list(tmp_path.glob("x.wacz*"))


def test_file_that_exists_is_kept_unless_forced(small, tmp_path):
    out = put(tmp_path, b"mine", "x.wacz")
    assert "--force" in run(small, "export", "-o", out, code=2)
    assert out.read_bytes() == b"mine"
    run(small, "export", "-o", out, "--force")
    assert zipfile.is_zipfile(out)


def test_place_that_cannot_be_written_is_said(small, tmp_path):
    assert "none" in run(small, "export", "-o", tmp_path / "none" / "x.wacz", code=2)
    put(tmp_path, b"", "file")
    assert "file" in run(small, "export", "-o", tmp_path / "file" / "x.wacz", code=2)
    assert not list(tmp_path.rglob("*.part"))


def test_failed_export_keeps_the_file_that_was_there(small, tmp_path):
    out = put(tmp_path, b"mine", "x.wacz")
    for path in (small / "warc").iterdir():
        path.unlink()
    run(small, "export", "-o", out, "--force", code=7)
    assert out.read_bytes() == b"mine"
    assert not list(tmp_path.glob("*.part"))


def test_warc_shorter_than_known_is_no_export(small, tmp_path):
    (path,) = (small / "warc").iterdir()
    os.truncate(path, path.stat().st_size - 10)
    assert "verify" in run(small, "export", "-o", tmp_path / "x.wacz", code=7)
    assert not list(tmp_path.glob("x.wacz*"))


def test_full_disk_leaves_no_half_file(small, tmp_path):
    with closing(sqlite3.connect(small / "archive.db")) as db:  # so that reading makes no file beside the database
        db.execute("SELECT * FROM articles").fetchall()
        for limit in (100, 1500):
            done = run_locum("export", "-o", tmp_path / "x.wacz", "--archive", small, preexec_fn=no_file_beyond(limit))
            assert done.returncode == 5, done.stderr
            assert "make room" in done.stderr
            assert "Traceback" not in done.stderr
            assert not list(tmp_path.glob("x.wacz*"))


def test_export_while_an_import_writes_is_whole(small, tmp_path):
    many = [page(f"n{number}", date=f"2016-05-02T10:{number % 60:02}:00Z") for number in range(200)]
    command = [sys.executable, "-m", "locum_spider", "import", put(tmp_path, members(*many), "many.warc.gz"),
               "--archive", small]  # fmt: skip
    counts: list[int] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            out = tmp_path / f"{len(counts)}.wacz"
            run(small, "export", "-o", out)
            counts.append(len(index(out)))
            for _, entry, data in stored(out):
                assert f"WARC-Target-URI: {entry['url']}\r\n".encode() in gzip.decompress(data)
            time.sleep(0.1)
    assert counts == sorted(counts)
