"""What a response means for a site: an article, a listing, or why it is neither. Pure functions.

A crawl, an import, a rebuild and `read_article` all come through here, with a declared layout or the general reader.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from collections.abc import Callable
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
from locum_spider.warc.codings import decode_content, is_text

_PAGES = ("text/html", "application/xhtml+xml", "text/plain", "application/xml", "text/xml", "application/octet-stream")
# Types that name no other kind of file: nobody knows them, or they are not types at all.
_ODD_TYPE = re.compile(
    r"(?![^/\s;,]+/[^/\s;,]+)|(?:unknown|application|text|content|www|\*)/(?:unknown|\*|[\w.+-]*(?:html?|php\d?)\b|x-unknown)",
    re.IGNORECASE,
)
_READABLE = frozenset({HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION, 0})
"""0 is what some writers of WARCs note if they do not know the status."""

_RANGE = re.compile(r"bytes\s+0-([0-9]{1,18})/([0-9]{1,18})\s*", re.IGNORECASE)

_CUT = {
    "disconnect": "the answer ended too early",
    "time": "the answer was not complete in time",
    "length": "it was cut at a limit of length",
    "unspecified": "its end is missing",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """The meaning of a response, the reason for it, and the pages to fetch next. `reason` of a listing is its
    fingerprint."""

    outcome: Outcome
    reason: str | None = None
    article: Article | None = None
    listing: Listing | None = None
    children: list[Child] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Page:
    """A page without its codings. With the rules of its site, it alone decides what the page says."""

    url: str
    content_type: str | None
    fetched_at: str
    body: bytes = field(repr=False)


PageReader = Callable[[Site, Page], Reading]


def interpret(site: Site, exchange: Exchange, kind: Kind | None, read: PageReader) -> Reading:
    """Read a response as `read_response` does, but never raise: no page stops a crawl."""
    try:
        return read_response(site, exchange, kind, read)
    except Exception as error:  # noqa: BLE001 - reported, and the capture is kept
        return failure(error)


def failure(error: Exception) -> Reading:
    """What is said of a page on which our code fails: the error and its place in the code."""
    if isinstance(error, MemoryError):
        return Reading(Outcome.FAILED, "there was not enough memory to read the page; it is kept, but not read")
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    return Reading(Outcome.FAILED, f"a bug in locum: {type(error).__name__}: {error} ({place}); please report it")


def read_response(site: Site, exchange: Exchange, kind: Kind | None, read: PageReader) -> Reading:
    """Read a response by the rules of its site at its time. `kind` is what the request asked for, if known.

    `read` reads the page, if there is one: `read_page`, or what does the same within bounds.
    """
    is_article = site.is_article(exchange.url)
    unread = Outcome.NOT_ARTICLE if is_article else Outcome.NOT_LISTING
    status = f"HTTP {exchange.status} {exchange.phrase}".rstrip()
    if exchange.status in {301, 302, 303, 307, 308}:
        return Reading(Outcome.FAILED, f"{status}: it leads nowhere, or to another site")
    if exchange.status == HTTPStatus.NOT_MODIFIED:
        return Reading(Outcome.FAILED, f"{status}: the archive has no body of it that can be read")
    if exchange.status not in _READABLE and not _is_whole_range(exchange):
        return Reading(Outcome.FAILED, status)
    if exchange.truncated is not None:  # nobody would notice that the end of a page is missing
        return Reading(Outcome.FAILED, _why_cut(exchange, site.crawl.max_bytes))
    content_type = exchange.header(b"content-type")
    if not is_page(content_type, b""):
        return Reading(unread, f"it is {(content_type or '').split(';')[0]}, not a page")
    if not site.owns(exchange.url):
        return Reading(Outcome.FAILED, f"it leads to another site, {exchange.url}")
    if kind is Kind.ARTICLE and not is_article:
        return Reading(Outcome.NOT_ARTICLE, f"it leads to {exchange.url}, which is not the address of an article")
    try:
        body = decode_content(exchange.body, exchange.coding, limit=site.crawl.max_bytes)
        if not is_page(content_type, body):
            return Reading(unread, f"it is not a page: its type is {content_type!r}, and its bytes are not text")
    except PageError as error:
        return Reading(Outcome.FAILED, str(error))
    return read(site, Page(exchange.url, content_type, exchange.fetched_at, body))


def read_page(site: Site, page: Page) -> Reading:
    """What a page says, however much time and memory that takes."""
    try:
        document = Document(page.body, page.url, page.content_type, site.language if site.is_declared else None)
    except PageError as error:
        return Reading(Outcome.FAILED, str(error))
    fetched_at = datetime.fromisoformat(page.fetched_at)
    if site.is_article(page.url):
        return _read_article(site, document, fetched_at)
    return _read_listing(site, document, fetched_at)


def is_page(content_type: str | None, body: bytes) -> bool:
    """Whether a response is a page, by its type. If that is odd the bytes decide, as in browsers.

    >>> [is_page(text, b"<html>") for text in ("Text/HTML; charset=utf-8", "html", "charset=utf-8", "*/*", "image/png")]
    [True, True, True, True, False]
    >>> is_page("html", b"%PDF-1.4\\0"), is_page(None, b"")
    (False, True)
    """
    content_type = (content_type or "").strip(' \t"<>').lower()
    if not content_type or content_type.startswith(_PAGES):
        return True
    return _ODD_TYPE.match(content_type) is not None and is_text(body)


def _is_whole_range(exchange: Exchange) -> bool:
    """Whether a server calls partial what is everything."""
    found = _RANGE.fullmatch(exchange.header(b"content-range") or "")
    whole = found is not None and int(found[1]) + 1 == int(found[2])
    return exchange.status == HTTPStatus.PARTIAL_CONTENT and whole


def _why_cut(exchange: Exchange, limit: int) -> str:
    # Without the head as it came, the record will have another length: a rebuild must find the same reason.
    stated = (exchange.header(b"content-length") or "") if exchange.response_head is not None else ""
    length = int(stated) if re.fullmatch(r"[0-9]{1,18}", stated) else None
    if exchange.truncated == "length" and (len(exchange.body) >= limit or (length is not None and length > limit)):
        return f"the body is longer than the limit of {limit:,} bytes (crawl.max_bytes); raise it to read the page"
    why = _CUT.get(exchange.truncated or "", _CUT["unspecified"])
    whole = f" of {length:,}" if length is not None and length > len(exchange.body) else ""
    return f"{why}, after {len(exchange.body):,}{whole} bytes; what came is kept"


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
