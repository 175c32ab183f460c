"""The lines of an article's body as plain text, with its pictures and documents set apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.extract.phrases import pattern
from locum_spider.items import Attachment, Image
from locum_spider.sites.site import Site

_DOCUMENT = re.compile(r"\.(pdf|docx?|xlsx?|pptx?|odt|ods|odp|rtf|csv|zip|epub)$", re.IGNORECASE)
_CONTROLS = frozenset({"button", "label", "legend", "option"})
_LONG_CAPTION = 240
_CELL = 100
_FEW_WORDS = 12


def read_body(
    document: Document, site: Site, start: int, stop: int
) -> tuple[str, tuple[Image, ...], tuple[Attachment, ...]]:
    """The lines `start` to `stop` (exclusive) of a page as text, pictures with captions, and documents."""
    lines = document.lines[start:stop]
    captions = _captions(document, lines, start)
    images = tuple(
        Image(url=line.image, alt=line.text or None, caption=captions.get(index))
        for index, line in enumerate(lines)
        if line.image is not None and not (line.url is not None and site.is_article(line.url))
    )
    lines = _join_rows(document, lines)
    captioned = {words for words in (*captions.values(), *(i.alt for i in images)) if words}
    kept = [line for line in lines if line.image is None and line.tag not in _CONTROLS and not line.caption]
    kept = [line for line in kept if line.text not in captioned]
    kept, attachments = _take_documents(kept, site)
    return join_blocks(kept), images, tuple(attachments)


def join_blocks(lines: Sequence[Line]) -> str:
    """Plain text: a blank line between blocks, line breaks within a block kept, list items with their mark in front."""
    parts: list[str] = []
    last: int | None = None
    for line in lines:
        if parts:
            parts.append("\n" if line.block == last and not line.item else "\n\n")
        parts.append((line.item or "") + line.text)
        last = line.block
    return "".join(parts)


def _join_rows(document: Document, lines: Sequence[Line]) -> list[Line]:
    """The lines, with each row of a data table joined to one, `a | b | c`; tables for layout stay as they are.

    A data table has two or more rows in which two or more cells each hold one short line.
    """
    rows: list[list[Line]] = []
    for line in lines:
        row = (
            document.parent(line.box)
            if line.tag in {"td", "th"} and line.image is None and len(line.text) <= _CELL
            else None
        )
        last = rows[-1][-1] if rows else None
        beside = last is not None and last.tag in {"td", "th"} and last.image is None and last.box != line.box
        if row is not None and last is not None and beside and document.parent(last.box) == row:
            rows[-1].append(line)
        else:
            rows.append([line])
    wide = [len(row) > 1 for row in rows]
    joined: list[Line] = []
    for index, cells in enumerate(rows):
        if wide[index] and (wide[index - 1 : index] == [True] or wide[index + 1 : index + 2] == [True]):
            joined.append(cells[0]._replace(text=" | ".join(cell.text for cell in cells), url=None))
        else:
            joined += cells
    return joined


def _captions(document: Document, lines: Sequence[Line], start: int) -> dict[int, str]:
    """The caption of each picture, by the picture's index: marked as one, or alone with the picture in a container.

    `start` is the index of the first of these lines on the page.
    """
    captions: dict[int, str] = {}
    for index, line in enumerate(lines):
        if line.image is None:
            continue
        for other in (index + 1, index - 1):
            if not 0 <= other < len(lines) or lines[other].image is not None or other in captions:
                continue
            text = lines[other].text
            if len(text) > _LONG_CAPTION or lines[other].url is not None:
                continue
            below = other == index + 1 and _reads_as_caption(lines[other])
            if (
                lines[other].caption
                or text == line.text
                or below
                or _alone_together(document, start + index, start + other)
            ):
                captions[index] = text
                break
    return captions


def _reads_as_caption(line: Line) -> bool:
    """Whether a line under a picture is a few words, but neither a sentence nor a heading."""
    few = len(line.text.split()) <= _FEW_WORDS and line.text[-1] not in ".!?:;”\"’'"
    return few and not line.strong and not line.heading and line.item is None


def _alone_together(document: Document, picture: int, words: int) -> bool:
    """Whether the smallest container around two neighbours holds no other line: neither before nor after them."""
    lines = document.lines
    box = lines[picture].box
    while not document.within(lines[words].box, box):
        box = document.parent(box)
    first, last = sorted((picture, words))
    outside = [*lines[max(first - 1, 0) : first], *lines[last + 1 : last + 2]]
    return not any(document.within(line.box, box) for line in outside)


def _take_documents(lines: list[Line], site: Site) -> tuple[list[Line], list[Attachment]]:
    """The lines without those that are only a link, to a document or at the end of the body; and these."""
    kept: list[Line] = []
    taken: list[Attachment] = []
    trailing = True
    for line in reversed(lines):
        is_file = line.url is not None and _DOCUMENT.search(urlsplit(line.url).path) is not None
        own_page = line.url is not None and (site.is_article(line.url) or line.url in site.start)
        if line.url is not None and (is_file or (trailing and not own_page and not line.item)):
            taken.append(Attachment(title=line.text, url=line.url))
        elif trailing and taken and len(line.text) < 40 and pattern("documents").match(line.text):
            continue
        else:
            trailing = False
            kept.append(line)
    return kept[::-1], taken[::-1]
