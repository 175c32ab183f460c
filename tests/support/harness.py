"""Running `locum` as a user does, against a real server on loopback, and looking into the archive it leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from locum_spider.demo.sample import HOME, Page, Sample
from locum_spider.demo.server import Answer, Hit, SiteServer
from support import LONGEST, rows

ROBOTS = f"{HOME}robots.txt"
_UNSET = ("locum_archive", "locum_contact", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "columns")


class Run(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(proxy: str | None = None, **more: str) -> dict[str, str]:
    """This process's environment without what would change a crawl, with a proxy for both schemes."""
    kept = {name: value for name, value in os.environ.items() if name.lower() not in _UNSET}
    proxies = {"http_proxy": proxy, "https_proxy": proxy} if proxy else {}
    return {**kept, **proxies, **more}


class Running:
    """A command under way, in a process group of its own."""

    def __init__(
        self, arguments: Sequence[str | Path], cwd: Path, env: dict[str, str], limits: Callable[[], None] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=limits,  # noqa: PLW1509 - only sets a resource limit
        )

    def send(self, number: int) -> None:
        """A signal to the whole group, as a terminal sends it."""
        os.killpg(self.process.pid, number)

    def is_over(self) -> bool:
        """Whether no process of the group is left. A process that has ended but was not waited for counts as left."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    def end(self) -> Run:
        """Wait for the end. Whatever happened, nobody is shown a traceback."""
        try:
            out, err = self.process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            out, err = self.process.communicate()
            raise AssertionError(f"not finished after {LONGEST} s\n{out}\n{err}") from None
        assert "Traceback" not in out + err, err
        assert "Logging error" not in err, err
        return Run(self.process.returncode, out, err)

    def end_unheard(self) -> str:
        """Close standard output, as `locum … | head -1` leaves it, and wait for the end; what standard error says."""
        self.process.stdout.close()
        errors = self.process.stderr.read()
        self.process.stderr.close()
        self.process.wait(LONGEST)
        return errors

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        with suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.kill()


def locum(*arguments: str | Path, cwd: Path, proxy: str | None = None, **more: str) -> Run:
    """Run one command to its end."""
    return Running(["locum_spider", *arguments], cwd, environment(proxy, **more)).end()


def crawl(folder: Path, server: SiteServer | str, *options: str, sites: Sequence[str] = ("locum-today",)) -> Run:
    """Crawl without delay through a server, or a proxy's address, into `folder/archive`."""
    proxy = server if isinstance(server, str) else server.url
    return locum("crawl", *sites, "--delay", "0", *options, "--archive", "archive", cwd=folder, proxy=proxy)


def start_crawl(folder: Path, server: SiteServer, *options: str, limits: Callable[[], None] | None = None) -> Running:
    arguments = ["locum_spider", "crawl", "locum-today", "--delay", "0", *options, "--archive", "archive"]
    return Running(arguments, folder, environment(server.url), limits)


def declare(folder: Path, name: str, text: str) -> None:
    """Put the declaration of a site into `folder/archive`."""
    own = folder / "archive" / "sites" / f"{name}.toml"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(text, encoding="utf-8")


def wait_until(condition: Callable[[], Any], what: str) -> None:
    """Poll for something that must come soon."""
    end = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {LONGEST} s"
        time.sleep(0.005)


@dataclass
class Crawled:
    """An archive after some crawls, what the server saw of them, and how each command ended."""

    folder: Path
    log: list[Hit]
    runs: list[Run]

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def run(self) -> Run:
        return self.runs[-1]

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return rows(self.archive, sql, *values)

    def value(self, sql: str, *values: object) -> Any:
        return self.rows(sql, *values)[0][0]

    def outcome(self, address: str) -> tuple[str, str | None]:
        """What became of an address in the last crawl that knew it, and why."""
        found = self.rows(
            "SELECT outcome, reason FROM frontier WHERE key = ? OR url = ? ORDER BY crawl_id DESC", address, address
        )
        assert found, f"{address} is not in the frontier"
        return found[0]


def crawl_once(folder: Path, sample: Sample, *options: str, sites: Sequence[str] = ("locum-today",)) -> Crawled:
    """Serve a sample and crawl it."""
    with SiteServer(sample) as server:
        return Crawled(folder, server.log, [crawl(folder, server, *options, sites=sites)])


