"""Saving articles: one row each, a revision for each change, the address to trust."""

from __future__ import annotations

import itertools
import json

import pytest
from support import invoke

from locum_spider.archive import Archive
from locum_spider.fields import content_digest
from locum_spider.items import Article, Attachment, Image, Listing, ListingEntry
from locum_spider.store import articles, checks

ONE, TWO = "http://x.example/1", "http://x.example/2"


def revisions(db, article_id: int = 1) -> list[tuple[int, str]]:
    return db.execute("SELECT seq, body FROM revisions WHERE article_id = ? ORDER BY seq", (article_id,)).fetchall()


def seen(db) -> tuple[str, str]:
    return db.execute("SELECT first_seen, last_seen FROM articles").fetchone()


def counts(db) -> dict[str, int]:
    return {t: db.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("articles", "article_text", "revisions")}


def test_new_changed_unchanged(db, save):
    assert save(text="A").outcome == "new"
    assert save(text="A").outcome == "unchanged"
    assert save(text="B").outcome == "changed"
    assert save(text="B").outcome == "unchanged"
    assert revisions(db) == [(1, "A"), (2, "B")]
    assert counts(db) == {"articles": 1, "article_text": 1, "revisions": 2}
    assert db.execute("SELECT body FROM article_text").fetchall() == [("B",)]


def test_from_a_to_b_and_back_are_three_revisions(db, save):
    assert [save(text=text).outcome for text in "ABA"] == ["new", "changed", "changed"]
    assert revisions(db) == [(1, "A"), (2, "B"), (3, "A")]
    assert db.execute("SELECT body FROM article_text").fetchone()[0] == "A"


def test_unchanged_article_only_moves_last_seen(db, save):
    save(seen_at="2016-01-01T00:00:00Z")
    before = db.execute("SELECT * FROM articles").fetchone()
    save(seen_at="2016-02-01T00:00:00Z")
    after = db.execute("SELECT * FROM articles").fetchone()
    names = [row[1] for row in db.execute("PRAGMA table_info(articles)")]
    assert [n for n, a, b in zip(names, before, after, strict=True) if a != b] == ["last_seen"]
    assert seen(db) == ("2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z")


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "Other"},
        {"text": "Other"},
        {"standfirst": "Other"},
        {"authors": ("Other",)},
        {"published": "2016-01-02"},
        {"published_raw": "2nd January 2016"},
        {"section": "Other"},
        {"tags": ("other",)},
        {"attachments": (Attachment("Other", "http://x.example/o.pdf"),)},
        {"images": (Image("http://x.example/i.jpg", "Other"),)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_change_of_anything_a_reader_sees_is_a_revision(save, fields):
    save()
    assert save(**fields).outcome == "changed"
    assert save().outcome == "changed"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"images": (Image("/i.jpg?v=1", "A"),)}, {"images": (Image("/i.jpg?v=2", "A"),)}),
        ({"attachments": (Attachment("A", "/a?sid=1"),)}, {"attachments": (Attachment("A", "/a?sid=2"),)}),
        ({"evidence": {"title": "css"}}, {"evidence": {"title": "meta"}}),
        ({"lang": None}, {"lang": "en"}),
    ],
)
def test_change_of_what_no_reader_sees_is_none(save, first, second):
    save(**first)
    assert save(**second).outcome == "unchanged"


def test_revision_names_capture_and_evidence(db, save):
    save(evidence={"title": "css = 'h1'"}, section="News")
    sql = "SELECT r.evidence, r.fields, c.url FROM revisions r JOIN captures c ON c.id = capture_id"
    row = db.execute(sql).fetchone()
    assert json.loads(row[0]) == {"title": "css = 'h1'"}
    assert json.loads(row[1])["section"] == "News"
    assert row[2] == ONE


def test_lists_are_json_arrays(db, save):
    save(authors=("Ä", "B"), tags=("pay",))
    assert db.execute("SELECT authors, tags FROM articles").fetchone() == ('["Ä", "B"]', '["pay"]')


def test_older_capture_goes_into_the_history_and_not_into_the_article(db, save):
    save(text="B", seen_at="2016-02-01T00:00:00Z")
    assert save(text="A", seen_at="2016-01-01T00:00:00Z").outcome == "changed"
    assert revisions(db) == [(1, "A"), (2, "B")]
    assert db.execute("SELECT body FROM article_text").fetchone()[0] == "B"
    assert seen(db) == ("2016-01-01T00:00:00Z", "2016-02-01T00:00:00Z")


# -- addresses -------------------------------------------------------------------------------------------------------


def addresses(db) -> dict[str, int]:
    return dict(db.execute("SELECT url, article_id FROM article_urls"))


