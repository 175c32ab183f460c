"""The sources of dates on a page: each yields dates with what they are the date of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from selectolax.lexbor import LexborNode

from locum_spider.dates.machine import Stamp, address_stamp, read_stamp
from locum_spider.extract.general.structured import page_things
from locum_spider.extract.general.surroundings import is_aside
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.element import shown_text
from locum_spider.extract.page.json_ld import is_other_medium, read_json_ld, text_of
from locum_spider.extract.phrases import pattern
from locum_spider.text import fold

Reader = Callable[[str], Stamp | None]


PUBLISHED, MODIFIED, EVENT, UNKNOWN = "published", "modified", "event", "unknown"

# The more trusted sources stand first. Those that the publisher's system fills from one field count once.
FAMILIES = {
    "json-ld": "metadata", "meta": "metadata", "microdata": "metadata", "time": "visible", "visible": "visible",
    "listing": "listing", "address": "address",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """One date of a page. `where` is its place in words; `weight` says how far such a place is trusted by itself."""

    source: str
    where: str
    role: str
    raw: str
    stamp: Stamp
    weight: float
    relative: bool = False  # "3 hours ago"

    @property
    def family(self) -> str:
        """The kind of source; sources of one kind do not confirm each other."""
        return FAMILIES[self.source]


_MANY = 60
"""The most elements of one kind that are looked at: each is compared with all that stands around it."""
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_META_MODIFIED = re.compile(r"modif|updat|revis|lastmod|edited")
_META_OTHER = re.compile(
    r"expir|event|start|end(ing)?(date|time)|valid|birth|founding|upload|video|publisher|"
    r"publication(config|id|name)?$|"
    r"verif|i18n|copyright|reading|embargo|crawl|render|build|cache|generat|unpublish"
)
_META_PUBLISHED = re.compile(
    r"publi[sc](h|hed|hing|ation|ationdate|ado)?(at|on|date|time|datetime|datetimeiso|utc)?$|"
    r"publi[sc]\w*(date|time)|"
    r"(date|time)publi[sc]|pubdate|pubtime|parselypubdate|datefirstpublished|releasedate|datereleased|"
    r"issuedate|onlinedate"
)
_META_DATE = re.compile(
    r"^(date|pagedate|articledate\w*|sailthrudate|dc(terms)?date(issued|available)?|dc(terms)?(issued|"
    r"available)|dateissued|"
    r"dateavailable|\w{2,5}date|displaydate|storydate|newsdate|contentdate|citationdate|citationonlinedate|"
    r"searchdate|ptime|pdate)$"
)
_META_CREATED = re.compile(r"creat")


def meta_role(name: str) -> tuple[str, float] | None:
    """What a `<meta>` with that name is the date of, and its weight; None if it is not a date of the article.

    >>> meta_role("article:published_time"), meta_role("og:updated_time")
    (('published', 3.0), ('modified', 3.0))
    >>> meta_role("DC.date.issued"), meta_role("article:expiration_time"), meta_role("article:publisher")
    (('published', 2.0), None, None)
    """
    key = _SEPARATORS.sub("", name.lower())
    if _META_MODIFIED.search(key):
        return MODIFIED, 3.0
    if _META_OTHER.search(key):
        return None
    if _META_PUBLISHED.search(key):
        return PUBLISHED, 3.0
    if _META_DATE.search(key):
        return PUBLISHED, 2.0
    return (UNKNOWN, 1.0) if _META_CREATED.search(key) else None


def from_meta(document: Document, read: Reader) -> Iterator[Candidate]:
    """Dates of `<meta name>` and `<meta property>`; a name that has two different days does not count."""
    contents: dict[str, list[str]] = {}
    for node in document.tree.css("meta[content]"):
        attributes = node.attributes
        name = attributes.get("property") or attributes.get("name")
        if name and not attributes.get("itemprop"):
            contents.setdefault(name.strip(), []).append(fold(attributes.get("content") or ""))
    dated = ((name, values, role) for name, values in contents.items() if (role := meta_role(name)) is not None)
    for name, values, role in islice(dated, _MANY):
        stamps = [(value, stamp) for value in values if (stamp := read_machine(value, read)) is not None]
        if len({stamp.day for _, stamp in stamps}) == 1:
            yield Candidate("meta", name, role[0], *stamps[0], role[1])


def read_machine(text: str, read: Reader) -> Stamp | None:
    """A date in an attribute: as machines write it, else as people do."""
    if not 4 < len(text) < 80:
        return None
    return read_stamp(text) or (read(text) if re.search(r"\d", text) else None)


_JSON_LD_KEYS = (
    ("datePublished", PUBLISHED, 3.0),
    ("dateModified", MODIFIED, 3.0),
    ("dateCreated", UNKNOWN, 1.0),
)


def from_json_ld(document: Document, read: Reader) -> Iterator[Candidate]:
    """Dates of the article's objects, of the page's objects with less weight, and of events."""
    things: list[tuple[dict[str, Any], float]] = [(thing, 1.0) for thing in document.articles]
    things += [(thing, 0.6) for thing in page_things(document)[:_MANY]]
    for thing, share in things:
        kind = text_of(thing.get("@type")) or "article"
        for key, role, weight in _JSON_LD_KEYS:
            raw = thing.get(key)
            raw = raw[0] if isinstance(raw, list) and raw else raw
            raw = fold(str(raw)) if isinstance(raw, (str, int)) else ""
            if (stamp := read_machine(raw, read)) is not None:
                yield Candidate("json-ld", f"{kind}.{key}", role, raw, stamp, weight * share)
    for thing in [thing for thing in document.json_ld if "startDate" in thing][:_MANY]:
        raw = text_of(thing["startDate"])
        if raw and (stamp := read_machine(raw, read)) is not None:
            yield Candidate("json-ld", f"{text_of(thing.get('@type'))}.startDate", EVENT, raw, stamp, 1.0)


_BROKEN = re.compile(r'"(datePublished|dateModified)"\s*:\s*"([^"]{8,40})"')


def from_broken_json_ld(document: Document, read: Reader) -> Iterator[Candidate]:
    """Dates of JSON-LD that is not valid JSON, if it names only one."""
    text = "\n".join(filter(_is_broken, (node.text() for node in document.tree.css('script[type*="ld+json" i]'))))
    for key, role in (("datePublished", PUBLISHED), ("dateModified", MODIFIED)):
        named = {value for name, value in _BROKEN.findall(text) if name == key}
        stamps = [(raw, stamp) for raw in named if (stamp := read_machine(raw, read)) is not None]
        if len(stamps) == 1:
            yield Candidate("json-ld", f"broken JSON-LD, {key}", role, *stamps[0], 2.0)


def _is_broken(text: str) -> bool:
    return ("Article" in text or "Posting" in text) and not read_json_ld(text)


_hint_published = partial(pattern, "marked_published", whole_words=False)
_hint_modified = partial(pattern, "marked_modified", whole_words=False)


def _scope(node: LexborNode) -> LexborNode | None:
    """The element with `itemscope` that a microdata property belongs to."""
    outer = node.parent
    while outer is not None and "itemscope" not in outer.attributes:
        outer = outer.parent
    return outer


def from_microdata(document: Document, read: Reader) -> Iterator[Candidate]:
    """`itemprop` dates of the article's item; if there are several items, of the one with the headline."""
    candidates: list[tuple[LexborNode | None, Candidate]] = []
    for node in document.tree.css("[itemprop*=date]")[:_MANY]:
        prop = (node.attributes.get("itemprop") or "").split()
        scope = _scope(node)
        kind = (scope.attributes.get("itemtype") or "") if scope is not None else ""
        if is_other_medium(kind.rsplit("/", 1)[-1]) or is_aside(node):
            continue
        raw = fold(node.attributes.get("content") or node.attributes.get("datetime") or shown_text(node))
        stamp = read_machine(raw, read)
        for key, role, weight in _JSON_LD_KEYS:
            if key in prop and stamp is not None:
                share = weight - 0.5 if weight > 1 else 1.0
                candidates.append((scope, Candidate("microdata", f"itemprop {key}", role, raw, stamp, share)))
    published = [(scope, candidate.stamp.day) for scope, candidate in candidates if candidate.role == PUBLISHED]
    if len({day for _, day in published}) > 1:
        own = next((scope for scope, _ in published if scope is not None and scope.css_first("h1") is not None), None)
        candidates = [(scope, candidate) for scope, candidate in candidates if own is not None and scope == own]
    yield from (candidate for _, candidate in candidates)


