"""Crawling a site again: what is known stays one row, what changes becomes a revision, what vanishes is kept."""

from __future__ import annotations

import time
from dataclasses import replace

from support import rows
from support.harness import (
    Crawled,
    address,
    article_page,
    contents,
    crawl,
    listing_page,
    locum,
    scenario,
    slug,
    small,
    wait_until,
)

from locum_spider import Archive
from locum_spider.demo.sample import HOME, Page, Sample
from locum_spider.demo.server import SiteServer

CHANGING, VANISHING, STAYING = (address(slug(f"{name} report")) for name in ("changing", "vanishing", "staying"))


def seen(folder):
    return {
        url: {"first": first, "last": last, "state": state, "revisions": revisions}
        for url, first, last, state, revisions in rows(
            folder / "archive",
            "SELECT url, first_seen, last_seen, state, (SELECT count(*) FROM revisions WHERE article_id = a.id) "
            "FROM articles a",
        )
    }


@scenario
def four_crawls(folder):
    """As it was; unchanged; one changed, one gone; one changed back, one back."""
    before, after = article_page("Changing report"), article_page("Changing report", "Another text of the article.")
    gone = Page(b"Gone", "text/plain", status=410)
    there = article_page("Vanishing report")
    runs, snapshots = [], []
    with SiteServer(small("Changing report", "Vanishing report", "Staying report")) as server:
        for changing, vanishing in (
            (before, there),
            (before, there),
            (after, gone),
            (before, there),
        ):
            server.pages[CHANGING], server.pages[VANISHING] = changing, vanishing
            runs.append(crawl(folder, server))
            snapshots.append((seen(folder), contents(folder / "archive")))
            second = int(time.time())
            wait_until(lambda second=second: int(time.time()) > second, "the next second")
        return Crawled(folder, server.log, runs), snapshots


def test_the_second_crawl_finds_nothing_new(four_crawls):
    crawled, snapshots = four_crawls
    (first, before), (second, after) = snapshots[:2]
    assert crawled.runs[1].code == 0
    assert "0 new, 0 changed, 3 unchanged" in crawled.runs[1].out
    for table in ("articles", "addresses", "revisions", "found"):
        assert before[table] == after[table]
    for url, known in first.items():
        assert second[url]["first"] == known["first"]
        assert second[url]["last"] > known["last"]
        assert second[url]["revisions"] == 1


def test_each_crawl_keeps_captures_and_entries_of_its_own(four_crawls):
    crawled, _ = four_crawls
    captures = crawled.rows("SELECT crawl_id, count(*) FROM captures GROUP BY 1 ORDER BY 1")
    assert captures == [(crawl_id, 5) for crawl_id in range(1, 5)]  # robots.txt, home page, three articles
    entries = crawled.rows("SELECT crawl_id, count(*) FROM entry_outcomes GROUP BY 1 ORDER BY 1")
    assert entries == [(crawl_id, 3) for crawl_id in range(1, 5)]


def test_a_changed_article_gets_a_revision(four_crawls):
    crawled, snapshots = four_crawls
    assert "0 new, 1 changed, 1 unchanged" in crawled.runs[2].out
    assert [snapshot[CHANGING]["revisions"] for snapshot, _ in snapshots] == [1, 1, 2, 3]
    assert all(snapshot[STAYING]["revisions"] == 1 for snapshot, _ in snapshots)


def test_back_to_an_earlier_text_is_a_third_revision(four_crawls):
    crawled, _ = four_crawls
    with Archive(crawled.archive) as archive:
        article = archive.require(CHANGING)
        revisions = archive.revisions(article.id)
    assert [revision["seq"] for revision in revisions] == [1, 2, 3]
    texts = [revision["body"] for revision in revisions]
    assert texts == ["A paragraph about agency work.", "Another text of the article.", "A paragraph about agency work."]
    assert revisions[0]["digest"] == revisions[2]["digest"] != revisions[1]["digest"]
    assert len({(revision["warc_file"], revision["warc_offset"]) for revision in revisions}) == 3
    assert article.text == texts[2]


def test_search_knows_only_the_latest_text(four_crawls):
    crawled, snapshots = four_crawls
    with Archive(crawled.archive) as archive:
        assert archive.search('"another text"') == []
        assert len(archive.search('"agency work"')) == 3
    hits = [sum(snapshot["found"].values()) for _, snapshot in snapshots]
    assert hits == [3, 3, 2, 3]


