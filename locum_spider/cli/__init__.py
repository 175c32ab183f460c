"""The command line: parse, call, print. Exit codes: 0 done, 1 a fault of ours, 2 wrong usage, 3 interrupted and
resumable, 4 the site could not be reached, 5 no space left, 6 done but a check failed, 7 integrity broken."""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from locum_spider.cli.common import archive_option
from locum_spider.errors import ExitCode, LocumError
from locum_spider.version import __version__

_COMMANDS = {
    "demo": "crawl", "crawl": "crawl", "sites": "reading", "status": "reading", "search": "reading",
    "show": "reading", "serve": "reading", "schedule": "operate",
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

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LocumError as error:
            click.echo(f"locum: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("locum: stopped; run the same command again to go on", err=True)
            ctx.exit(ExitCode.INTERRUPTED)
        except BrokenPipeError:  # `locum search … | head`
            sys.stderr.close()
            ctx.exit(ExitCode.DONE)


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
    locum()
