"""Whether an element belongs to a page's article, or stands beside it."""

from __future__ import annotations

from selectolax.lexbor import LexborNode

from locum_spider.extract.phrases import pattern

_ASIDE = frozenset({"aside", "footer", "nav"})
_WHOLE = frozenset({"body", "html", "main", "article"})
_LONGEST_NAMES = 300


def is_aside(node: LexborNode) -> bool:
    """Whether an element is among comments or teasers, in a sidebar or in a footer."""
    names_aside = pattern("marked_aside", whole_words=False)
    outer = node.parent
    while outer is not None:
        if outer.tag in _ASIDE:
            return True
        attributes = outer.attributes
        names = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
        if outer.tag not in _WHOLE and len(names) < _LONGEST_NAMES and names_aside.search(names):
            return True
        outer = outer.parent
    return False
