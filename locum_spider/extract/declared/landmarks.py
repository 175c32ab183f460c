"""Finds parts of a page by the visible text around them: labels, regions, the page's own headline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice

from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.extract.phrases import pattern
from locum_spider.sites.site import Site
from locum_spider.text import words

NEAR = 10
"""Lines that may stand between a headline and its date."""

_TRAILING = " \t:….»>›→▸|-–—"
_LONG_TITLE = 300
_LIKELY = 0.55
_LONG_NAME = 80
_SECTION = re.compile(
    r"[/?&](?:cat|cats|category|categories|cattitle|section|sections|topic|topics|tag|tags|channel|channels|"
    r"rubrik|ressort|thema|rubrique|seccion|sezione)(?![a-z])",
    re.IGNORECASE,
)
_MANY_NAMES = 50


@dataclass(frozen=True, slots=True)
class Span:
    """Lines `start` to `stop` (exclusive) of a page, and the text read from them."""

    start: int
    stop: int
    text: str


@lru_cache(maxsize=256)
def _marks(landmarks: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Landmarks as whole lines, and as openings: those that end in a colon or have five or more words."""
    bare = [mark.casefold().strip(_TRAILING) for mark in landmarks]
    openings = [
        mark.casefold().strip() if mark.endswith(":") else short
        for mark, short in zip(landmarks, bare, strict=True)
        if mark.endswith(":") or short.count(" ") >= 4
    ]
    return frozenset(bare), tuple(openings)


def after_label(line: str, label: str) -> str | None:
    """The text after a label at the start of a line; None if the line does not start with the label.

    >>> after_label("PUBLISHED ON: 10th April 2018", "Published on")
    '10th April 2018'
    >>> after_label("Published once", "Published on") is None
    True
    """
    if not line.casefold().startswith(label.casefold()):
        return None
    rest = line[len(label) :]
    if rest and rest[0].isalnum() and label[-1].isalnum():
        return None
    return rest.lstrip(" :–—-|").strip()


def find_label(lines: Sequence[Line], label: str, start: int, stop: int | None = None) -> Span | None:
    """The first line from `start` on that begins with a label; its text is the rest of the line, or the next line."""
    stop = len(lines) if stop is None else min(stop, len(lines))
    for index in range(max(start, 0), stop):
        rest = after_label(lines[index].text, label)
        if rest:
            return Span(index, index + 1, rest)
        if rest == "" and index + 1 < len(lines) and lines[index + 1].image is None:
            return Span(index, index + 2, lines[index + 1].text)
    return None


def find_inner_label(lines: Sequence[Line], label: str, start: int, stop: int | None = None) -> tuple[Span, str] | None:
    """A label inside one of the next lines, and the words in front of it: some pages do not break the line there."""
    # A lower-case letter right before a capital: two elements meet there without a blank.
    pattern = re.compile(rf"(?:(?<!\w)(?i:{re.escape(label)})|(?<=[^\W\d_]){re.escape(label)})(?!\w)[\s:]*")
    for index in range(max(start, 0), min(start + NEAR, len(lines) if stop is None else stop)):
        text = lines[index].text
        if match := pattern.search(text):
            return Span(index, index + 1, text[match.end() :]), text[: match.start()].strip(" |–-")
    return None


def find_end(lines: Sequence[Line], landmarks: Sequence[str], start: int) -> int:
    """The index of the first line from `start` on that is one of the landmarks, else the end of the page.

    A line is a landmark if it has the same words, or begins with them if the landmark is an opening.
    """
    whole, openings = _marks(tuple(landmarks))
    for index in range(start, len(lines)):
        text = lines[index].text.casefold().strip(_TRAILING)  # a picture's alternative text counts too
        if text in whole or text.startswith(openings):
            return index
    return len(lines)


def similarity(line: list[str], named: list[str]) -> float:
    """How similar the words of a line are to those of an address or a title, 0 to 1. Addresses are often cut short.

    >>> similarity(words("What is a locum social worker?"), ["what", "is", "a", "locum", "social"]) > 0.8
    True
    >>> similarity(["news"], ["news", "of", "the", "locum", "world"]) < 0.5
    True
    """
    return likeness_of(line, frozenset(line), named, frozenset(named))


