"""Conditional requests and revisit records of our own crawls."""

from __future__ import annotations

from support import python, records, rows, warcs
from support.foreign_files import HOME, address, run

from locum_spider import Archive

ONE, TWO, THREE, MOVED = map(address, ("one", "two", "three", "moved"))


def captures(archive, crawl_id: int) -> dict[str, tuple[int, str | None, int | None]]:
    """Status, type of record and `same_as` by address, of one crawl."""
    records = rows(
        archive, "SELECT c.url, c.status, r.type, c.same_as FROM captures c "
        "JOIN records r USING (warc_file, warc_offset) WHERE crawl_id = ? AND url NOT LIKE '%robots.txt'", crawl_id,
    )  # fmt: skip
    return {url: rest for url, *rest in records}


def ids(archive, crawl_id: int) -> dict[str, int]:
    return dict(rows(archive, "SELECT url, id FROM captures WHERE crawl_id = ?", crawl_id))


def test_what_has_not_changed_is_not_sent_again(crawled):
    assert set(crawled.answers(1).values()) == {200}
    assert set(crawled.answers(2).values()) == {304}
    first = ids(crawled.archive, 1)
    assert captures(crawled.archive, 2) == {url: [304, "revisit", first[url]] for url in (HOME, ONE, TWO, THREE)}


def test_listings_still_lead_to_their_articles(crawled):
    entries = rows(crawled.archive, "SELECT url, outcome FROM entry_outcomes WHERE crawl_id = 2 ORDER BY position")
    assert entries == [(ONE, "unchanged"), (TWO, "unchanged"), (THREE, "unchanged")]
    assert rows(crawled.archive, "SELECT outcome, articles_unchanged, listings FROM crawls WHERE id = 2") == [
        ("done", 3, 1)
    ]


def test_last_seen_moves_and_nothing_is_new(crawled):
    for url in (ONE, TWO, THREE):
        times = rows(crawled.archive, "SELECT fetched_at FROM captures WHERE url = ? ORDER BY id", url)
        assert rows(crawled.archive, "SELECT first_seen FROM articles WHERE url = ?", url) in ([times[0]], [])
    seen = dict(rows(crawled.archive, "SELECT url, last_seen FROM articles"))
    assert seen[THREE] == rows(crawled.archive, "SELECT max(fetched_at) FROM captures WHERE url = ?", THREE)[0][0]
    counts = dict(
        rows(
            crawled.archive, "SELECT a.url, count(*) FROM articles a JOIN revisions r ON r.article_id = a.id GROUP BY 1"
        )
    )
    assert counts[ONE] == 2
    assert counts[THREE] == 1


def test_changed_page_after_a_304_is_a_revision(crawled):
    assert crawled.answers(3)["/article.php?s=2016-05-01-one-report"] == 200
    assert captures(crawled.archive, 3)[ONE] == [200, "response", None]
    with Archive(crawled.archive) as archive:
        article = archive.article(ONE)
        assert article.text.startswith("Another text")
        assert [each["seq"] for each in archive.revisions(article.id)] == [1, 2]


def test_conditions_do_not_follow_a_redirect(crawled):
    """The page at the new address has the ETag of the old one, but of that address we have no body."""
    answers = captures(crawled.archive, 3)
    assert answers[TWO] == [301, "response", None]
    assert answers[MOVED] == [200, "revisit", ids(crawled.archive, 1)[TWO]]
    outcomes = dict(rows(crawled.archive, "SELECT url, outcome FROM entry_outcomes WHERE crawl_id = 3"))
    assert outcomes == {ONE: "changed", TWO: outcomes[TWO], THREE: "unchanged"}
    assert outcomes[TWO] in {"new", "unchanged"}


def test_server_without_conditions_gives_identical_payloads(crawled):
    assert set(crawled.answers(4).values()) == {200, 301}
    answers, first, third = captures(crawled.archive, 4), ids(crawled.archive, 1), ids(crawled.archive, 3)
    assert answers[HOME] == [200, "revisit", first[HOME]]
    assert answers[ONE] == [200, "revisit", third[ONE]]
    assert answers[THREE] == [200, "revisit", first[THREE]]
    assert rows(
        crawled.archive, "SELECT articles_new, articles_changed, articles_unchanged FROM crawls WHERE id = 4"
    ) == [(0, 0, 3)]


def test_revisit_records_name_what_they_stand_for(crawled):
    known = {
        (file, offset): row
        for file, offset, *row in rows(
            crawled.archive, "SELECT c.warc_file, c.warc_offset, c.status, o.url, o.fetched_at, o.digest "
            "FROM captures c JOIN captures o ON o.id = c.same_as",
        )
    }  # fmt: skip
    revisits = [revisit for revisit in records(crawled.archive) if revisit[3].rec_type == "revisit"]
    for path, offset, _, record, body in revisits:
        status, url, fetched_at, digest = known[path.name, offset]
        head = record.rec_headers
        profile = "server-not-modified" if status == 304 else "identical-payload-digest"
        assert head["WARC-Profile"] == f"http://netpreserve.org/warc/1.1/revisit/{profile}"
        assert (head["WARC-Refers-To-Target-URI"], head["WARC-Refers-To-Date"]) == (url, fetched_at)
        assert head["WARC-Payload-Digest"] == digest
        assert record.http_headers.get_statuscode() == str(status)
        assert body == b""
    assert len(revisits) == len(known) > 8


def test_others_and_we_find_nothing_wrong(crawled):
    assert python("-m", "warcio.cli", "check", *warcs(crawled.archive)).returncode == 0
    run(crawled.archive, "verify")
