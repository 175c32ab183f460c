"""Reads an article page without rules: of a site that is not declared, or whose declaration has no layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from locum_spider.dates.regions import clock_of
from locum_spider.extract.general.classify import FEWEST_WORDS, is_marked, is_not_article, is_too_little, names_error
from locum_spider.extract.general.metadata import Metadata, read_metadata
from locum_spider.extract.general.prose import read_prose
from locum_spider.extract.general.published.choice import Published
from locum_spider.extract.general.published.collect import read_published
from locum_spider.extract.general.published.visible import DateContext, is_date_line
from locum_spider.extract.general.structured import publisher_names
from locum_spider.extract.general.titles import main_headings
from locum_spider.extract.names import split_names
from locum_spider.extract.page.document import Document
from locum_spider.items import Article
from locum_spider.sites.site import Site
from locum_spider.text import words

_LONGEST_BYLINE = 120


def read_general(
    document: Document, fetched_at: datetime, *, site: Site | None = None, listing_date: str | None = None
) -> Article | None:
    """The article on a page; None if the page is not an article: a home page, a listing, an error, too few words.

    `site` is the site's declaration: it gives the time zone, language and order of its dates. `listing_date` is the
    day (`2018-04-10`) that a listing prints for the article.
    """
    marked = is_marked(document)
    if is_not_article(document, marked=marked):
        return None
    metadata = read_metadata(document)
    if metadata.title is None:
        return None
    names = (*metadata.authors, *publisher_names(document))
    context = replace(date_context(document, fetched_at, site), names=names)
    titles = dict.fromkeys([metadata.title, *main_headings(document)[:1], *document.meta.get("og:title", [])])
    text = read_prose(document, list(titles), partial(_is_byline, authors=metadata.authors, context=context))
    failed = names_error(metadata.title) and len(words(text)) < 3 * FEWEST_WORDS
    if failed or is_too_little(text, marked=marked):
        return None
    published = read_published(document, metadata.headline, context, listing_date=listing_date)
    return _article(document, metadata, text, published)


def date_context(document: Document, fetched_at: datetime, site: Site | None = None) -> DateContext:
    """The clock, language and order of a page's dates: from its site's declaration, else from its host and language."""
    now = fetched_at if fetched_at.tzinfo is not None else fetched_at.replace(tzinfo=UTC)
    if site is not None and site.is_declared:
        return DateContext(now, site.timezone, document.lang or site.language, site.date_order)
    return DateContext(now, clock_of(document.url, document.lang), document.lang, None)


def _article(document: Document, metadata: Metadata, text: str, published: Published) -> Article:
    read = {name: getattr(metadata, name) for name in metadata.evidence}
    if metadata.standfirst in text.split("\n\n"):
        read["standfirst"] = None  # the text already has the description
    modified = {"modified": "metadata"} if published.modified_at else {}
    return Article(
        url=document.url,
        published=published.day,
        published_at=published.at,
        published_raw=published.raw,
        published_source=published.source,
        published_conflict=published.conflict,
        modified_at=published.modified_at,
        text=text,
        evidence={**metadata.evidence, **modified, "body": "trafilatura", "published": published.reason},
        **read,
    )


def _is_byline(text: str, authors: Sequence[str], context: DateContext) -> bool:
    """Whether a line names the author or date, and is not part of the text."""
    if len(text) > _LONGEST_BYLINE:
        return False
    named = {name.casefold() for name in split_names(text)}
    if named and named <= {name.casefold() for name in authors}:
        return True
    rest = text
    for name in authors:
        rest = rest.replace(name, "")
    mostly_names = len("".join(words(rest))) < 0.4 * len("".join(words(text)))
    return mostly_names or is_date_line(text, context)
