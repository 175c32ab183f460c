"""Locum Today from the home page to the archive: every article, every field, every listing entry, every capture."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from datetime import UTC, datetime
from functools import cache

import pytest
from support import records, warcs
from support.harness import ROBOTS, contents, crawl_once, scenario
from warcio.cli import main as warcio_main

from locum_spider import Archive, read_article
from locum_spider.demo.sample import HOME, MARKUPS, build
from locum_spider.reader import read_listing
from locum_spider.sites import find_site
from locum_spider.warc.reader import read_exchange

KEY = find_site("locum-today").key
"""The address under which an article is compared; it is fetched under the one that a listing links."""


@scenario
def json_crawl(folder):
    return crawl_once(folder, build("html5"), "--concurrency", "4", "--json")


def lines(text):
    return [line for line in re.split(r"\n+", text) if line]


def as_written(article):
    """The truth about an article in the words of the archive."""
    return {
        "url": article.url,
        "title": article.title,
        "standfirst": article.standfirst,
        "section": article.section,
        "published": article.published,
        "published_raw": article.published_raw.removeprefix("Published on "),
        "text": list(article.blocks),
        "attachments": list(article.attachments),
        "captions": list(article.captions),
    }


def as_stored(article):
    return {
        "url": KEY(article.url),
        "title": article.title,
        "standfirst": article.standfirst,
        "section": article.section,
        "published": article.published,
        "published_raw": article.published_raw,
        "text": lines(article.text),
        "attachments": [(a.title, a.url) for a in article.attachments],
        "captions": [image.caption or image.alt for image in article.images],
    }


def test_every_article_is_read_right(sample_crawl):
    assert sample_crawl.run.code == 0
    with Archive(sample_crawl.archive) as archive:
        stored = {KEY(article.url): as_stored(article) for article in archive.articles()}
    truth = {article.url: as_written(article) for article in build().articles}
    assert stored.keys() == truth.keys()
    for url, expected in truth.items():
        assert stored[url] == expected


@pytest.mark.parametrize("markup", MARKUPS)
def test_every_article_and_listing_is_read_right_in_every_markup(markup):
    """Without a crawl: that of the sample has every markup, but not every page in each."""
    sample = build(markup)

    def read(reader, url):
        page = sample.pages[url]
        when = datetime(2026, 11, 22, tzinfo=UTC)
        return reader(page.body, url, content_type=page.content_type, fetched_at=when, site="locum-today")

    for article in sample.articles:
        assert as_stored(read(read_article, article.url)) == as_written(article)
    listings = [url for url in sample.pages if url == HOME or "/category.php" in url]
    assert len(listings) == sample.expected["listings"]
    entries = [entry for url in listings for entry in read(read_listing, url).entries]
    truth = {article.title: article.listed_raw.removeprefix("Published on ") for article in sample.articles}
    assert {entry.title for entry in entries} >= {article.title for article in sample.articles if not article.unlisted}
    dated = [(entry.title, entry.published_raw) for entry in entries if entry.title in truth and entry.published_raw]
    assert [(title, raw) for title, raw in dated if truth[title] != raw] == []
    assert {title for title, _ in dated} >= {article.title for article in sample.articles if not article.unlisted}


def test_blocks_are_separated_by_blank_lines(sample_crawl):
    with Archive(sample_crawl.archive) as archive:
        for article in build().articles:
            stored = archive.require(article.url)
            for block in re.split(r"\n{2,}", stored.text):
                assert block in article.blocks or all(line.startswith("• ") for line in block.split("\n"))
            assert stored.text == stored.text.strip()


def test_one_row_for_each_article(sample_crawl):
    expected = build().expected
    assert sample_crawl.value("SELECT count(*) FROM articles") == expected["articles"]
    assert sample_crawl.value("SELECT count(*) FROM article_text") == expected["articles"]
    assert sample_crawl.value("SELECT count(*) FROM full_articles") == expected["articles"]
    assert sample_crawl.value("SELECT count(*) FROM revisions") == expected["articles"]
    assert sample_crawl.value("SELECT count(DISTINCT title) FROM articles") == expected["articles"]
    assert sample_crawl.rows("SELECT site, state, count(*) FROM articles GROUP BY 1, 2") == [
        ("locum-today", "live", expected["articles"])
    ]


def test_counts_of_the_crawl(sample_crawl):
    expected = build().expected
    row = sample_crawl.rows(
        "SELECT site, outcome, articles_new, articles_changed, articles_unchanged, listings, refused, failed, "
        "not_articles, reasons FROM crawls"
    )
    assert row == [("locum-today", "done", expected["articles"], 0, 0, expected["listings"], 1, 1, 1, "[]")]
    assert sample_crawl.value("SELECT captures FROM crawls") == len(sample_crawl.log)
    assert f"{expected['articles']} new" in sample_crawl.run.out


def test_crawl_as_json(json_crawl):
    (report,) = json_crawl.run.json
    assert report["site"] == "locum-today"
    assert report["exit_code"] == json_crawl.run.code == 0
    assert report["error"] is None
    assert report["crawl"]["articles_new"] == build().expected["articles"]
    assert report["crawl"]["outcome"] == "done"
    assert {row["outcome"] for row in report["unread"]} == {"failed", "refused", "not_article"}


def test_times_are_utc_and_in_order(sample_crawl):
    started, finished = sample_crawl.rows("SELECT started_at, finished_at FROM crawls")[0]
    times = [started, *(row[0] for row in sample_crawl.rows("SELECT fetched_at FROM captures ORDER BY id")), finished]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in times)
    assert times == sorted(times)
    for first, last in sample_crawl.rows("SELECT first_seen, last_seen FROM articles"):
        assert started <= first == last <= finished


# -- listings --------------------------------------------------------------------------------------------------------


def test_every_entry_is_accounted_for(sample_crawl):
    outcomes = Counter(row[0] for row in sample_crawl.rows("SELECT coalesce(outcome, 'nothing') FROM entry_outcomes"))
    assert outcomes.keys() == {"new", "failed", "refused", "not_article"}
    assert outcomes["failed"] == outcomes["refused"] == 1
    assert sample_crawl.rows("SELECT url FROM frontier WHERE state <> 'done' OR outcome IS NULL") == []
    assert sample_crawl.rows("SELECT url FROM listing_entries WHERE request_id IS NULL") == []


def test_every_stored_entry_leads_to_its_article(sample_crawl):
    pairs = sample_crawl.rows(
        "SELECT e.title, a.title FROM entry_outcomes e JOIN articles a ON a.id = e.article_id WHERE e.outcome = 'new'"
    )
    assert len(pairs) == sample_crawl.value("SELECT count(*) FROM entry_outcomes WHERE outcome = 'new'")
    assert [pair for pair in pairs if pair[0] != pair[1]] == []


def test_listings_hold_every_article_with_the_date_as_printed(sample_crawl):
    truth = {article.title: article.listed_raw.removeprefix("Published on ") for article in build().articles}
    entries = sample_crawl.rows(
        "SELECT title, published_raw FROM listing_entries WHERE published_raw IS NOT NULL AND title IN "
        "(SELECT title FROM articles)"
    )
    listed = {title for title, _ in entries}
    assert listed >= {article.title for article in build().articles if not article.unlisted}
    assert [(title, raw) for title, raw in entries if truth[title] != raw] == []


@pytest.mark.parametrize(
    ("oddity", "outcome", "reason"),
    [
        ("gone", "failed", "404"),
        ("refused", "refused", "robots.txt"),
        ("busy", "new", None),
        ("gzip", "new", None),
        ("chunked", "new", None),
        ("moved", "new", None),
        ("unlisted", "new", None),
        ("contradicted", "new", None),
        ("impossible", "new", None),
        ("no_article", "not_article", "no date"),
    ],
)
def test_outcome_of_each_oddity(sample_crawl, oddity, outcome, reason):
    visited = sample_crawl.outcome(build().odd[oddity])
    assert visited[0] == outcome
    assert visited[1] is None if reason is None else reason in visited[1]


def test_what_gave_nothing_is_reported_with_its_reason(sample_crawl):
    report = " ".join(sample_crawl.run.out.split())
    odd = build().odd
    for oddity, words in (
        ("gone", "failed: HTTP 404 Not Found"),
        ("refused", "refused: robots.txt forbids it"),
        ("no_article", "not an article: no date on the page"),
    ):
        assert re.search(re.escape(odd[oddity]) + r"\S* " + re.escape(words), report), oddity


def test_refused_address_is_never_asked_for(sample_crawl):
    refused = build().odd["refused"].removeprefix(HOME[:-1])
    assert [hit for hit in sample_crawl.log if hit.path.startswith(refused)] == []


def test_a_busy_server_is_asked_again_after_the_time_it_names(sample_crawl):
    busy = build().odd["busy"].removeprefix(HOME[:-1])
    hits = [hit for hit in sample_crawl.log if hit.path.startswith(busy)]
    assert [hit.status for hit in hits] == [503, 200]
    following = [hit for hit in sample_crawl.log if hit.time > hits[0].time]
    assert following[0].time - hits[0].time >= 1.0
    assert sample_crawl.rows("SELECT status FROM captures WHERE url LIKE ? ORDER BY id", f"%{busy}%") == [
        (503,),
        (200,),
    ]


def test_moved_article_is_known_at_both_addresses(sample_crawl):
    odd = build().odd
    moved = next(article for article in build().articles if article.old)
    with Archive(sample_crawl.archive) as archive:
        at_old, at_new = archive.article(odd["moved"]), archive.article(moved.url)
        assert at_old == at_new
        assert at_old.url == moved.url
        assert {odd["moved"], moved.url} <= set(archive.addresses(at_old.id))
    assert sample_crawl.rows("SELECT status, location FROM captures WHERE url LIKE ?", f"{odd['moved']}%") == [
        (301, moved.url)
    ]


def test_contradicted_date_is_kept_as_such(sample_crawl):
    with Archive(sample_crawl.archive) as archive:
        article = archive.require(build().odd["contradicted"])
    truth = next(article for article in build().articles if article.dated)
    assert article.published == truth.dated != truth.slug[:10]
    assert article.published_source == "visible"
    assert truth.slug[:10] in (article.published_conflict or "")


def test_impossible_date_is_never_bent(sample_crawl):
    with Archive(sample_crawl.archive) as archive:
        article = archive.require(build().odd["impossible"])
    assert (article.published, article.published_at) == (None, None)
    assert article.published_raw == "31st June 2016"
    assert "31st June 2016" in (article.published_conflict or "")


def test_only_the_odd_two_have_a_conflict(sample_crawl):
    odd = build().odd
    conflicts = sample_crawl.rows("SELECT url FROM articles WHERE published_conflict IS NOT NULL")
    assert {KEY(url) for (url,) in conflicts} == {odd["contradicted"], odd["impossible"]}


# -- addresses -------------------------------------------------------------------------------------------------------


def test_any_form_of_an_address_leads_to_the_article(sample_crawl):
    url = build().articles[0].url
    with Archive(sample_crawl.archive) as archive:
        known = archive.require(url)
        for form in (
            url.replace("//", "//www."),
            f"{url}&catTitle=social%20work",
            f"{url}&utm_source=newsletter&utm_medium=email",
            f"{url}#comments",
            url.replace("http:", "https:"),
            url.replace("locumtoday", "LocumToday"),
            url.replace(".uk/", ".uk:80/"),
            str(known.id),
        ):
            assert archive.article(form) == known, form
        assert archive.article(f"{url}-2") is None


def test_each_address_belongs_to_one_article(sample_crawl):
    assert sample_crawl.value("SELECT count(*) FROM article_urls") > build().expected["articles"]
    orphans = "SELECT url FROM article_urls WHERE article_id NOT IN (SELECT id FROM articles)"
    assert sample_crawl.rows(orphans) == []
    own = "SELECT count(*) FROM articles a JOIN article_urls u ON u.url = a.url AND u.article_id = a.id"
    assert sample_crawl.value(own) == build().expected["articles"]


# -- captures --------------------------------------------------------------------------------------------------------


@cache
def records_of(archive):
    return list(records(archive))


def test_files_are_closed(sample_crawl):
    sizes = {path.name: path.stat().st_size for path in warcs(sample_crawl.archive)}
    assert sizes
    assert all(name.endswith(".warc.gz") for name in sizes)
    assert dict(sample_crawl.rows("SELECT name, bytes FROM warc_files WHERE closed = 1")) == sizes


def test_warcio_finds_no_fault(sample_crawl, capsys):
    with pytest.raises(SystemExit) as ended:
        warcio_main(["check", "-v", *map(str, warcs(sample_crawl.archive))])
    assert ended.value.code == 0
    output = capsys.readouterr().out
    assert output.count("digest pass") >= 2 * len(sample_crawl.log)
    assert "no digest" not in output


def test_one_gzip_member_a_record(sample_crawl):
    files = {path: path.read_bytes() for path in warcs(sample_crawl.archive)}
    for path, offset, length, record, _ in records_of(sample_crawl.archive):
        inflate = zlib.decompressobj(wbits=31)
        data = inflate.decompress(files[path][offset : offset + length])
        assert inflate.eof
        assert inflate.unused_data == b""
        assert data.startswith(b"WARC/1.1\r\n")
        assert data.count(b"WARC-Record-ID: " + record.rec_headers["WARC-Record-ID"].encode()) == 1


def test_every_answer_is_captured_as_it_came(sample_crawl):
    places = records_of(sample_crawl.archive)
    kinds = Counter(record.rec_type for *_, record, _ in places)
    del kinds["metadata"]  # what happened beside the exchanges
    answers = len(sample_crawl.log)
    assert kinds == {"warcinfo": len(warcs(sample_crawl.archive)), "response": answers, "request": answers}
    responses = [record for *_, record, _ in places if record.rec_type == "response"]
    captured = [
        (record.rec_headers["WARC-Target-URI"], int(record.http_headers.get_statuscode())) for record in responses
    ]
    asked = [(f"http://{hit.host}{hit.path}", hit.status) for hit in sample_crawl.log]
    assert Counter(captured) == Counter(asked)
    sample = build()
    for *_, record, content in places:
        url = record.rec_headers["WARC-Target-URI"]
        if record.rec_type == "response" and url in (ROBOTS, sample.odd["chunked"]):
            assert content == sample.pages[url].body
            assert record.http_headers.get_header("Content-Length") == str(len(content))


def test_a_compressed_body_stays_compressed(sample_crawl):
    packed = [
        (record, content)
        for *_, record, content in records_of(sample_crawl.archive)
        if record.rec_type == "response" and record.http_headers.get_header("Content-Encoding") == "gzip"
    ]
    assert {record.rec_headers["WARC-Target-URI"].split("&")[0] for record, _ in packed} == {HOME, build().odd["gzip"]}
    for record, content in packed:
        url = record.rec_headers["WARC-Target-URI"].split("&")[0]
        assert gzip.decompress(content) == build().pages[url].body
        assert record.http_headers.get_header("Content-Length") == str(len(content))


def test_requests_stand_beside_their_responses(sample_crawl):
    responses, requests = {}, {}
    for *_, record, _ in records_of(sample_crawl.archive):
        if record.rec_type == "response":
            responses[record.rec_headers["WARC-Record-ID"]] = record
        elif record.rec_type == "request":
            requests[record.rec_headers["WARC-Concurrent-To"]] = record
    assert responses.keys() == requests.keys()
    for urn, response in responses.items():
        request = requests[urn]
        url = response.rec_headers["WARC-Target-URI"]
        assert request.rec_headers["WARC-Target-URI"] == url
        host, _, target = url.removeprefix("http://").partition("/")
        assert request.http_headers.statusline == f"/{target} HTTP/1.1"
        assert request.http_headers.protocol == "GET"
        assert request.http_headers.get_header("Host") == host
        agent = request.http_headers.get_header("User-Agent")
        assert agent.startswith("locum-spider/")
        assert "archive@example.org" in agent
        assert request.http_headers.get_header("Accept-Encoding") == "gzip, deflate"
        assert request.http_headers.get_header("Cookie") is None


def test_rows_point_at_their_records(sample_crawl):
    at = {
        (path.name, offset): (length, record)
        for path, offset, length, record, _ in records_of(sample_crawl.archive)
        if record.rec_type == "response"
    }
    rows = sample_crawl.rows(
        "SELECT url, fetched_at, status, digest, warc_file, warc_offset, warc_length, content_type FROM captures"
    )
    assert len(rows) == len(at)
    for url, fetched_at, status, digest, file, offset, length, content_type in rows:
        recorded, record = at.pop((file, offset))
        assert recorded == length
        assert record.rec_headers["WARC-Target-URI"] == url
        assert record.rec_headers["WARC-Date"] == fetched_at
        assert record.rec_headers["WARC-Payload-Digest"] == digest
        assert int(record.http_headers.get_statuscode()) == status
        assert record.http_headers.get_header("Content-Type") == content_type


def test_each_revision_can_be_read_again_from_its_capture(sample_crawl):
    article = build().articles[0]
    file, offset, fetched_at, content_type = sample_crawl.rows(
        "SELECT c.warc_file, c.warc_offset, c.fetched_at, c.content_type FROM revisions r "
        "JOIN captures c ON c.id = r.capture_id JOIN article_urls u USING (article_id) WHERE u.url = ?",
        article.url,
    )[0]
    exchange = read_exchange(sample_crawl.archive / "warc", file, offset)
    again = read_article(
        exchange.body,
        exchange.url,
        content_type=content_type,
        fetched_at=datetime.fromisoformat(fetched_at),
        site="locum-today",
    )
    assert again.title == article.title
    assert lines(again.text) == list(article.blocks)


def test_fields_are_json_that_sqlite_can_read(sample_crawl):
    attached = sample_crawl.rows(
        "SELECT d.value ->> 'title', d.value ->> 'url' FROM full_articles a, json_each(a.attachments) d"
    )
    truth = [pair for article in build().articles for pair in article.attachments]
    assert Counter(attached) == Counter(truth)
    for (authors,) in sample_crawl.rows("SELECT authors FROM articles"):
        assert json.loads(authors) == []


def test_the_database_is_sound(sample_crawl):
    assert sample_crawl.rows("PRAGMA integrity_check") == [("ok",)]
    assert sample_crawl.rows("PRAGMA foreign_key_check") == []
    assert sample_crawl.value("PRAGMA journal_mode") == "wal"
    assert contents(sample_crawl.archive)["found"]
