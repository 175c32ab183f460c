"""Crawls that several tests look at: each is made once, and those that are needed run side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from harness import SCENARIOS, Crawled, crawl, scenario

from locum_spider.demo.sample import build
from locum_spider.demo.server import SiteServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path


@pytest.fixture(scope="session")
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Crawled]]]:
    """Every scenario that a selected test asks for, under way."""
    wanted = dict.fromkeys(name for item in request.session.items for name in getattr(item, "fixturenames", ()))
    with ThreadPoolExecutor(4) as pool:
        yield {
            name: pool.submit(SCENARIOS[name], tmp_path_factory.mktemp(name)) for name in wanted if name in SCENARIOS
        }


@scenario
def sample_crawl(folder: Path) -> Crawled:
    """The whole sample, each article in its own markup."""
    with SiteServer(build()) as server:
        return Crawled(folder, server.log, [crawl(folder, server, "--contact", "archive@example.org")])
