"""Timers that run `locum` on an archive: their texts, and putting them into systemd or cron and taking them out."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from locum_spider.errors import UsageError

_KEPT = ("LOCUM_CONTACT", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_NO_CRONTAB = ("no crontab", "no such file")
"""What the kinds of cron say if a user has no crontab yet."""


@dataclass(frozen=True, slots=True)
class Timer:
    """The texts of a systemd service and timer, and of a cron line that does the same.

    `environment` names the variables that they have as they are now.
    """

    name: str
    service: str
    timer: str
    cron: str
    environment: tuple[str, ...] = ()


def make_timers(
    archive: Path, *, notify: Sequence[str] = (), verify: bool = False, backup: Path | None = None
) -> list[Timer]:
    """Timers that crawl what is due into an archive every hour, verify it every week and back it up every day.

    Raises UsageError if a text for them holds a line break or another control character, which no timer can.
    """
    folder = archive.resolve()
    crawl = ["crawl", "--due", *(part for target in notify for part in ("--notify", target))]
    timers = [_timer(folder, "", f"Crawl what is due into {folder}", crawl, "hourly", "17 * * * *", keep=True)]
    if verify:
        timers.append(_timer(folder, "-verify", f"Verify {folder}", ["verify"], "weekly", "37 3 * * 0"))
    if backup is not None:
        copy = ["backup", str(backup.resolve())]
        timers.append(_timer(folder, "-backup", f"Back up {folder}", copy, "daily", "47 4 * * *"))
    return timers


def _name(folder: Path) -> str:
    return f"locum-{hashlib.sha256(str(folder).encode(errors='surrogateescape')).hexdigest()[:8]}"


def _timer(
    folder: Path, suffix: str, about: str, arguments: list[str], calendar: str, cron: str, *, keep: bool = False
) -> Timer:
    name = _name(folder) + suffix
    command = [sys.executable, "-m", "locum_spider", *arguments, "--archive", str(folder)]
    kept = {name: os.environ[name] for name in _KEPT if os.environ.get(name)} if keep else {}
    for text in (*command, *kept.values()):
        if not text.isprintable() and any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
            raise UsageError(f"{text!r} holds a line break or another control character, which no timer can; change it")
    environment = "".join(f"Environment={_quote(f'{name}={value}')}\n" for name, value in kept.items())
    assignments = "".join(f"{name}={shlex.quote(value)} " for name, value in kept.items())
    # A backslash at the end of a line would join the next one to it: so `about` does not end one.
    return Timer(
        name=name,
        service=(
            f"[Unit]\nDescription={about.replace('%', '%%')} (locum)\nWants=network-online.target\n"
            f"After=network-online.target\n\n[Service]\nType=oneshot\n{environment}ExecStart={_exec(command)}\n"
            "# 3: interrupted, resumed next time; 6: done, but a check failed\nSuccessExitStatus=3 6\n"
        ),
        timer=(
            f"[Unit]\nDescription={about.replace('%', '%%')} (locum)\n\n[Timer]\nOnCalendar={calendar}\n"
            "RandomizedDelaySec=5m\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
        ),
        cron=f"{cron} {assignments}{shlex.join(command)} # {name}".replace("%", r"\%"),
        environment=tuple(kept),
    )


def _exec(command: list[str]) -> str:
    """A command for ExecStart, where systemd puts variables in place of `$NAME`, but not in the program's path."""
    program, *arguments = command
    return " ".join([_quote(program), *(_quote(argument.replace("$", "$$")) for argument in arguments)])


def _quote(part: str) -> str:
    """A word for systemd, which reads `%` as the begin of a specifier everywhere."""
    escaped = part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if not escaped or any(c.isspace() or c in "\"'\\;" for c in part) else escaped


# -- systemd -----------------------------------------------------------------------------------------------------------


def has_systemd() -> bool:
    """Whether systemd runs for this user, so that it can take a timer."""
    if shutil.which("systemctl") is None:
        return False
    return _run(["systemctl", "--user", "is-system-running"]).stdout.strip() in {"running", "degraded"}


