"""The command line: parse, call, print. Exit codes: 0 done, 1 a fault of ours, 2 wrong usage, 3 interrupted and
resumable, 4 the site could not be reached, 5 no space left, 6 done but a check failed, 7 integrity broken."""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from typing import Any

import click

from locum_spider.cli.common import archive_option, echo
from locum_spider.errors import ExitCode, LocumError
from locum_spider.store.files import outside_errors
from locum_spider.version import __version__

_COMMANDS = {
    "demo": "demo", "crawl": "crawl", "sites": "overview", "status": "overview", "crawls": "overview",
    "search": "reading", "show": "reading", "serve": "reading", "schedule": "operate",
    "import": "transfer", "export": "transfer",
    "rebuild": "preservation", "verify": "preservation", "backup": "preservation", "takedown": "preservation",
}  # fmt: skip


class _Commands(click.Group):
    """Imports a command's module only when it is needed; prints an error of ours as a sentence, with its exit code."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = import_module(f"locum_spider.cli.{_COMMANDS[name]}")
        command: click.Command = getattr(module, f"{name}_" if iskeyword(name) else name)
        return command

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*args, **options)
        except click.UsageError as error:
            raise _plain(error) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with outside_errors():
                return super().invoke(ctx)
        except click.UsageError as error:
            raise _plain(error) from None
        except LocumError as error:
            echo(f"locum: {error}", err=True)
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):  # or no answer to a question
            echo("locum: stopped; run the same command again to go on", err=True)
            ctx.exit(ExitCode.INTERRUPTED)
        except BrokenPipeError:  # `locum search … | head`
            sys.stderr.close()
            ctx.exit(ExitCode.DONE)


class _Told(click.ClickException):
    """A wrong argument, told like every other error."""

    exit_code = ExitCode.USAGE

    def show(self, _file: Any = None) -> None:
        echo(f"locum: {self.message}", err=True)


def _plain(error: click.UsageError) -> click.ClickException:
    """Click's message as one of our sentences; `locum` alone shows its help."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    words, path = error.format_message().rstrip("."), error.ctx.command_path if error.ctx else "locum"
    return _Told(f"{words[:1].lower()}{words[1:]}; see `{path} --help`")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__, prog_name="locum")
@archive_option
@click.pass_context
def locum(ctx: click.Context, archive: str | None) -> None:
    """Turn a news site into an archive that can be searched, cited and read again.

    \b
    Example:
      locum demo
      locum crawl locum-today --archive news
      locum search "children" --archive news
    """
    ctx.obj = archive


def main() -> None:
    """Entry point of the `locum` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter shows another
    locum()
