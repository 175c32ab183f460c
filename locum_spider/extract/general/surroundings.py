"""Whether an element belongs to a page's article, or stands beside it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from selectolax.lexbor import LexborNode

from locum_spider.extract.page.document import Document
from locum_spider.extract.phrases import pattern

_ASIDE = frozenset({"aside", "footer", "nav"})
_WHOLE = frozenset({"body", "html", "main", "article"})
_LONGEST_NAMES = 300
_NEAR, _PROSE = 4, 140


def is_aside(node: LexborNode) -> bool:
    """Whether an element is among comments or teasers, in a sidebar or in a footer."""
    outer = node.parent
    while outer is not None:
        tag, attributes = outer.tag or "", outer.attributes
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        if tag in _ASIDE or _is_named(tag, names, "marked_aside", "marked_beside", "marked_footer"):
            return True
        outer = outer.parent
    return False


@dataclass(frozen=True, slots=True)
class Asides:
    """The containers that stand beside a page's article, with all inside them.

    `beside` are sidebars, which may say when the article was published; `others` are comments and other articles, whose
    dates are never the article's.
    """

    beside: frozenset[int] = frozenset()
    others: frozenset[int] = frozenset()


def asides(document: Document, headline: int | None) -> Asides:
    """What stands beside the article: no container that holds the headline or half of the prose.

    A footer does not, for an entry may have its date there, nor an `<aside>` right behind the headline.
    """
    lines = document.lines
    home = lines[headline].box if headline is not None else 0
    near = {line.box for line in lines[headline : headline + _NEAR]} if headline is not None else set()
    prose = [0] * (len(document.box_marks) + 1)  # how many lines of prose stand before each container
    for line in lines:
        prose[line.box + 1] += line.url is None and len(line.text) > _PROSE
    prose = list(accumulate(prose))
    found: dict[str, set[int]] = {"beside": set(), "others": set()}
    for box, mark in enumerate(document.box_marks):
        tag, _, names = mark.partition(" ")
        last = document.last_inside(box)
        holds = box <= home <= last or 2 * (prose[last + 1] - prose[box]) > prose[-1] > 0
        right_behind = tag == "aside" and any(box <= other <= last for other in near)
        own = {
            "others": tag == "nav" or _is_named(tag, names, "marked_aside"),
            "beside": tag == "aside" or _is_named(tag, names, "marked_beside"),
        }
        for kind, boxes in found.items():
            if (own[kind] and not holds and not right_behind) or (box and document.parent(box) in boxes):
                boxes.add(box)
    return Asides(frozenset(found["beside"]), frozenset(found["others"]))


def _is_named(tag: str, names: str, *kinds: str) -> bool:
    named = tag not in _WHOLE and names.strip() and len(names) < _LONGEST_NAMES
    return bool(named) and pattern(*kinds, whole_words=False).search(names) is not None
