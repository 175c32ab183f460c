"""What of a page is more than is read: the tree of a page must not cost more than its text.

Parsing time grows with the square of the attributes of a tag, of the options of a list and of the depth; elements such
as `<b>` that are never closed are opened again in every paragraph. No page for people comes near these bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from locum_spider.errors import PageError

MAX_DEPTH = 3_000
"""The most elements that may be open at a time."""
MAX_ATTRIBUTES = 1_000
"""The most attributes of a tag, and of all `<html>` and `<body>` tags together, and the most `<option>`s of a page."""
MAX_REOPENED = 200_000
"""The most elements that a page may have besides those in its text."""

_SMALL = 4 * 1024
"""A page of that size costs little whatever is in it."""
_FEW_TAGS = 4 * MAX_DEPTH
_LONG_TAG = 2 * MAX_ATTRIBUTES
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_ATTRIBUTES = r"(?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+')?+)*+"
_ATTRIBUTE = re.compile(r"[^\s/>=]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"']*+))?+")
_ROOTS = frozenset("html body".split())
_FORMATTING = frozenset("b big code em font i s small strike strong tt u".split())
_CELLS = frozenset("table td th tr tbody thead tfoot caption".split())
_LOOK_BACK = 50
_ALIKE = 3
"""The most elements with the same name and attributes that are opened again, as the standard has it."""


def _any_case(names: Iterable[str]) -> str:
    """A pattern of names in any case: several times faster than the flag."""
    return "|".join("".join(f"[{sign}{sign.upper()}]" for sign in name) for name in sorted(names))


_OF_NOTE = re.compile(rf"<(?:(?:{_any_case(_FORMATTING | _ROOTS)})[\s/]|(?:{_any_case(['option'])})[\s/>])")
_LONG_RUN = re.compile(rf"<[^<]{{{_LONG_TAG}}}")
# A comment, an element that holds only text, or a tag with its attributes; each is found at any place in one go.
_TOKEN = re.compile(
    rf"<!--(?:[^-]++|-(?!->))*+|<(script|style|textarea|title|xmp|iframe|noframes)(?=[\s/>]){_ATTRIBUTES}"
    rf">?(?:[^<]++|<(?!/\1))*+|<(/?)([a-zA-Z][^\s/>]*+)({_ATTRIBUTES})",
    re.IGNORECASE,
)
_NEVER_DEEP = frozenset(
    "a area base br col embed hr img input link meta param source track wbr p li dt dd option tr td th tbody thead "
    "tfoot colgroup optgroup rp rt".split()
)


def within_bounds(html: str) -> str:
    """The page without attributes and options beyond the bounds.

    Raises PageError if elements nest too deep, or if too many that are never closed would be opened again.
    """
    if len(html) <= _SMALL:
        return html
    tags = html.count("<")
    _check_depth(html, tags)
    of_note = tags - html.count("</")  # at most
    if of_note > MAX_ATTRIBUTES or (of_note + _ALIKE * len(_FORMATTING)) * tags > MAX_REOPENED:
        of_note = len(_OF_NOTE.findall(html))
    if (of_note + _ALIKE * len(_FORMATTING)) * tags > MAX_REOPENED:
        _check_formatting(html)
    if of_note > MAX_ATTRIBUTES or _has_long_tag(html):
        return _without_excess(html)
    return html


def _check_depth(html: str, tags: int) -> None:
    if tags < _FEW_TAGS:
        return
    depth = deepest = 0
    for close, tag in _TAG.findall(html):
        if tag.lower() in _NEVER_DEEP:
            continue
        depth = max(depth - 1, 0) if close else depth + 1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise PageError(
            f"the page nests {deepest:,} elements deep (at most {MAX_DEPTH:,} are read); it is kept as a capture"
        )


def _check_formatting(html: str) -> None:
    """Raise PageError if `<b>` and the like, never closed, may be opened again in too many elements."""
    reopened = 0
    active: list[tuple[str, str]] = []  # name and attributes of what any other tag may open again
    cells: list[int | None] = []  # for each open table, how many were active before its open cell
    for token in _TOKEN.finditer(html):
        _, close, tag, attributes = token.groups()
        name = (tag or "").lower()
        reopened += len(active)
        if reopened > MAX_REOPENED:
            raise PageError(
                "the page opens so many elements that it never closes that its tree would not end; it is kept as a "
                "capture"
            )
        if name in _FORMATTING:
            item = (name, attributes)
            if close:
                _remove_last(active, name)
            elif active[-_LOOK_BACK:].count(item) < _ALIKE:
                active.append(item)
        elif name == "table" and not close:
            cells.append(None)
        elif cells and name in _CELLS:
            if (before := cells[-1]) is not None:
                del active[before:]
            cells[-1] = None if close or name not in {"td", "th"} else len(active)
            if name == "table":
                cells.pop()


def _remove_last(active: list[tuple[str, str]], name: str) -> None:
    for index in range(len(active) - 1, -1, -1):
        if active[index][0] == name:
            del active[index]
            return


def _has_long_tag(html: str) -> bool:
    """Whether a tag may have attributes beyond the bound."""
    return any(_may_be_long(html, run.start() + 1) for run in _LONG_RUN.finditer(html))


def _may_be_long(html: str, start: int) -> bool:
    """Whether what follows a `<` may be a tag with many attributes: its end is far, or may stand in quotes."""
    end = html.find(">", start, start + _LONG_TAG)
    is_tag = html[start].isalpha() or html[start] in "/!?"
    if is_tag and end >= 0 and html.count('"', start, end) % 2 == 0 and html.count("'", start, end) % 2 == 0:
        return False
    stop = html.find("<", start)
    piece = html[start : stop if stop >= 0 else len(html)]
    quotes = piece.count('"') + piece.count("'")
    return len(piece.split()) + piece.count("/") + quotes // 2 > MAX_ATTRIBUTES  # what may part two attributes


def _without_excess(html: str) -> str:
    """The page without the attributes and options beyond the bounds."""
    parts: list[str] = []
    start = options = roots = 0
    for token in _TOKEN.finditer(html):
        _, _, tag, attributes = token.groups()
        name = (tag or "").lower()
        allowed = MAX_ATTRIBUTES
        if name in _ROOTS:
            allowed = max(MAX_ATTRIBUTES - roots, 0)
            roots += attributes.count("=") + attributes.count(" ") + 1
        elif name == "option":
            options += 1
            if options > MAX_ATTRIBUTES:
                parts.append(html[start : token.start()] + "<wbr")
                start = token.end()
                continue
        elif not name or len(attributes) <= _LONG_TAG:
            continue
        end = _end_of(attributes, allowed)
        parts.append(html[start : token.start(4) + end])
        start = token.end()
    return "".join([*parts, html[start:]])


def _end_of(attributes: str, count: int) -> int:
    """Where the first `count` attributes end."""
    end = 0
    for number, attribute in enumerate(_ATTRIBUTE.finditer(attributes), 1):
        if number > count:
            return end
        end = attribute.end()
    return len(attributes)
