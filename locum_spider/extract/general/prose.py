"""The text of an article on an undeclared site: what trafilatura finds, in the page's own lines, cleaned."""

from __future__ import annotations

import logging
import re
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Sequence

from locum_spider.extract.general.cleaning import Block, clean
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.text import fold, letters

_PARAGRAPH, _SENTENCE = 120, 40
_AT_HOME = 2
"""The fewest paragraphs in a container of the text."""
_GAP = 3
"""The most lines of advertisements and tools between two sections."""
_LEVELS = 4


def find_blocks(document: Document) -> list[Block]:
    """The article's blocks as trafilatura finds them, each with its line on the page."""
    from trafilatura import bare_extraction  # takes a second to import

    # It logs every page without text as an error; its result None says the same.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    extracted = bare_extraction(document.html, url=document.url, include_comments=False, favor_precision=True)
    if extracted is None:
        extracted = bare_extraction(document.html, url=document.url, include_comments=False)
    text = getattr(extracted, "text", None) or ""
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
        printed_at = places.get(letters(plain), [])
        later = bisect_right(printed_at, last)
        place = printed_at[later if later < len(printed_at) else 0] if printed_at else None
        last = place if place is not None and place > last else last
        blocks.append(Block(document.lines[place].text if place is not None else plain, place))
    return blocks


def read_prose(document: Document, titles: Sequence[str], is_byline: Callable[[str], bool]) -> str:
    """The text of the article on a page: a blank line between blocks, list items with their mark in front."""
    blocks = clean(document, fill_gaps(document, find_blocks(document)), titles, is_byline)
    marks = (document.lines[block.index].item if block.index is not None else None for block in blocks)
    return "\n\n".join((mark or "") + block.text for mark, block in zip(marks, blocks, strict=True))


def fill_gaps(document: Document, blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with the paragraphs and headings missed between them and the sections after the last.

    A line belongs to the text if it shares a container with several of its paragraphs, or if its own container beside
    that one is built the same.
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
    return _merged(blocks, [Block(lines[index].text, index) for index in missed], last)


def _merged(blocks: Sequence[Block], missed: Sequence[Block], last: int) -> list[Block]:
    """The blocks, with each missed one, in the order of the page, before the first that stands behind it."""
    filled: list[Block] = []
    waiting = deque(missed)
    for block in blocks:
        if block.index is not None and block.index <= last:
            while waiting and waiting[0].index is not None and waiting[0].index < block.index:
                filled.append(waiting.popleft())
        filled.append(block)
    return [*filled, *waiting]


def _at_home(document: Document, line: Line, homes: Counter[int]) -> bool:
    if line.image is not None or line.url is not None or line.caption or document.parent(line.box) not in homes:
        return False
    return (line.tag in {"p", "blockquote"} and len(line.text) > _SENTENCE) or (
        line.heading and len(line.text) < _PARAGRAPH
    )


def _following(document: Document, last: int, home: int) -> list[int]:
    """The paragraphs after the last known one, as long as they follow each other in containers built the same."""
    lines = document.lines
    following: list[int] = []
    gap = 0
    for index in range(last + 1, len(lines)):
        line = lines[index]
        if line.image is not None or line.caption:
            continue
        alike = line.tag == "p" and line.url is None and _alike(document, line.box, home)
        if alike and len(line.text) > _SENTENCE:
            following.append(index)
            gap = 0
        else:
            gap += 1
        if gap > _GAP or line.tag in {"li", "button", "label"}:
            break
    long = [index for index in following if len(lines[index].text) > _PARAGRAPH]
    return following if len(long) >= _AT_HOME else []


def _alike(document: Document, box: int, home: int) -> bool:
    """Whether a paragraph's container is `home`, or is as deep below a common ancestor."""
    other = document.parent(box)
    for _ in range(_LEVELS):
        if other == home:
            return True
        other, home = document.parent(other), document.parent(home)
    return False
