"""What several commands share: the archive option, JSON output, text that fits the terminal."""

from __future__ import annotations

import functools
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import click

from locum_spider.crawl.settings import LOCUM_ARCHIVE
from locum_spider.store.search import MARK, UNMARK
from locum_spider.text import escaped, printable

archive_option = click.option(
    "--archive", metavar="DIR", default=None, help="The archive's folder. [$LOCUM_ARCHIVE or ./data]"
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


class Size(click.ParamType):  # type: ignore[type-arg]  # generic only in the newest click
    """Bytes, given as `500MB`, `2 GB` or `0`; powers of a thousand, as disks are sold."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        size = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", str(value).strip(), re.IGNORECASE)
        if size is None:
            self.fail(f"{value!r} is not a size; write 500MB, 2GB or 0", param, ctx)
        return int(float(size[1]) * 1000 ** " kmgt".index(size[2].lower() or " "))


def with_archive(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--archive` and pass it the folder as `archive: Path`.

    The folder is that of the command's own option, else the group's, else the variable's, else the default.
    """

    @archive_option
    @click.pass_context
    @functools.wraps(command)
    def wrapped(ctx: click.Context, /, archive: str | None, **options: Any) -> Any:
        return command(archive=Path(archive or ctx.find_root().obj or LOCUM_ARCHIVE), **options)

    return wrapped


def echo(text: str = "", *, err: bool = False, bold: bool = False) -> None:
    """Print text, on standard error if `err`. All that a command prints comes through here, and is clean of what
    others put into it to steer a terminal; JSON has escapes instead."""
    text = printable(text)
    click.echo(click.style(text, bold=True) if bold else text, err=err)


def echo_marked(text: str) -> None:
    """Print text with marked words, which are bold on a terminal, and in [brackets] elsewhere."""
    opening, closing = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("[", "]")
    before, *marked = text.split(MARK)
    parts = [part.partition(UNMARK) for part in marked]
    click.echo(
        printable(before)
        + "".join(f"{opening}{printable(word)}{closing}{printable(after)}" for word, _, after in parts)
    )


def print_json(value: Any) -> None:
    """Print a value as JSON; dataclasses become objects."""
    click.echo(escaped(json.dumps(value, ensure_ascii=False, indent=2, default=_plain)))


def _plain(value: Any) -> Any:
    return {field.name: getattr(value, field.name) for field in fields(value)} if is_dataclass(value) else str(value)


def wrap(text: str, indent: str = "") -> str:
    """A paragraph in lines that fit the terminal, of at most 100 columns; words and addresses stay whole."""
    return textwrap.fill(
        text,
        min(shutil.get_terminal_size((80, 24)).columns, 100),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> plural(1, "article"), plural(2400, "article"), plural(2, "entry", "entries")
    ('1 article', '2,400 articles', '2 entries')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
