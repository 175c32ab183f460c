"""`locum crawl`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from locum_spider.archive import Archive
from locum_spider.cli.common import Size, echo, json_option, plural, print_json, with_archive, wrap
from locum_spider.cli.progress import Bars, Lines, is_terminal
from locum_spider.errors import ExitCode, LocumError, UsageError
from locum_spider.items import CrawlOutcome, Outcome
from locum_spider.operate.notify import News, Send, news_of, sender
from locum_spider.sites import find_site, site_of
from locum_spider.sites.site import Site
from locum_spider.system import manual
from locum_spider.text import printable

if TYPE_CHECKING:  # a command imports what it runs when it runs, so that all others start at once
    from locum_spider.crawl.run import Progress, Result


@click.command()
@click.argument("sites", nargs=-1, metavar="[SITE|URL]...")
@click.option("--due", is_flag=True, help="Crawl the scheduled sites that are due.")
@click.option("--delay", type=click.FloatRange(min=0), metavar="SECONDS", help="Pause between requests to a host.")
@click.option("--concurrency", type=click.IntRange(min=1), metavar="N", help="Requests to a host at the same time.")
@click.option("--contact", metavar="TEXT", help="Contact for webmasters, in the user agent. [$LOCUM_CONTACT]")
@click.option("--durable", is_flag=True, help="Survive a power cut, at a sixth of the speed.")
@click.option("--min-free", type=Size(), metavar="SIZE", help="Stop before less than this is free on the disk. [500MB]")
@click.option(
    "--notify", multiple=True, metavar="TARGET", help="Tell a command or an address what was found; repeatable."
)
@click.option("--log", "log_file", type=click.Path(dir_okay=False), metavar="FILE", help="Append a log to this file.")
@json_option
@with_archive
def crawl(
    sites: tuple[str, ...], archive: Path, *, due: bool, delay: float | None, concurrency: int | None,
    contact: str | None, durable: bool, min_free: int | None, notify: tuple[str, ...], log_file: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Crawl sites into the archive, or go on with a stopped crawl.

    Sites are named by their declaration, or by any address on them.

    \b
    Example:
      locum crawl locum-today --contact archive@example.org
    """
    if due == bool(sites):
        raise UsageError("name the sites to crawl, or use --due alone; `locum sites` lists the sites")
    senders = [sender(target) for target in notify]
    chosen = _due(archive) if due else [_site(name, archive) for name in dict.fromkeys(sites)]
    if not chosen:
        echo("Nothing is due.")
        return
    from locum_spider.crawl.run import CrawlOptions  # takes a second; not needed if nothing is due

    _start_log(log_file)
    results = _run(
        chosen,
        archive,
        CrawlOptions(delay, concurrency, contact, durable, log=log_file is not None, min_free=min_free),
        quiet=as_json,
    )
    if as_json:
        print_json([_as_json(result) for result in results])
    else:
        for result in results:
            print_report(result)
    codes = [result.exit_code for result in results] + [_notify(archive, results, senders)]
    sys.exit(max(codes))


def _notify(archive: Path, results: Sequence[Result], senders: Sequence[Send]) -> ExitCode:
    """Tell what each crawl found, if it found anything; what cannot be told is a check that failed."""
    code = ExitCode.DONE
    for result in results if senders else ():
        news = _news(archive, result)
        for send in senders if news.worth_telling else ():
            try:
                send(news)
            except LocumError as error:
                echo(f"locum: {error}", err=True)
                code = ExitCode.CHECK_FAILED
    return code


def _news(archive: Path, result: Result) -> News:
    error = str(result.error) if result.error is not None else None
    if result.report is None:
        return News(result.site, None, "error", error=error)
    with Archive(archive) as opened:
        return news_of(opened, result.site, result.report.crawl, result.report.causes, error)


def _site(name: str, archive: Path) -> Site:
    if "://" not in name:
        return find_site(name, archive)
    site = site_of(name, archive)
    if site is None:
        raise UsageError(
            f"{name} is not on a declared site; declare it in {archive / 'sites'}/NAME.toml, as {manual('sites.md')} "
            "explains"
        )
    return site


def _due(archive: Path) -> list[Site]:
    from locum_spider.operate.schedule import due_sites

    with Archive(archive) as opened:
        return [find_site(name, archive) for name in due_sites(opened, datetime.now(UTC))]


