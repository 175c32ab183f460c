"""Archives of earlier versions: read as they are, migrated by the first writer, complete at any moment.

`tests/fixtures/archives/NAME.tar.gz` is the small site of `tools/crash_site.py` (twelve articles, two listings),
crawled twice by the last version whose newest migration was NAME.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from crash import SITE, Blow, run
from crash_site import site
from dump import dump_archive
from sqlite_utils import Database
from support import change, python, require_same_rebuilt

from locum_spider.archive import Archive
from locum_spider.browse.pages.article import contents
from locum_spider.demo.server import SiteServer
from locum_spider.preservation.rebuild.compare import compare
from locum_spider.preservation.verify import verify
from locum_spider.store import crawls
from locum_spider.store.connection import connect_reading, connect_writing
from locum_spider.store.migrations import known, make_full_articles

PACKED = sorted((Path(__file__).parents[1] / "fixtures" / "archives").glob("*.tar.gz"))
_MIGRATE = "import sys; from pathlib import Path; from locum_spider.store.connection import connect_writing as c; "


@pytest.fixture(params=PACKED, ids=lambda path: path.name.partition(".")[0])
def old(request, tmp_path):
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # not before Python 3.11.4
    with tarfile.open(request.param) as packed:
        packed.extractall(tmp_path, **safely)
    return tmp_path


def migrate(archive, **environment):
    return python("-c", _MIGRATE + "c(Path(sys.argv[1])).close()", archive, also=environment)


def applied(archive):
    with closing(connect_reading(archive)) as db:
        return [row[0] for row in db.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]


def test_every_schema_but_the_newest_has_an_archive(tmp_path):
    assert [path.name.partition(".")[0] for path in PACKED] == sorted({name[:4] for name in known()})[:-1]


def test_reading_changes_nothing(old):
    before = (old / "archive.db").read_bytes()
    with Archive(old) as archive:
        assert len(list(archive.articles())) == 10
        hit = archive.search('"correction was made"')[0]
        article = archive.article(hit.id)
        assert article.published == "2018-04-10"
        assert [revision["seq"] for revision in archive.revisions(hit.id)] == [1, 2]
        assert archive.evidence(hit.id)
    assert verify(old).findings == []
    assert (old / "archive.db").read_bytes() == before


def test_the_first_writer_brings_it_up_to_date_and_a_rebuild_gives_the_same(old):
    connect_writing(old).close()
    assert set(applied(old)) == known()
    assert verify(old).findings == []
    require_same_rebuilt(old)


def test_content_that_has_not_changed_is_no_revision_for_a_newer_version(old):
    with SiteServer(
        site(changed=True, articles=12, listings=2)
    ) as server:  # it never answers 304: each page is read again
        assert run(["crawl", SITE, "--archive", str(old), "--delay", "0"], server.url, Blow()).code in {0, 6}
    with Archive(old) as archive:
        crawl = archive.crawls(limit=1)[0]
    counts = [crawl[f"articles_{outcome}"] for outcome in ("new", "changed", "unchanged")]
    assert counts == [0, 0, 9]  # and one is gone


def test_an_archive_from_before_a_field_was_known_is_read(old, tmp_path):
    """As if a migration that this archive still lacks had added `modified_at` to the table."""
    whole = shutil.copytree(old, tmp_path / "whole", ignore=shutil.ignore_patterns("whole"))
    with closing(sqlite3.connect(old / "archive.db")) as db:
        db.execute("DROP VIEW full_articles")
        db.execute("ALTER TABLE articles RENAME COLUMN modified_at TO unknown")
        make_full_articles(Database(db))
        db.commit()
    with Archive(old) as archive:
        assert {article.modified_at for article in archive.articles()} == {None}
    with closing(connect_reading(old)) as db:
        assert "modified_at" not in dict(db.execute("SELECT * FROM full_articles").fetchone())
        assert contents(db, 1, None)["title"]
        assert compare(db, whole / "archive.db").unchanged == 10
    assert verify(old).findings == []


def test_an_import_that_was_cut_short_goes_on(old, request):
    ended, reasons = "2026-05-04T00:00:00Z", '["under way, or cut short: run the same `locum import` again"]'
    if "m005" in request.node.name:
        ended, reasons = None, "[]"
    change(
        old, "INSERT INTO crawls (id, site, started_at, finished_at, outcome, reasons, version) "
        "VALUES (99, 'post', '2026-05-04T00:00:00Z', ?, 'imported', ?, '0.1.0')", ended, reasons,
    )  # fmt: skip
    with closing(connect_writing(old)) as db:
        assert crawls.unfinished_import(db, "post") == 99
        assert db.execute("SELECT reasons FROM crawls WHERE id = 99").fetchone() == ("[]",)


def test_a_revision_that_was_changed_by_hand_is_still_found(old):
    change(old, "UPDATE revisions SET body = body || '.' WHERE id = 3")
    connect_writing(old).close()
    assert {finding.kind for finding in verify(old).findings} >= {"revisions"}


def test_killed_in_the_middle_it_is_the_old_one_or_the_next(old, tmp_path, steps):
    expected = None
    for number in range(1, 100, steps(40)):
        archive = shutil.copytree(old, tmp_path / "copies" / str(number), ignore=shutil.ignore_patterns("copies"))
        before = dump_archive(archive)
        ended = migrate(archive, LOCUM_KILL_AT=f"migration:{number}")
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        assert verify(archive).findings == []
        if len(applied(archive)) == len(applied(old)):
            assert dump_archive(archive) == before
        assert migrate(archive).returncode == 0
        assert set(applied(archive)) == known()
        expected = expected or dump_archive(archive)
        assert dump_archive(archive) == expected
    assert number > 1
