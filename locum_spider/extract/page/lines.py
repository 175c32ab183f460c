"""The visible text of a page as lines, in reading order.

A page reads the same in tables and `<font>`, in divs, in HTML5 or in unclosed tags. One walk through the tree: block
elements and line breaks end a line, and what a browser does not show is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from sys import intern
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from locum_spider.items import Link
from locum_spider.text import fold

_BLOCK = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p pre section summary table "
    "tbody td tfoot th thead tr ul button label option".split()
)
_SKIP = frozenset(
    "script style template noscript head svg math iframe object select textarea input canvas video audio map "
    "datalist".split()
)
_SMALL = frozenset("sub sup".split())
_STRONG = frozenset("b strong h1 h2 h3 h4 h5 h6".split())
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BLOCK_STYLE = re.compile(r"display\s*:\s*(?:block|flex|grid|table|list-item)", re.IGNORECASE)
_CAPTION_CLASS = re.compile(r"caption|credit", re.IGNORECASE)
_BULLET = re.compile(r"[•·‣◦▪●■§]\s*|[*–—-]\s+|(\d{1,2})[.)]\s+(?=\S)")
_MARK_ALONE = re.compile(r"[•·‣◦▪●■§*]|(\d{1,2})[.)]")
_LONGEST_MARK = len("10.")
# "— Que voyez-vous ?": a dash before a whole sentence opens direct speech, and is no mark of a list.
_SPEECH = re.compile(r"[—―]|[–-].*[.?!…»”\"]$")


class Line(NamedTuple):
    """One line of visible text. Lines of one `block` are a paragraph with line breaks in it.

    `tag` is the nearest block element and `box` its number (a child's is always greater than its parent's). `url` is
    set if the whole line is one link; `links` counts all links in it. `image` is set if the line is a picture, and
    `text` is then the alternative text. `item` is the mark of a list item: `• `, `1. `, and empty on its further lines.
    """

    text: str
    tag: str
    block: int
    box: int
    url: str | None = None
    image: str | None = None
    strong: bool = False
    caption: bool = False
    item: str | None = None
    links: int = 0

    @property
    def heading(self) -> bool:
        return len(self.tag) == 2 and self.tag[0] == "h" and self.tag[1].isdigit()


@dataclass(slots=True)
class _Anchor:
    """An open `<a href>`, with the text so far, and what is known of the lines that ended inside it."""

    url: str | None
    rel: str
    line: int
    text: list[str]
    alt: str = ""
    lines: int = 0
    first: str | None = None
    heading: str | None = None

    def hold(self, count: int, first: str | None, heading: str | None) -> None:
        """Take note of further lines: how many, the first one and the first heading among them."""
        self.lines += count
        self.first = first if self.first is None else self.first
        self.heading = heading if self.heading is None else self.heading


class _Open(NamedTuple):
    """An open element, with the state to restore when it closes."""

    node: LexborNode
    kind: str  # "block", "anchor", "strong" or "other"
    box: int
    tag: str
    item: str | None
    is_caption: bool
    is_small: bool


def _bullet(text: str) -> re.Match[str] | None:
    """The bullet that a line begins with, if more follows."""
    bullet = None if text[0].isalpha() else _BULLET.match(text)
    return bullet if bullet is not None and bullet.end() < len(text) else None


def _are_words(before: str, after: str) -> bool:
    """Whether the texts of two elements side by side are words of their own, though no blank stands between them.

    >>> _are_words("Port", "Crane"), _are_words("12", "May"), _are_words("May", "2024")
    (True, True, True)
    >>> _are_words("C", "rane"), _are_words("CR", "ANE"), _are_words("5", "m")
    (False, False, False)
    """
    last, first = before[-1], after[0]
    if first.isupper():
        return last.islower() or last.isdigit() or last in ":!?"
    return first.isdigit() and len(before) > 2 and before[-3:].isalpha() and last.lower() != last.upper()


class LineReader:
    """Walks a tree once, without recursion: a deep page must not exhaust the stack."""

    def __init__(
        self, absolute: Callable[[str | None], str | None], without: Collection[int] = (), *, marks: bool = True
    ) -> None:
        """`without` holds the `mem_id` of elements to leave out; with `marks`, typed bullets become marks of items."""
        self.lines: list[Line] = []
        self.links: list[Link] = []
        self.boxes: list[int] = [0]
        self.ends: list[int] = [0]
        self.marks: list[str] = [""]  # tag, class and id of each box
        self._absolute, self._without, self._typed = absolute, without, marks
        self._stack: list[_Open] = []
        self._anchors: list[_Anchor] = []
        self._lists: list[list[int]] = []  # 1 if ordered, number of items so far
        self._box, self._tag, self._item = 0, "body", None  # type: int, str, str | None
        self._mark: str | None = None  # a bullet that was alone on the line before
        self._strong = self._captions = 0
        self._block = self._breaks = 0
        self._clear()

    def read(self, root: LexborNode) -> None:
        """Fill `lines`, `links`, `boxes` (the parent of each box) and `ends` (the last box inside it) from a tree.

        The root itself is read whatever it is; in it, what a browser does not show is left out.
        """
        node: LexborNode | None = root
        while node is not None:
            tag = node.tag
            if tag == "-text":
                if text := node.text_content:
                    self._text(text)
            elif tag is not None and tag[0] != "-" and self._enter(node, tag):
                if (child := node.child) is not None:
                    node = child
                    continue
                self._leave()
            following = node.next if self._stack else None
            while following is None and self._stack:
                outer = self._leave()
                following = outer.next if self._stack else None
            node = following
        self._end_block()
        self.ends[0] = len(self.boxes) - 1

    def _enter(self, node: LexborNode, tag: str) -> bool:
        """Open an element; False if there is nothing to read inside."""
        attributes = node.attributes
        style = attributes["style"] or "" if "style" in attributes else ""
        if self._stack and (
            tag in _SKIP or "hidden" in attributes or (style and _HIDDEN_STYLE.search(style))
            or (self._without and node.mem_id in self._without)
        ):  # fmt: skip
            return False
        kind, box, outer, item = "other", self._box, self._tag, self._item
        is_caption = False
        if tag in _BLOCK or (style and _BLOCK_STYLE.search(style)):
            kind = "block"
            is_caption = tag == "figcaption" or (
                "class" in attributes and _CAPTION_CLASS.search(attributes["class"] or "") is not None
            )
            self._enter_block(tag)
            if "class" in attributes or "id" in attributes:
                self.marks.append(f"{tag} {attributes.get('class') or ''} {attributes.get('id') or ''}")
            else:
                self.marks.append(intern(tag))
            self._captions += is_caption
        elif tag == "br":
            self._break()
            return False
        elif tag == "img":
            self._picture(attributes)
            return False
        elif tag == "a" and "href" in attributes:
            kind = "anchor"
            url = self._absolute(attributes["href"])
            self._anchors.append(_Anchor(url, attributes.get("rel") or "", len(self.lines), []))
        elif tag in _STRONG or (tag == "font" and (attributes.get("size") or "").strip() in set("4567")):
            kind = "strong"
            self._strong += 1
        self._beside = self._closed
        self._stack.append(_Open(node, kind, box, outer, item, is_caption, tag in _SMALL))
        return True

    def _enter_block(self, tag: str) -> None:
        self._end_block()
        self.boxes.append(self._box)
        self.ends.append(0)
        self._box, self._tag = len(self.boxes) - 1, tag
        if tag in {"ul", "ol"}:
            self._lists.append([int(tag == "ol"), 0])
        elif tag == "li":
            ordered, number = self._lists[-1] if self._lists else (0, 0)
            if self._lists:
                self._lists[-1][1] += 1
            self._item = f"{number + 1}. " if ordered else "• "

    def _leave(self) -> LexborNode:
        opened = self._stack.pop()
        self._closed = not opened.is_small
        if opened.kind == "block":
            self._end_block()
            self.ends[self._box] = len(self.boxes) - 1
            self._captions -= opened.is_caption
            if self._tag in {"ul", "ol"}:
                self._lists.pop()
            # Text after a list inside an item belongs to that item.
            self._item = opened.item if opened.tag != "li" or self._tag == "li" or not opened.item else ""
        elif opened.kind == "anchor":
            anchor = self._anchors.pop()
            if self._anchors:
                self._anchors[-1].hold(anchor.lines, anchor.first, anchor.heading)
            if anchor.url:
                self._add_link(anchor, fold("".join(anchor.text)))
        elif opened.kind == "strong":
            self._strong -= 1
        self._box, self._tag = opened.box, opened.tag
        return opened.node

    def _add_link(self, anchor: _Anchor, text: str) -> None:
        # A whole card may be one link: its heading, else its first line, is the text; the rest stays in the lines.
        if anchor.lines > 1 or (anchor.lines and self._size):
            text = anchor.heading or anchor.first or ""
        self.links.append(Link(url=anchor.url or "", text=text or anchor.alt, line=anchor.line, rel=anchor.rel))

    def _text(self, text: str) -> None:
        if text.isspace():
            if self._size:  # ignored at the beginning of a line
                self._parts.append(" ")
            if self._anchors:
                self._anchors[-1].text.append(" ")
            self._closed = self._beside = False
            return
        if self._beside and self._parts and _are_words(self._parts[-1], text):
            self._parts.append(" ")
        self._closed = self._beside = False
        self._parts.append(text)
        size = len(text)
        self._size += size
        self._breaks = 0
        if self._anchors:
            anchor = self._anchors[-1]
            anchor.text.append(text)
            self._linked += size
            if anchor.url:
                self._urls[anchor.url] = None
        if self._strong or self._tag in _STRONG:
            self._strong_size += size

    def _break(self) -> None:
        self._flush()
        if self._anchors:
            self._anchors[-1].text.append(" ")
        self._breaks += 1
        if self._breaks > 1:
            self._block += 1

    def _clear(self) -> None:
        self._parts: list[str] = []
        self._urls: dict[str, None] = {}  # in order
        self._closed = self._beside = False
        self._size = self._linked = self._strong_size = 0

    def _end_block(self) -> None:
        if self._size:
            self._flush()
        self._block += 1

    def _flush(self) -> None:
        """End the line, if there is one."""
        if not self._size:
            return
        text = fold("".join(self._parts))
        if self._typed and self._item is None and len(text) <= _LONGEST_MARK and (alone := _MARK_ALONE.fullmatch(text)):
            self._mark = f"{alone[1]}. " if alone[1] else "• "
        elif text:
            self._add_line(text)
        self._clear()

    def _add_line(self, text: str) -> None:
        strong = self._strong_size * 10 >= self._size * 9
        item = self._mark or self._item
        if self._mark:
            self._block += 1
            self._mark = None
        elif self._typed and item is None and (bullet := _bullet(text)):
            if bullet[1] or _SPEECH.match(text):
                item = ""  # a typed number stays in the text: it may be the day of a date, "1. Juni 2025"
            else:
                item, text = "• ", text[bullet.end() :]
            self._block += 1
        last = self.lines[-1] if self.lines else None
        if last is not None and last.block == self._block and (last.strong != strong or (last.item and item is None)):
            self._block += 1  # a bold line above a paragraph is a subheading; a line below a list is not part of it
        urls = self._urls
        url = next(iter(urls)) if len(urls) == 1 and self._linked >= self._size else None
        self.lines.append(
            Line(text, self._tag, self._block, self._box, url, None, strong, self._captions > 0, item, len(urls))
        )
        if self._anchors:
            self._anchors[-1].hold(1, text, text if self.lines[-1].heading else None)
        if item and self._item:
            self._item = ""

    def _picture(self, attributes: dict[str, str | None]) -> None:
        source = attributes.get("src") or ""
        if not source or source.startswith("data:"):  # a placeholder until a script runs
            source = attributes.get("data-src") or attributes.get("data-original") or ""
        alt = fold(attributes.get("alt") or "")
        if self._anchors:
            self._anchors[-1].alt = self._anchors[-1].alt or alt
        url = self._absolute(source)
        if url is None or attributes.get("width") in {"0", "1"} or attributes.get("height") in {"0", "1"}:
            return
        self._flush()
        self.lines.append(
            Line(
                text=alt, tag="img", block=self._block, box=self._box, image=url, caption=self._captions > 0,
                url=self._anchors[-1].url if self._anchors else None,
            )
        )  # fmt: skip
        self._block += 1
