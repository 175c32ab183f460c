"""Reading pages without an archive, as in a notebook, in the same way as a crawl does."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from locum_spider.interpret import Reading, read_page, read_response
from locum_spider.items import Article, Exchange, Listing
from locum_spider.sites import find_site, site_of, undeclared
from locum_spider.sites.site import Site
from locum_spider.urls import host_of


def read_article(
    html: bytes,
    url: str,
    *,
    content_type: str | None = None,
    fetched_at: datetime | None = None,
    site: Site | str | None = None,
) -> Article | None:
    """The article on a page, or None if the page is not an article.

    `html` is the body without content coding, `content_type` the header's value, `fetched_at` the time of the
    capture (default: now), `site` a declaration or its name (default: the declared site of the address). The general
    reader reads pages of sites that are not declared or declare no layouts. Unlike a crawl, this
    bounds neither the time nor the memory that a page may take. Raises UsageError if `site` is a name that is not
    declared.
    """
    return _read(html, url, content_type, fetched_at, site).article


def read_listing(
    html: bytes,
    url: str,
    *,
    content_type: str | None = None,
    fetched_at: datetime | None = None,
    site: Site | str | None = None,
) -> Listing | None:
    """What a listing page of a declared site says, or None if it has no entries. Arguments as for `read_article`."""
    return _read(html, url, content_type, fetched_at, site).listing


def _read(
    html: bytes, url: str, content_type: str | None, fetched_at: datetime | None, site: Site | str | None
) -> Reading:
    if isinstance(site, str):
        site = find_site(site)
    site = site or site_of(url) or undeclared(host_of(url))
    at = fetched_at or datetime.now(UTC)
    at = at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    headers = ((b"Content-Type", content_type.encode("latin-1", "replace")),) if content_type else ()
    exchange = Exchange(url, "GET", (), HTTPStatus.OK.value, headers, html, at.isoformat())
    return read_response(site, exchange, None, read_page)
