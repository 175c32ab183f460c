"""Timers: what cron and systemd are given, put into place and taken away again, and machines that have neither.

`crontab` and `systemctl` are small programs of the test, found on the PATH like the real ones.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import LONGEST, invoke, rows

from locum_spider.operate.timer import has_cron, has_systemd, make_timers

CRONTAB = """#!/bin/sh
case "$1" in
-l) [ -f "$TAB" ] || { echo "no crontab for $USER" >&2; exit 1; }; cat "$TAB" ;;
-) cat > "$TAB" ;;
esac
"""
SYSTEMCTL = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
*is-system-running*) echo running ;;
*enable*) [ -z "$REFUSE" ] || { echo "Failed to connect to bus: $REFUSE" >&2; exit 1; } ;;
esac
"""
ODD = 'sp ace\'s 100% $HOME \\ "new" # ; é'


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing but sh; `install(name, text)` puts a program onto it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cat", "echo"):
        (programs / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("TAB", str(tmp_path / "tab"))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in {"LOCUM_CONTACT", "LOCUM_ARCHIVE", "REFUSE"}:
            monkeypatch.delenv(name)

    def install(name: str, text: str) -> None:
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)

    return install


def schedule(archive, *arguments, code=0):
    result = invoke("schedule", *arguments, "--archive", archive)
    assert (result.exit_code, type(result.exception)) == (code, SystemExit if code else type(None)), result.output
    if code:
        assert len(result.output.strip().splitlines()) == 1
    return result.output


def tab(tmp_path):
    return (tmp_path / "tab").read_text(encoding="utf-8").splitlines()


# -- the texts ---------------------------------------------------------------------------------------------------------


def value(text: str, name: str) -> str:
    return next(line.removeprefix(f"{name}=") for line in text.splitlines() if line.startswith(f"{name}="))


def unquoted(words: str) -> list[str]:
    """Words as systemd reads them: quotes, backslashes, then `%%`."""
    return [word.replace("%%", "%") for word in shlex.split(words)]


def test_systemd_reads_what_was_meant(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCUM_CONTACT", f"Jo {ODD}")
    (timer,) = make_timers(tmp_path / ODD)
    assert unquoted(value(timer.service, "Environment")) == [f"LOCUM_CONTACT=Jo {ODD}"]
    words = [word.replace("$$", "$") for word in unquoted(value(timer.service, "ExecStart"))]
    assert words == [sys.executable, "-m", "locum_spider", "crawl", "--due", "--archive", str(tmp_path / ODD)]
    for text in (timer.service, timer.timer):
        about = value(text, "Description")
        assert about.replace("%%", "").count("%") == 0
        assert str(tmp_path / ODD).replace("%", "%%") in about
        assert not about.endswith("\\")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("name", ["plain", ODD, "ends with \\"])
def test_systemd_finds_no_fault(tmp_path, monkeypatch, name):
    monkeypatch.setenv("LOCUM_CONTACT", f"Jo {ODD}")
    for timer in make_timers(tmp_path / name, verify=True, backup=tmp_path / "copy"):
        for kind, text in (("service", timer.service), ("timer", timer.timer)):
            (tmp_path / f"{timer.name}.{kind}").write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", *sorted(tmp_path.glob("*.timer"))],
        capture_output=True, text=True, timeout=LONGEST, check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    ours = [line for line in done.stderr.splitlines() if "locum-" in line]
    assert ours == []


def test_cron_runs_what_was_meant(tmp_path, monkeypatch):
    """cron makes `\\%` a `%` and gives the rest to sh."""
    program = tmp_path / "told"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$LOCUM_CONTACT" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("LOCUM_CONTACT", f"Jo {ODD}")
    monkeypatch.setattr(sys, "executable", str(program))
    (timer,) = make_timers(tmp_path / ODD)
    assert timer.cron.replace(r"\%", "").count("%") == 0
    command = timer.cron.replace(r"\%", "%").split(" ", 5)[5]
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=LONGEST, check=True)
    assert done.stdout.splitlines() == [
        f"Jo {ODD}", "-m", "locum_spider", "crawl", "--due", "--archive", str(tmp_path / ODD),
    ]  # fmt: skip


@pytest.mark.parametrize("where", ["archive", "contact"])
def test_a_line_break_would_be_a_second_entry(machine, tmp_path, monkeypatch, where):
    machine("crontab", CRONTAB)
    if where == "contact":
        monkeypatch.setenv("LOCUM_CONTACT", "Jo\n* * * * * rm -rf /")
    archive = tmp_path / ("a\nb" if where == "archive" else "archive")
    assert "line break" in schedule(archive, "locum-today", code=2)
    assert not (tmp_path / "tab").exists()
    assert not archive.exists()


# -- cron --------------------------------------------------------------------------------------------------------------


