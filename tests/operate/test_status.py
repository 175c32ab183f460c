"""How sites stand, when they are due, and the history of crawls: over rows, without a crawl."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from support import change, invoke

from locum_spider import Archive
from locum_spider.clock import utc
from locum_spider.operate.schedule import due_sites, next_due
from locum_spider.store.connection import connect_writing
from locum_spider.store.lock import writer_lock

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture
def archive(tmp_path):
    """An empty archive in which `paper` is scheduled every day."""
    connect_writing(tmp_path).close()
    change(tmp_path, "INSERT INTO schedules VALUES ('paper', '1d', ?)", utc(NOW - 100 * HOUR))
    return tmp_path


def crawled(archive, outcome, ago, *, finished=True, reasons=(), site="paper"):
    """Add a crawl that began so long ago."""
    change(
        archive,
        "INSERT INTO crawls (uid, site, started_at, finished_at, outcome, reasons, version) "
        "VALUES (hex(randomblob(8)), ?, ?, ?, ?, ?, '0')",
        site, utc(NOW - ago), utc(NOW - ago) if finished else None, outcome, json.dumps(reasons),
    )  # fmt: skip


def due(archive):
    with Archive(archive) as opened:
        return next_due(opened, "paper", "1d", NOW), due_sites(opened, NOW)


def status(archive, *options, code=0):
    result = invoke("status", *options, "--archive", archive)
    assert result.exit_code == code, result.output
    return result.output


def test_a_crawl_counts_from_its_begin(archive):
    crawled(archive, "done", 2 * HOUR)
    assert due(archive) == (NOW + 22 * HOUR, [])
    assert f"next due {utc(NOW + 22 * HOUR)}" in status(archive, "--check")


def test_an_import_is_not_a_crawl(archive):
    crawled(archive, "imported", HOUR)
    assert due(archive) == (None, ["paper"])
    text = status(archive)
    assert "never crawled" in text
    assert "last import 1 began" in text
    assert "next due now" in text
    crawled(archive, "done", 2 * HOUR)
    crawled(archive, "imported", HOUR)
    assert due(archive) == (NOW + 22 * HOUR, [])
    assert "last crawl 2 began" in status(archive)


@pytest.mark.parametrize(("failures", "wait"), [(1, 0.5), (2, 1), (3, 2), (5, 8), (6, 16), (7, 24), (30, 24)])
def test_a_site_that_could_not_be_reached_is_tried_again_soon_and_then_less_often(archive, failures, wait):
    crawled(archive, "done", 90 * HOUR)
    for number in range(failures, 0, -1):
        crawled(archive, "unreachable", number * timedelta(minutes=1))
    when, _ = due(archive)
    assert when == NOW - timedelta(minutes=1) + wait * HOUR
    crawled(archive, "done", timedelta(0))
    assert due(archive)[0] == NOW + 24 * HOUR


def test_a_clock_that_was_set_back_does_not_stop_the_timer(archive):
    crawled(archive, "done", -1000 * HOUR)
    assert due(archive) == (None, ["paper"])


@pytest.mark.parametrize(
    ("outcome", "finished", "ago", "code", "words"),
    [
        ("done", True, 2, 0, "done"),
        ("check_failed", True, 2, 6, "a check of its last crawl failed"),
        ("unreachable", True, 0, 4, "could not be reached"),
        ("interrupted", False, 2, 3, "cut short"),
        (None, False, 2, 3, "cut short"),
        ("done", True, 30, 6, "it is due since"),
    ],
)
def test_check_ends_with_what_is_wrong(archive, outcome, finished, ago, code, words):
    crawled(archive, outcome, ago * HOUR, finished=finished)
    assert words in " ".join(status(archive, "--check", code=code).replace("!", "").split())
    assert status(archive)
    (row,) = json.loads(status(archive, "--check", "--json", code=code))
    assert (row["exit_code"], row["fault"] is None) == (code, code == 0)


def test_check_of_several_sites_ends_with_the_highest(archive):
    crawled(archive, "done", HOUR)
    crawled(archive, "unreachable", HOUR, site="post")
    crawled(archive, "interrupted", HOUR, site="echo", finished=False)
    status(archive, "--check", code=4)


def test_a_scheduled_site_that_is_never_crawled_is_late(archive):
    assert "was never crawled" in " ".join(status(archive, "--check", code=6).split())
    change(archive, "UPDATE schedules SET since = ?", utc(NOW))
    status(archive, "--check")


def test_a_crawl_under_way_is_not_cut_short(archive):
    crawled(archive, None, HOUR, finished=False)
    with writer_lock(archive):
        status(archive, "--check")
    status(archive, "--check", code=3)


def test_crawls_lists_the_history_of_a_site(archive):
    for number in range(30):
        crawled(archive, "done", (40 - number) * HOUR)
    crawled(archive, "check_failed", HOUR, reasons=["no article was found"], site="a-paper-with-a-long-name")
    result = invoke("crawls", "--archive", archive)
    heading, first, reason, *others = result.output.splitlines()
    assert heading.split() == ["id", "began", "site", "outcome", "new", "changed", "gone", "failed"]
    assert first.split()[0] == "31"
    assert "no article was found" in reason
    assert len(others) == 19
    rows = json.loads(invoke("crawls", "paper", "--limit", "100", "--json", "--archive", archive).output)
    assert [row["id"] for row in rows] == list(range(30, 0, -1))
    wrong = invoke("crawls", "papper", "--archive", archive)
    assert (wrong.exit_code, "paper" in wrong.output) == (2, True)


def test_crawls_fit_eighty_columns(archive):
    for outcome in ("done", "check_failed", "unreachable", "interrupted", "imported", None):
        crawled(archive, outcome, HOUR, site="a-site-16-signs-")
    change(archive, "UPDATE crawls SET articles_new = 9999, articles_changed = 9999, failed = 99999")
    lines = invoke("crawls", "--archive", archive).output.splitlines()
    assert max(map(len, lines)) <= 80


def test_an_archive_that_was_never_crawled_has_no_history(archive):
    assert "was crawled yet" in invoke("crawls", "--archive", archive).output
