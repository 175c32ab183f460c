"""The text of an article on a page of an unknown site: what trafilatura finds, in the page's own lines, cleaned."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence

from locum_spider.extract.general.cleaning import Block, clean
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.text import fold, letters

_PARAGRAPH, _SENTENCE = 120, 40
_AT_HOME = 2
"""Paragraphs a container must hold to be one of the text's."""
_GAP = 3
"""Lines of advertisements and tools that may part two sections."""
_LEVELS = 4


def find_blocks(document: Document) -> list[Block]:
    """The article's blocks as trafilatura finds them, each with its line on the page."""
    from trafilatura import bare_extraction  # a second to import

    # It logs every page without text as an error; None says as much.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    found = bare_extraction(document.html, url=document.url, include_comments=False, favor_precision=True)
    if found is None:
        found = bare_extraction(document.html, url=document.url, include_comments=False)
    text = getattr(found, "text", None) or ""
    places: dict[str, list[int]] = {}
    for index, line in enumerate(document.lines):
        if line.image is None:
            for printed in dict.fromkeys((line.text, (line.item or "") + line.text)):
                places.setdefault(letters(printed), []).append(index)
    blocks: list[Block] = []
    last = -1
    for part in text.split("\n"):
        plain = fold(re.sub(r"^- ", "", part))
        if not plain:
            continue
        known = places.get(letters(plain), [])
        place = next((i for i in known if i > last), known[0] if known else None)
        last = place if place is not None and place > last else last
        blocks.append(Block(document.lines[place].text if place is not None else plain, place))
    return blocks


def read_prose(document: Document, titles: Sequence[str], is_byline: Callable[[str], bool]) -> str:
    """The text of the article on a page, blocks separated by blank lines, list items led by their mark."""
    blocks = fill_gaps(document, find_blocks(document))
    return join(document, clean(document, blocks, titles, is_byline))


def fill_gaps(document: Document, blocks: Sequence[Block]) -> list[Block]:
    """The blocks with the paragraphs and headings that were missed between them, and the sections behind the last.

    A line belongs to the text where it stands in the same container as several of its paragraphs, or in one built
    alike beside it.
    """
    lines = document.lines
    taken = {block.index for block in blocks if block.index is not None}
    homes = Counter(document.parent(lines[i].box) for i in taken if len(lines[i].text) > _PARAGRAPH)
    homes = Counter({home: count for home, count in homes.items() if count >= _AT_HOME})
    if not homes:
        return list(blocks)
    inside = [i for i in taken if document.parent(lines[i].box) in homes]
    first, last = min(inside), max(inside)
    missed = [i for i in range(first, last) if i not in taken and _at_home(document, lines[i], homes)]
    missed += _following(document, last, homes.most_common(1)[0][0])
    found = list(blocks)
    for index in missed:
        place = next(
            (n for n, block in enumerate(found) if block.index is not None and index < block.index <= last),
            len(found),
        )
        found.insert(place, Block(lines[index].text, index))
    return found


def _at_home(document: Document, line: Line, homes: Counter[int]) -> bool:
    if line.image is not None or line.url is not None or line.caption or document.parent(line.box) not in homes:
        return False
    return (line.tag in {"p", "blockquote"} and len(line.text) > _SENTENCE) or (
        line.heading and len(line.text) < _PARAGRAPH
    )


def _following(document: Document, last: int, home: int) -> list[int]:
    """The paragraphs behind the last one known, as long as one follows the other in containers built like its own."""
    lines = document.lines
    found: list[int] = []
    gap = 0
    for index in range(last + 1, len(lines)):
        line = lines[index]
        if line.image is not None or line.caption:
            continue
        alike = line.tag == "p" and line.url is None and _alike(document, line.box, home)
        if alike and len(line.text) > _SENTENCE:
            found.append(index)
            gap = 0
        else:
            gap += 1
        if gap > _GAP or line.tag in {"li", "button", "label"}:
            break
    long = [index for index in found if len(lines[index].text) > _PARAGRAPH]
    return found if len(long) >= _AT_HOME else []


def _alike(document: Document, box: int, home: int) -> bool:
    """Whether a paragraph's container is `home`, or stands as deep as it does below one that holds both."""
    other = document.parent(box)
    for _ in range(_LEVELS):
        if other == home:
            return True
        other, home = document.parent(other), document.parent(home)
    return False


def join(document: Document, blocks: Sequence[Block]) -> str:
    """Blocks as plain text."""
    found = []
    for block in blocks:
        line = document.lines[block.index] if block.index is not None else None
        found.append(((line.item or "") if line is not None else "") + block.text)
    return "\n\n".join(found)
