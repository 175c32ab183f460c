"""The names of authors, from bylines and metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from locum_spider.extract.general.structured import article_things, flat, publisher_names, resolve, text_of, types
from locum_spider.extract.general.surroundings import is_aside
from locum_spider.extract.page.document import Document
from locum_spider.extract.phrases import pattern, plain_words
from locum_spider.text import fold, letters
from locum_spider.urls import host_of

_by = partial(pattern, "by", "made_by", "author", before=r"^\s*", after=r"(?:\s*:\s*|\s+)")
_job = partial(pattern, "beside_names")
_NO_NAME = re.compile(r"https?:|www\.|@|\d{3}|^[\W\d_]*$", re.IGNORECASE)
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)+")
_labelled = partial(pattern, "author", before="^", after=r"\s*:?\s+(?-i:(?=[A-ZÀ-Ž]))")
_DATED = re.compile(r"^([^\d|]{5,60}?)\s*[|•·–—/,-]*\s*(?=\d{1,2}[./ ]|\d{4}[-./年]|\w{3,9}\.? \d{1,2},? )")
_BEHIND = re.compile(r"\d|\s[–—-]\s|\s\|\s|•")
_HARD = re.compile(r"\s*[;|•·\n／]\s*|\s+/\s+|\s+[–—-]\s+")
_comma = partial(pattern, "and", before=r"\s*,\s*(?:", after=r"\s+)?")
_suffix = partial(pattern, "name_suffix", after=r"\.?")
_META_KEYS = (
    "author", "article:author", "article:author_name", "og:article:author", "og:author", "articleauthor",
    "authors", "byl", "parsely-author", "sailthru.author", "cxenseparse:author", "dc.creator",
    "dcterms.creator", "citation_author",
)  # fmt: skip
_NEAR = 26
_LONGEST_NAME, _LONGEST_LINE = 60, 120


def split_names(text: str) -> list[str]:
    """The names in a byline, without "By", job titles, agencies' places, addresses and handles.

    >>> split_names("By Jo Smith and Ann-Marie O’Neill, Political Editor"), split_names("Samya Kullab, AP")
    (['Jo Smith', 'Ann-Marie O’Neill'], ['Samya Kullab', 'AP'])
    >>> split_names("José Ortega y Gasset"), split_names("John Doe, Jr. / Journalist @jdoe")
    (['José Ortega y Gasset'], ['John Doe, Jr.'])
    """
    text = re.sub(r"\((?:[^()]*)\)|\S+@\S+\.\w+|https?://\S+|(?<!\w)@\w+", " ", fold(text))
    pieces: list[str] = []
    for part in _HARD.split(_by().sub("", text)):
        for piece in _comma().split(part):
            if _suffix().fullmatch(piece) and pieces:
                pieces[-1] += f", {piece}"  # a suffix of the name, with its full stop
                continue
            pieces += _split_and(piece)
    names = [clean for name in pieces if (clean := _clean(name))]
    return [name for number, name in enumerate(names) if not (number and _job().search(name))]


def _split_and(text: str) -> list[str]:
    """Two names joined by "and", if each side can be a whole name: "Ortega y Gasset" is one."""
    parts = pattern("and", "with", before=r"\s+", after=r"\s+").split(text)
    whole = all(len(part.split()) > 1 or part.isupper() for part in parts)
    return parts if len(parts) > 1 and whole else [text]


def _clean(name: str) -> str | None:
    name = _by().sub("", name.strip(' ,:–—-|/*"“”')).strip()
    name = name if _suffix().fullmatch(name.split(" ")[-1]) else name.rstrip(".")
    if not 1 < len(name) <= _LONGEST_NAME or len(name.split()) > 7:
        return None
    return None if _NO_NAME.search(name) or pattern("no_name").fullmatch(name) else name


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
        for thing in article_things(document):
            if names := [name for value in flat(thing.get(key)) for name in _names_of(document, value)]:
                yield from names
                return


def _names_of(document: Document, value: Any) -> list[str]:
    value = resolve(document, value)
    if isinstance(value, dict):
        if any(kind in {"WebPage", "WebSite"} for kind in types(value)):
            return []
        return [name for part in flat(value.get("name")) for name in split_names(text_of(part))]
    return split_names(text_of(value))


def _from_meta(document: Document, own: set[str]) -> Iterator[str]:
    for key in _META_KEYS:
        names = [name for value in document.meta.get(key, []) for name in split_names(value)]
        names = [name for name in names if not _SLUG.fullmatch(name)]
        if any(letters(name) not in own for name in names):
            yield from names
            return


def _from_microdata(document: Document) -> Iterator[str]:
    for node in document.tree.css("[itemprop~=author], a[rel~=author]")[:8]:
        if is_aside(node):
            continue
        inner = node.css_first("[itemprop~=name]")
        text = fold((inner or node).attributes.get("content") or (inner or node).text(separator=" "))
        if 2 < len(text) < 120:
            yield from split_names(text)


def _from_links(document: Document, headline: int | None) -> Iterator[str]:
    """The names on links near the headline that lead to an author's page."""
    if headline is None:
        return
    author_path = pattern("author_path", before="/", after="[/_-]")
    for link in document.links:
        if headline - 4 <= link.line <= headline + _NEAR and author_path.search(urlsplit(link.url).path):
            line = document.lines[link.line].text if link.line < len(document.lines) else ""
            if 3 < len(link.text) <= _LONGEST_NAME and len(line) < 200 and len(link.text.split()) > 1:
                yield from split_names(link.text)


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
        if names := _names_in_line(candidate, own):
            yield from names
            return
    labelled = [
        line.text
        for line in document.lines
        if line.image is None and len(line.text) < 80 and _labelled().match(line.text)
    ]
    dated = [match[1] for text in lines[:10] if len(text) <= _LONGEST_LINE and (match := _DATED.match(text))]
    for candidate in [_labelled().sub("", text) for text in labelled] + [text for text in dated if _all_capital(text)]:
        if names := _names_in_line(candidate, own):
            yield from names
            return


def _names_in_line(text: str, own: set[str]) -> list[str]:
    """The names in a printed byline, without places after a comma and the publisher's own departments."""
    names = split_names(pattern("behind_names").split(_BEHIND.split(text)[0])[0])
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
