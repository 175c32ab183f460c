"""Decides which sites are due, from the archive alone, and makes the timer that starts their crawls."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from locum_spider.archive import Archive
from locum_spider.clock import parse_span, utc_now
from locum_spider.store import schedules
from locum_spider.store.connection import connect_writing
from locum_spider.store.files import writing_errors

_KEPT = ("LOCUM_CONTACT", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_TOLERANCE = timedelta(minutes=5)
"""A site that is due within this time is due now: a timer fires a little early or late."""


def schedule(archive: Path, site: str, every: str) -> None:
    """Put a site on the schedule of an archive, or change how often it is crawled."""
    with writing_errors(archive), closing(connect_writing(archive)) as db:
        schedules.schedule(db, site, every, utc_now())


def unschedule(archive: Path, site: str) -> bool:
    """Take a site off the schedule; False if it was not on it."""
    with writing_errors(archive), closing(connect_writing(archive)) as db:
        return schedules.unschedule(db, site)


def next_due(archive: Archive, site: str, every: str) -> datetime | None:
    """When a site is due next, from its last crawl; None means now: it was never crawled, or cut short."""
    for last in archive.crawls(site, 1):
        if last["finished_at"] is not None:
            return datetime.fromisoformat(last["started_at"]) + parse_span(every)
    return None


def due_sites(archive: Archive, now: datetime) -> list[str]:
    """The scheduled sites that are due."""
    times = {site: next_due(archive, site, every) for site, every in archive.schedules().items()}
    return [site for site, when in times.items() if when is None or when <= now + _TOLERANCE]


@dataclass(frozen=True, slots=True)
class Timer:
    """The texts of a systemd service and timer, and of a cron line that does the same."""

    name: str
    service: str
    timer: str
    cron: str


def make_timer(archive: Path) -> Timer:
    """A timer that runs `locum crawl --due` on an archive every hour."""
    folder = archive.resolve()
    name = f"locum-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    command = [sys.executable, "-m", "locum_spider", "crawl", "--due", "--archive", str(folder)]
    systemd = " ".join(_systemd_quote(part) for part in command)
    kept = {name: os.environ[name] for name in _KEPT if os.environ.get(name)}
    environment = "".join(f"Environment={_systemd_quote(f'{name}={value}')}\n" for name, value in kept.items())
    assignments = "".join(f"{name}={shlex.quote(value)} " for name, value in kept.items())
    return Timer(
        name=name,
        service=(
            f"[Unit]\nDescription=Crawl what is due into {folder}\nWants=network-online.target\n"
            f"After=network-online.target\n\n[Service]\nType=oneshot\n{environment}ExecStart={systemd}\n"
            "# 3: interrupted, resumed next time; 6: done, but a check failed\nSuccessExitStatus=3 6\n"
        ),
        timer=(
            f"[Unit]\nDescription=Ask every hour what is due in {folder}\n\n[Timer]\nOnCalendar=hourly\n"
            "RandomizedDelaySec=5m\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n"
        ),
        cron=f"17 * * * * {assignments}{' '.join(shlex.quote(part) for part in command)}".replace("%", r"\%"),
    )


def _systemd_quote(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(c.isspace() or c in "\"'\\;" for c in part) else escaped


def has_systemd() -> bool:
    """Whether systemd runs for this user, so that it can take a timer."""
    if shutil.which("systemctl") is None:
        return False
    state = subprocess.run(["systemctl", "--user", "is-system-running"], capture_output=True, text=True, check=False)
    return state.stdout.strip() in {"running", "degraded"}


def install_systemd(timer: Timer, units: Path) -> list[Path]:
    """Write service and timer into a folder of user units and enable the timer; returns the paths."""
    units.mkdir(parents=True, exist_ok=True)
    files = {units / f"{timer.name}.service": timer.service, units / f"{timer.name}.timer": timer.timer}
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    for arguments in (["daemon-reload"], ["enable", "--now", f"{timer.name}.timer"]):
        subprocess.run(["systemctl", "--user", *arguments], check=True, capture_output=True)  # noqa: S603
    return list(files)


def install_cron(timer: Timer) -> bool:
    """Put the line into this user's crontab, once; False if there is no cron or it refuses."""
    if shutil.which("crontab") is None:
        return False
    old = subprocess.run(["crontab", "-l"], capture_output=True, text=True, check=False)
    lines = [line for line in old.stdout.splitlines() if line.strip() != timer.cron] if old.returncode == 0 else []
    text = "\n".join([*lines, timer.cron]) + "\n"
    return subprocess.run(["crontab", "-"], input=text, text=True, check=False).returncode == 0