def contents(archive: Path) -> dict[str, Any]:
    """All that a crawl leaves and that no interruption may change; robots.txt is asked for again by each run.

    Of two listings in flight either may be answered first after a kill, and an article is asked for as the first one
    names it: what tells only from which listing a reader came is cut off its addresses.
    """
    tables = {
        "articles": "SELECT url, title, standfirst, section, published, published_raw, text, state FROM full_articles",
        "addresses": "SELECT u.url, a.url FROM article_urls u JOIN articles a ON a.id = u.article_id",
        "revisions": "SELECT a.url, r.seq, r.digest FROM revisions r JOIN articles a ON a.id = r.article_id",
        "entries": "SELECT listing_url, position, url, title, outcome FROM entry_outcomes",
        "outcomes": "SELECT key, kind, state, outcome, reason FROM frontier",
        "found": "SELECT a.url FROM articles_fts f JOIN articles a ON a.id = f.rowid WHERE articles_fts MATCH 'agency'",
        "captures": "SELECT url, status, digest FROM captures WHERE url NOT LIKE '%/robots.txt'",
    }  # fmt: skip
    return {
        name: Counter(tuple(map(_without_listing, row)) for row in rows(archive, sql)) for name, sql in tables.items()
    }


def _without_listing(value: Any) -> Any:
    return re.sub(r"(article\.php\?s=[^&]*)&catTitle=[^&]*", r"\1", value) if isinstance(value, str) else value


# -- small sites -----------------------------------------------------------------------------------------------------


def address(slug: str) -> str:
    """Address of an article of Locum Today."""
    return f"{HOME}article.php?s={slug}"


def slug(title: str, day: str = "2018-04-10") -> str:
    return f"{day}-{title.lower().replace(' ', '-')}"


def article_html(title: str, text: str = "A paragraph about agency work.", date: str = "10th April 2018") -> str:
    return (
        f"<!DOCTYPE html><html><head><title>{title} - Locum Today</title></head><body><h1>{title}</h1>"
        f"<p>What it says in short</p><p>Published on {date}</p><p>{text}</p><p>Share this article:</p>"
        "<p>Back to top</p></body></html>"
    )


def article_page(title: str, text: str = "A paragraph about agency work.", date: str = "10th April 2018") -> Page:
    return Page(article_html(title, text, date).encode())


def listing_page(*links: str, more: Sequence[str] = ()) -> Page:
    """A listing of articles, each under a made-up title, with links to further pages."""
    entries = "".join(
        f'<div><h3><a href="{escape(link)}">Report number {n} of many</a></h3><p>Published on 10 April 2018</p></div>'
        for n, link in enumerate(links)
    )
    pages = "".join(f'<a href="{escape(link)}">Next page</a> ' for link in more)
    return Page(f"<!DOCTYPE html><html><body>{entries}<p>{pages}</p></body></html>".encode())


def small(*titles: str, **pages: Page) -> Sample:
    """A site of a home page and an article for each title."""
    articles = {address(slug(title)): article_page(title) for title in titles}
    return Sample({HOME: listing_page(*articles), **articles})


class Endless(dict[str, Page]):
    """Pages made when they are asked for, without end."""

    def __init__(self, pages: Mapping[str, Page], make: Callable[[str], Page | None]) -> None:
        super().__init__(pages)
        self.make = make

    def __missing__(self, url: str) -> Page:
        page = self.make(url)
        if page is None:
            raise KeyError(url)
        return page


class Pause:
    """A request, counted from the server's first, that is answered only at the end of the block.

    The block is entered when the request has come: whatever befalls a crawl in it finds the crawl under way, however
    busy the machine is.
    """

    def __init__(self, at: int) -> None:
        self.at, self._came, self._go_on = at, threading.Event(), threading.Event()

    def hold(self) -> None:
        self._came.set()
        self._go_on.wait(LONGEST)

    def __enter__(self) -> None:
        assert self._came.wait(LONGEST), f"no request number {self.at} within {LONGEST} s"

    def __exit__(self, *_: object) -> None:
        self._go_on.set()


class PausingServer(SiteServer):
    """A server that stands still at its pauses."""

    pauses: tuple[Pause, ...] = ()

    def answer(self, head: bytes) -> Answer:
        answer = super().answer(head)
        for pause in self.pauses:
            if pause.at == len(self.log):
                pause.hold()
        return answer

    def pause_after(self, requests: int) -> Pause:
        """A pause at the request that comes after so many more."""
        pause = Pause(len(self.log) + requests)
        self.pauses = (*self.pauses, pause)
        return pause


# -- scenarios -------------------------------------------------------------------------------------------------------

SCENARIOS: dict[str, Callable[[Path], Any]] = {}


def scenario(make: Callable[[Path], Any]) -> Any:
    """A fixture made once in a folder of its own, beside the other scenarios that its file needs."""
    SCENARIOS[make.__name__] = make

    @pytest.fixture(scope="module", name=make.__name__)
    def made(started: dict[str, Any]) -> Any:
        return started[make.__name__].result()

    return made
