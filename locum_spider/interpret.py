"""What the final response of a visit means for a site: an article, a listing, or why neither. No effects."""

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
from locum_spider.extract.page.document import Document
from locum_spider.items import Article, Exchange, Listing
from locum_spider.sites.site import Site
from locum_spider.warc.codings import decode_content

_HTML = (
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
    """The meaning of a response. `outcome` is `article`, `listing`, `failed`, `not_article` or `not_listing`.

    `children` are `(key, url, kind)` to be fetched next.
    """

    outcome: str
    reason: str | None = None
    article: Article | None = None
    listing: Listing | None = None
    children: list[tuple[str, str, str]] = field(default_factory=list)


def interpret(site: Site, exchange: Exchange, kind: str | None = None) -> Reading:
    """Read a response by the rules of its site and its time. `kind` is what was expected: `article` or `listing`.

    No page stops a crawl: a fault of ours in reading one is its reason, with the place in our code.
    """
    try:
        return _interpret(site, exchange, kind)
    except Exception as error:  # noqa: BLE001 - told in the report, and the capture is kept
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return Reading("failed", f"a fault of ours in reading it: {type(error).__name__}: {error} ({place})")


def _interpret(site: Site, exchange: Exchange, kind: str | None) -> Reading:
    is_article = site.is_article(exchange.url)
    nothing = "not_article" if is_article else "not_listing"
    if exchange.status in {301, 302, 303, 307, 308}:
        return Reading("failed", f"{_status(exchange.status)}: led on to nowhere, or outside the site")
    if exchange.status != HTTPStatus.OK:
        return Reading("failed", _status(exchange.status))
    if exchange.truncated is not None:  # what is missing at the end of a page nobody would notice
        return Reading("failed", f"cut short (WARC-Truncated: {exchange.truncated})")
    content_type = exchange.header(b"content-type")
    if content_type and not content_type.lower().startswith(_HTML):
        return Reading(nothing, f"it is {content_type.split(';')[0]}, not a page")
    if not site.owns(exchange.url):
        return Reading("failed", f"it leads to another site, {exchange.url}")
    if kind == "article" and not is_article:
        return Reading("not_article", f"it leads to {exchange.url}, which is no article")
    try:
        body = decode_content(exchange.body, _coding(exchange), limit=site.crawl.max_bytes)
        document = Document(body, exchange.url, content_type)
    except PageError as error:
        return Reading("failed", str(error))
    fetched_at = datetime.fromisoformat(exchange.fetched_at)
    if is_article:
        return _interpret_article(site, document, fetched_at)
    return _interpret_listing(site, document, fetched_at)


def _coding(exchange: Exchange) -> str | None:
    """How a body is coded. Of a page as it was, a web archive may tell that only under the name it has for it."""
    coding = exchange.header(b"content-encoding")
    if coding is None and exchange.body.startswith(_GZIP):
        return exchange.header(b"x-archive-orig-content-encoding")
    return coding


def _status(code: int) -> str:
    try:
        return f"HTTP {code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"HTTP {code}"


def _interpret_article(site: Site, document: Document, fetched_at: datetime) -> Reading:
    children = [(site.key(link.url), link.url, "article") for link in article_links(document, site)]
    try:
        article = read_declared(document, site, fetched_at)
    except PageError as error:
        return Reading("not_article", str(error), children=children)
    return Reading("article", article=article, children=children)


def _interpret_listing(site: Site, document: Document, fetched_at: datetime) -> Reading:
    listing = read_declared_listing(document, site, fetched_at)
    if not listing.entries:
        return Reading("not_listing", "no link to an article of the site on the page")
    children = [(site.key(e.url), e.url, "article") for e in listing.entries]
    children += [(site.key(url), url, "listing") for url in listing.pages]
    return Reading("listing", fingerprint(site, listing), listing=listing, children=children)


def fingerprint(site: Site, listing: Listing) -> str:
    """Short digest of which articles a listing names in which order: equal for a page that repeats another."""
    keys = "\n".join(site.key(entry.url) for entry in listing.entries)
    return hashlib.sha256(keys.encode()).hexdigest()[:16]
