"""Reading an article page of a site that is not declared."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from locum_spider.dates.regions import clock_of
from locum_spider.extract.general.bylines import split_names
from locum_spider.extract.general.metadata import read_metadata
from locum_spider.extract.general.prose import read_prose
from locum_spider.extract.general.published.collect import read_published
from locum_spider.extract.general.published.visible import Place, is_date_line
from locum_spider.extract.general.structured import article_things, publisher_names, types
from locum_spider.extract.general.titles import main_headings
from locum_spider.extract.page.document import decode
from locum_spider.items import Article
from locum_spider.text import host_of, words

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from locum_spider.extract.general.metadata import Metadata
    from locum_spider.extract.general.published.choice import Published
    from locum_spider.extract.page.document import Document

_FEWEST_WORDS, _FEWEST_MARKED = 60, 20
"""Words of text below which a page is no article; fewer will do where the page says that it is one."""
_PROSE, _FEWEST_PARAGRAPHS = 100, 2
_TEASERS, _TEASER_REACH = 4, 5
_LONGEST_BYLINE = 120
_HOME = re.compile(r"/(?:(?:index|default|home)(?:\.\w{2,5})?/?)?(?:[a-z]{2}(?:-[a-z]{2})?/?)?", re.IGNORECASE)
_LISTING_PATH = re.compile(
    r"/(?:tags?|categor(?:y|ies|ie)|kategorie|topics?|thema|themen|sujet|tema|authors?|autor(?:en)?|search|"
    r"suche|archives?|page)/[^/]*/?$"
    r"|/page/\d+/?(?:$|\?)|^/(?:search|suche|recherche|buscar|cerca|zoeken)?/?\?(?:.*&)?(?:s|q|query|"
    r"search|keywords?)=",
    re.IGNORECASE,
)
_LISTING_TYPES = frozenset(
    {"CollectionPage", "SearchResultsPage", "ProfilePage", "ContactPage", "AboutPage", "FAQPage", "Product"}
)
_FAILED = re.compile(
    r"\b(?:404|403|410|500|502|503)\b|not found|page (?:is )?(?:missing|unavailable|doesn['’]t exist)|"
    r"access denied|forbidden|"
    r"just a moment|are you (?:a )?(?:human|robot)|captcha|service unavailable|bad gateway|nicht gefunden|"
    r"nicht vorhanden|"
    r"introuvable|no encontrada|non trovata|niet gevonden|nie znaleziono|страница не найдена",
    re.IGNORECASE,
)


def read_generic(
    document: Document,
    body: bytes,
    fetched_at: datetime,
    *,
    content_type: str | None = None,
    listing_date: str | None = None,
) -> Article | None:
    """The article on a page, None where the page is none: a home page, a listing, an error, a page of too few words.

    `body` are the bytes the document was made of, `listing_date` the day (`2018-04-10`) a listing printed for it.
    """
    if fetched_at.tzinfo is None:
        fetched_at = fetched_at.replace(tzinfo=UTC)
    marked = is_marked(document)
    if is_no_article(document, marked=marked):
        return None
    metadata = read_metadata(document)
    if metadata.title is None:
        return None
    names = (*metadata.authors, *publisher_names(document))
    place = Place(fetched_at, clock_of(document.url, document.lang), document.lang, None)
    titles = dict.fromkeys([metadata.title, *main_headings(document)[:1], *document.meta.get("og:title", [])])
    text = read_prose(document, decode(body, content_type), list(titles), _byline_test(metadata, place, names))
    failed = _FAILED.search(metadata.title) is not None and len(words(text)) < 3 * _FEWEST_WORDS
    if failed or _too_little(text, marked=marked):
        return None
    published = read_published(document, metadata.title, fetched_at, names=names, listing_date=listing_date)
    return _article(document, metadata, metadata.title, text, published)


def _article(document: Document, metadata: Metadata, title: str, text: str, published: Published) -> Article:
    # A description that is a paragraph of the text is no standfirst, or one that the text has already.
    standfirst = metadata.standfirst if metadata.standfirst not in text.split("\n\n") else None
    also = {"lang": metadata.lang, "canonical_url": metadata.canonical_url, "modified": published.modified_at}
    told = {name: "metadata" for name, value in also.items() if value}
    return Article(
        url=document.url,
        title=title,
        standfirst=standfirst,
        authors=metadata.authors,
        published=published.day,
        published_at=published.at,
        published_raw=published.raw,
        published_source=published.source,
        published_conflict=published.conflict,
        modified_at=published.modified_at,
        section=metadata.section,
        tags=metadata.tags,
        lang=metadata.lang,
        text=text,
        canonical_url=metadata.canonical_url,
        evidence={**metadata.evidence, **told, "body": "trafilatura", "published": published.reason},
    )


def _byline_test(metadata: Metadata, place: Place, names: tuple[str, ...]) -> Callable[[str], bool]:
    """What tells a line of author and date, which is none of the text."""

    def is_byline(text: str) -> bool:
        if len(text) > _LONGEST_BYLINE:
            return False
        named = {name.casefold() for name in split_names(text)}
        if named and named <= {name.casefold() for name in metadata.authors}:
            return True
        rest = text
        for name in metadata.authors:
            rest = rest.replace(name, "")
        mostly_names = len("".join(words(rest))) < 0.4 * len("".join(words(text)))
        return mostly_names or is_date_line(text, place, names)

    return is_byline


def is_marked(document: Document) -> bool:
    """Whether the page says of itself that it is an article."""
    return bool(article_things(document)) or "article" in (value.lower() for value in document.meta.get("og:type", []))


def is_no_article(document: Document, *, marked: bool) -> bool:
    """Whether a page is none by its address, by what it calls itself, or for being made of teasers."""
    parts = urlsplit(document.url)
    if _HOME.fullmatch(parts.path or "/") and not (parts.query and marked):
        return True
    if marked:
        return False
    kinds = {kind for thing in document.json_ld for kind in types(thing)}
    if kinds & _LISTING_TYPES or _LISTING_PATH.search(f"{parts.path}?{parts.query}" if parts.query else parts.path):
        return True
    return _is_list_of_teasers(document)


def _is_list_of_teasers(document: Document) -> bool:
    """Whether most prose of a page stands below headings that lead to other pages of its host."""
    own, host = document.url.split("#")[0], host_of(document.url)
    leading: set[str] = set()
    prose = 0
    below = -_TEASER_REACH
    for index, line in enumerate(document.lines):
        if line.image is not None:
            continue
        away = line.url is not None and line.url.split("#")[0] != own and host_of(line.url) == host
        if line.url is not None and away and line.heading and len(words(line.text)) > 3:
            leading.add(line.url)
            below = index
        elif line.url is None and len(line.text) > _PROSE and index - below > _TEASER_REACH:
            prose += 1
    return len(leading) >= _TEASERS and prose < _TEASERS


def _too_little(text: str, *, marked: bool) -> bool:
    """Languages written without blanks count by signs."""
    size = max(len(text.split()), sum(ord(sign) > 0x2E80 for sign in text) // 2)
    if marked:
        return size < _FEWEST_MARKED
    return size < _FEWEST_WORDS or sum(len(part) > _PROSE / 2 for part in text.split("\n\n")) < _FEWEST_PARAGRAPHS