def test_every_address_an_article_was_met_at_leads_to_it(db, save, tmp_path):
    save(ONE, urls=("http://x.example/a", ONE + "?catTitle=x"))
    save(ONE, urls=("http://x.example/b",))
    assert addresses(db) == dict.fromkeys((ONE, "http://x.example/a", "http://x.example/b", ONE + "?catTitle=x"), 1)
    with Archive(tmp_path) as archive:
        for address in (*addresses(db), 1, "1"):
            assert archive.article(address).url == ONE
        assert archive.article("http://x.example/none") is None
        assert archive.article(2) is None
        assert archive.article("9" * 30) is None


def test_address_of_one_article_is_not_taken_by_another(db, save):
    save(ONE, urls=("http://x.example/both",))
    save(TWO, title="Two", urls=("http://x.example/both",))
    assert addresses(db)["http://x.example/both"] == 1
    assert counts(db)["articles"] == 2


def test_canonical_link_with_the_same_title_is_trusted(db, save):
    save(ONE)
    saved = save("http://x.example/print/1", canonical=ONE)
    assert (saved.article_id, saved.outcome) == (1, "unchanged")
    assert addresses(db) == {ONE: 1, "http://x.example/print/1": 1}


def test_canonical_link_with_another_title_is_not(db, save):
    """Some templates name one address on every page."""
    save(ONE)
    assert save(TWO, title="Two", canonical=ONE).outcome == "new"
    assert save("http://x.example/3", title="Three", canonical=ONE).outcome == "new"
    assert counts(db)["articles"] == 3


def test_page_that_was_met_before_its_canonical_address_is_one_article(db, save):
    save("http://x.example/print/1", canonical=ONE)
    saved = save(ONE, canonical=ONE)
    assert (saved.article_id, saved.outcome) == (1, "unchanged")
    assert db.execute("SELECT url FROM articles").fetchall() == [(ONE,)]


def test_home_page_as_canonical_address_joins_no_two_articles_of_one_title(db, save):
    """Columns have one title for years: "Letters". The home page is nobody's canonical address."""
    save(ONE, title="Letters", text="January", canonical="http://x.example/")
    save(TWO, title="Letters", text="February", canonical="http://x.example/")
    assert counts(db)["articles"] == 2


def test_articles_of_one_title_without_canonical_links_stay_apart(db, save):
    save(ONE, title="Letters", text="January")
    save(TWO, title="Letters", text="February")
    assert counts(db)["articles"] == 2


# -- gone ------------------------------------------------------------------------------------------------------------


def test_article_that_is_gone_stays_and_comes_back(db, save, capture):
    save()
    articles.mark_gone(db, capture(status=404, at="2016-02-01T00:00:00Z"), ONE)
    articles.mark_gone(db, capture(status=404, at="2016-02-01T00:00:00Z"), "http://x.example/unknown")
    assert db.execute("SELECT state FROM articles").fetchall() == [("gone",)]
    assert counts(db) == {"articles": 1, "article_text": 1, "revisions": 1}
    save(seen_at="2016-03-01T00:00:00Z")
    assert db.execute("SELECT state FROM articles").fetchall() == [("live",)]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_whether_an_article_is_gone_follows_from_the_times_alone(db, save, capture, order):
    steps = [
        lambda: save(seen_at="2016-01-01T00:00:00Z"),
        lambda: articles.mark_gone(db, capture(status=410, at="2016-02-01T00:00:00Z"), ONE),
        lambda: save(TWO, canonical=ONE, seen_at="2016-03-01T00:00:00Z"),
        lambda: articles.mark_gone(db, capture(status=404, at="2016-04-01T00:00:00Z"), TWO),
    ]
    for number in order:
        steps[number]()
    assert db.execute("SELECT state FROM articles").fetchall() == [("gone",)]
    save(seen_at="2016-04-01T00:00:00Z")
    assert db.execute("SELECT state FROM articles").fetchall() == [("live",)]


def test_listing_keeps_every_entry_in_order(db, capture):
    entries = (ListingEntry(0, ONE, "One", "1 May", "2016-05-01", "S"), ListingEntry(1, TWO, None))
    capture_id = capture()
    articles.save_listing(db, capture_id, Listing("http://x.example/", entries), {})
    rows = db.execute("SELECT position, url, title, published_raw, published, summary FROM listing_entries").fetchall()
    assert rows == [(0, ONE, "One", "1 May", "2016-05-01", "S"), (1, TWO, None, None, None, None)]


# -- the archive as it is read ---------------------------------------------------------------------------------------


