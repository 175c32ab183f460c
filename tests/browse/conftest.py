"""A small archive: four articles of two sites, one of them changed, one with contradicting dates, one hostile."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from locum_spider.items import Article, Attachment, Image
from locum_spider.store.articles import save_article
from locum_spider.store.connection import connect_writing

FIRST, SECOND = "2026-11-20T08:00:00Z", "2026-11-22T08:00:00Z"

CARE = Article(
    url="http://locumtoday.co.uk/article.php?s=2018-04-10-care&catTitle=news",
    title="Care orders: what changes in April",
    standfirst="The ‘no order’ principle stays.",
    authors=("Ann Ash", "Bo Birch"),
    published="2018-04-10",
    published_at="2018-04-10T15:45:00+01:00",
    published_raw="10th April 2018, 3.45pm",
    published_source="visible",
    modified_at="2018-04-11T09:30:00+01:00",
    section="Social work",
    tags=("law",),
    lang="en",
    text="A care order costs £10.\n\nAsk:\n\n• who\n\n• why\n\n1. First write.\n\n2. Then call.",
    attachments=(Attachment("The guidance", "http://locumtoday.co.uk/guidance.pdf"),),
    images=(Image("http://locumtoday.co.uk/a.jpg", "A desk", "A desk at night"),),
    evidence={"title": "heading"},
)
CARE_LATER = Article(
    url=CARE.url, title=CARE.title, standfirst=CARE.standfirst, authors=("Ann Ash",), published=CARE.published,
    published_at=CARE.published_at, published_raw=CARE.published_raw, published_source="visible", section="News",
    tags=CARE.tags, lang="en", text=CARE.text.replace("£10", "£12") + "\n\nCorrected.", attachments=CARE.attachments,
    images=CARE.images, modified_at="2018-04-12T10:00:00+01:00",
)  # fmt: skip
DOUBT = Article(
    url="http://locumtoday.co.uk/article.php?s=2016-06-30-figures",
    title="Half-year figures",
    published="2016-06",
    published_raw="31st June 2016",
    published_conflict="the page prints '31st June 2016', which is no date",
    lang="en",
    text="Vacancies rose; agency pay did not.",
)
HOSTILE = Article(
    url="https://example.org/hostile",
    title='<script>alert(1)</script> & "quotes"',
    standfirst="<img src=x onerror=alert(1)>",
    section="<b>Bold</b>",
    authors=("<i>Eve</i>",),
    published="2020-01-02",
    text="<script>alert(2)</script> agency\n\n• <b>item</b>",
    attachments=(Attachment("click", "javascript:alert(3)"),),
    images=(Image("data:text/html,x", None, "<u>caption</u>"),),
)
DATELESS = Article(url="https://example.org/none", title="Nothing is known", lang="ar", text="نص قصير")


def _capture(db: sqlite3.Connection, crawl: int, url: str, at: str, status: int = 200) -> int:
    cursor = db.execute(
        "INSERT INTO captures (crawl_id, url, fetched_at, status, content_type, digest, warc_file, warc_offset, "
        "warc_length) VALUES (?, ?, ?, ?, 'text/html', ?, 'one.warc.gz', ?, 100)",
        (crawl, url, at, status, f"sha1:ABC{crawl}", 1000 * crawl),
    )
    return int(cursor.lastrowid or 0)


def _visit(db: sqlite3.Connection, crawl: int, site: str, article: Article, at: str) -> None:
    capture = _capture(db, crawl, article.url, at)
    key = article.url.split("&")[0]
    saved = save_article(
        db, site, article, url=article.url, key=key, canonical=None, urls={article.url}, capture_id=capture, seen_at=at,
        reread=lambda _capture: None,
    )  # fmt: skip
    request = db.execute(
        "INSERT INTO frontier (crawl_id, key, url, kind, state, outcome, capture_id, article_id) "
        "VALUES (?, ?, ?, 'article', 'done', ?, ?, ?)",
        (crawl, key, article.url, saved.outcome, capture, saved.article_id),
    ).lastrowid
    listing = db.execute("SELECT min(id) FROM captures WHERE crawl_id = ?", (crawl,)).fetchone()[0]
    db.execute(
        "INSERT INTO listing_entries (capture_id, position, url, title, request_id) "
        "SELECT ?, count(*), ?, ?, ? FROM listing_entries WHERE capture_id = ?",
        (listing, article.url, article.title, request, listing),
    )


def fill(folder: Path) -> Path:
    db = connect_writing(folder)
    db.execute("BEGIN")
    db.execute("INSERT INTO warc_files VALUES ('one.warc.gz', 9000, 1)")
    for crawl, site, at in ((1, "locum-today", FIRST), (2, "elsewhere", FIRST), (3, "locum-today", SECOND)):
        db.execute(
            "INSERT INTO crawls (id, uid, site, started_at, finished_at, outcome, version) "
            "VALUES (?, ?, ?, ?, ?, 'done', '0')",
            (crawl, str(crawl), site, at, at),
        )
        _capture(db, crawl, f"http://listing.example/{crawl}", at)
    _visit(db, 1, "locum-today", CARE, FIRST)
    _visit(db, 1, "locum-today", DOUBT, FIRST)
    _visit(db, 2, "elsewhere", HOSTILE, FIRST)
    _visit(db, 2, "elsewhere", DATELESS, FIRST)
    _visit(db, 3, "locum-today", CARE_LATER, SECOND)
    db.execute(
        "INSERT INTO frontier (crawl_id, key, url, kind, state, outcome, reason) VALUES "
        "(3, 'k', 'http://locumtoday.co.uk/lost', 'article', 'done', 'failed', 'HTTP 404 Not Found')"
    )
    db.execute("UPDATE articles SET state = 'gone' WHERE title = ?", (DOUBT.title,))
    db.execute("COMMIT")
    db.close()
    return folder


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def get(archive: Path) -> Callable[[str], Any]:
    """Ask a Datasette of the archive for a page."""
    from locum_spider.browse.serve import datasette

    served = datasette(archive)
    return lambda path: asyncio.run(served.client.get(path))
