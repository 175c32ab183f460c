"""`locum schedule`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from locum_spider.archive import Archive
from locum_spider.cli.common import echo, with_archive, wrap
from locum_spider.clock import parse_span
from locum_spider.errors import UsageError
from locum_spider.operate import schedule as scheduling
from locum_spider.operate import timer as timers
from locum_spider.operate.notify import sender
from locum_spider.operate.timer import Timer
from locum_spider.sites import find_site


@click.command()
@click.argument("site")
@click.option("--every", metavar="SPAN", help="How often: 12h, 1d, 2w. [as the site declares]")
@click.option("--verify", is_flag=True, help="Also verify the archive, once a week.")
@click.option("--backup", metavar="DEST", type=click.Path(path_type=Path), help="Also back it up, once a day.")
@click.option("--notify", multiple=True, metavar="TARGET", help="As of `locum crawl`; the timer passes it on.")
@click.option("--off", is_flag=True, help="Take the site off; with the last one, remove the timer.")
@click.option("--print", "only_print", is_flag=True, help="Print a timer and a cron line; install neither.")
@click.option(
    "--with",
    "kind",
    type=click.Choice(["systemd", "cron"]),
    metavar="KIND",
    help="systemd or cron. [what this machine has]",
)
@with_archive
def schedule(
    site: str, archive: Path, *, every: str | None, verify: bool, backup: Path | None, notify: tuple[str, ...],
    off: bool, only_print: bool, kind: str | None,
) -> None:  # fmt: skip
    """Crawl a site regularly, by a systemd timer or a cron entry.

    The timer runs `locum crawl --due` once an hour; the archive says what is due.

    \b
    Example:
      locum schedule locum-today --every 1d
    """
    if off:
        if every or verify or backup or notify or only_print or kind:
            raise UsageError("--off goes with no other option than --archive; leave the others out")
        _take_off(archive, site)
        return
    declared = find_site(site, archive)
    span = every or declared.crawl.every
    try:
        parse_span(span)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None
    for target in notify:
        sender(target)
    made = timers.make_timers(archive, notify=notify, verify=verify, backup=backup)
    kind = kind if only_print else kind or _kind(site)
    scheduling.schedule(archive, declared.name, span)
    installed = [] if only_print else _install(archive, made, kind)
    echo(f"{site} is due every {span} in {archive}.")
    _tell_environment(made)
    for line in installed:
        echo(line)
    if only_print:
        _print_timers(made, kind)


def _kind(site: str) -> str:
    """What this machine has. Raises UsageError if it has neither."""
    if timers.has_systemd():
        return "systemd"
    if timers.has_cron():
        return "cron"
    raise UsageError(
        "this machine has neither systemd for users nor cron, so nothing was scheduled; run "
        f"`locum schedule {site} --print` and have another program run the printed command every hour"
    )


def _install(archive: Path, made: Sequence[Timer], kind: str | None) -> list[str]:
    """Put timers into place; returns what to tell."""
    if kind == "cron":
        timers.install_cron(archive, made)
        return [f"In your crontab: {timer.cron}" for timer in made]
    names = " ".join(f"{timer.name}.timer" for timer in made)
    written = [f"Wrote {path}" for path in timers.install_systemd(made, timers.user_units())]
    return [*written, f"The timer is running; to see it: systemctl --user list-timers {names}"]


def _tell_environment(made: Sequence[Timer]) -> None:
    names = [name for timer in made for name in timer.environment]
    if names:
        echo(wrap(f"The timer keeps what these variables hold now: {', '.join(names)}."))
    if "LOCUM_CONTACT" not in names:
        echo(wrap("No webmaster can write to you: set LOCUM_CONTACT and schedule the site again.", "! "))


def _take_off(archive: Path, site: str) -> None:
    removed = scheduling.unschedule(archive, site)
    echo(f"{site} is off the schedule." if removed else f"{site} was not on the schedule.")
    with Archive(archive) as opened:
        others = list(opened.schedules())
    if others:
        echo(f"The timer stays for {', '.join(others)}.")
        return
    for path in timers.remove_systemd(archive, timers.user_units()):
        echo(f"Removed {path}")
    for line in timers.remove_cron(archive):
        echo(f"Removed from your crontab: {line}")


def _print_timers(made: Sequence[Timer], kind: str | None) -> None:
    if kind in {None, "systemd"}:
        for timer in made:
            echo(f"\n# ~/.config/systemd/user/{timer.name}.service\n{timer.service}")
            echo(f"# ~/.config/systemd/user/{timer.name}.timer\n{timer.timer}")
    if kind in {None, "cron"}:
        if kind is None:
            echo("# crontab -e")
        for timer in made:
            echo(timer.cron)
