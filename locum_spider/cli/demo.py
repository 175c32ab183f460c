"""`locum demo`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from locum_spider.archive import Archive
from locum_spider.cli.common import echo, with_archive, wrap
from locum_spider.errors import ArchiveError
from locum_spider.store.files import writing_errors

_DEMO_MARK = "made-by-locum-demo"


@click.command()
@click.option(
    "--markup",
    type=click.Choice(["table", "bootstrap", "html5", "unclosed"]),
    metavar="KIND",
    help="Only one kind of HTML: table, bootstrap, html5 or unclosed.",
)
@with_archive
def demo(archive: Path, *, markup: str | None) -> None:
    """Crawl a bundled sample of Locum Today; needs no network.

    The folder must be empty or an earlier demo, which is replaced. If it is an
    archive of yours, the demo goes into its subfolder demo.

    \b
    Example:
      locum demo --archive demo-archive
    """
    from locum_spider.cli.reading import print_hits
    from locum_spider.demo.days import DECLARATION, first_day, second_day
    from locum_spider.demo.server import SiteServer

    folder = archive / "demo" if (archive / "archive.db").exists() and not (archive / _DEMO_MARK).exists() else archive
    with writing_errors(folder):
        _fresh(folder, DECLARATION)
    with SiteServer(first_day(markup), conditional=True) as server:
        echo(wrap(f"A sample of Locum Today is served at {server.url} and crawled at its real addresses."))
        _crawl(folder, server.url)
        echo()
        echo(wrap("The next day two of its articles have changed, and one is gone."))
        server.pages.update(second_day(server.pages))
        _crawl(folder, server.url)
    with Archive(folder) as opened:
        echo('\n$ locum search "agency contract"')
        print_hits(opened.search("agency contract", limit=3), opened.count("agency contract"))
        changed = opened.found_in(2)["changed"][0]
    program = _program()
    echo("\nWhat to do next:")
    for command in ('search "child protection"', f"show {changed['id']} --revisions", "crawls", "serve"):
        echo(f"  {program} {command} --archive {_quoted(folder)}")


def _crawl(folder: Path, server: str) -> None:
    """Crawl the sample as a user would, by a command of its own; if it fails, so does the demo."""
    echo("\n$ locum crawl locum-today")
    sys.stdout.flush()
    options = ["--archive", str(folder), "--delay", "0", "--concurrency", "4", "--min-free", "0"]
    kept = {name: value for name, value in os.environ.items() if name.lower() not in {"no_proxy", "all_proxy"}}
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "locum_spider", "crawl", "locum-today", *options],
        env={**kept, "http_proxy": server, "HTTP_PROXY": server}, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.returncode)


def _program() -> str:
    """What a user types for this command: its name if the shell finds it, else its path."""
    own = Path(sys.executable).parent / "locum"
    on_path = shutil.which("locum")
    if on_path is not None and Path(on_path).resolve() == own.resolve():
        return "locum"
    here = Path.cwd()
    return _quoted(own.relative_to(here) if own.is_relative_to(here) else own)


def _quoted(path: Path) -> str:
    return f'"{path}"' if " " in str(path) else str(path)


def _fresh(folder: Path, declaration: str) -> None:
    """Empty the folder of an earlier demo and declare the sample there. Raises ArchiveError if it is not a demo's."""
    mark = folder / _DEMO_MARK
    if mark.exists():
        for name in ("archive.db", "archive.db-wal", "archive.db-shm", "archive.lock"):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "warc", ignore_errors=True)
    elif folder.exists() and any(path.name != ".gitkeep" for path in folder.iterdir()):
        raise ArchiveError(f"{folder} is not empty and not an earlier demo; name another folder with --archive")
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text("`locum demo` may empty this archive.\n", encoding="utf-8")
    (folder / "sites").mkdir(exist_ok=True)
    (folder / "sites" / "locum-today.toml").write_text(declaration, encoding="utf-8")