def test_a_gone_article_is_kept_and_said_to_be_gone(four_crawls):
    crawled, snapshots = four_crawls
    _, (before, _), (after, contents_after), (back, _) = snapshots
    assert (before[VANISHING]["state"], after[VANISHING]["state"], back[VANISHING]["state"]) == ("live", "gone", "live")
    assert after[VANISHING] == {**before[VANISHING], "state": "gone"}
    kept = next(row for row in contents_after["articles"] if row[0] == VANISHING)
    assert kept[1] == "Vanishing report"
    assert kept[-2] == "A paragraph about agency work."
    assert "1 unchanged, 1 gone" in crawled.runs[2].out
    assert "gone: HTTP 410 Gone" in crawled.runs[2].out
    assert crawled.runs[2].code == 0


def test_an_article_that_comes_back_unchanged_is_no_new_revision(four_crawls):
    _, snapshots = four_crawls
    assert snapshots[-1][0][VANISHING]["revisions"] == 1


FORMS = (
    "{url}",
    "{www}",
    "{url}&catTitle=social work",
    "{url}&catTitle=careers%20home",
    "{url}&utm_source=newsletter&utm_campaign=april",
    "{url}#comments",
    "{url}&fbclid=abc#top",
    "{upper}",
    "/article.php?catTitle=news&s={slug}",
    "article.php?s={slug}",
    "//www.locumtoday.co.uk:80/article.php?s={slug}",
)


@scenario
def many_forms(folder):
    """Eleven listings link to one article, each in another form, and a twelfth with its own canonical link."""
    name = slug("first report")
    url = address(name)
    forms = [
        form.format(
            url=url,
            www=url.replace("//", "//www."),
            upper=url.replace("locumtoday", "WWW.LocumToday"),
            slug=name,
        )
        for form in FORMS
    ]
    page = article_page("First report")
    pages = {f"{HOME}list.php?n={n}": listing_page(form) for n, form in enumerate(forms)}
    served = {f"{url}{extra}": page for extra in ("", "&utm_source=newsletter&utm_campaign=april", "&fbclid=abc")}
    home = listing_page(url, more=list(pages))
    with SiteServer(Sample({HOME: home, **pages, **served})) as server:
        runs = [crawl(folder, server)]
        # Later the listings name only the other forms, each alone.
        server.pages[HOME] = replace(home, body=home.body.replace(url.encode(), forms[4].encode()))
        runs.append(crawl(folder, server))
        return Crawled(folder, server.log, runs)


def test_every_form_of_an_address_is_one_article(many_forms):
    assert [run.code for run in many_forms.runs] == [0, 0]
    assert many_forms.rows("SELECT url, title FROM articles") == [(address(slug("first report")), "First report")]
    assert many_forms.value("SELECT count(*) FROM revisions") == 1
    assert "1 new" in many_forms.runs[0].out
    assert "0 new, 0 changed, 1 unchanged" in many_forms.runs[1].out


def test_every_form_leads_to_its_outcome(many_forms):
    assert many_forms.value("SELECT count(*) FROM listing_entries") == 2 * (1 + len(FORMS))
    assert many_forms.rows("SELECT DISTINCT crawl_id, outcome FROM entry_outcomes ORDER BY 1") == [
        (1, "new"),
        (2, "unchanged"),
    ]
    assert many_forms.value("SELECT count(*) FROM frontier WHERE kind = 'article'") == 2


def test_show_finds_the_article_by_any_form(many_forms):
    url = address(slug("first report"))
    form = f"{url.replace('//', '//www.')}&catTitle=x&utm_source=x#y"
    run = locum("show", form, "--json", "--archive", "archive", cwd=many_forms.folder)
    assert run.code == 0
    assert run.json["url"] == url


@scenario
def canonical(folder):
    """One article under two slugs that name one canonical address, and a template that names one on every page."""
    first, second = address(slug("first report")), address(slug("first report again"))
    other = address(slug("other report"))

    def claiming(title, url):
        page = article_page(title)
        return replace(page, body=page.body.replace(b"<title>", f'<link rel="canonical" href="{url}"><title>'.encode()))

    pages = {
        HOME: listing_page(second, first, other),
        second: claiming("First report", first),
        first: claiming("First report", first),
        other: claiming("Other report", first),
    }
    with SiteServer(Sample(pages)) as server:
        return Crawled(folder, server.log, [crawl(folder, server), crawl(folder, server)])


def test_a_canonical_link_joins_only_what_is_one_article(canonical):
    first, second = address(slug("first report")), address(slug("first report again"))
    other = address(slug("other report"))
    assert canonical.rows("SELECT url, title FROM articles ORDER BY url") == sorted(
        [(first, "First report"), (other, "Other report")]
    )
    owner = dict(canonical.rows("SELECT u.url, a.url FROM article_urls u JOIN articles a ON a.id = u.article_id"))
    assert owner == {first: first, second: first, other: other}
    assert canonical.value("SELECT count(*) FROM revisions") == 2