def test_scheduling_again_replaces_the_line_and_keeps_those_of_others(machine, tmp_path, monkeypatch):
    machine("crontab", CRONTAB)
    (tmp_path / "tab").write_text("# mine\n5 5 * * * backup # home\n", encoding="utf-8")
    monkeypatch.setenv("LOCUM_CONTACT", "one@example.org")
    assert "LOCUM_CONTACT" in schedule(tmp_path / "a", "locum-today")
    schedule(tmp_path / "b", "locum-today")
    monkeypatch.setenv("LOCUM_CONTACT", "two 100%@example.org")
    monkeypatch.setenv("http_proxy", "http://user:secret@proxy:3128")
    told = schedule(tmp_path / "a", "locum-today", "--every", "12h")
    assert "LOCUM_CONTACT, http_proxy" in told, "what goes into the crontab is said"
    lines = tab(tmp_path)
    assert lines[:2] == ["# mine", "5 5 * * * backup # home"]
    assert len(lines) == 4
    (ours,) = [line for line in lines if f"--archive {tmp_path / 'a'} " in line]
    assert "'two 100\\%@example.org'" in ours


def test_a_line_of_an_earlier_version_is_replaced(machine, tmp_path):
    machine("crontab", CRONTAB)
    earlier = f"17 * * * * LOCUM_CONTACT=x /old/python -m locum_spider crawl --due --archive {tmp_path / 'a'}"
    other = f"17 * * * * /old/python -m locum_spider crawl --due --archive {tmp_path / 'ab'}"
    (tmp_path / "tab").write_text(f"{earlier}\n{other}\n", encoding="utf-8")
    schedule(tmp_path / "a", "locum-today")
    assert [earlier in tab(tmp_path), other in tab(tmp_path), len(tab(tmp_path))] == [False, True, 2]


def test_off_removes_what_was_written_with_the_last_site(machine, tmp_path):
    machine("crontab", CRONTAB)
    (tmp_path / "tab").write_text("5 5 * * * backup\n", encoding="utf-8")
    own = tmp_path / "a" / "sites" / "other.toml"
    own.parent.mkdir(parents=True)
    text = (Path(__file__).parents[2] / "locum_spider" / "sites" / "locum-today.toml").read_text(encoding="utf-8")
    own.write_text(text.replace('name = "locum-today"', 'name = "other"'), encoding="utf-8")
    schedule(tmp_path / "a", "locum-today", "--verify", "--backup", tmp_path / "copy")
    schedule(tmp_path / "a", "other")
    assert len(tab(tmp_path)) == 4
    assert "The timer stays for other" in schedule(tmp_path / "a", "locum-today", "--off")
    assert len(tab(tmp_path)) == 4
    assert "Removed from your crontab" in schedule(tmp_path / "a", "other", "--off")
    assert tab(tmp_path) == ["5 5 * * * backup"]


def test_a_crontab_that_cannot_be_read_is_not_replaced(machine, tmp_path):
    machine("crontab", '#!/bin/sh\n[ "$1" = - ] && cat > "$TAB" || { echo "cannot open spool" >&2; exit 1; }\n')
    assert "cannot open spool" in schedule(tmp_path / "a", "locum-today", code=2)
    assert not (tmp_path / "tab").exists()


# -- systemd -----------------------------------------------------------------------------------------------------------


def test_systemd_gets_its_units_and_loses_them(machine, tmp_path):
    machine("systemctl", SYSTEMCTL)
    told = schedule(tmp_path / "a", "locum-today", "--verify", "--backup", tmp_path / "copy")
    units = tmp_path / "config" / "systemd" / "user"
    names = sorted(path.name for path in units.iterdir())
    assert len(names) == 6
    assert all(str(units / name) in told for name in names)
    assert {(units / name).stat().st_mode & 0o777 for name in names} == {0o600}
    schedule(tmp_path / "a", "locum-today", "--off")
    assert list(units.iterdir()) == []
    calls = (tmp_path / "calls").read_text(encoding="utf-8")
    assert "disable --now" in calls


def test_what_systemd_refuses_is_told_and_leaves_nothing(machine, tmp_path, monkeypatch):
    machine("systemctl", SYSTEMCTL)
    monkeypatch.setenv("REFUSE", "No medium found")
    assert "No medium found" in schedule(tmp_path / "a", "locum-today", code=2)
    assert list((tmp_path / "config" / "systemd" / "user").iterdir()) == []


# -- machines without them ---------------------------------------------------------------------------------------------


def test_a_machine_with_neither_is_told_what_to_do(machine, tmp_path):
    assert not has_systemd()
    assert not has_cron()
    assert "--print" in schedule(tmp_path / "a", "locum-today", code=2)
    assert not (tmp_path / "a").exists(), "scheduled, though nothing will run it"
    assert "--with cron" in schedule(tmp_path / "a", "locum-today", "--with", "systemd", code=2)
    assert "--with systemd" in schedule(tmp_path / "a", "locum-today", "--with", "cron", code=2)
    assert "crawl --due" in schedule(tmp_path / "a", "locum-today", "--print")
    assert rows(tmp_path / "a", "SELECT site FROM schedules") == [("locum-today",)]


def test_off_makes_no_archive(machine, tmp_path):
    assert "is not an archive" in schedule(tmp_path / "a", "locum-today", "--off", code=2)
    assert not (tmp_path / "a").exists()
    assert "--off" in schedule(tmp_path / "a", "locum-today", "--off", "--every", "1d", code=2)