def user_units() -> Path:
    """The folder of this user's units."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def install_systemd(timers: Iterable[Timer], units: Path) -> list[Path]:
    """Write services and timers into a folder of user units and start the timers; returns the paths.

    Raises UsageError if systemd refuses, and leaves nothing behind then.
    """
    units.mkdir(parents=True, exist_ok=True)
    written = []
    for timer in timers:
        for kind, text in (("service", timer.service), ("timer", timer.timer)):
            path = units / f"{timer.name}.{kind}"
            path.touch(mode=0o600)  # an address of a proxy may hold a password
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
            written.append(path)
    names = [path.name for path in written if path.suffix == ".timer"]
    for arguments in (["daemon-reload"], ["enable", "--now", *names]):
        done = _run(["systemctl", "--user", *arguments]) if shutil.which("systemctl") else None
        if done is None or done.returncode:
            for path in written:
                path.unlink()
            fault = done.stderr.strip().splitlines() if done is not None else []
            why = fault[-1] if fault else "this machine has no systemctl that works"
            raise UsageError(f"systemd does not take the timer: {why}; use --with cron, or --print it")
    return written


def remove_systemd(archive: Path, units: Path) -> list[Path]:
    """Stop the timers of an archive and remove their files from a folder of user units; returns the paths."""
    found = sorted(path for path in units.glob(f"{_name(archive.resolve())}*") if path.suffix in {".service", ".timer"})
    if not found:
        return []
    works = shutil.which("systemctl") is not None
    names = [path.name for path in found if path.suffix == ".timer"]
    if works:
        _run(["systemctl", "--user", "disable", "--now", *names])
    for path in found:
        path.unlink()
        (units / "timers.target.wants" / path.name).unlink(missing_ok=True)
    if works:
        _run(["systemctl", "--user", "daemon-reload"])
    return found


# -- cron --------------------------------------------------------------------------------------------------------------


def has_cron() -> bool:
    """Whether this machine has cron for users."""
    return shutil.which("crontab") is not None


def install_cron(archive: Path, timers: Sequence[Timer]) -> None:
    """Put the lines into this user's crontab, in place of earlier ones of the same timers.

    Raises UsageError if there is no cron or if it refuses.
    """
    names = {timer.name for timer in timers}
    kept = [line for line in _crontab() if _timer_of(line, archive.resolve()) not in names]
    _write_crontab([*kept, *(timer.cron for timer in timers)])


def remove_cron(archive: Path) -> list[str]:
    """Take the lines of an archive's timers out of this user's crontab; returns them."""
    lines = _crontab() if has_cron() else []
    removed = [line for line in lines if _timer_of(line, archive.resolve()) is not None]
    if removed:
        _write_crontab([line for line in lines if line not in removed])
    return removed


def _timer_of(line: str, folder: Path) -> str | None:
    """The name of the timer of an archive that a line of a crontab runs; None if it is not ours.

    A line without a name was written by an earlier version: it is known by its command.
    """
    name, line = _name(folder), line.strip()
    if line.startswith("#"):
        return None
    last = line.rpartition(" # ")[2]
    if last == name or last.startswith(f"{name}-"):
        return last
    earlier = shlex.join(["-m", "locum_spider", "crawl", "--due", "--archive", str(folder)]).replace("%", r"\%")
    return name if line.endswith(f" {earlier}") else None


def _crontab() -> list[str]:
    if not has_cron():
        raise UsageError("this machine has no cron; use --with systemd, or --print the timer")
    done = _run(["crontab", "-l"])
    if done.returncode and not any(words in done.stderr.lower() for words in _NO_CRONTAB):
        raise UsageError(f"your crontab cannot be read: {_last(done.stderr)}; use --with systemd, or --print the timer")
    return done.stdout.splitlines() if done.returncode == 0 else []


def _write_crontab(lines: Sequence[str]) -> None:
    done = _run(["crontab", "-"], text="".join(f"{line}\n" for line in lines))
    if done.returncode:
        raise UsageError(f"cron does not take the line: {_last(done.stderr)}; use --with systemd, or --print the timer")


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it does not say why"])[-1]


def _run(command: list[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - systemctl or crontab
        command, input=text, capture_output=True, text=True, encoding="utf-8", errors="surrogateescape",
        env={**os.environ, "LC_ALL": "C"}, check=False,
    )  # fmt: skip
