"""Datasette's own pages of an archive, the canned queries, and databases that are not archives."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from locum_spider.browse.queries import QUERIES

Get = Callable[[str], Any]


EXPECTED = {
    "search": 0, "by_month": 4, "on_this_day": None, "changed": 1, "date_contradictions": 1, "crawl": 1, "unread": 1,
    "attachments": 2, "captures_of": 0,
}  # fmt: skip


def rows(get: Get, name: str, parameters: str = "") -> list[dict[str, Any]]:
    answer = get(f"/archive/{name}.json?_shape=array&{parameters}")
    assert answer.status_code == 200, answer.text
    return list(answer.json())


@pytest.mark.parametrize("name", QUERIES)
def test_every_canned_query_runs_without_parameters_and_says_what_it_is(get: Get, name: str) -> None:
    answer = rows(get, name)
    if EXPECTED[name] is not None:
        assert len(answer) == EXPECTED[name]
    page = get(f"/archive/{name}")
    assert page.status_code == 200
    assert f"{QUERIES[name]['title']}</h1>" in page.text
    assert QUERIES[name]["description"]


def test_canned_queries_answer(get: Get) -> None:
    assert [row["article_id"] for row in rows(get, "search", "q=agency")] == [2, 3]
    assert rows(get, "search", "q=agency")[0]["snippet"] == "Vacancies rose; [agency] pay did not."
    assert [row["article_id"] for row in rows(get, "on_this_day", "day=04-10")] == [1]
    assert [(row["article_id"], row["revisions"]) for row in rows(get, "changed")] == [(1, 2)]
    assert [row["outcome"] for row in rows(get, "crawl", "crawl=1")] == ["new", "new"]
    assert [row["outcome"] for row in rows(get, "crawl")] == ["changed"], "the last crawl if none is given"
    assert rows(get, "unread", "crawl=1") == []
    assert rows(get, "unread", "crawl=3")[0]["reason"] == "HTTP 404 Not Found"
    assert {row["document"] for row in rows(get, "attachments")} == {"The guidance", "click"}
    short = "url=http://locumtoday.co.uk/article.php?s=2018-04-10-care"
    assert len(rows(get, "captures_of", short)) == 2, "also by another address of the same article"


def test_titles_in_tables_and_queries_lead_to_the_article(get: Get) -> None:
    for path in ("/archive/articles", "/archive/full_articles", "/archive/changed"):
        assert '<a href="/archive/-/article/1">Care orders' in get(path).text, path


@pytest.mark.parametrize("table", ["articles", "full_articles"])
def test_tables_are_searched_sorted_and_faceted(get: Get, table: str) -> None:
    page = get(f"/archive/{table}").text
    assert 'name="_search"' in page
    assert "sorted by published descending" in page
    hits = get(f"/archive/{table}.json?_search=correct&_shape=array").json()
    assert [row["id"] for row in hits] == [1], "stemmed, and in the text"
    facets = re.findall(r'facet-info-name">\s*<strong>(\w+)( \(array\))?', page)
    plain = [("section", ""), ("site", "")]
    assert set(facets) >= set(plain)
    if table == "articles":
        assert set(facets) >= {("authors", " (array)"), ("tags", " (array)")}
        assert ">Ann Ash</a>" in page


def test_internal_tables_are_hidden(get: Get) -> None:
    answer = get("/archive.json").json()
    shown = {table["name"] for table in answer["tables"] if not table["hidden"]}
    assert {"articles", "captures", "revisions", "crawls"} <= shown
    assert not {name for name in shown if name.startswith(("frontier", "_sqlite", "articles_fts"))}


def test_tables_wear_our_dress_and_lead_back(get: Get) -> None:
    page = get("/archive/articles").text
    assert "/-/locum/tables.css" in page
    assert '<a href="/">Read the archive</a>' in page


def test_a_database_that_is_not_an_archive_is_left_alone(tmp_path: Path, archive: Path) -> None:
    from datasette.app import Datasette

    from locum_spider.browse import serve

    serve.datasette(archive)  # registers the plugin
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT, authors TEXT, article_id INTEGER)")
        db.execute("INSERT INTO articles VALUES (1, 'A <title>', 'not json', 5)")
    db.close()
    served = Datasette([str(other)])

    def get(path: str) -> Any:
        return asyncio.run(served.client.get(path))

    assert "<h1>Datasette" in get("/").text
    page = get("/other/articles").text
    assert "A &lt;title&gt;" in page
    assert "not json" in page
    assert "/-/article/" not in page + get("/other?sql=select+*+from+articles").text
    assert "tables.css" not in page
    assert "Read the archive" not in page
    assert get("/other/search").status_code == 404
    assert get("/other/-/find").status_code == 404
    assert get("/other/-/article/1").status_code == 404
    assert "On this day" not in get("/other").text


def test_an_archive_among_other_databases_keeps_its_pages(archive: Path, tmp_path: Path) -> None:
    from datasette.app import Datasette

    from locum_spider.browse import serve

    serve.datasette(archive)
    served = Datasette([str(archive / "archive.db")], memory=True)

    def get(path: str) -> Any:
        return asyncio.run(served.client.get(path))

    assert "<h1>Datasette" in get("/").text
    assert "News archive" in get("/archive/-/read").text
    assert get("/archive/search.json?q=agency&_shape=array").json()[0]["article_id"] == 2
    assert '<a href="/archive/-/read">' in get("/archive/articles").text


def test_pages_obey_permissions(archive: Path) -> None:
    from datasette.app import Datasette

    served = Datasette(
        [str(archive / "archive.db")],
        metadata={"databases": {"archive": {"tables": {"article_text": {"allow": {"id": "root"}}}}}},
    )
    for path in ("/archive/-/read", "/archive/-/find?q=care", "/archive/-/article/1"):
        assert asyncio.run(served.client.get(path)).status_code == 403, path
