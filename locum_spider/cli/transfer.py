"""`locum import` and `locum export`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from locum_spider.cli.common import Size, echo, json_option, plural, print_json, with_archive, wrap
from locum_spider.cli.progress import Bars
from locum_spider.errors import ExitCode
from locum_spider.items import Outcome

if TYPE_CHECKING:
    from locum_spider.importing.run import Imported

_MANY = 10


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--min-free", type=Size(), metavar="SIZE", help="Stop before less than this is free on the disk. [500MB]")
@click.option(
    "--site", metavar="NAME", help="Only this declared site; with another name, also undeclared sites under it."
)
@click.option("--undeclared", is_flag=True, help="Also take pages of undeclared sites, each site named by its host.")
@click.option("--damaged", is_flag=True, help="Also take records whose digest is wrong, and mark them.")
@json_option
@with_archive
def import_(
    files: tuple[Path, ...], archive: Path, *, min_free: int | None, site: str | None, undeclared: bool, damaged: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Add captures that others made (WARC, ARC, WACZ) to the archive.

    Only responses of declared sites are taken, unless you use --undeclared or
    --site. Captures that the archive has already are passed over, so after an
    interruption run the same command again. WARC files may be .gz, .zst or
    .lz4, ARC files .gz.

    \b
    Example:
      locum import wayback/locumtoday-2016.warc.gz browsertrix.wacz
      locum import old-blog.warc.gz --site old-blog
    """
    from locum_spider.crawl.settings import LOCUM_MIN_FREE
    from locum_spider.importing.run import import_files

    reserve = LOCUM_MIN_FREE if min_free is None else min_free
    with Bars(quiet=as_json) as bars:

        def show(state: Imported) -> None:
            done = sum(state.outcomes.values()) + sum(state.elsewhere.values()) + state.rewritten + state.archives_own
            bars.show(state.file, 0, 0, plural(done, "capture"))

        results = import_files(
            archive, list(files), site=site, undeclared=undeclared, damaged=damaged, min_free=reserve, on_progress=show
        )
    if as_json:
        print_json(results)
    else:
        for result in results:
            _print_imported(result)
    if not any(result.outcomes for result in results):
        _print_nothing_taken(results)
        sys.exit(ExitCode.CHECK_FAILED)


def _print_nothing_taken(results: list[Imported]) -> None:
    if any(result.rewritten for result in results):
        reason = "a web archive has rewritten the pages; fetch them with id_ and import those"
    else:
        reason = "no capture is of a declared site; `locum sites` lists the sites"
    echo(f"locum: nothing was taken: {reason}", err=True)


def _print_imported(result: Imported) -> None:
    outcomes = result.outcomes
    echo(f"{result.file}: {plural(sum(outcomes.values()), 'capture')}")
    articles = [f"{outcomes[name]:,} {name}" for name in (Outcome.NEW, Outcome.CHANGED, Outcome.UNCHANGED)]
    echo(f"  articles   {', '.join(articles)}")
    listings, known = plural(outcomes[Outcome.LISTING], "listing"), outcomes[Outcome.KNOWN]
    unread = outcomes[Outcome.NOT_LISTING] + outcomes[Outcome.NOT_ARTICLE] + outcomes[Outcome.FAILED]
    echo(f"  others     {listings}, {unread:,} not read, {known:,} known already")
    if result.elsewhere:
        hosts = ", ".join(f"{host} ({number:,})" for host, number in result.elsewhere.most_common(5))
        echo(wrap(f"passed over, not of a declared site: {hosts}", "  "))
    if outcomes[Outcome.TAKEN_DOWN]:
        removed = plural(outcomes[Outcome.TAKEN_DOWN], "capture")
        echo(f"  passed over, removed here by a takedown: {removed}")
    _print_passed_over(result)
    if result.bodiless:
        revisits = plural(result.bodiless, "revisit")
        advice = "import the file that has the capture with the body, then this one again"
        echo(wrap(f"passed over, without a body: {revisits}; {advice}", "  ! "))
    _print_unread(result)
    _print_first("kept but not read, cut short: ", result.cut_short)
    _print_first("kept, though its digest is wrong: ", result.wrong_digests)
    _print_first("skipped, broken: ", result.broken)


def _print_unread(result: Imported) -> None:
    """Each reason once, with the number of pages and the first of them."""
    reasons = Counter(entry.reason for entry in result.unread)
    for reason, number in reasons.most_common(_MANY):
        first = next(entry.url for entry in result.unread if entry.reason == reason)
        which = first if number == 1 else f"{number:,} pages, first {first}"
        echo(wrap(f"not read, {reason}: {which}", "  ! "))
    if len(reasons) > _MANY:
        echo(f"  ! and {len(reasons) - _MANY:,} more reasons; the column captures.unread has them all")


def _print_passed_over(result: Imported) -> None:
    if result.other_requests:
        echo(f"  passed over, answers to other requests than GET (POST, HEAD): {result.other_requests:,}")
    if result.archives_own:
        echo(f"  passed over, a web archive's own redirects and errors: {result.archives_own:,}")
    if result.rewritten:
        advice = "Fetch them as the site sent them, with id_ after the time (…/web/20170102030405id_/http://…)"
        pages = plural(result.rewritten, "page")
        echo(wrap(f"passed over, rewritten by a web archive: {pages}. {advice}, and import those.", "  ! "))


def _print_first(label: str, texts: list[str]) -> None:
    for text in texts[:_MANY]:
        echo(wrap(f"{label}{text}", "  ! "))
    if len(texts) > _MANY:
        echo(f"  ! and {len(texts) - _MANY:,} more")


@click.command()
@click.argument("article", required=False, metavar="[ID|URL]")
@click.option("--format", "kind", type=click.Choice(["wacz"]), default="wacz", show_default=True, help="Kind of file.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option
@with_archive
def export(article: str | None, archive: Path, *, kind: str, output: Path | None, force: bool, as_json: bool) -> None:
    """Write the archive, or one article, as a WACZ file.

    A WACZ file holds the captures themselves. Any WACZ player replays it.

    \b
    Example:
      locum export --format wacz -o locum-today.wacz
      locum export --format wacz 12
    """
    from locum_spider.archive import Archive
    from locum_spider.exporting.wacz import export_wacz

    article_id = None
    with Archive(archive) as opened:
        if article is not None:
            article_id = opened.require(article).id
    name = f"article-{article_id}.{kind}" if article_id is not None else f"{archive.resolve().name}.{kind}"
    result = export_wacz(archive, output or Path(name), article_id=article_id, force=force)
    if as_json:
        print_json(result)
    else:
        held = f"{plural(result.captures, 'capture')}, {plural(result.pages, 'page')}"
        echo(f"{result.path}: {held}, {result.bytes:,} bytes")
