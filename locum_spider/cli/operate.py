"""`locum schedule`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from locum_spider.cli.common import echo, with_archive
from locum_spider.clock import parse_span
from locum_spider.errors import UsageError
from locum_spider.operate import schedule as scheduling
from locum_spider.sites import find_site


@click.command()
@click.argument("site")
@click.option("--every", metavar="SPAN", help="How often: 12h, 1d, 2w. [as the site declares]")
@click.option("--off", is_flag=True, help="Take the site off the schedule.")
@click.option("--print", "only_print", is_flag=True, help="Print a timer and a cron line; install neither.")
@click.option(
    "--with",
    "kind",
    type=click.Choice(["systemd", "cron"]),
    metavar="KIND",
    help="systemd or cron. [what this machine has]",
)
@with_archive
def schedule(site: str, archive: Path, *, every: str | None, off: bool, only_print: bool, kind: str | None) -> None:
    """Crawl a site regularly, by a systemd timer or a cron entry.

    The timer runs `locum crawl --due` once an hour; the archive says what is due.

    \b
    Example:
      locum schedule locum-today --every 1d
    """
    if off:
        removed = scheduling.unschedule(archive, site)
        echo(f"{site} is off the schedule." if removed else f"{site} was not on the schedule.")
        return
    declared = find_site(site, archive)
    span = every or declared.crawl.every
    try:
        parse_span(span)
    except ValueError as error:
        raise UsageError(f"--every: {error}") from None
    timer = scheduling.make_timer(archive)
    scheduling.schedule(archive, declared.name, span)
    echo(f"{site} is due every {span} in {archive}.")
    if only_print:
        _print_timer(timer, kind)
    elif kind == "systemd" or (kind is None and scheduling.has_systemd()):
        units = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
        for path in scheduling.install_systemd(timer, units):
            echo(f"Wrote {path}")
        echo(f"The timer is running; to see it: systemctl --user list-timers {timer.name}.timer")
    elif scheduling.install_cron(timer):
        echo(f"In your crontab: {timer.cron}")
    else:
        echo("This machine has neither systemd for users nor cron.")
        echo("Have something run this every hour:")
        _print_timer(timer, "cron")


def _print_timer(timer: scheduling.Timer, kind: str | None) -> None:
    if kind in {None, "systemd"}:
        echo(f"\n# ~/.config/systemd/user/{timer.name}.service\n{timer.service}")
        echo(f"# ~/.config/systemd/user/{timer.name}.timer\n{timer.timer}")
    if kind in {None, "cron"}:
        echo(f"{'# crontab -e' if kind is None else ''}\n{timer.cron}".strip())
