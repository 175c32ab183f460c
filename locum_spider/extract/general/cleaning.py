"""Removes from an article's text what does not belong to it: headline, byline, promotion, lists of other articles."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.extract.phrases import pattern
from locum_spider.text import words

_FIRST = 6
"""The number of first blocks that may be headline, date or byline."""
_SHORT, _PROMOTION = 70, 200

# Initials and agencies in brackets, and a year with a copyright sign, after the last paragraph.
_SIGNED = re.compile(
    r"\((?:[a-z]{2,4}(?:/[a-z]{2,4})*|(?:dpa|AFP|Reuters|AP|sda|APA|sid)\b.{0,40})\)$|[\W_]*[©(][cC]?\)? ?\d{4}"
)
_SIGNS = r"[\W_]*"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading or list item, and its line on the page (None if the page has no such line)."""

    text: str
    index: int | None


def clean(
    document: Document, blocks: Sequence[Block], titles: Sequence[str], is_byline: Callable[[str], bool]
) -> list[Block]:
    """The blocks of the article's text.

    `titles` are the forms of its headline; `is_byline` tells whether a line has its date or authors.
    """
    kept = _without_headline(blocks, titles, is_byline)
    captions = _captions(document, kept)
    kept = _without_lists(document, [block for number, block in enumerate(kept) if number not in captions])
    return _without_end(document, [block for block in kept if not _leads_away(block.text)], is_byline)


def _line(document: Document, block: Block) -> Line | None:
    return document.lines[block.index] if block.index is not None else None


def _without_headline(blocks: Sequence[Block], titles: Sequence[str], is_byline: Callable[[str], bool]) -> list[Block]:
    named = [words(title) for title in titles]
    named = [name for name in named if len(name) > 1]
    is_title = [_is_title(words(block.text), named) for block in blocks[:_FIRST]]
    start = max((number + 1 for number, title in enumerate(is_title) if title), default=0)
    above = [block.text for block, title in zip(blocks[:start], is_title, strict=False) if not title]
    if any(len(text) >= _SHORT or text[-1] in ".!?:…" for text in above):
        start = 0
    kept: list[Block] = []
    for number, block in enumerate(blocks[start:]):
        head = number < _FIRST and all(len(earlier.text) < _PROMOTION for earlier in kept)
        text = words(block.text)
        if text not in named and not (head and (_is_title(text, named) or is_byline(block.text))):
            kept.append(block)
    return kept


def _is_title(text: list[str], named: Sequence[list[str]]) -> bool:
    """Whether the words of a block are the headline, perhaps with a few more words before or after."""
    for name in named:
        if text == name or (len(name) > 3 and text[-len(name) :] == name and len(text) <= len(name) + 5):
            return True
        if len(name) > 3 and text[: len(name)] == name and len(text) <= len(name) + 3:
            return True
    return False


def _leads_away(text: str) -> bool:
    return (
        len(text) < _PROMOTION and pattern("leads_away", "others", "copyright", before=_SIGNS).match(text) is not None
    )


def _closes(text: str) -> bool:
    """Whether a block says who worked on the text, whom to contact or who the publisher is."""
    return _SIGNED.match(text) is not None or pattern("closes", before=_SIGNS).match(text) is not None


def _is_about(text: str) -> bool:
    """Whether a block is the heading, not a sentence, above a note about the author or publisher."""
    return len(text) < 60 and text[-1] not in ".?!" and pattern("about").match(text) is not None


def _captions(document: Document, blocks: Sequence[Block]) -> set[int]:
    """The numbers of the blocks that are captions: marked as one, beside a picture, and not half of the text."""
    captions = set()
    for number, block in enumerate(blocks):
        line = _line(document, block)
        if line is None or block.index is None or not line.caption or len(line.text) > 300:
            continue
        around = document.lines[max(block.index - 2, 0) : block.index + 3]
        if line.tag == "figcaption" or any(near.image is not None for near in around):
            captions.add(number)
    return captions if len(captions) * 3 <= len(blocks) else set()


def _linked(document: Document, blocks: Sequence[Block]) -> set[int]:
    """The numbers of the blocks that are links to other pages, with at most a word about their kind in front."""
    shown: dict[int, int] = {}
    for link in document.links:
        if document.is_elsewhere(link.url):
            shown[link.line] = shown.get(link.line, 0) + len(link.text)
    linked = set()
    for number, block in enumerate(blocks):
        line = _line(document, block)
        if line is None or block.index is None or "://" in block.text or len(words(block.text)) < 4:
            continue
        share = shown.get(block.index, 0) / max(len(block.text), 1)
        if line.url is not None or share >= (0.55 if line.item is not None else 0.8):
            linked.add(number)
    return linked


def _without_lists(document: Document, blocks: Sequence[Block]) -> list[Block]:
    """The blocks without those that are only links to other articles, and without the line that announces them."""
    gone = _linked(document, blocks)
    for number in range(len(blocks) - 1, -1, -1):
        announces = number + 1 in gone and number not in gone and len(blocks[number].text) < 130
        line = _line(document, blocks[number])
        if announces and (blocks[number].text.endswith(":") or (line is not None and line.heading)):
            gone.add(number)
    return [block for number, block in enumerate(blocks) if number not in gone]


def _without_end(document: Document, blocks: Sequence[Block], is_byline: Callable[[str], bool]) -> list[Block]:
    """The blocks without what follows the last paragraph."""
    last_third = range(max(len(blocks) * 2 // 3, 1), len(blocks))
    kept = list(blocks[: next((number for number in last_third if _is_about(blocks[number].text)), None)])
    while len(kept) > 1:
        last = kept[-1]
        line = _line(document, last)
        closes = len(last.text) < 400 and _closes(last.text)
        heading = line is not None and line.heading and last.text[-1] not in ".!"
        if not closes and not heading and not is_byline(last.text):
            break
        kept.pop()
    return kept
