"""What scripts of others import, and the promises on it."""

from __future__ import annotations

import inspect
from dataclasses import fields
from datetime import UTC, datetime

import pytest

import locum_spider
from locum_spider import Archive, read_article, read_date
from locum_spider.errors import LocumError
from locum_spider.store.connection import connect_writing

ARTICLE = "url title standfirst authors published published_at published_raw section tags lang text"


def test_public_names_are_there_and_listed():
    for name in locum_spider.__all__:
        assert getattr(locum_spider, name) is not None
    assert {"Archive", "read_article", "read_date"} <= set(locum_spider.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        locum_spider.no_such_name  # noqa: B018


def test_signatures_are_those_of_the_contract():
    parameters = inspect.signature(read_article).parameters
    assert list(parameters)[:2] == ["html", "url"]
    for name in ("content_type", "fetched_at", "site"):
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default is None
    parameters = inspect.signature(read_date).parameters
    assert list(parameters)[:5] == ["text", "now", "tz", "lang", "order"]
    assert [parameters[name].default for name in ("lang", "order")] == [None, None]


def test_article_has_the_fields_of_the_contract():
    assert set(ARTICLE.split()) <= {field.name for field in fields(locum_spider.items.Article)}
    assert "text" in {field.name for field in fields(locum_spider.archive.StoredArticle)}


@pytest.mark.parametrize(
    ("text", "precision", "iso"),
    [
        ("February 2024", "month", "2024-02"),
        ("10th April 2018", "day", "2018-04-10"),
        ("10 April 2018 15:45", "minute", "2018-04-10T15:45:00+01:00"),
    ],
)
def test_dates_are_written_as_the_contract_says(text, precision, iso):
    value = read_date(text, now=datetime(2024, 6, 1, tzinfo=UTC), tz="Europe/London", lang="en", order="DMY")
    assert (value.precision, value.isoformat()) == (precision, iso)


def test_what_is_not_a_date_gives_none():
    assert read_date("31st February 2017", now=datetime(2024, 6, 1, tzinfo=UTC), tz="Europe/London") is None


def test_archive_takes_a_path_as_text_and_closes(tmp_path):
    connect_writing(tmp_path).close()
    with Archive(str(tmp_path)) as archive:
        assert archive.search("anything") == []
        assert list(archive.articles()) == []
        assert archive.article("http://x.example/") is None
        assert (archive.crawls(), archive.counts(), archive.schedules()) == ([], {}, {})


def test_every_error_has_an_exit_code_of_the_contract():
    todo, codes = [LocumError], {}
    while todo:
        kind = todo.pop()
        codes[kind.__name__] = kind.exit_code
        assert kind.__doc__
        todo += kind.__subclasses__()
    assert set(codes.values()) <= set(range(1, 8))
    assert codes["IntegrityError"] == 7
    assert (codes["UsageError"], codes["NoSpaceError"]) == (2, 5)
