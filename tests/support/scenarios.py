"""Crawls that several tests look at: each is made once, and those that are needed run side by side."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from locum_spider.demo.sample import build
from support.harness import SCENARIOS, Crawled, crawl_once, scenario


@pytest.fixture(scope="session")
def begun() -> Iterator[tuple[ThreadPoolExecutor, dict[str, Future[Crawled]]]]:
    """Where crawls run side by side, and each scenario that was begun."""
    with ThreadPoolExecutor(4) as pool:
        yield pool, {}


@pytest.fixture(scope="module")
def started(
    request: pytest.FixtureRequest,
    begun: tuple[ThreadPoolExecutor, dict[str, Future[Crawled]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Future[Crawled]]:
    """Every scenario that the selected tests of a file ask for, under way: those of other files may run elsewhere."""
    pool, futures = begun
    items = (item for item in request.session.items if item.path == request.path)
    for name in dict.fromkeys(name for item in items for name in getattr(item, "fixturenames", ())):
        if name in SCENARIOS and name not in futures:
            futures[name] = pool.submit(SCENARIOS[name], tmp_path_factory.mktemp(name))
    return futures


@scenario
def sample_crawl(folder: Path) -> Crawled:
    """The whole sample, each article in its own markup."""
    return crawl_once(folder, build(), "--contact", "archive@example.org")
