"""`locum schedule` and `locum crawl --due`: timers, and what is due."""

from __future__ import annotations

import shlex
import subprocess
from datetime import UTC, datetime

from support import LONGEST, change, invoke
from support.harness import Crawled, environment, locum, scenario, small

from locum_spider.demo.server import SiteServer


@scenario
def scheduled(folder):
    """Never crawled; just crawled; crawled long ago; cut short; off the schedule."""
    steps = {}

    def due():
        return locum("crawl", "--due", "--delay", "0", "--archive", "archive", cwd=folder, proxy=server.url)

    with SiteServer(small("First report")) as server:
        steps["print"] = locum(
            "schedule", "locum-today", "--every", "12h", "--print", "--archive", "archive", cwd=folder
        )
        steps["never crawled"] = due()
        steps["status"] = locum("status", "--json", "--archive", "archive", cwd=folder)
        steps["just crawled"] = due()
        change(folder / "archive", "UPDATE crawls SET started_at = '2020-01-01T00:00:00Z'")
        steps["long ago"] = due()
        change(folder / "archive", "UPDATE crawls SET finished_at = NULL, outcome = 'interrupted' WHERE id = 2")
        steps["cut short"] = due()
        change(folder / "archive", "UPDATE crawls SET started_at = '2020-01-01T00:00:00Z'")
        steps["off"] = locum("schedule", "locum-today", "--off", "--archive", "archive", cwd=folder)
        steps["nothing scheduled"] = due()
        return Crawled(folder, server.log, list(steps.values())), steps


def test_schedule_prints_timer_and_cron_line(scheduled):
    _, steps = scheduled
    printed = steps["print"]
    assert printed.code == 0
    for words in ("[Service]", "[Timer]", "OnCalendar=", "ExecStart=", "crawl --due --archive", "* * * *", "every 12h"):
        assert words in printed.out


def test_what_is_due_is_crawled(scheduled):
    crawled, steps = scheduled
    for step in ("never crawled", "long ago", "cut short"):
        assert steps[step].code == 0, step
        assert "locum-today: done" in steps[step].out, step
    for step in ("just crawled", "nothing scheduled"):
        assert (steps[step].code, steps[step].out) == (0, "Nothing is due.\n"), step
    assert crawled.rows("SELECT id, outcome FROM crawls ORDER BY id") == [(1, "done"), (2, "done")]


def test_status_tells_when_a_site_is_due(scheduled):
    _, steps = scheduled
    (row,) = steps["status"].json
    assert row["every"] == "12h"
    started = datetime.fromisoformat(row["last_crawl"]["started_at"])
    due = datetime.fromisoformat(row["next_due"])
    assert (due - started).total_seconds() == 12 * 3600
    assert due > datetime.now(UTC)


def test_the_printed_command_is_one_that_runs(scheduled):
    crawled, steps = scheduled
    line = next(line for line in steps["print"].out.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(line.removeprefix("ExecStart="))
    assert words[-2:] == ["--archive", str(crawled.archive)]
    run = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=LONGEST, check=False)
    assert (run.returncode, run.stdout) == (0, "Nothing is due.\n")


def test_an_archive_in_a_folder_with_odd_characters(tmp_path):
    """Spaces, quotes and per cent signs, which cron and systemd read in their own ways."""
    folder = tmp_path / "my 100% 'new' archive"
    result = invoke("schedule", "locum-today", "--print", "--archive", folder)
    assert result.exit_code == 0, result.exception
    cron = next(line for line in result.output.splitlines() if line.startswith("17 * * * *"))
    assert "100\\%" in cron
    assert "100%%" in result.output
