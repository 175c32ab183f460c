"""What the rules by markup find: CSS selectors and paths in the page's JSON-LD."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from selectolax.lexbor import LexborNode

from locum_spider.extract.declared.body import join_blocks
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.element import shown_text
from locum_spider.extract.page.json_ld import Thing, flat, is_article, is_other_medium, person_name, text_of, types
from locum_spider.extract.page.lines import LineReader
from locum_spider.fields import Field
from locum_spider.sites.site import Rule
from locum_spider.text import fold


def by_css(document: Document, rule: Rule, field: Field) -> str | None:
    """The text of what a selector finds: of the first element, for a list one line for each, for prose all of them."""
    nodes = document.tree.css(rule.css or "")
    if rule.attr:
        texts: Iterator[str] = (fold(node.attributes.get(rule.attr) or "") for node in nodes)
    else:
        outer = list(_outermost(nodes, rule.css or ""))
        without = {inner.mem_id for node in outer for inner in node.css(rule.drop)} if rule.drop else set()
        outer = [node for node in outer if node.mem_id not in without]
        if field.kind == "prose":
            texts = (_prose(document, node, without) for node in outer)
        else:
            texts = (shown_text(node, "\n" if field.is_list else " ", without) for node in outer)
    found = filter(None, texts)
    if field.kind == "prose":
        return "\n\n".join(found) or None
    return "\n".join(found) or None if field.is_list else next(found, None)


def _outermost(nodes: Sequence[LexborNode], selector: str) -> Iterator[LexborNode]:
    """The elements that stand in no other of them: text inside two is read once."""
    inside: set[int] = set()
    for node in nodes:
        if node.mem_id not in inside:
            yield node
            inside.update(inner.mem_id for inner in node.css(selector))


def _prose(document: Document, node: LexborNode, without: set[int]) -> str:
    reader = LineReader(document.absolute, without)
    reader.read(node)
    return join_blocks([line for line in reader.lines if line.image is None and not line.caption])


def by_json_ld(document: Document, path: str) -> str | None:
    """The first value at a dotted path (`author.name`) in the JSON-LD; a list gives one line for each entry."""
    for thing in _in_order(document):
        values: list[Any] = [thing]
        for key in path.split("."):
            values = [part for value in values for part in flat(_get(document.resolve(value), key))]
        texts = [_text(document.resolve(value)) for value in values]
        if found := "\n".join(filter(None, texts)):
            return found
    return None


def _in_order(document: Document) -> Iterator[Thing]:
    """The objects of the page's own article, then all others. Those of other articles, videos and comments are no
    substitute for what the page's own article does not say.
    """
    own = document.articles
    yield from own
    for thing in document.json_ld:
        other = is_article(thing) or any(is_other_medium(kind) for kind in types(thing))
        if not (own and other) and not any(thing is mine for mine in own):
            yield thing


def _get(value: Any, key: str) -> Any:
    if not isinstance(value, dict):
        return None
    if key in {"@type", "type"}:
        return value.get("@type") or value.get("type")
    return value.get(key) or (person_name(value) if key == "name" else None)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return person_name(value)
    return text_of(value) if isinstance(value, str) else fold(str(value)) if isinstance(value, (int, float)) else ""
