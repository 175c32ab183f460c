"""`locum verify`, `backup`, `takedown` and `rebuild`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from locum_spider.archive import Archive
from locum_spider.cli.common import echo, json_option, plural, print_json, with_archive, wrap
from locum_spider.cli.progress import Bars
from locum_spider.errors import ExitCode, IntegrityError, UsageError

if TYPE_CHECKING:
    from locum_spider.preservation.rebuild import Rebuilding, Rebuilt
    from locum_spider.preservation.rebuild.compare import Comparison
    from locum_spider.preservation.takedown.plan import Takedown
    from locum_spider.preservation.verify import Report

_SHOWN = 10
_LONG = 80
"""Of longer values (in characters) a comparison shows only the place where they differ."""


@click.command()
@click.option("--head", is_flag=True, help="Only print the ledger's head, NUMBER:CHAIN; check nothing.")
@click.option("--expect", metavar="HEAD", help="Fail if the ledger never had this head.")
@json_option
@with_archive
def verify(archive: Path, *, head: bool, expect: str | None, as_json: bool) -> None:
    """Check every byte of every record, the ledger and the database.

    The ledger has a digest of each record, and each row of it is chained to
    the one before: any cut, change, move or removal is found. Somebody might
    write the records and the ledger again; to find this too, leave the head
    with somebody else and pass it with --expect later. Ends with 7 if anything
    is wrong.

    \b
    Example:
      locum verify --archive news
      locum verify --head --archive news > head.txt
      locum verify --expect "$(cat head.txt)" --archive news
    """
    from locum_spider.preservation import verify as verification

    if head and expect is None:
        ledger_head = verification.read_head(archive)
        print_json({"head": ledger_head}) if as_json else echo(ledger_head)
        return
    with Bars(quiet=as_json) as bars:
        report = verification.verify(archive, expect=expect, on_progress=bars.show)
    if as_json:
        print_json(_plain(report))
    else:
        print_verification(report)
    sys.exit(0 if report.sound else IntegrityError.exit_code)


def _plain(report: Report) -> dict[str, Any]:
    names = ("sound", "head", "records", "files", "bytes", "findings", "notes")
    return {name: getattr(report, name) for name in names}


def print_verification(report: Report) -> None:
    """What was checked, what is wrong, what is odd."""
    for finding in report.findings:
        echo(wrap(finding.text, "! "))
    for note in report.notes:
        echo(wrap(note, "  "))
    checked = f"{plural(report.records, 'record')} in {plural(report.files, 'file')}, {report.bytes:,} bytes"
    if report.sound:
        echo(f"Nothing is wrong: {checked}.")
    else:
        echo(f"{plural(len(report.findings), 'fault')} in {checked}.")
    if report.head:
        echo(f"Head of the ledger: {report.head}")


@click.command()
@click.argument("dest", metavar="DEST", type=click.Path(path_type=Path))
@json_option
@with_archive
def backup(dest: Path, archive: Path, *, as_json: bool) -> None:
    """Copy the archive to a folder and verify the copy.

    A crawl may run meanwhile. The next backup to the same folder copies only
    what is new. The copy is an archive itself: you can search it, verify it
    and crawl into it. To restore it, copy the folder back: cp -a DEST ARCHIVE.
    Ends with 7 if the copy is not sound.

    \b
    Example:
      locum backup /media/usb/news --archive news
    """
    from locum_spider.preservation.backup import back_up

    with Bars(quiet=as_json) as bars:
        copied = back_up(archive, dest, on_progress=bars.show)
    report = copied.report
    if as_json:
        counts = {name: getattr(copied, name) for name in ("new", "grown", "kept", "bytes")}
        print_json({**counts, "verification": _plain(report)})
    else:
        files = f"{plural(copied.new, 'new WARC file')}, {copied.grown:,} grown, {copied.kept:,} unchanged"
        echo(f"Copied to {dest}:\n  {files}, {copied.bytes:,} bytes")
        print_verification(report)
        if not report.sound:
            echo(wrap("Run `locum verify` to see if the archive has the same faults or only the copy.", "! "))
    sys.exit(0 if report.sound else IntegrityError.exit_code)


@click.command()
@click.argument("article", metavar="ID|URL")
@click.option("--reason", metavar="TEXT", required=True, help="Why; stays in the archive.")
@click.option("--everywhere", is_flag=True, help="Also empty captures of other pages that name the article.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_archive
def takedown(article: str, archive: Path, *, reason: str, everywhere: bool, yes: bool) -> None:
    """Remove an article for good and leave a tombstone.

    Its rows, revisions and captures go. A tombstone that says when and why
    replaces each of its records. The archive still verifies, and no later
    crawl, import or rebuild brings the article back.

    Listings and other articles that name it keep their captures. --everywhere
    empties these too, and takes its titles and addresses out of what was read
    from them. Earlier backups and exports do not change; the next `locum
    backup` to the same folder removes the article there.

    \b
    Example:
      locum takedown 12 --reason "by order of a court, 4 May 2026"
    """
    from locum_spider.preservation.takedown.plan import finish_earlier, prepare

    if not reason.strip():
        raise UsageError("--reason is empty; say why, in words that everybody may read")
    if not yes and not sys.stdin.isatty():
        raise UsageError("a takedown cannot be undone; without a terminal to ask on, confirm it with --yes")
    if finish_earlier(archive):
        echo("An earlier takedown was cut short; it is finished now.")
        with Archive(archive) as opened:
            if opened.article(article) is None:
                return
    with Bars() as bars, prepare(archive, article, on_progress=bars.show) as planned:
        bars.end()
        print_takedown(planned, everywhere=everywhere)
        if not yes and not click.confirm("Remove it for good?"):
            echo("Nothing was removed.")
            return
        number = planned.carry_out(reason.strip(), everywhere=everywhere)
    echo(f"Taken down: {plural(number, 'record')} replaced by tombstones. `locum verify` lists the takedown.")
    for path in planned.left:
        echo(wrap(f"{path} still names the article, or cannot be looked into; look at it and delete it.", "! "))
    echo(wrap("Backups, exports and other copies outside this folder are not reached: see to them too.", "! "))


def print_takedown(planned: Takedown, *, everywhere: bool) -> None:
    """What will go, and what will stay."""
    echo(wrap(f"Article {planned.subject.id}: {planned.subject.title}"))
    echo(wrap(planned.subject.url, "  "))
    captures = plural(len(planned.subject.captures), "capture")
    echo(f"  {captures} with {plural(len(planned.records), 'record')} will be emptied.")
    for number, title in planned.others:
        text = f"Article {number} was read from the same page. It stays, but a rebuild cannot read it again: {title}"
        echo(wrap(text, "! "))
    if planned.unread:
        damaged = plural(planned.unread, "other record is", "other records are")
        echo(wrap(f"{damaged} damaged and may name it; `locum verify` lists them.", "! "))
    listings = plural(len(planned.listings), "capture of a listing", "captures of listings")
    pages = plural(len(planned.pages), "capture of another page", "captures of other pages")
    places = [words for words, captures in ((listings, planned.listings), (pages, planned.pages)) if captures]
    if places:
        fate = "They will be emptied too" if everywhere else "They stay as they are; --everywhere empties them too"
        echo(wrap(f"Its title or address also stands in {' and '.join(places)}. {fate}.", "! "))
    if planned.uncertain:
        pages = plural(len(planned.uncertain), "other page has", "other pages have")
        some = ", ".join(sorted(planned.uncertain)[:_SHOWN])
        echo(wrap(f"{pages} words that may name it, and will stay; look at them: {some}", "! "))


@click.command()
@click.option("--diff", is_flag=True, help="Show what would change; replace nothing.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes that read pages. [one for each core]")
@json_option
@with_archive
def rebuild(archive: Path, *, diff: bool, jobs: int | None, as_json: bool) -> None:
    """Rebuild the database from the WARC files alone.

    Pages are read by today's rules. The new database replaces the old one only
    when it is complete. Schedules are kept if the old one can be read.

    \b
    Example:
      locum rebuild --diff
      locum rebuild
    """
    from locum_spider.preservation import rebuild as rebuilding

    try:
        with Bars(quiet=as_json) as bars:

            def show(state: Rebuilding) -> None:
                bars.show("reading", state.done, state.total, plural(state.visits, "visit"))

            if diff:
                comparison = rebuilding.compare(archive, jobs=jobs, on_progress=show)
            else:
                rebuilt = rebuilding.rebuild(archive, jobs=jobs, on_progress=show)
    except KeyboardInterrupt:
        echo("locum: stopped; the archive is as it was", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    if as_json:
        print_json(comparison if diff else {**asdict(rebuilt), "exit_code": rebuilt.exit_code})
    elif diff:
        _print_comparison(comparison)
    else:
        _print_rebuilt(rebuilt)
    broken = comparison.broken if diff else rebuilt.broken
    sys.exit(IntegrityError.exit_code if broken else 0)


def _print_rebuilt(rebuilt: Rebuilt) -> None:
    echo(f"The database was rebuilt from {plural(rebuilt.records, 'record')}:")
    rows = plural(rebuilt.captures, "capture"), plural(rebuilt.articles, "article"), plural(rebuilt.crawls, "crawl")
    echo(f"  {', '.join(rows)}")
    _print_broken(rebuilt.broken)
    if rebuilt.kept_old:
        echo(wrap("The old database has more than the WARC files; it is kept as archive.db.old."))


def _print_comparison(comparison: Comparison) -> None:
    for changed in comparison.changed:
        echo(changed.url)
        for name, (before, after) in changed.fields.items():
            _print_field(name, before, after)
    for url in comparison.added:
        echo(f"{url}\n  would be added")
    for url in comparison.gone:
        echo(f"{url}\n  would be gone")
    echo(
        f"{plural(len(comparison.changed), 'article')} would change, {len(comparison.added):,} be added, "
        f"{len(comparison.gone):,} be gone; {comparison.unchanged:,} stay as they are."
    )
    echo("Nothing was replaced.")
    _print_broken(comparison.broken)


def _print_field(name: str, before: object, after: object) -> None:
    from locum_spider.preservation.rebuild.compare import first_difference

    old, new = ("–" if value is None else str(value) for value in (before, after))
    if max(len(old), len(new)) > _LONG:
        old, new = first_difference(old, new)
    echo(f"  {name}: {' '.join(old.split())} → {' '.join(new.split())}")


def _print_broken(broken: list[str]) -> None:
    if broken:
        echo(f"{plural(len(broken), 'fault')} in the WARC files; `locum verify` tells more:", err=True)
    for fault in broken:
        echo(wrap(fault, "  ! "), err=True)
