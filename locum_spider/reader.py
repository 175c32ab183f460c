"""Reading pages without an archive: what a notebook, the recorder and a rebuild call alike."""

from __future__ import annotations

from datetime import UTC, datetime

from locum_spider.errors import PageError
from locum_spider.extract.declared.article import read_declared
from locum_spider.extract.declared.listing import read_declared_listing
from locum_spider.extract.page.document import Document
from locum_spider.items import Article, Listing
from locum_spider.sites import find_site, site_of
from locum_spider.sites.site import Site


def _site(site: Site | str | None, url: str) -> Site | None:
    if isinstance(site, str):
        return find_site(site)
    return site if site is not None else site_of(url)


def read_article(
    html: bytes,
    url: str,
    *,
    content_type: str | None = None,
    fetched_at: datetime | None = None,
    site: Site | str | None = None,
) -> Article | None:
    """The article on a page, or None where the page is none.

    `html` is the body without content coding, `content_type` the header's value, `fetched_at` the time of the
    capture (now, if not given), `site` a declaration or its name; by default the declared site of the address, else
    the general reader. Raises UsageError where no site of that name is declared.
    """
    now = fetched_at or datetime.now(UTC)
    declared = _site(site, url)
    try:
        document = Document(html, url, content_type)
        if declared is not None:
            return read_declared(document, declared, now)
    except PageError:
        return None
    from locum_spider.extract.general.article import read_generic

    return read_generic(document, html, now, content_type=content_type)


def read_listing(
    html: bytes,
    url: str,
    *,
    content_type: str | None = None,
    fetched_at: datetime | None = None,
    site: Site | str | None = None,
) -> Listing | None:
    """What a listing page of a declared site says, or None where it has no entries. Arguments as `read_article`."""
    declared = _site(site, url)
    if declared is None:
        return None
    try:
        document = Document(html, url, content_type)
    except PageError:
        return None
    listing = read_declared_listing(document, declared, fetched_at or datetime.now(UTC))
    return listing if listing.entries else None
