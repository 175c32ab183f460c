"""`locum search`, `show` and `serve`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import shorten
from typing import Any

import click

from locum_spider.archive import Archive, FieldEvidence, StoredArticle
from locum_spider.browse.serve import serve as serve_archive
from locum_spider.cli.common import echo, echo_marked, json_option, plural, print_json, with_archive, wrap
from locum_spider.cli.hints import WordsCommand, hints
from locum_spider.errors import DateFilterError, UsageError
from locum_spider.fields import FIELDS, told
from locum_spider.store.search import MARK, UNMARK, Filters, Hit

_LONGEST_RAW = 240


@click.command(cls=WordsCommand, context_settings={"ignore_unknown_options": True})
@click.argument("query", nargs=-1, required=True)
@click.option("--site", metavar="NAME", help="Only this site.")
@click.option("--section", metavar="TEXT", help="Only this section.")
@click.option("--author", metavar="NAME", help="Only this author.")
@click.option("--tag", metavar="TEXT", help="Only this tag.")
@click.option("--from", "since", metavar="DATE", help="Published on or after: 2018-04-10, 2018-04 or 2018.")
@click.option("--to", "until", metavar="DATE", help="Published on or before.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), metavar="N", default=10, show_default=True, help="Hits to print."
)
@click.option("--offset", type=click.IntRange(0), metavar="N", default=0, help="Hits to skip.")
@json_option
@with_archive
def search(
    query: tuple[str, ...], archive: Path, *, site: str | None, section: str | None, author: str | None,
    tag: str | None, since: str | None, until: str | None, limit: int, offset: int, as_json: bool,
) -> None:  # fmt: skip
    """Search titles and texts: words, "phrases", word*, -without, OR.

    \b
    Example:
      locum search '"care order" -adoption' --from 2017 --section News
    """
    text = " ".join(query)
    filters = Filters(site, section, author, tag, since, until)
    try:
        with Archive(archive) as opened:
            hits = opened.search(text, limit=limit, offset=offset, **asdict(filters))
            total = opened.count(text, filters)
            advice = list(hints(opened, text, filters, total))
    except DateFilterError as error:
        raise UsageError(error.called({"since": "--from", "until": "--to"}[error.name])) from None
    if as_json:
        print_json([_plain_hit(hit) for hit in hits])
    else:
        print_hits(hits, total)
    for hint in advice:
        echo(hint, err=True)


def _plain_hit(hit: Hit) -> dict[str, Any]:
    return {**asdict(hit), "snippet": hit.snippet.replace(MARK, "<mark>").replace(UNMARK, "</mark>")}


def print_hits(hits: Sequence[Hit], total: int) -> None:
    """Hits with their snippets; the words searched for are bold on a terminal, and in [brackets] elsewhere."""
    for hit in hits:
        about = ", ".join(part for part in (hit.published, hit.section, hit.site) if part)
        echo(wrap(f"{hit.id}  {hit.title}"))
        echo(wrap(about, "    "))
        echo_marked(wrap(" ".join(hit.snippet.split()), "    "))
        echo()
    shown = "" if len(hits) == total else f", {len(hits)} shown"
    echo(f"{plural(total, 'article')} found{shown}." if total else "Nothing found.")


@click.command()
@click.argument("article", metavar="ID|URL")
@click.option("--revisions", is_flag=True, help="Print the text of every revision.")
@click.option("--evidence", is_flag=True, help="Print the capture, rule and raw text of every field.")
@json_option
@with_archive
def show(article: str, archive: Path, *, revisions: bool, evidence: bool, as_json: bool) -> None:
    """Show one article, its revisions and their captures.

    \b
    Example:
      locum show 12
    """
    with Archive(archive) as opened:
        stored = opened.require(article)
        versions, addresses = opened.revisions(stored.id), opened.addresses(stored.id)
        fields = opened.evidence(stored.id)
    if evidence:
        print_json(fields) if as_json else _print_evidence(stored, fields)
        return
    if as_json:
        print_json({**asdict(stored), "addresses": addresses, "revisions": versions})
        return
    _print_article(stored)
    echo("\nAddresses")
    for address in addresses:
        echo(f"  {address}")
    echo("\nRevisions")
    for version in versions:
        echo(wrap(f"{version['seq']}  seen {version['seen_at']}  {version['title']}", "  "))
        echo(f"     {version['warc_file']}, byte {version['warc_offset']:,}")
        echo(f"     {version['capture_digest']}")
        if revisions:
            echo("\n" + "\n\n".join(wrap(block, "     ") for block in version["body"].split("\n\n")) + "\n")


def _print_evidence(article: StoredArticle, fields: list[FieldEvidence]) -> None:
    echo(wrap(f"{article.id}  {article.title}"), bold=True)
    last = None
    for entry in fields:
        if entry.capture != last:
            last = entry.capture
            echo(f"\nCaptured {last.fetched_at} as {last.digest}")
            echo(f"  {last.url}")
            if last.source_uri is not None:
                echo(f"  sent by the web archive {last.source_uri}")
            if last.stated_digest is not None:
                echo(wrap(f"its record states another digest, {last.stated_digest}", "  ! "))
            echo(f"  {last.warc_file}, byte {last.warc_offset:,}, {last.warc_length:,} bytes")
            if last.body is not None:
                at = f"{last.body.warc_file}, byte {last.body.warc_offset:,}"
                echo(wrap(f"unchanged since {last.body.fetched_at}; the body is in {at}", "  "))
        echo(f"\n  {entry.field}")
        echo(wrap(f"by {entry.rule}", "    "))
        echo(wrap(shorten(" ".join(entry.raw.split()), _LONGEST_RAW, placeholder=" …"), "    | "))


def _print_article(article: StoredArticle) -> None:
    if article.section:
        echo(article.section)
    echo(wrap(article.title), bold=True)
    if article.standfirst:
        echo(wrap(article.standfirst))
    if article.authors:
        echo(f"By {', '.join(article.authors)}")
    printed = f' (printed "{article.published_raw}")' if article.published_raw else ""
    echo(f"Published {article.published_at or article.published or 'on an unknown day'}{printed}")
    if article.published_conflict:
        echo(wrap(article.published_conflict, "! "))
    for field in FIELDS:
        if field.fact and (words := told(getattr(article, field.name))):
            echo(wrap(f"{field.fact}: {', '.join(words)}"))
    if article.state != "live":
        since = f"; first missed {article.gone_at}" if article.gone_at else ""
        echo(f"! The site no longer serves this article ({article.state}{since}).")
    echo()
    echo("\n\n".join("\n".join(wrap(line) for line in block.split("\n")) for block in article.text.split("\n\n")))
    for heading, lines in (
        ("Documents", [f"{a.title}: {a.url}" for a in article.attachments]),
        ("Pictures", [f"{i.caption or i.alt or 'without a caption'}: {i.url}" for i in article.images]),
    ):
        if lines:
            echo(f"\n{heading}")
            for line in lines:
                echo(wrap(line, "  "))


@click.command()
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", default=8001, show_default=True, help="Port to listen on."
)
@click.option(
    "--allow-host",
    "allow_hosts",
    metavar="NAME",
    multiple=True,
    help="Answer under this name too, as behind a web server; again for each further name.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open the archive in a browser.")
@with_archive
def serve(archive: Path, *, host: str, port: int, allow_hosts: tuple[str, ...], open_browser: bool) -> None:
    """Browse the archive in Datasette.

    \b
    Example:
      locum serve --port 8001
    """
    sys.exit(serve_archive(archive, host=host, port=port, allow_hosts=allow_hosts, open_browser=open_browser))