@dataclass(frozen=True, slots=True)
class TimeElement:
    """A `<time>` element: its text, its attribute, and what its markup calls it."""

    text: str
    stamp: Stamp | None
    raw: str
    role: str
    aside: bool


def time_elements(document: Document, read: Reader) -> list[TimeElement]:
    """The `<time>` elements of a page, in order."""
    elements = []
    for node in document.tree.css("time")[:_MANY]:
        attributes = node.attributes
        hints = " ".join(
            value or name for name, value in attributes.items() if name not in {"datetime", "style", "content"}
        )
        role = MODIFIED if _hint_modified().search(hints) else PUBLISHED if _hint_published().search(hints) else UNKNOWN
        raw = fold(attributes.get("datetime") or attributes.get("content") or "")
        stamp = read_machine(raw, read)
        elements.append(TimeElement(shown_text(node), stamp, raw, role, is_aside(node)))
    return elements


def from_marked_times(times: list[TimeElement]) -> Iterator[Candidate]:
    """Dates of `<time>` elements whose markup says what they are, anywhere on the page, if they agree on the day."""
    for role in (PUBLISHED, MODIFIED):
        marked = [(time.raw, time.stamp) for time in times if time.role == role and time.stamp and not time.aside]
        if len({stamp.day for _, stamp in marked}) == 1:
            yield Candidate("time", f"<time> marked as {role}", role, *marked[0], 2.0)


def from_address(url: str) -> Iterator[Candidate]:
    """The date in the address; eight digits in a row weigh less, since they may be a plain number."""
    if (dated := address_stamp(url)) is not None:
        stamp, raw = dated
        weight = 0.5 if stamp.precision == "month" else 1.5 if raw.isdigit() else 2.0
        yield Candidate("address", "the address", PUBLISHED, raw, stamp, weight)


def from_listing(listing_date: str | None) -> Iterator[Candidate]:
    """The date that a listing prints."""
    if listing_date and (stamp := read_stamp(listing_date)) is not None:
        yield Candidate("listing", "the listing", PUBLISHED, listing_date, stamp, 2.5)
