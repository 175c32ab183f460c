"""Reads a listing page: its entries and the pages it leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import groupby

from locum_spider.dates import read_date
from locum_spider.extract.declared.landmarks import find_inner_label, find_label
from locum_spider.extract.page.document import Document
from locum_spider.items import Link, Listing, ListingEntry
from locum_spider.sites.site import Site

_FEW_WORDS, _MANY_TEXTS = 4, 50


def article_links(document: Document, site: Site) -> list[Link]:
    """The first link of a page to each article of the site other than itself, in the order of the page."""
    own = site.key(document.url)
    links: dict[str, Link] = {}
    for link in document.links:
        if site.is_article(link.url) and (key := site.key(link.url)) != own:
            links.setdefault(key, link)
    return list(links.values())


def read_declared_listing(document: Document, site: Site, fetched_at: datetime) -> Listing:
    """What a listing says about each article it names: title, date as printed, a sentence or two.

    An article that is named several times (picture and headline, a block of featured ones) is one entry, at its first
    place, with what all its places say. If `entries` is empty, the page is not a listing.
    """
    places = _places(document, site)
    rule = site.layout(fetched_at.strftime("%Y-%m-%d")).listing.published
    label = rule.label if rule is not None else None
    above = label is not None and bool(places) and _dates_above(document, places, label)
    entries: dict[str, ListingEntry] = {}
    for number, place in enumerate(places):
        first = place[0].line
        start = (places[number - 1][-1].line + 1 if number else 0) if above else first
        stop = places[number + 1][0].line if number + 1 < len(places) else len(document.lines)
        entry = _entry(document, place, label, start, stop if not above else first)
        if above:
            entry = replace(entry, summary=_summary(document, entry.title, label, first, stop))
        key = site.key(entry.url)
        entries[key] = _merge(entries[key], entry) if key in entries else replace(entry, position=len(entries))
    dated = tuple(_read(entry, site, fetched_at) for entry in entries.values())
    pages = dict.fromkeys(link.url.split("#", 1)[0] for link in document.links if site.is_listing(link.url))
    return Listing(url=document.url, entries=dated, pages=tuple(pages))


def _places(document: Document, site: Site) -> list[list[Link]]:
    """The links to articles; those that follow each other and lead to one article are together."""
    links = [link for link in document.links if site.is_article(link.url)]
    return [list(place) for _, place in groupby(links, key=lambda link: site.key(link.url))]


def _dates_above(document: Document, places: list[list[Link]], label: str) -> bool:
    """Whether this page prints the date of an entry above its title."""
    lines, first, last = document.lines, places[0][0].line, places[-1][-1].line
    return (
        find_label(lines, label, max(first - 3, 0), first) is not None
        and find_label(lines, label, last, last + 5) is None
    )  # fmt: skip


def _entry(document: Document, place: list[Link], label: str | None, start: int, stop: int) -> ListingEntry:
    texts = list(dict.fromkeys(link.text for link in place if link.text))[:_MANY_TEXTS]
    # The longest text is the headline, except for alternative text that describes a picture at length.
    lines = "\n".join(line.text for line in document.lines[place[0].line : place[-1].line + 3] if line.image is None)
    shown = [text for text in texts if text in lines]
    title = max(shown or texts, key=lambda t: (len(t.split()) >= 2, t in shown, len(t)), default=None)
    raw = None
    if label is not None:
        inner = find_inner_label(document.lines, label, start, stop)
        span = find_label(document.lines, label, start, stop) or (inner[0] if inner else None)
        raw = span.text if span else None
    return ListingEntry(0, place[0].url, title, raw, None, _summary(document, title, label, start, stop))


def _summary(document: Document, title: str | None, label: str | None, start: int, stop: int) -> str | None:
    """The first line of an entry that is neither title nor date nor a link, without a link at its end."""
    for index, line in enumerate(document.lines[start:stop], start):
        if line.image is not None or line.text == title or (label and label.casefold() in line.text.casefold()[:200]):
            continue
        inside_card = line.links == 1 and not line.strong
        if line.links > 1 or (line.url is not None and not inside_card):
            continue
        text = line.text
        if line.url is None and line.links:
            ends = [link.text for link in document.links_of(index) if link.text]
            text = next((text[: -len(end)].rstrip() for end in ends if text.endswith(end)), text)
        if len(text.split()) >= _FEW_WORDS:
            return text
    return None


def _merge(first: ListingEntry, second: ListingEntry) -> ListingEntry:
    return replace(
        first,
        title=first.title or second.title,
        published_raw=first.published_raw or second.published_raw,
        summary=first.summary or second.summary,
    )


def _read(entry: ListingEntry, site: Site, now: datetime) -> ListingEntry:
    if entry.published_raw is None:
        return entry
    value = read_date(entry.published_raw, now=now, tz=site.timezone, lang=site.language, order=site.date_order)
    read = value is not None and value.precision not in {"year", "quarter"}
    return replace(entry, published=value.isoformat()[:10] if value and read else None)
