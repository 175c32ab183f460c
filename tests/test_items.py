"""When two captures hold the same article."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum_spider.items import Article, Attachment, Image, content_digest

ARTICLE = Article(
    url="http://x.example/1", title="T", standfirst="S", authors=("A", "B"), published="2016-01-01",
    published_at="2016-01-01T10:00:00+00:00", published_raw="1 January 2016", published_source="visible", section="N",
    tags=("t",), lang="en", text="One", attachments=(Attachment("D", "/d"),), images=(Image("/i", "alt", "cap"),),
)  # fmt: skip
SEEN = {
    "title": "X", "standfirst": None, "authors": ("B", "A"), "published": "2016-01", "published_at": None,
    "published_raw": "1/1/16", "section": None, "tags": (), "text": "One.", "attachments": (Attachment("E", "/d"),),
    "images": (Image("/i", "alt", "other"),),
}  # fmt: skip
UNSEEN = {
    "url": "http://x.example/2", "published_source": "meta", "published_conflict": "x", "modified_at": "2016-01-02",
    "lang": None, "canonical_url": "http://x.example/", "evidence": {"title": "css"},
}  # fmt: skip


def test_every_field_is_decided():
    assert set(SEEN) | set(UNSEEN) == {field.name for field in fields(Article)}


@pytest.mark.parametrize("name", SEEN)
def test_what_a_reader_sees_counts(name):
    assert content_digest(replace(ARTICLE, **{name: SEEN[name]})) != content_digest(ARTICLE)


@pytest.mark.parametrize("name", UNSEEN)
def test_what_no_reader_sees_does_not(name):
    assert content_digest(replace(ARTICLE, **{name: UNSEEN[name]})) == content_digest(ARTICLE)


@pytest.mark.parametrize(
    "same",
    [
        {"images": (Image("/other", "alt", "cap"),)},
        {"images": (Image("/i", "other", "cap"),)},
        {"attachments": (Attachment("D", "/other?sid=1"),)},
    ],
)
def test_addresses_of_pictures_and_documents_do_not(same):
    assert content_digest(replace(ARTICLE, **same)) == content_digest(ARTICLE)


@given(st.text(), st.text(), st.text(), st.text())
def test_words_cannot_move_from_field_to_field_unseen(title, text, other_title, other_text):
    one = content_digest(replace(ARTICLE, title=title, text=text))
    other = content_digest(replace(ARTICLE, title=other_title, text=other_text))
    assert (one == other) == ((title, text) == (other_title, other_text))


def test_digest_is_the_same_tomorrow():
    """Archives keep digests: another form of them would make every article a changed one."""
    found = content_digest(Article(url="u", title="T", text="B"))
    assert found == "sha256:933d0343174e379a8a40abe78ce62d97a56c03c164739915216980de7426d36b"
