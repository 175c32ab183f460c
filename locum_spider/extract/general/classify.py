"""Decides whether a page is an article."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from locum_spider.extract.page.document import Document
from locum_spider.extract.page.json_ld import types
from locum_spider.extract.phrases import pattern
from locum_spider.text import words
from locum_spider.urls import host_of

FEWEST_WORDS, _FEWEST_MARKED = 60, 20
"""The fewest words of an article's text; the second number applies if the page says that it is an article."""
_PROSE, _FEWEST_PARAGRAPHS = 100, 2
_TEASERS, _TEASER_REACH = 4, 5
_HOME = re.compile(r"/(?:(?:index|default|home)(?:\.\w{2,5})?/?)?(?:[a-z]{2}(?:-[a-z]{2})?/?)?", re.IGNORECASE)
_NO_BLANKS = re.compile("[\u2e81-\U0010ffff]")
_PAGE_NUMBER = re.compile(r"/page/\d+/?(?:$|\?)")
_LISTING_END = r"/[^/]*/?$"
_SEARCH = r"/?\?(?:.*&)?(?:s|q|query|search|keywords?)="
_LISTING_TYPES = frozenset(
    {"CollectionPage", "SearchResultsPage", "ProfilePage", "ContactPage", "AboutPage", "FAQPage", "Product"}
)
_ERROR = re.compile(r"\b(?:404|403|410|500|502|503)\b")


def names_error(title: str) -> bool:
    """Whether a title is that of an error or a barrier: not found, no access, are you human."""
    return _ERROR.search(title) is not None or pattern("failed").search(title) is not None


def is_marked(document: Document) -> bool:
    """Whether the page itself says that it is an article."""
    return bool(document.articles) or "article" in (value.lower() for value in document.meta.get("og:type", []))


def is_not_article(document: Document, *, marked: bool) -> bool:
    """Whether the address, the page's own type or a list of teasers shows that a page is not an article."""
    parts = urlsplit(document.url)
    if _HOME.fullmatch(parts.path or "/") and not (parts.query and marked):
        return True
    if marked:
        return False
    kinds = {kind for thing in document.json_ld for kind in types(thing)}
    place = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return bool(kinds & _LISTING_TYPES) or _is_listing_path(place) or _is_list_of_teasers(document)


def _is_listing_path(place: str) -> bool:
    """Whether an address is that of a tag, a section, a search or a further page."""
    listing = pattern("listing_path", before="/", after=_LISTING_END)
    search = pattern("search_path", before="^/", after=_SEARCH)
    return bool(listing.search(place) or _PAGE_NUMBER.search(place) or search.match(place))


def _is_list_of_teasers(document: Document) -> bool:
    """Whether most prose of a page stands below headings that link to other pages of its host."""
    host = host_of(document.url)
    leading: set[str] = set()
    prose = 0
    below = -_TEASER_REACH
    for index, line in enumerate(document.lines):
        if line.image is not None:
            continue
        away = line.url is not None and document.is_elsewhere(line.url) and host_of(line.url) == host
        if line.url is not None and away and line.heading and len(words(line.text)) > 3:
            leading.add(line.url)
            below = index
        elif line.url is None and len(line.text) > _PROSE and index - below > _TEASER_REACH:
            prose += 1
    return len(leading) >= _TEASERS and prose < _TEASERS


def is_too_little(text: str, *, marked: bool) -> bool:
    """Whether a text is too short for an article; in languages without blanks, signs are counted."""
    size = max(len(text.split()), len(_NO_BLANKS.findall(text)) // 2)
    if marked:
        return size < _FEWEST_MARKED
    return size < FEWEST_WORDS or sum(len(part) > _PROSE / 2 for part in text.split("\n\n")) < _FEWEST_PARAGRAPHS
