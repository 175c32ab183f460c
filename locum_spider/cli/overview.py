"""`locum sites`, `status` and `crawls`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from locum_spider.archive import Archive
from locum_spider.cli.common import echo, json_option, plural, print_json, with_archive, wrap
from locum_spider.errors import DeclarationError, UsageError
from locum_spider.items import CrawlOutcome
from locum_spider.operate.status import SiteStatus, site_statuses
from locum_spider.sites import SHIPPED, load_sites
from locum_spider.sites.site import Site
from locum_spider.store.files import set_aside
from locum_spider.system import manual


@click.command()
@click.option("--check", is_flag=True, help="Only say for each declaration if it is right.")
@json_option
@with_archive
def sites(archive: Path, *, check: bool, as_json: bool) -> None:
    """List the declared sites and check their declarations.

    Ends with 2 if a declaration is wrong.

    \b
    Example:
      locum sites
      locum sites --check --archive news
    """
    broken: list[DeclarationError] = []
    rows = [_site_row(site, archive) for site in load_sites(archive, broken.append).values()]
    if as_json:
        print_json([{"declaration": str(error)} for error in broken] if check else rows)
    elif check:
        for row in rows:
            echo(f"right  {row['declared_in']}")
    else:
        for row in rows:
            place = "the archive" if row["declared_in"].startswith(str(archive)) else "this package"
            echo(f"{row['name']}  {row['title']}")
            echo(wrap(f"{', '.join(row['hosts'])}; declared in {place}", "  "))
    for error in broken:
        echo(f"locum: {error}", err=True)
    if check and not as_json:
        echo(wrap(f"Every key of a declaration is explained in {manual('sites.md')}."))
    if broken:
        sys.exit(broken[0].exit_code)


def _site_row(site: Site, archive: Path) -> dict[str, Any]:
    own = archive / "sites" / f"{site.name}.toml"
    return {
        "name": site.name, "title": site.title, "hosts": list(site.hosts), "start": list(site.start),
        "layouts": len(site.layouts), "every": site.crawl.every, "delay": site.crawl.delay,
        "declared_in": str(own if own.exists() else SHIPPED / own.name),
    }  # fmt: skip


@click.command()
@click.option("--check", is_flag=True, help="End with the exit code of what is wrong, for monitoring.")
@json_option
@with_archive
def status(archive: Path, *, check: bool, as_json: bool) -> None:
    """Show how the last crawl of each site went, and what is due.

    With --check it ends with 3 if a crawl was cut short, with 4 if a site could
    not be reached, with 6 if a check failed or a site is due for hours.

    \b
    Example:
      locum status --archive news
      locum status --check --archive news
    """
    with Archive(archive) as opened:
        statuses = site_statuses(opened, datetime.now(UTC))
    if as_json:
        print_json(statuses)
    else:
        if not statuses:
            echo("The archive is empty; `locum crawl SITE` fills it.")
        for state in statuses:
            _print_status(state)
        if (kept := set_aside(archive)) is not None:
            echo(wrap(kept, "- "))
    sys.exit(max((state.exit_code for state in statuses), default=0) if check else 0)


def _print_status(state: SiteStatus) -> None:
    gone = f", {state.gone:,} gone" if state.gone else ""
    echo(f"{state.site}: {plural(state.articles, 'article')}{gone}")
    last = state.last_crawl
    if last is None:
        echo("  never crawled")
    else:
        echo(f"  last crawl {last['id']} began {last['started_at']}: {_outcome(last)}")
        counts = ", ".join(f"{number:,} {word}" for word, number in _counts(last).items())
        echo(wrap(f"{plural(last['captures'], 'capture')}; {counts}", "  "))
        for reason in last["reasons"]:
            echo(wrap(reason, "  ! "))
    if state.last_import is not None:
        last = state.last_import
        echo(f"  last import {last['id']} began {last['started_at']}: {_outcome(last)}")
    if state.every:
        echo(f"  every {state.every}, next due {'now' if state.due else state.next_due}")
    if state.fault is not None and not (last and last["reasons"]):
        echo(wrap(state.fault, "  ! "))


def _counts(crawl: dict[str, Any]) -> dict[str, int]:
    """What a crawl found, by its word; an archive of an older version does not say what is gone."""
    kinds = ("new", "changed", "gone")
    return {**{kind: crawl.get(f"articles_{kind}", 0) for kind in kinds}, "failed": crawl["failed"]}


def _outcome(crawl: dict[str, Any]) -> str:
    if crawl["outcome"] == CrawlOutcome.IMPORTED:
        if crawl["finished_at"] is None:
            return "running, or cut short; run the same `locum import` again"
        return plural(crawl["captures"], "capture")
    if crawl["outcome"] is None:
        return "running, or killed; the next crawl goes on with it"
    return str(crawl["outcome"]).replace("_", " ")


@click.command()
@click.argument("site", required=False)
@click.option(
    "--limit", type=click.IntRange(1, 100_000), metavar="N", default=20, show_default=True, help="Crawls to print."
)
@json_option
@with_archive
def crawls(site: str | None, archive: Path, *, limit: int, as_json: bool) -> None:
    """List the crawls and imports of a site, or all, newest first.

    \b
    Example:
      locum crawls locum-today --archive news
    """
    with Archive(archive) as opened:
        rows = opened.crawls(site, limit)
        names = sorted({row["site"] for row in opened.crawls()}) if site is not None and not rows else []
    if site is not None and not rows:
        known = f"it has crawls of {', '.join(names)}" if names else "`locum crawl SITE` makes the first"
        raise UsageError(f"{archive} has no crawl of {site!r}; {known}")
    if as_json:
        print_json(rows)
        return
    if not rows:
        echo("No site was crawled yet; `locum crawl SITE` makes the first crawl.")
        return
    echo(f"{'id':>4}  {'began':16}  {'site':16}  {'outcome':12}  {'new':>4} {'changed':>7} {'gone':>4} {'failed':>6}")
    for row in rows:
        _print_crawl(row)


def _print_crawl(row: dict[str, Any]) -> None:
    began, outcome = row["started_at"][:16].replace("T", " "), (row["outcome"] or "unfinished").replace("_", " ")
    new, changed, gone, failed = _counts(row).values()
    echo(f"{row['id']:>4}  {began}  {row['site']:16}  {outcome:12}  {new:>4} {changed:>7} {gone:>4} {failed:>6}")
    for reason in row["reasons"]:
        echo(wrap(reason, "      ! "))
