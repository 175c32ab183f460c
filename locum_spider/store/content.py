"""Turns an article's fields into the values of rows, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any, get_type_hints

import msgspec

from locum_spider.dates import is_reckoned
from locum_spider.errors import ArchiveError
from locum_spider.fields import FIELDS, content_digest, has_digest
from locum_spider.items import Article

COLUMNS = tuple(field for field in FIELDS if field.column)
"""The fields that are columns of `articles`; an archive of an older version may lack some."""

EMPTY = {field.name: "[]" if field.is_list else None for field in COLUMNS}
"""The value of each column if the article has nothing for it."""

_HINTS = get_type_hints(Article)
_LISTS = {field.name: _HINTS[field.name] for field in COLUMNS if field.is_list}
_NAMES = frozenset(field.name for field in FIELDS)
_IN_JSON = sorted(_NAMES - {"title", "standfirst", "text", "evidence"})  # the others are columns of `revisions`

encode = json.JSONEncoder(ensure_ascii=False, default=asdict).encode
"""One encoder for all calls: `json.dumps` would make one each time. Attachments and pictures become objects."""


def column_values(article: Article) -> tuple[object, ...]:
    """The values of an article for `COLUMNS`."""
    values = (getattr(article, field.name) for field in COLUMNS)
    return tuple(encode(value) if isinstance(value, tuple) else value for value in values)


def fields_of(article: Article) -> str:
    """`revisions.fields`: the non-empty fields without a column in `revisions`, as a JSON object sorted by name."""
    return encode(_filled((name, getattr(article, name)) for name in _IN_JSON))


def without_empty(fields: str) -> str:
    """`revisions.fields` without its empty values, which older versions kept. A text that is not an object stays."""
    values = decode_object(fields)
    return encode(_filled(sorted(values.items()))) if values else fields


def _filled(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in values if value not in (None, (), [])}


def read_revision(title: str, standfirst: str | None, body: str, fields: dict[str, Any]) -> Article:
    """The article of a revision, without evidence. Raises ArchiveError if the values are not those of an article."""
    values = {"title": title, "standfirst": standfirst, "text": body, **fields}
    with suppress(msgspec.ValidationError):
        if values.keys() <= _NAMES:
            return msgspec.convert(values, Article)
    raise ArchiveError(f"a revision of {title!r} is not what was stored; run `locum verify` to see which")


def has_reckoned_date(article: Article) -> bool:
    """Whether the page printed an age ("2 hours ago"): such a date is reckoned from the time of the capture."""
    return article.published_raw is not None and is_reckoned(article.published_raw, article.lang)


def digest_of_content(article: Article) -> str:
    """The digest of an article, without a date that was reckoned: each capture would have another."""
    return content_digest(_undated(article) if has_reckoned_date(article) else article)


def _undated(article: Article) -> Article:
    return replace(article, published=None, published_at=None, published_raw=None)


def with_date_of(article: Article, earlier: Article) -> Article:
    """An article with the date that an earlier revision has, if there is one."""
    if earlier.published is None:
        return article
    evidence = article.evidence | {k: v for k, v in earlier.evidence.items() if k == "published"}
    return replace(
        article, evidence=evidence, published=earlier.published, published_at=earlier.published_at,
        published_raw=earlier.published_raw, published_source=earlier.published_source,
        published_conflict=earlier.published_conflict,
    )  # fmt: skip


def sound(title: str, standfirst: str | None, body: str, fields: str, digest: str) -> Article | None:
    """The article of a revision; None if it does not match the digest."""
    with suppress(ArchiveError):
        article = read_revision(title, standfirst, body, decode_object(fields))
        return article if has_digest(article, digest) or has_digest(_undated(article), digest) else None
    return None


def decode_object(text: str) -> dict[str, Any]:
    """A JSON object; empty if the text is not one."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, TypeError):
        return {}


def decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `articles` or `full_articles`, with lists as an `Article` has them."""
    values = dict(row)
    lists = {name: msgspec.json.decode(values[name], type=kind) for name, kind in _LISTS.items() if name in values}
    return values | lists
