"""What a response means for a site: an article, a listing, or why it is neither. Pure functions.

A crawl, an import, a rebuild and `read_article` all come through here, with a declared layout or the general reader.
"""

from __future__ import annotations

import hashlib
import traceback
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from locum_spider.errors import PageError
from locum_spider.extract.declared.article import read_declared
from locum_spider.extract.declared.listing import article_links, read_declared_listing
from locum_spider.extract.general.article import read_general
from locum_spider.extract.page.document import Document
from locum_spider.items import Article, Child, Exchange, Kind, Listing, Outcome
from locum_spider.sites.site import Site
from locum_spider.warc.codings import decode_content

_PAGES = (
    "text/html",
    "application/xhtml+xml",
    "text/plain",
    "application/xml",
    "text/xml",
    "application/octet-stream",
)
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Reading:
    """The meaning of a response, the reason for it, and the pages to fetch next. `reason` of a listing is its
    fingerprint."""

    outcome: Outcome
    reason: str | None = None
    article: Article | None = None
    listing: Listing | None = None
    children: list[Child] = field(default_factory=list)


def interpret(site: Site, exchange: Exchange, kind: Kind | None = None) -> Reading:
    """Read a response as `read_response` does, but never raise: no page stops a crawl.

    If our code fails on a page, the error and its place in the code are the reason.
    """
    try:
        return read_response(site, exchange, kind)
    except Exception as error:  # noqa: BLE001 - reported, and the capture is kept
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        bug = f"a bug in locum: {type(error).__name__}: {error} ({place}); please report it"
        return Reading(Outcome.FAILED, bug)


def read_response(site: Site, exchange: Exchange, kind: Kind | None = None) -> Reading:
    """Read a response by the rules of its site at its time. `kind` is what the request asked for, if known."""
    is_article = site.is_article(exchange.url)
    unread = Outcome.NOT_ARTICLE if is_article else Outcome.NOT_LISTING
    status = f"HTTP {exchange.status} {exchange.phrase}".rstrip()
    if exchange.status in {301, 302, 303, 307, 308}:
        return Reading(Outcome.FAILED, f"{status}: it leads nowhere, or to another site")
    if exchange.status == HTTPStatus.NOT_MODIFIED:
        return Reading(Outcome.FAILED, f"{status}: the archive has no body of it that can be read")
    if exchange.status != HTTPStatus.OK:
        return Reading(Outcome.FAILED, status)
    if exchange.truncated is not None:  # nobody would notice that the end of a page is missing
        return Reading(Outcome.FAILED, f"cut short (WARC-Truncated: {exchange.truncated})")
    content_type = exchange.header(b"content-type")
    if content_type and not content_type.lower().startswith(_PAGES):
        return Reading(unread, f"it is {content_type.split(';')[0]}, not a page")
    if not site.owns(exchange.url):
        return Reading(Outcome.FAILED, f"it leads to another site, {exchange.url}")
    if kind is Kind.ARTICLE and not is_article:
        return Reading(Outcome.NOT_ARTICLE, f"it leads to {exchange.url}, which is not the address of an article")
    try:
        body = decode_content(exchange.body, _coding(exchange), limit=site.crawl.max_bytes)
        document = Document(body, exchange.url, content_type)
    except PageError as error:
        return Reading(Outcome.FAILED, str(error))
    fetched_at = datetime.fromisoformat(exchange.fetched_at)
    if is_article:
        return _read_article(site, document, fetched_at)
    return _read_listing(site, document, fetched_at)


def _coding(exchange: Exchange) -> str | None:
    """The coding of a body. A web archive may keep that of an archived page only in a header of its own."""
    coding = exchange.header(b"content-encoding")
    if coding is None and exchange.body.startswith(_GZIP):
        return exchange.header(b"x-archive-orig-content-encoding")
    return coding


def _read_article(site: Site, document: Document, fetched_at: datetime) -> Reading:
    children = [_child(site, link.url, Kind.ARTICLE) for link in article_links(document, site)]
    try:
        article = (
            read_declared(document, site, fetched_at) if site.layouts else read_general(document, fetched_at, site=site)
        )
    except PageError as error:
        return Reading(Outcome.NOT_ARTICLE, str(error), children=children)
    if article is None:
        return Reading(Outcome.NOT_ARTICLE, "nothing on the page reads like an article", children=children)
    return Reading(Outcome.ARTICLE, article=article, children=children)


def _read_listing(site: Site, document: Document, fetched_at: datetime) -> Reading:
    listing = read_declared_listing(document, site, fetched_at)
    if not listing.entries:
        return Reading(Outcome.NOT_LISTING, "the page has no link to an article of the site")
    children = [_child(site, entry.url, Kind.ARTICLE) for entry in listing.entries]
    children += [_child(site, url, Kind.LISTING) for url in listing.pages]
    return Reading(Outcome.LISTING, fingerprint(site, listing), listing=listing, children=children)


def _child(site: Site, url: str, kind: Kind) -> Child:
    return Child(site.key(url), site.without_session(url), kind)


def fingerprint(site: Site, listing: Listing) -> str:
    """Short digest of the articles that a listing names, in order: two pages with the same ones have the same."""
    keys = "\n".join(site.key(entry.url) for entry in listing.entries)
    return hashlib.sha256(keys.encode()).hexdigest()[:16]
