"""What a page says about itself besides its article: the pages around it, its publisher."""

from __future__ import annotations

import re
from typing import Any

from locum_spider.extract.page.document import Document
from locum_spider.extract.page.json_ld import Thing, flat, text_of, types

_PAGE = re.compile(r"(webpage|itempage)$", re.IGNORECASE)
_PUBLISHER = re.compile(r"(organi[sz]ation|website|corporation|newspaper)$", re.IGNORECASE)
_LONGEST_NAME, _MANY_NAMES = 6, 50


def page_things(document: Document) -> list[Thing]:
    """The objects that describe the page around the article."""
    return [thing for thing in document.json_ld if any(_PAGE.search(kind) for kind in types(thing))]


def publisher_names(document: Document) -> set[str]:
    """The names that the page's metadata give to the site or its publisher."""
    names: dict[str, None] = {}
    for thing in document.json_ld:
        for maker in flat(thing.get("publisher")):
            names |= _names(document.resolve(maker))
        if any(_PUBLISHER.search(kind) for kind in types(thing)):
            names |= _names(thing)
    names |= dict.fromkeys(document.metas("og:site_name", "application-name", "apple-mobile-web-app-title"))
    names |= dict.fromkeys(document.metas("publisher", "dc.publisher", "copyright"))
    return set([name for name in names if 1 <= len(name.split()) <= _LONGEST_NAME][:_MANY_NAMES])


def _names(thing: Any) -> dict[str, None]:
    if isinstance(thing, str):
        values = [thing]
    elif isinstance(thing, dict):
        values = [name for key in ("name", "legalName", "alternateName") for name in flat(thing.get(key))]
    else:
        values = []
    return dict.fromkeys(text for value in values if (text := text_of(value)))
