"""What a page says about itself in JSON-LD: its objects, in any wrapping, and those that describe its article."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from locum_spider.text import fold, words

Thing = dict[str, Any]

_ARTICLE = re.compile(r"(article|posting|report|opinionpiece|review|column)$", re.IGNORECASE)
_DATED_MEDIA = re.compile(r"(video|audio|image|media|event|person|product|comment|recipe|course|offer)", re.IGNORECASE)
_ALIKE = 0.6
_MANY = 20
"""The most objects that are taken for the article of one page."""
# What templates put around JSON-LD, and into it: marks of comments and of CDATA, comments, a comma too much. Strings
# are taken first, as they are; a part that is never closed ends with the block.
_STRING = r'"(?:[^"\\\\]++|\\\\.)*+"?+'
_WRAPPING = re.compile(r"(?://\s*|/\*\s*)?(?:<!\[CDATA\[|\]\]>|<!--|-->)(?:\s*\*/)?")
_COMMENT = re.compile(rf"({_STRING})|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?|//[^\n]*+", re.DOTALL)
_COMMA = re.compile(rf"({_STRING})|,(?=\s*+[,\]}}])", re.DOTALL)
_JSON = json.JSONDecoder(strict=False)


def read_json_ld(text: str) -> list[Any]:
    """The values in a JSON-LD block, also if it is wrapped or not clean JSON; none if it cannot be read.

    >>> read_json_ld('/* <![CDATA[ */ {"@type": "Article", "url": "http://x.example//a",} // the end\\n/* ]]> */')
    [{'@type': 'Article', 'url': 'http://x.example//a'}]
    >>> read_json_ld('{"a": 1};{"b": [2,]}'), read_json_ld("{&quot;a&quot;: 1}"), read_json_ld("{'a'}")
    ([{'a': 1}, {'b': [2]}], [{'a': 1}], [])
    """
    try:
        return [json.loads(text, strict=False)]
    except (ValueError, RecursionError):
        pass
    if '"' not in text:
        text = html.unescape(text)
    text = _WRAPPING.sub(" ", text.replace("\ufeff", " "))
    text = _COMMA.sub(_kept, _COMMENT.sub(_kept, text))
    values = []
    start = _next(text, 0)
    while start is not None:
        try:
            value, end = _JSON.raw_decode(text, start)
        except (ValueError, RecursionError):
            break
        values.append(value)
        start = _next(text, end)
    return values


def _kept(match: re.Match[str]) -> str:
    return match[1] or " "


def _next(text: str, start: int) -> int | None:
    """Where the next object or list begins."""
    match = _OPENING.search(text, start)
    return match.start() if match else None


_OPENING = re.compile(r"[{\[]")


def objects_of(values: Iterable[Any]) -> list[Thing]:
    """Every object in these values, with those of a `@graph`, in the order of the text."""
    objects: list[Thing] = []
    todo = list(values)[::-1]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo.extend(reversed(value))
        elif isinstance(value, dict):
            objects.append(value)
            graph = value.get("@graph")
            if isinstance(graph, list):
                todo.extend(reversed(graph))
    return objects


def types(thing: Thing) -> list[str]:
    """The `@type`s of an object, each without its prefix up to the last slash or colon."""
    return [
        re.split(r"[/:#]", kind)[-1] for kind in flat(thing.get("@type") or thing.get("type")) if isinstance(kind, str)
    ]


def text_of(value: Any) -> str:
    """A string as it would be shown: entities that were escaped twice are decoded, tags are removed.

    >>> text_of("Tom &amp; <b>Jo</b>&#8217;s ")
    'Tom & Jo’s'
    """
    if not isinstance(value, str):
        return ""
    text = html.unescape(value) if "&" in value else value
    return fold(re.sub(r"</?[a-zA-Z][^<>]*>", "", text))


def flat(value: Any) -> list[Any]:
    """The values of a property as a flat list; empty for None."""
    if isinstance(value, list):
        return [item for part in value for item in flat(part)]
    return [] if value is None else [value]


def is_article(thing: Thing) -> bool:
    kinds = types(thing)
    if kinds:
        return any(_ARTICLE.search(kind) for kind in kinds)
    return bool(thing.get("headline") or (thing.get("datePublished") and thing.get("author")))


def _addresses(thing: Thing) -> Iterator[str]:
    for key in ("url", "@id", "mainEntityOfPage", "identifier"):
        value = thing.get(key)
        if isinstance(value, dict):
            value = value.get("@id") or value.get("url")
        if isinstance(value, str) and "/" in value:
            yield value


def _path(url: str) -> str:
    try:
        return unquote(urlsplit(url).path).rstrip("/").casefold()
    except ValueError:
        return ""


def _same_headline(thing: Thing, title: set[str]) -> bool:
    own = set(words(text_of(thing.get("headline") or thing.get("name"))))
    return bool(own) and len(own & title) >= _ALIKE * len(own)


def own_articles(things: Sequence[Thing], addresses: Iterable[str], title: str) -> list[Thing]:
    """The objects that describe the article of a page: by its addresses, then by its title, else the first article."""
    articles = []
    for thing in things:
        inner = thing.get("mainEntity")
        articles += [part for part in (thing, inner) if isinstance(part, dict) and is_article(part)]
    if len(articles) < 2:
        return articles
    own = {_path(url) for url in addresses} - {""}
    named = set(words(title))
    by_address, by_headline = [], []
    for thing in articles:
        if own & {_path(url) for url in _addresses(thing)}:
            by_address.append(thing)
        elif _same_headline(thing, named):
            by_headline.append(thing)
    return (by_address + by_headline)[:_MANY] or articles[:1]


def is_other_medium(kind: str) -> bool:
    """Whether a type names something with its own dates and makers, such as a video or a comment."""
    return _DATED_MEDIA.search(kind) is not None


def person_name(person: Thing) -> str:
    """The name of a person or an organisation, also if it is in an object of its own, or in two parts.

    >>> person_name({"name": {"@type": "Person", "name": "Jo Smith"}}), person_name({"givenName": "Jo"})
    ('Jo Smith', 'Jo')
    """
    name = person.get("name")
    while isinstance(name, (dict, list)) and name:
        name = name.get("name") or name.get("@value") if isinstance(name, dict) else name[0]
    parts = (text_of(person.get(key)) for key in ("givenName", "additionalName", "familyName"))
    return text_of(name) or " ".join(filter(None, parts))


def names_in(value: Any) -> Iterator[str]:
    """The texts in a value, and the names of the objects in it."""
    for part in flat(value):
        if isinstance(part, dict):
            yield from names_in(part.get("name"))
        elif isinstance(part, str):
            yield text_of(part)


def breadcrumb(things: Iterable[Thing]) -> list[str]:
    """The names in the breadcrumb, without the last, which is the page."""
    for thing in things:
        if "BreadcrumbList" not in types(thing) or not isinstance(thing.get("itemListElement"), list):
            continue
        names = [
            text_of(element.get("name")) or next(names_in(element.get("item")), "")
            for element in thing["itemListElement"]
            if isinstance(element, dict)
        ]
        return [name for name in names[:-1] if name]
    return []