def _start_log(log_file: str | None) -> None:
    """Errors go to the terminal; with a file, what we and Scrapy log from INFO up goes there instead."""
    level = logging.INFO if log_file else logging.ERROR
    try:
        handler = logging.FileHandler(log_file, encoding="utf-8") if log_file else logging.StreamHandler()
    except OSError as error:
        raise UsageError(f"--log {log_file} cannot be written: {error.strerror}; name another file") from None
    handler.setLevel(level)  # on the handler: Scrapy sets its loggers to DEBUG at its start
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)


class _Formatter(logging.Formatter):
    """What others put into a log line must not steer the terminal that shows it."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def _run(sites: Sequence[Site], archive: Path, options: Any, *, quiet: bool = False) -> list[Result]:
    from locum_spider.crawl.run import run_crawls

    with Bars(keep=True, quiet=quiet) as bars:

        def warn(site: str, text: str) -> None:
            bars.above(wrap(f"{site}: {text}", "! "))

        if quiet:
            return run_crawls(sites, archive, options, on_warning=warn)
        if not is_terminal():
            return run_crawls(sites, archive, options, on_progress=partial(_log, Lines()), every=10.0, on_warning=warn)
        return run_crawls(sites, archive, options, on_progress=partial(_draw, bars), on_warning=warn)


def _draw(bars: Bars, states: list[Progress]) -> None:
    """A bar for each site. Its end moves, since a crawl learns on the way how many pages there are."""
    for state in states:
        seen = state.captures + state.pending
        words = f"{state.captures:,} of {plural(seen, 'page')}, {plural(_articles(state), 'article')}"
        bars.show(state.site, state.captures, seen, words)


def _log(lines: Lines, states: list[Progress]) -> None:
    for state in states:
        if state.captures:
            words = (
                f"{plural(state.captures, 'page')} fetched, {plural(_articles(state), 'article')}, "
                f"{state.failed:,} not read, {state.pending:,} waiting"
            )
            lines.show(state.site, words)


def _articles(state: Progress) -> int:
    return state.new + state.changed + state.unchanged


def _as_json(result: Result) -> dict[str, Any]:
    report = result.report
    return {
        "site": result.site, "exit_code": result.exit_code, "error": str(result.error) if result.error else None,
        "crawl": report.crawl if report else None, "unread": report.unread if report else [],
        "causes": report.causes if report else [],
    }  # fmt: skip


_VERDICT = {
    CrawlOutcome.DONE: "done",
    CrawlOutcome.INTERRUPTED: "interrupted",
    CrawlOutcome.UNREACHABLE: "could not be reached",
    CrawlOutcome.CHECK_FAILED: "a check failed",
}


def print_report(result: Result) -> None:
    """What a crawl did, and what it could not do."""
    if result.error is not None:
        echo(f"locum: {result.site}: {result.error}", err=True)
        return
    if result.report is None:
        return
    crawl = result.report.crawl
    articles = [f"{crawl[f'articles_{kind}']:,} {kind}" for kind in ("new", "changed", "unchanged", "gone")]
    echo(f"{result.site}: {_VERDICT[crawl['outcome']]} (crawl {crawl['id']})")
    echo(f"  captures   {crawl['captures']:,}")
    echo(f"  articles   {', '.join(articles)}")
    entries = plural(crawl["entries"], "entry", "entries")
    echo(f"  listings   {crawl['listings']:,} with {entries}, each accounted for")
    not_articles = plural(crawl["not_articles"], "not an article", "not articles")
    echo(f"  not read   {crawl['failed']:,} failed, {not_articles}, {crawl['refused']:,} refused")
    for cause in result.report.causes:
        for url in cause["urls"]:
            echo(wrap(url, "    "))
        if more := cause["count"] - len(cause["urls"]):
            echo(f"    and {more:,} more")
        what = "not an article" if cause["outcome"] == Outcome.NOT_ARTICLE else cause["outcome"]
        echo(wrap(f"{what}: {cause['reason']}", "      "))
    for note in _notes(crawl):
        echo(wrap(note, "  - "))
    for reason in crawl["reasons"]:
        echo(wrap(reason, "  ! "))
    if crawl["outcome"] == CrawlOutcome.INTERRUPTED:
        echo("  Run the same command again to go on.")


def _notes(crawl: dict[str, Any]) -> Iterator[str]:
    """What a report says of known articles."""
    if crawl["unvisited"] and crawl["outcome"] in {CrawlOutcome.DONE, CrawlOutcome.CHECK_FAILED}:
        were = plural(crawl["unvisited"], "known article was", "known articles were")
        yield f"{were} not visited, so their state and last_seen are those of an earlier crawl"
    if crawl["reread"]:
        are = plural(crawl["reread"], "article has not changed, but is", "articles have not changed, but are")
        yield f"{are} read in another way by today's rules; `locum rebuild` reads all captures by them"
