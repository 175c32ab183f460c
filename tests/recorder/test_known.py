"""Known articles are visited in every crawl, only a changed page makes a revision, an address is one that answered."""

from __future__ import annotations

import pytest
from support import require_same_rebuilt, rows
from support.gazette import HOST, SITE, address, crawl, listing, moved, page, story


def states(archive):
    return dict(rows(archive, "SELECT title, state FROM articles"))


def revisions(archive):
    return rows(archive, "SELECT count(*) FROM revisions")[0][0]


def counts(archive):
    return rows(archive, "SELECT articles_new, articles_changed, articles_unchanged FROM crawls ORDER BY id DESC")[0]


@pytest.fixture
def archive(tmp_path):
    """Two stories, both linked."""
    crawl(tmp_path, {"/": listing(1, 2), address(1): story(1), address(2): story(2)})
    return tmp_path


def test_an_article_that_no_page_links_any_more_is_still_visited(archive):
    crawl(archive, {"/": listing(1), address(1): story(1), address(2): story(2, "Other words.")}, day=2)
    assert counts(archive) == (0, 1, 1)
    crawl(archive, {"/": listing(1), address(1): story(1), address(2): page("", status=410)}, day=3)
    assert sorted(states(archive).values()) == ["gone", "live"]
    require_same_rebuilt(archive)


def test_a_site_that_does_not_answer_is_not_asked_for_each_article(archive):
    outcomes = crawl(archive, {}, day=2)
    assert outcomes == ["failed"]
    assert rows(archive, "SELECT outcome FROM crawls WHERE id = 2") == [("unreachable",)]


def test_an_article_that_is_found_under_another_address_is_visited_once(archive):
    outcomes = crawl(archive, {"/": listing(1, 2), address(1): story(1), address(2): story(2)}, day=2)
    assert len(outcomes) == 3


def test_changed_rules_make_no_revision(archive):
    """Neither of the same bytes, nor of others that say the same."""
    changed = {"/": listing(1, 2), address(1): story(1), address(2): story(2, latest=(1,))}
    rules = 'article.body = { css = "p" }'
    before = revisions(archive)
    other = SITE.replace(rules, 'article.standfirst = { css = "i" }\n' + rules)
    assert other != SITE
    crawl(archive, changed, day=2, declaration=other)
    assert (counts(archive), revisions(archive)) == ((0, 0, 2), before)
    reasons = rows(archive, "SELECT reason FROM frontier WHERE crawl_id = 2 AND outcome = 'unchanged'")
    assert all("today's rules read it in another way" in reason for (reason,) in reasons)
    assert len(reasons) == 2
    crawl(archive, {**changed, address(2): story(2, "Other words.")}, day=3, declaration=other)
    assert (counts(archive), revisions(archive)) == ((0, 1, 1), before + 1)


def test_the_address_is_the_one_that_answered(tmp_path):
    home = "http://www.gazette.example/"
    pages = {
        home: listing(1),
        f"{home}story/one/": story(1),
        home + address(1)[1:]: moved(f"{home}story/one/"),
    }
    crawl(tmp_path, pages, declaration=SITE.replace('identity = ["id"]', "identity = []").replace(f"{HOST}/", home))
    assert rows(tmp_path, "SELECT url FROM articles") == [(f"{home}story/one/",)]
    assert ("http://gazette.example/story/one",) in rows(tmp_path, "SELECT url FROM article_urls")


def test_session_ids_of_an_unknown_name_make_no_articles(tmp_path):
    """The site writes a new one into each link."""
    number = iter(range(1000))

    def link(n: int) -> str:
        return f'<a href="/story/{n}?ticket={next(number):05}abcdef">{n}: a story of some length</a>'

    class Minting(dict):
        def __contains__(self, path):
            return next(number) < 900

        def __getitem__(self, path):
            if path == "/":
                return page(f"<html>{link(1)}{link(2)}</html>")
            n = int(path[7])
            return page(f"<h1>Report {n}</h1><i>{n} May 2016</i><p>Words {n}</p>{link(3 - n)}")

    outcomes = crawl(tmp_path, Minting(), declaration=SITE.replace('articles.identity = ["id"]\n', ""))
    assert len(outcomes) < 12
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(2,)]
    require_same_rebuilt(tmp_path)
