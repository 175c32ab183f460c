"""What a page says about itself in JSON-LD: the objects that describe its article, its publisher, its people."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from locum_spider.extract.page.document import Document
from locum_spider.text import fold, words

Thing = dict[str, Any]

_ARTICLE = re.compile(r"(article|posting|report|opinionpiece|review|column)$", re.IGNORECASE)
_PAGE = re.compile(r"(webpage|itempage)$", re.IGNORECASE)
_PUBLISHER = re.compile(r"(organi[sz]ation|website|corporation|newspaper)$", re.IGNORECASE)
_DATED_MEDIA = re.compile(r"(video|audio|image|media|event|person|product|comment|recipe|course|offer)", re.IGNORECASE)
_ALIKE = 0.6
_LONGEST_NAME = 6


def types(thing: Thing) -> list[str]:
    """The `@type`s of an object, each without its prefix up to the last slash or colon."""
    return [re.split(r"[/:#]", kind)[-1] for kind in flat(thing.get("@type")) if isinstance(kind, str)]


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


def _is_article(thing: Thing) -> bool:
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


def _same_headline(thing: Thing, title: list[str]) -> bool:
    own = set(words(text_of(thing.get("headline") or thing.get("name"))))
    return bool(own) and len(own & set(title)) >= _ALIKE * len(own)


def article_things(document: Document) -> list[Thing]:
    """The objects that describe this page's article: by address, then by headline, else the first one."""
    articles = []
    for thing in document.json_ld:
        inner = thing.get("mainEntity")
        articles += [part for part in (thing, inner) if isinstance(part, dict) and _is_article(part)]
    if len(articles) < 2:
        return articles
    own = {_path(url) for url in (document.url, document.canonical) if url} - {""}
    by_address = [thing for thing in articles if own & {_path(url) for url in _addresses(thing)}]
    title = words(document.title_tag)
    by_headline = [thing for thing in articles if thing not in by_address and _same_headline(thing, title)]
    return by_address + by_headline or articles[:1]


def page_things(document: Document) -> list[Thing]:
    """The objects that describe the page around the article."""
    return [thing for thing in document.json_ld if any(_PAGE.search(kind) for kind in types(thing))]


def is_other_medium(kind: str) -> bool:
    """Whether a type names something with its own dates and makers, such as a video or a comment."""
    return _DATED_MEDIA.search(kind) is not None


def resolve(document: Document, value: Any) -> Any:
    """The object that a bare `@id` refers to, if the page has it; else the value itself."""
    if isinstance(value, dict) and "name" not in value and isinstance(value.get("@id"), str):
        for thing in document.json_ld:
            if thing.get("@id") == value["@id"] and "name" in thing:
                return thing
    return value


def publisher_names(document: Document) -> set[str]:
    """The names that the page's metadata give to the site or its publisher."""
    names = set()
    for thing in document.json_ld:
        for maker in flat(thing.get("publisher")):
            names |= _names(resolve(document, maker))
        if any(_PUBLISHER.search(kind) for kind in types(thing)):
            names |= _names(thing)
    names |= set(document.metas("og:site_name", "application-name", "apple-mobile-web-app-title"))
    names |= set(document.metas("publisher", "dc.publisher", "copyright"))
    return {name for name in names if 1 <= len(name.split()) <= _LONGEST_NAME}


def _names(thing: Any) -> set[str]:
    if isinstance(thing, str):
        return {text_of(thing)} - {""}
    if not isinstance(thing, dict):
        return set()
    return {text_of(name) for key in ("name", "legalName", "alternateName") for name in flat(thing.get(key))} - {""}