def test_article_reads_back_as_it_was_saved(save, tmp_path):
    fields = {
        "standfirst": "S", "authors": ("A", "B"), "section": "News",
        "published": "2016-01-01", "published_at": "2016-01-01T10:00:00+00:00", "published_raw": "1st January 2016",
        "published_source": "visible", "published_conflict": "c",
        "tags": ("t",), "lang": "en", "attachments": (Attachment("D", "http://x.example/d.pdf"),),
        "images": (Image("http://x.example/i.jpg", "alt", "caption"),), "modified_at": "2016-01-02T00:00:00Z",
    }  # fmt: skip
    save(text="One two.\n\nThree.", **fields)
    with Archive(tmp_path) as archive:
        article = archive.require(ONE)
        assert {name: getattr(article, name) for name in fields} == fields
        assert (article.text, article.word_count, article.state) == ("One two.\n\nThree.", 3, "live")
        assert [a.id for a in archive.articles()] == [1]
        assert archive.counts() == {"x": 1}
        (revision,) = archive.revisions(1)
        assert (revision["seq"], revision["body"]) == (1, "One two.\n\nThree.")
    shown = invoke("show", 1, "--archive", tmp_path)
    assert "\nModified, it says: 2016-01-02T00:00:00Z\n" in shown.output


def test_a_revision_names_only_what_its_article_has(db, save):
    save(tags=("t",), section="")
    fields = db.execute("SELECT fields FROM revisions").fetchone()[0]
    assert fields == '{"section": "", "tags": ["t"], "url": "http://x.example/1"}'


def test_articles_come_newest_first_and_undated_ones_last(save, tmp_path):
    for number, day in enumerate(["2015-05-01", None, "2016-05", "2016-05-02"]):
        save(f"http://x.example/{number}", title=f"T{number}", published=day)
    with Archive(tmp_path) as archive:
        assert [article.title for article in archive.articles()] == ["T3", "T2", "T0", "T1"]


# -- a printed age ---------------------------------------------------------------------------------------------------

HOURS = [
    {"published": "2024-05-12", "published_at": f"2024-05-12T0{9 - n}:00:00+00:00", "published_raw": f"{n} hours ago"}
    for n in range(2, 5)
]
DAY = {"published": "2024-05-12", "published_raw": "12 May 2024"}


def dates(db) -> list[str]:
    rows = db.execute("SELECT fields FROM revisions ORDER BY article_id, seq")
    return [json.loads(row[0]).get("published_raw") for row in rows]


@pytest.mark.parametrize(
    ("readings", "kept"),
    [
        (HOURS, ["2 hours ago"]),
        ([HOURS[0], DAY, DAY], ["2 hours ago"]),
        ([DAY, HOURS[0], DAY], ["12 May 2024"]),
        ([HOURS[0], {"published": "2024-05-11", "published_raw": "11 May 2024"}], ["2 hours ago", "11 May 2024"]),
        (
            [DAY, {"published": "2024-05-12", "published_raw": "May 12, 2024"}],
            ["12 May 2024", "May 12, 2024"],
        ),
        ([HOURS[0], HOURS[1] | {"text": "Other"}, HOURS[2] | {"text": "Other"}], ["2 hours ago", "2 hours ago"]),
    ],
)
def test_a_printed_age_is_not_content(db, save, tmp_path, readings, kept):
    for day, fields in enumerate(readings, 13):
        save(seen_at=f"2024-05-{day}T00:00:00Z", **fields)
    assert dates(db) == kept
    last = db.execute("SELECT published_raw FROM articles").fetchone()[0]
    assert last == kept[-1]
    assert list(checks.revisions(db)) == list(checks.articles(db)) == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_printed_ages_are_one_revision_in_any_order_of_import(db, save, order):
    for n in order:
        save(seen_at=f"2024-05-1{n}T00:00:00Z", **HOURS[n])
    assert dates(db) == ["2 hours ago"]
    assert db.execute("SELECT published_raw FROM articles").fetchone()[0] == "2 hours ago"
    assert list(checks.revisions(db)) == list(checks.articles(db)) == []


def test_a_digest_of_an_older_version_with_an_age_is_not_another_revision(db, save):
    save(**HOURS[0])
    digest = content_digest(Article(url=ONE, title="Title", text="Body", **HOURS[0]))
    db.execute("UPDATE revisions SET digest = ?", (digest,))
    assert list(checks.revisions(db)) == []
    assert save(seen_at="2016-02-01T00:00:00Z", **HOURS[1]).outcome == "unchanged"
    assert db.execute("SELECT article_digest FROM captures ORDER BY id DESC").fetchone()[0] == digest
