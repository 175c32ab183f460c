"""`locum show ARTICLE --evidence`: every field names its capture, its rule and its words."""

from __future__ import annotations

import html as entities
import re

import pytest
from selectolax.lexbor import LexborHTMLParser
from support import rows
from support.foreign_files import address, http, imported, members, put, record, run

from locum_spider import Archive
from locum_spider.demo.sample import build
from locum_spider.warc.codings import decode_content
from locum_spider.warc.reader import read_exchange

FIELDS = ("title", "standfirst", "section", "authors", "tags", "lang", "published", "attachments", "images")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Every article of the sample, taken in from a WARC."""
    folder = tmp_path_factory.mktemp("sample")
    made = build()
    pages = [(article.url, made.pages[article.url]) for article in made.articles]
    data = [record(url, http(page.body, f"Content-Type: {page.content_type}")) for url, page in pages]
    imported(folder / "a", put(folder, members(*data)))
    return folder / "a"


def squeezed(text: str) -> str:
    """Without white space, and without the marks that lists and tables get in plain text."""
    return re.sub(r"[\s•|\u00ad\u200b]+", "", text)


def all_words(archive, capture) -> str:
    """All words of a capture's decoded bytes: visible text, attributes, metadata."""
    place = capture.body or capture
    exchange = read_exchange(archive / "warc", place.warc_file, place.warc_offset)
    data = decode_content(exchange.body, exchange.header(b"content-encoding"), limit=10_000_000)
    charset = re.search(rb"charset=[\"']?([\w-]+)", data[:2000])
    source = data.decode(charset[1].decode() if charset else "utf-8", "replace")
    tree = LexborHTMLParser(source)
    visible = tree.body.text() if tree.body else ""
    return squeezed(visible + "\n" + entities.unescape(source))


def test_every_field_names_capture_rule_and_words_that_are_there(sample):
    with Archive(sample) as archive:
        articles = list(archive.articles())
        assert len(articles) > 20
        kinds = set()
        for article in articles:
            evidence = {entry.field: entry for entry in archive.evidence(article.id)}
            stored = {name for name in FIELDS if getattr(article, name)}
            assert stored | {"body"} <= evidence.keys(), article.url
            kinds |= evidence.keys()
            capture = evidence["title"].capture
            text = all_words(sample, capture)
            for entry in evidence.values():
                assert entry.capture == capture
                assert entry.rule
                if entry.field == "address_date":
                    assert entry.raw in article.url
                    assert article.url in entry.rule
                    continue
                if "declaration" in entry.rule:  # what the page does not say
                    continue
                for line in entry.raw.splitlines():
                    numbered = squeezed(re.sub(r"^\d+\. ", "", line))
                    assert squeezed(line) in text or numbered in text, (article.url, entry.field, line)
        assert {"title", "published", "standfirst", "section", "body", "attachments", "address_date"} <= kinds


def test_capture_is_the_one_that_is_stored(sample):
    (first,) = rows(sample, "SELECT a.url, c.fetched_at, c.digest, c.warc_file, c.warc_offset, c.warc_length "
                    "FROM articles a JOIN captures c USING (url) WHERE a.id = 1")  # fmt: skip
    printed = run(sample, "show", "1", "--evidence", "--json")
    for entry in printed:
        assert set(entry) == {"field", "raw", "rule", "capture"}
        capture = entry["capture"]
        assert tuple(capture[name] for name in ("url", "fetched_at", "digest", "warc_file", "warc_offset",
                                                "warc_length")) == first  # fmt: skip
    output = run(sample, "show", "1", "--evidence")
    assert f"{first[3]}, byte {first[4]:,}" in output
    assert first[2] in output
    assert all(f"\n  {entry['field']}\n" in output for entry in printed)


def test_article_read_from_a_revisit_names_the_record_with_the_body(crawled):
    """The moved article was first met as a revisit of its old address."""
    with Archive(crawled.archive) as archive:
        article = next(a for a in archive.articles() if a.url in (address("moved"), address("two")))
        for entry in archive.evidence(article.id):
            assert (
                squeezed(entry.raw.splitlines()[0]) in all_words(crawled.archive, entry.capture)
                or "date" in entry.field
            )


def test_unknown_article_is_wrong_usage(sample):
    assert "no article" in run(sample, "show", "9999", "--evidence", code=2)
