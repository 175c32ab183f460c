"""The names of authors, from bylines and metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from locum_spider.extract.general.structured import publisher_names
from locum_spider.extract.general.surroundings import is_aside
from locum_spider.extract.names import LONGEST_NAME, split_names
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.element import shown_text
from locum_spider.extract.page.json_ld import flat, person_name, text_of, types
from locum_spider.extract.phrases import pattern, plain_words
from locum_spider.text import fold, letters
from locum_spider.urls import host_of

_by = partial(pattern, "by", "made_by", "author", before=r"^\s*", after=r"(?:\s*:\s*|\s+)")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)+")
_labelled = partial(pattern, "author", before="^", after=r"\s*:?\s+(?-i:(?=[A-ZÀ-Ž]))")
_DATED = re.compile(r"^([^\d|]{5,60}?)\s*[|•·–—/,-]*\s*(?=\d{1,2}[./ ]|\d{4}[-./年]|\w{3,9}\.? \d{1,2},? )")
_BEHIND = re.compile(r"\d|\s[–—-]\s|\s\|\s|•")
_META_KEYS = (
    "author", "article:author", "article:author_name", "og:article:author", "og:author", "articleauthor",
    "authors", "byl", "parsely-author", "sailthru.author", "cxenseparse:author", "dc.creator",
    "dcterms.creator", "citation_author",
)  # fmt: skip
_LAST_NAME_FIRST = ("dc.", "dcterms.", "citation_")
_NEAR = 26
_LONGEST_LINE = 120


def site_keys(document: Document) -> set[str]:
    """The keys of the site's own names (no signs, no case), to tell them from people's names."""
    labels = host_of(document.url).split(".")
    names = publisher_names(document)
    names |= {re.sub(r"\(.*\)", "", name) for name in names}
    names |= {labels[0], *labels[-2:-1], "".join(labels[-2:]), "".join(labels)}
    return {letters(name) for name in names} - {""}


def read_authors(document: Document, headline: int | None) -> tuple[tuple[str, ...], str | None]:
    """The authors, and the source that names them.

    The publisher counts as the author only if the page's structured data say so and no other author is found.
    """
    own = site_keys(document)
    ways: tuple[tuple[str, Iterator[str]], ...] = (
        ("json-ld", _from_json_ld(document)),
        ("meta", _from_meta(document, own)),
        ("microdata", _from_microdata(document)),
        ("link", _from_links(document, headline)),
        ("visible", _from_lines(document, headline, own)),
    )
    corporate: tuple[tuple[str, ...], str | None] = (), None
    for way, names in ways:
        named: dict[str, str] = {}
        for name in names:
            named.setdefault(letters(name), name)
        people = [name for key, name in named.items() if key not in own and not _SLUG.fullmatch(name)]
        if people:
            return tuple(people), way
        if named and way == "json-ld":
            corporate = tuple(named.values()), way
    return corporate


def _from_json_ld(document: Document) -> Iterator[str]:
    for key in ("author", "creator"):
        for thing in document.articles:
            if names := [name for value in flat(thing.get(key)) for name in _names_of(document, value)]:
                yield from names
                return


def _names_of(document: Document, value: Any) -> list[str]:
    value = document.resolve(value)
    if not isinstance(value, dict):
        return split_names(text_of(value), document.lang)
    kinds = types(value)
    if any(kind in {"WebPage", "WebSite"} for kind in kinds):
        return []
    if any(kind.endswith("Organization") for kind in kinds):  # "Health and Social Care" is one
        return [name for name in (person_name(value),) if name]
    names = [part for part in flat(value.get("name")) if isinstance(part, str)] or [person_name(value)]
    return [name for part in names for name in split_names(text_of(part), document.lang)]


def _from_meta(document: Document, own: set[str]) -> Iterator[str]:
    for key in _META_KEYS:
        inverted = key.startswith(_LAST_NAME_FIRST)
        values = document.meta.get(key, [])
        names = [name for value in values for name in split_names(value, document.lang, inverted=inverted)]
        names = [name for name in names if not _SLUG.fullmatch(name)]
        if any(letters(name) not in own for name in names):
            yield from names
            return


def _from_microdata(document: Document) -> Iterator[str]:
    for node in document.tree.css("[itemprop~=author], a[rel~=author]")[:8]:
        if is_aside(node):
            continue
        inner = node.css_first("[itemprop~=name]")
        text = fold((inner or node).attributes.get("content") or "") or shown_text(inner or node)
        if 2 < len(text) < 120:
            yield from split_names(text, document.lang)


def _from_links(document: Document, headline: int | None) -> Iterator[str]:
    """The names on links near the headline that lead to an author's page."""
    if headline is None:
        return
    author_path = pattern("author_path", before="/", after="[/_-]")
    for link in document.links:
        if headline - 4 <= link.line <= headline + _NEAR and author_path.search(urlsplit(link.url).path):
            line = document.lines[link.line].text if link.line < len(document.lines) else ""
            if 3 < len(link.text) <= LONGEST_NAME and len(line) < 200 and len(link.text.split()) > 1:
                yield from split_names(link.text, document.lang)


def _from_lines(document: Document, headline: int | None, own: set[str]) -> Iterator[str]:
    """The names in a byline near the headline: "By Jo Smith", a name below a line "By", a name before the date."""
    near = document.lines[headline + 1 : headline + _NEAR] if headline is not None else []
    lines = [line.text for line in near if line.image is None]
    for number, text in enumerate(lines):
        if len(text) > _LONGEST_LINE:
            continue
        if pattern("by", "made_by", "author", after=r"\s*:?").fullmatch(text) and number + 1 < len(lines):
            candidate = lines[number + 1]
        elif match := _by().match(text):
            candidate = text[match.end() :]
        else:
            continue
        if names := _names_in_line(candidate, own, document.lang):
            yield from names
            return
    labelled = [
        line.text
        for line in document.lines
        if line.image is None and len(line.text) < 80 and _labelled().match(line.text)
    ]
    dated = [match[1] for text in lines[:10] if len(text) <= _LONGEST_LINE and (match := _DATED.match(text))]
    for candidate in [_labelled().sub("", text) for text in labelled] + [text for text in dated if _all_capital(text)]:
        if names := _names_in_line(candidate, own, document.lang):
            yield from names
            return


def _names_in_line(text: str, own: set[str], lang: str | None) -> list[str]:
    """The names in a printed byline, without places after a comma and the publisher's own departments."""
    names = split_names(pattern("behind_names").split(_BEHIND.split(text)[0])[0], lang, by=False)
    if not all(_like_a_name(name) for name in names):
        return []
    return [
        name for number, name in enumerate(names)
        if not (number and " " not in name and not name.isupper())
        and not any(letters(name).startswith(key) for key in own if len(key) > 2)
    ]  # fmt: skip


def _all_capital(text: str) -> bool:
    parts = [word for word in text.split() if word not in plain_words("particle")]
    return 2 <= len(parts) <= 4 and all(word[0].isupper() for word in parts)


def _like_a_name(name: str) -> bool:
    words = name.split()
    named = [word for word in words if word[0].isupper() or not word[0].isascii()]
    return 1 <= len(words) <= 5 and len(named) * 2 >= len(words) and words[0] in named