def likeness_of(line: list[str], in_line: frozenset[str], named: list[str], in_name: frozenset[str]) -> float:
    """`similarity`, for words whose sets are known: a title is compared with every line of a page."""
    if in_line.isdisjoint(in_name):
        return 0.0
    if line == named:
        return 1.0
    common = len(in_line & in_name)
    precision, recall = common / len(in_line), common / len(in_name)
    if len(named) >= 3 and line[: len(named)] == named:
        precision = max(precision, 0.9)
    return 2 * precision * recall / (precision + recall)


def _names(document: Document, site: Site, evidence: Sequence[str]) -> Iterator[tuple[float, list[str]]]:
    """(weight, words) of everything that names the page's title."""
    if "address" in evidence and (slug := site.address_slug(document.url)):
        yield 3.0, words(slug.replace("-", " ").replace("_", " "))
    if "metadata" in evidence:
        for value in document.metas("og:title", "twitter:title", "dc.title", "headline"):
            yield 2.0, words(value)
        for thing in document.json_ld:
            if isinstance(thing.get("headline"), str):
                yield 2.0, words(thing["headline"])
        own = words(site.title)
        title = words(document.title_tag)
        if title[-len(own) :] == own:
            yield 2.0, title[: -len(own)]
        if title[: len(own)] == own:
            yield 2.0, title[len(own) :]
        if title and title != own:
            yield 2.0, title


def leads_to_other_article(line: Line, site: Site, own: str) -> bool:
    """Whether a line is a link to an article other than the one with the key `own`."""
    return line.url is not None and site.is_article(line.url) and site.key(line.url) != own


def find_title(document: Document, site: Site, evidence: Sequence[str], followed_by: str | None) -> Span | None:
    """The page's own headline: the line that address, metadata and headings agree on, near the date; None if none.

    A line that links to another article is that article's headline, not this page's.
    """
    lines = document.lines
    search = _TitleSearch(document, site, evidence, followed_by)
    near = sorted({i for label in search.labels for i in range(max(label - NEAR, 0), label)})
    for indices, named in ((near, True), (range(len(lines)), True), (near, False)):
        candidates = [candidate for i in indices for candidate in search.candidates(i, named=named)]
        if candidates:
            return max(candidates, key=lambda candidate: candidate[0])[1]
    return _above_label(lines, search.labels[0]) if search.labels else None


class _TitleSearch:
    """Scores how much each line of a page looks like its headline."""

    def __init__(self, document: Document, site: Site, evidence: Sequence[str], followed_by: str | None) -> None:
        self.lines, self.site = document.lines, site
        names = {tuple(name): weight for weight, name in islice(_names(document, site, evidence), _MANY_NAMES) if name}
        self.names = [(0.5 + weight / 6, list(name), frozenset(name)) for name, weight in names.items()]
        self._words_of = cache(lambda index: words(document.lines[index].text))
        self.headings = "heading" in evidence
        self.masthead = words(site.title)
        self.own = site.key(document.url)
        self.labels = [
            i for i, line in enumerate(self.lines) if followed_by and after_label(line.text, followed_by) is not None
        ]
        self._labelled = frozenset(self.labels)

    def candidates(self, start: int, *, named: bool) -> Iterator[tuple[float, Span]]:
        """The line, alone and with the next one or two lines of its block, as far as it may be the headline."""
        line = self.lines[start]
        if line.image is not None or line.tag == "button" or line.links > 1 or len(line.text) > _LONG_TITLE:
            return
        if leads_to_other_article(line, self.site, self.own):
            return
        if start in self._labelled and self._likeness(self._words_of(start)) < 0.7:
            return
        text: list[str] = []
        for stop in range(start + 1, min(start + 4, len(self.lines) + 1)):
            last = self.lines[stop - 1]
            if last.block != line.block or last.image is not None:
                return
            text = text + self._words_of(stop - 1)
            if text and text != self.masthead and (score := self._score(start, text, named=named)) is not None:
                yield score, Span(start, stop, " ".join(part.text for part in self.lines[start:stop]))

    def _likeness(self, text: list[str]) -> float:
        in_line = frozenset(text)
        return max(
            [likeness_of(text, in_line, name, in_name) * factor for factor, name, in_name in self.names],
            default=0.0,
        )

    def _score(self, start: int, text: list[str], *, named: bool) -> float | None:
        line = self.lines[start]
        likeness = self._likeness(text)
        if named and likeness < _LIKELY:
            return None
        heading = 0.0
        if self.headings:
            heading = 1.0 if line.tag == "h1" else 0.7 if line.heading else 0.3 if line.strong else 0.0
        near = next((step for step in range(1, NEAR + 1) if start + step in self._labelled), None)
        sure = likeness >= _LIKELY or (near is not None and (heading >= 0.7 or (heading > 0 and near <= 3)))
        if not sure:
            return None
        return 3 * likeness * likeness + heading + (1.5 - 0.1 * near if near else 0.0) - 0.3 * (line.url is not None)


