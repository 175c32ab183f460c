"""One archive of four crawls of a server that knows conditional requests, which several tests look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from locum_spider.demo.sample import Page, Sample
from locum_spider.demo.server import Hit, SiteServer
from support.foreign_files import HOME, address, html
from support.harness import crawl


@dataclass
class Crawled:
    """The archive, and what the server answered in each crawl."""

    archive: Path
    hits: list[list[Hit]] = field(default_factory=list)

    def answers(self, crawl: int) -> dict[str, int]:
        """Status by path of one crawl, without robots.txt."""
        return {hit.path: hit.status for hit in self.hits[crawl - 1] if hit.path != "/robots.txt"}


def listing(*slugs: str) -> Page:
    entries = "".join(
        f'<div><h3><a href="{address(slug)}">{slug.title()} report</a></h3><p>Published on 1 May 2016</p></div>'
        for slug in slugs
    )
    return Page(f"<!DOCTYPE html><html><body>{entries}{'<p>Words of the site.</p>' * 40}</body></html>".encode())


@pytest.fixture(scope="session")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """As it was; unchanged; one changed and one moved; unchanged, from a server that knows no conditions."""
    made = Crawled(tmp_path_factory.mktemp("crawled") / "archive")
    slugs = ("one", "two", "three")
    pages = {HOME: listing(*slugs), **{address(slug): Page(html(slug)) for slug in slugs}}
    for turn in range(4):
        if turn == 2:
            pages[address("one")] = Page(html("one", "Another text of the article."))
            pages[address("moved")] = pages[address("two")]
            pages[address("two")] = Page(b"Moved", "text/plain", 301, headers=(("Location", address("moved")),))
        with SiteServer(Sample(pages), conditional=turn < 3) as server:
            done = crawl(made.archive.parent, server)
            assert done.code == 0, done.out + done.err
            made.hits.append(list(server.log))
    return made
