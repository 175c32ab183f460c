"""What may be wrong with a search, in one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import click

from locum_spider.archive import Archive
from locum_spider.cli.common import plural
from locum_spider.store.search import MOST_TERMS, Filters, fts_query, terms

_NAMED = 8


class WordsCommand(click.Command):
    """A command whose words may begin with a dash (`-adoption`): only what begins with two is an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)}
        for arg in args[: args.index("--")] if "--" in args else args:
            name = arg.partition("=")[0]
            if name.startswith("--") and name[2:3].isalnum() and name not in known:
                raise click.NoSuchOption(name, possibilities=get_close_matches(name, known), ctx=ctx)
        return super().parse_args(ctx, args)


def hints(archive: Archive, text: str, filters: Filters, found: int) -> Iterator[str]:
    """Why a search may find less than was meant."""
    typed = terms(text)
    if typed and not fts_query(text):
        yield "There is only a word to leave out; add a word to look for."
    if len(typed) > MOST_TERMS:
        yield f"A search looks for {MOST_TERMS} words; the last {len(typed) - MOST_TERMS} are left out."
    if filters.since and filters.until and filters.since > filters.until + "~":
        yield f"--from {filters.since} is after --to {filters.until}: no day lies between them; exchange the two."
    if not found:
        yield from _unknown("site", filters.site, sorted(archive.counts()))
        yield from _unknown("section", filters.section, archive.sections())


def _unknown(kind: str, wanted: str | None, present: Sequence[str]) -> Iterator[str]:
    """A sentence if the archive does not have the site or section that was asked for."""
    if wanted is None or wanted.lower() in {name.lower() for name in present}:
        return
    close = get_close_matches(wanted, present, _NAMED) or present[:_NAMED]
    more = len(present) - len(close)
    named = ", ".join(close) + (f" and {plural(more, 'other')}" if more else "")
    yield f"The archive has no {kind} {wanted!r}" + (f"; it has {named}." if present else ".")
