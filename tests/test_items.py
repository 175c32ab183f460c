"""When two captures hold the same article."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum_spider import fields as table
from locum_spider.fields import Field, content_digest, has_digest
from locum_spider.items import Article, Attachment, Image

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
    digest = content_digest(replace(ARTICLE, title=title, text=text))
    other_digest = content_digest(replace(ARTICLE, title=other_title, text=other_text))
    assert (digest == other_digest) == ((title, text) == (other_title, other_text))


V2 = "v2:sha256:a84145611d0fb7859b112c4f28e3e4207669cf3a99e02fd6c5a2ba0f9fba709b"
V1 = "sha256:0128546ac3a5a636d4738b9def6e40e56f6fc743e0f99498573be076100225da"


def test_digest_is_the_same_tomorrow():
    """Archives keep digests: another form of them would make every article a changed one."""
    assert content_digest(ARTICLE) == V2


def test_a_digest_of_either_version_is_recognised():
    assert has_digest(ARTICLE, V2)
    assert has_digest(ARTICLE, V1)
    for stored in (V1, V2):
        assert not has_digest(replace(ARTICLE, text="Two"), stored)


def test_a_field_that_is_not_there_leaves_the_digest_alone(monkeypatch):
    """So a field can be added to the table, and no article that lacks it becomes a changed one."""
    added = Field("photographer", "names", "Who took the pictures", counts=True)
    monkeypatch.setattr(Field, "value", lambda field, article: getattr(article, field.name, ()))
    before = content_digest(Article(url="u", title="T"))
    monkeypatch.setattr(table, "_COUNTED", [*table._COUNTED, added])
    assert content_digest(Article(url="u", title="T")) == before
