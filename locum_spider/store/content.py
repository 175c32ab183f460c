"""An article's fields as rows have them, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, get_type_hints

import msgspec

from locum_spider.errors import ArchiveError
from locum_spider.fields import FIELDS, has_digest
from locum_spider.items import Article

COLUMNS = tuple(each for each in FIELDS if each.column)
"""Fields that are a column of `articles`, which an archive of an older version may lack."""

EMPTY = {each.name: "[]" if each.is_list else None for each in COLUMNS}
"""What a column holds if the article says nothing there."""

_HINTS = get_type_hints(Article)
_LISTS = {each.name: _HINTS[each.name] for each in COLUMNS if each.is_list}
_NAMES = frozenset(each.name for each in FIELDS)
_IN_JSON = sorted(_NAMES - {"title", "standfirst", "text", "evidence"})  # which are columns of `revisions`

encode = json.JSONEncoder(ensure_ascii=False, default=asdict).encode
"""Made once: `json.dumps` makes an encoder for every call. Attachments and pictures become objects."""


def column_values(article: Article) -> tuple[object, ...]:
    """What an article puts into `COLUMNS`."""
    values = (getattr(article, each.name) for each in COLUMNS)
    return tuple(encode(value) if isinstance(value, tuple) else value for value in values)


def fields_of(article: Article) -> str:
    """`revisions.fields`: what is there of what the row has no column for, as a JSON object in the order of names."""
    return encode(_filled((name, getattr(article, name)) for name in _IN_JSON))


def without_empty(fields: str) -> str:
    """`revisions.fields` of an archive that kept what is not there too. A text that is not an object stays as it is."""
    values = decode_object(fields)
    return encode(_filled(sorted(values.items()))) if values else fields


def _filled(values: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in values if value not in (None, (), [])}


def read_revision(title: str, standfirst: str | None, body: str, fields: dict[str, Any]) -> Article:
    """The article that a revision holds, without evidence. Raises ArchiveError if it holds anything else."""
    values = {"title": title, "standfirst": standfirst, "text": body, **fields}
    with suppress(msgspec.ValidationError):
        if values.keys() <= _NAMES:
            return msgspec.convert(values, Article)
    raise ArchiveError(f"a revision of {title!r} is not what was stored; `locum verify` tells which")


def sound(title: str, standfirst: str | None, body: str, fields: str, digest: str) -> Article | None:
    """The article that a revision holds; None if it is not the one that the digest was stored for."""
    with suppress(ArchiveError):
        article = read_revision(title, standfirst, body, decode_object(fields))
        return article if has_digest(article, digest) else None
    return None


def decode_object(text: str) -> dict[str, Any]:
    """A JSON object; empty if the text is not one."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, TypeError):
        return {}
    return value if isinstance(value, dict) else {}


def decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `articles` or `full_articles` with lists as an `Article` has them."""
    values = dict(row)
    lists = {name: msgspec.json.decode(values[name], type=kind) for name, kind in _LISTS.items() if name in values}
    return values | lists
