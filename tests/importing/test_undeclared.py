"""`locum import` of sites that nobody declared: the general reader reads them, in an import as in a rebuild."""

from __future__ import annotations

import pytest
from support import require_same_rebuilt
from support.foreign_files import DATE, http, imported, members, page, put, record, rows, run

BLOG = "https://blog.example/2019/05/rates-of-pay"
WORDS = "Rates of pay for agency workers have been agreed for the year, the two sides said in a statement. "


def article(url: str = BLOG, title: str = "Rates of pay agreed", date: str = DATE) -> bytes:
    html = (
        f"<html lang=en><head><title>{title} - The Blog</title><meta property='og:type' content='article'>"
        f"<meta property='article:published_time' content='2016-05-01T09:00:00Z'></head><body><h1>{title}</h1>"
        f"<p>{WORDS * 3}</p><p>{WORDS * 2}</p></body></html>"
    )
    return record(url, http(html.encode()), date=date)


def front(url: str = "https://blog.example/") -> bytes:
    return record(url, http(b"<html><body><h1>The Blog</h1><p>Welcome.</p></body></html>"))


def articles(archive) -> list[tuple]:
    return rows(archive, "SELECT site, url, title, published FROM articles ORDER BY id")


def test_without_an_option_only_declared_sites_are_taken(tmp_path):
    imported(tmp_path / "a", put(tmp_path, members(article())), code=6)
    assert not rows(tmp_path / "a", "SELECT * FROM captures")


def test_each_under_its_host(tmp_path):
    other = article("http://www.paper.example/n/1", "Another title altogether")
    (result,) = imported(tmp_path / "a", put(tmp_path, members(article(), front(), other)), "--undeclared")
    assert result["outcomes"] == {"new": 2, "not_article": 1}
    assert articles(tmp_path / "a") == [
        ("blog.example", BLOG, "Rates of pay agreed", "2016-05-01"),
        ("paper.example", "http://www.paper.example/n/1", "Another title altogether", "2016-05-01"),
    ]


def test_all_under_a_name(tmp_path):
    file = put(tmp_path, members(article(), article("http://paper.example/n/1", "Another title altogether")))
    imported(tmp_path / "a", file, "--site", "old-blogs")
    assert {row[0] for row in articles(tmp_path / "a")} == {"old-blogs"}


def test_only_one_declared_site(tmp_path):
    (result,) = imported(tmp_path / "a", put(tmp_path, members(article(), page())), "--site", "locum-today")
    assert result["outcomes"] == {"new": 1}
    assert result["elsewhere"] == {"blog.example": 1}


@pytest.mark.parametrize("name", ["two words", "../x", ""])
def test_what_cannot_name_a_site(tmp_path, name):
    file = put(tmp_path, members(article()))
    assert "cannot name a site" in run(tmp_path / "a", "import", file, "--site", name, code=2)


def test_a_page_out_of_a_web_archive_is_one_of_its_own_site(tmp_path):
    memento = article(f"https://web.archive.org/web/20160502100000id_/{BLOG}")
    imported(tmp_path / "a", put(tmp_path, members(memento)), "--undeclared")
    assert [row[:2] for row in articles(tmp_path / "a")] == [("blog.example", BLOG)]


@pytest.mark.parametrize("options", [("--undeclared",), ("--site", "old-blogs")])
def test_rebuilt_it_is_the_same(tmp_path, options):
    file = put(tmp_path, members(article(), front(), article("http://paper.example/n/1", "Another title")))
    imported(tmp_path / "a", file, *options)
    require_same_rebuilt(tmp_path / "a")


def test_twice_is_known(tmp_path):
    for outcome in ("new", "known"):
        (result,) = imported(tmp_path / "a", put(tmp_path, members(article())), "--undeclared")
        assert result["outcomes"] == {outcome: 1}
