"""An empty archive, and short ways to fill it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from locum_spider.items import Article, Exchange, Location
from locum_spider.store import articles, captures
from locum_spider.store.connection import connect_writing


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The writing connection of a new archive in `tmp_path`."""
    connection = connect_writing(tmp_path)
    yield connection
    connection.close()


@pytest.fixture
def capture(db: sqlite3.Connection) -> Callable[..., int]:
    """Adds the row of a capture with a body of its own; the WARC that it names does not exist."""
    bodies = count()

    def add(
        url: str = "http://x.example/", crawl_id: int | None = None, status: int = 200, at: str = "2016-01-01T00:00:00Z"
    ) -> int:
        captures.save_warc_position(db, "a.warc.gz", 100)
        exchange = Exchange(url, "GET", (), status, ((b"Content-Type", b"text/html"),), b"", at)
        return captures.save_capture(db, crawl_id, exchange, Location("a.warc.gz", 0, 10, f"sha1:{next(bodies)}"))

    return add


@pytest.fixture
def save(db: sqlite3.Connection, capture: Callable[..., int]) -> Callable[..., articles.Saved]:
    """Saves an article as if it had been read once."""
    clock = iter(range(1, 10_000))

    def add(
        key: str = "http://x.example/1", title: str = "Title", text: str = "Body", *, site: str = "x",
        canonical: str | None = None, urls: tuple[str, ...] = (), seen_at: str | None = None, **fields: object,
    ) -> articles.Saved:  # fmt: skip
        article = Article(url=key, title=title, text=text, canonical_url=canonical, **fields)  # type: ignore[arg-type]
        number = next(clock)
        return articles.save_article(
            db, site, article, url=key, key=key, canonical=canonical, urls=set(urls), capture_id=capture(key),
            reread=lambda _capture: None,
            seen_at=seen_at or f"2016-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        )  # fmt: skip

    return add
