"""Scrapy's own commands on the project."""

from __future__ import annotations

from support import PROJECT
from support.harness import Crawled, Running, environment, scenario, small

from locum_spider.demo.server import SiteServer


def scrapy(*arguments, archive, proxy=None):
    running = Running(["scrapy", *arguments], PROJECT, environment(proxy, LOCUM_ARCHIVE=str(archive)))
    return running.end()


@scenario
def by_scrapy(folder):
    before = {path.name for path in PROJECT.iterdir()}
    with SiteServer(small("First report", "Second report")) as server:
        run = scrapy("crawl", "locum-today", "-s", "DOWNLOAD_DELAY=0", archive=folder / "archive", proxy=server.url)
        return Crawled(folder, server.log, [run]), {path.name for path in PROJECT.iterdir()} - before


def test_scrapy_crawl(by_scrapy):
    crawled, left = by_scrapy
    assert crawled.run.code == 0
    assert crawled.value("SELECT count(*) FROM articles") == 2
    assert crawled.value("SELECT outcome FROM crawls") == "done"
    assert [path.suffix for path in (crawled.archive / "warc").iterdir()] == [".gz"]
    assert left <= {".pytest_cache", ".ruff_cache", ".mypy_cache"}


def test_scrapy_list(tmp_path):
    (tmp_path / "sites").mkdir()
    text = (
        'title = "Own"\nhosts = ["own.example"]\nstart = ["http://own.example/"]\ntimezone = "UTC"\nlanguage = "en"\n'
    )
    (tmp_path / "sites" / "own-site.toml").write_text(f'name = "own-site"\n{text}[articles]\naddress = "^/a/"\n')
    run = scrapy("list", archive=tmp_path)
    assert run.code == 0
    assert run.out.split() == ["locum-today", "own-site"]