def _above_label(lines: Sequence[Line], label: int) -> Span | None:
    """The last resort: of the plain lines right above the date, the last but one, else the only one."""
    span = None
    for index in range(label - 1, max(label - 3, -1), -1):
        if lines[index].image is not None or lines[index].url is not None or lines[index].tag in {"button", "li"}:
            break
        span = Span(index, index + 1, lines[index].text)
    return span


def find_above(document: Document, site: Site, index: int) -> Span | None:
    """A short line of its own above a headline: the section, not a menu, logo, slogan or the end of a breadcrumb.

    A link counts only if it leads to a section of the site, or if metadata or a breadcrumb name it; any other link
    above a headline, such as "Subscribe", is none. Plain words count if the page names a section so elsewhere, or if
    they share a container with the headline and hardly anything else.
    """
    lines, sections = document.lines, _section_names(document, site)
    title = lines[min(index, len(lines) - 1)]
    while index > 0 and (
        (lines[index - 1].image is not None and tuple(words(lines[index - 1].text)) not in sections)
        or words(lines[index - 1].text) == words(title.text)
    ):
        index -= 1
    if index == 0:
        return None
    line = lines[index - 1]
    text = line.text.strip(" »>›/:|")
    names = words(text)
    if not names or len(names) > 6 or line.links > 1 or text[-1] in ".!?" or line.tag in {"button", "label"}:
        return None
    if names in (words(site.title), ["home"]) or _in_menu(document, index - 1):
        return None
    beside = line.box == title.box or _share_box(document, index - 1, index)
    plain = line.url is None and beside and not _offers(text, site)
    if plain or tuple(names) in sections or (line.image is None and _is_section(document, site, line.url)):
        return Span(index - 1, index, text)
    return None


def _section_names(document: Document, site: Site) -> set[tuple[str, ...]]:
    """The words of each section that metadata, the breadcrumb or a link to a section name."""
    linked = (
        link.text for link in document.links
        if 0 < len(link.text) < _LONG_NAME and _is_section(document, site, link.url)
    )  # fmt: skip
    return {tuple(words(text)) for text in (*document.sections, *linked)} - {()}


def _is_section(document: Document, site: Site, url: str | None) -> bool:
    """Whether an address is that of a section: one that the site declares as a listing, or that says so itself."""
    if url is None or url in site.start or not document.is_elsewhere(url) or not site.is_listing(url):
        return False
    return site.listings.follow is not None or _SECTION.search(url) is not None


def _offers(text: str, site: Site) -> bool:
    """Whether words invite to do something on the site, and name nothing."""
    own = " ".join(words(site.title))
    return pattern("offers").match(text) is not None or own in " ".join(words(text))


def _in_menu(document: Document, index: int) -> bool:
    """Whether a line is one of several links that stand together."""
    line, before = document.lines[index], document.lines[index - 1]
    if index == 0 or line.url is None or before.url is None or before.image is not None:
        return False
    return before.box == line.box or (
        before.tag == line.tag == "li" and document.parent(before.box) == document.parent(line.box)
    )


def _share_box(document: Document, first: int, second: int) -> bool:
    """Whether the smallest container around two lines has at most one line before the first."""
    lines = document.lines
    box = lines[first].box
    while not document.within(lines[second].box, box):
        box = document.parent(box)
    before = [i for i in range(max(first - 3, 0), first) if document.within(lines[i].box, box)]
    return len(before) <= 1
