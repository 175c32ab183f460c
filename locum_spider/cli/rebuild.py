"""`locum rebuild`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from locum_spider.cli.common import json_option, plural, print_json, with_archive, wrap
from locum_spider.errors import IntegrityError
from locum_spider.preservation.rebuild import Rebuilding, Rebuilt
from locum_spider.preservation.rebuild.compare import Comparison

_INTERRUPTED = 3
_LONG = 80


@click.command()
@click.option("--diff", is_flag=True, help="Only show what today's rules would change; replace nothing.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes that read pages; else one a core.")
@json_option
@with_archive
def rebuild(archive: Path, *, diff: bool, jobs: int | None, as_json: bool) -> None:
    """Make the database anew from the WARC files alone.

    The new one replaces the old only when it is whole. Schedules are kept where the old one can be read.

    \b
    Example:
      locum rebuild --diff
      locum rebuild
    """
    from locum_spider.preservation import rebuild as rebuilding

    try:
        with _progress(as_json=as_json) as on_progress:
            if diff:
                comparison = rebuilding.compare(archive, jobs=jobs, on_progress=on_progress)
            else:
                rebuilt = rebuilding.rebuild(archive, jobs=jobs, on_progress=on_progress)
    except KeyboardInterrupt:
        click.echo("locum: stopped; the archive is as it was", err=True)
        sys.exit(_INTERRUPTED)
    if as_json:
        print_json(comparison if diff else {**asdict(rebuilt), "exit_code": rebuilt.exit_code})
    elif diff:
        _print_comparison(comparison)
    else:
        _print_rebuilt(rebuilt)
    broken = comparison.broken if diff else rebuilt.broken
    sys.exit(IntegrityError.exit_code if broken else 0)


@contextmanager
def _progress(*, as_json: bool) -> Iterator[Callable[[Rebuilding], None] | None]:
    """A bar on a terminal, nothing elsewhere."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        TextColumn("reading"), BarColumn(bar_width=20), DownloadColumn(),
        TextColumn("{task.fields[visits]} visits"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None, visits=0)

        def show(state: Rebuilding) -> None:
            bar.update(task, completed=state.done, total=state.total, visits=f"{state.visits:,}")

        yield show


def _print_rebuilt(rebuilt: Rebuilt) -> None:
    click.echo(
        f"The database is made anew from {plural(rebuilt.records, 'record')}: {plural(rebuilt.captures, 'capture')}, "
        f"{plural(rebuilt.articles, 'article')}, {plural(rebuilt.crawls, 'crawl')}."
    )
    _print_broken(rebuilt.broken)
    if rebuilt.kept_old:
        click.echo(wrap("The old database has more than the WARC files; it was kept as archive.db.old."))


def _print_comparison(comparison: Comparison) -> None:
    for changed in comparison.changed:
        click.echo(changed.url)
        for name, (before, after) in changed.fields.items():
            _print_field(name, before, after)
    for url in comparison.added:
        click.echo(f"{url}\n  would be added")
    for url in comparison.gone:
        click.echo(f"{url}\n  would be gone")
    click.echo(
        f"{plural(len(comparison.changed), 'article')} would change, {len(comparison.added):,} be added, "
        f"{len(comparison.gone):,} be gone; {comparison.unchanged:,} stay as they are. Nothing was replaced."
    )
    _print_broken(comparison.broken)


def _print_field(name: str, before: object, after: object) -> None:
    from locum_spider.preservation.rebuild.compare import first_difference

    old, new = ("–" if value is None else str(value) for value in (before, after))
    if max(len(old), len(new)) > _LONG:
        old, new = first_difference(old, new)
    click.echo(f"  {name}: {' '.join(old.split())} → {' '.join(new.split())}")


def _print_broken(broken: list[str]) -> None:
    if broken:
        click.echo(f"{plural(len(broken), 'fault')} in the WARC files; `locum verify` says more:", err=True)
    for fault in broken:
        click.echo(wrap(fault, "  ! "), err=True)
