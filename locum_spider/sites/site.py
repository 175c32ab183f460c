"""`Site` and `Layout`: the declaration of a news site. Data, not code; `docs/sites.md` has every key."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import cached_property, lru_cache
from typing import Literal
from urllib.parse import unquote_plus, urlsplit

import msgspec

from locum_spider.fields import FIELDS
from locum_spider.items import Kind
from locum_spider.urls import DEFAULT_PORT, host_of, normalise_url, port_of, without_session

Evidence = Literal["address", "metadata", "heading"]
_REMEMBERED = 5_000
_FILE = re.compile(
    r"\.(pdf|docx?|xlsx?|pptx?|odt|ods|rtf|csv|zip|gz|epub|jpe?g|png|gif|webp|svg|ico|mp[34]|m4a|mov|avi|css|js|json|"
    r"xml|rss|txt|ics|exe|dmg|woff2?)$",
    re.IGNORECASE,
)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where one field stands on a page: one of `css`, `meta`, `json_ld`, `label`, `above`, `named_by`, `after`.

    `after` and `before` hold landmarks: visible words at the start of a line, or `@field`.
    """

    css: str | None = None
    attr: str | None = None
    drop: str | None = None
    meta: str | None = None
    json_ld: str | None = None
    label: str | None = None
    above: str | None = None
    named_by: tuple[Evidence, ...] | None = None
    followed_by: str | None = None
    after: str | None = None
    before: tuple[str, ...] = ()

    @property
    def way(self) -> str:
        """Which of the ways this rule takes."""
        return next(w for w in WAYS if getattr(self, w) is not None)

    def __str__(self) -> str:
        return ", ".join(f"{k} = {v!r}" for k, v in msgspec.structs.asdict(self).items() if v not in (None, ()))


WAYS = ("css", "meta", "json_ld", "named_by", "label", "above", "after")
Rules = Rule | tuple[Rule, ...]

_FIRST = ("title", "published", "standfirst", "section", "body", "modified")
_BY_RULE = {field.rule: field for field in FIELDS if field.rule is not None}
DECLARABLE = {name: _BY_RULE[name] for name in (*_FIRST, *_BY_RULE)}
"""Fields that a declaration has rules for, in the order of reading: a rule can name those before it as landmarks."""


class ArticleRules(
    msgspec.defstruct(  # type: ignore[misc]  # a new field of the table can have rules at once
        "_", [(name, Rules, ()) for name in DECLARABLE], frozen=True, forbid_unknown_fields=True, kw_only=True
    )
):
    """For each field of an article one rule, or several: the first that finds something counts."""

    def rules(self, name: str) -> tuple[Rule, ...]:
        """The rules of a field, in order."""
        value: Rules = getattr(self, name)
        return (value,) if isinstance(value, Rule) else value


class ListingRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an entry of a listing prints its date."""

    published: Rule | None = None


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How pages captured before `until` are read; the last layout has no `until`."""

    until: date | None = None
    article: ArticleRules = ArticleRules()
    listing: ListingRules = ListingRules()


class Addresses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which addresses are articles, and what an address says. Patterns are searched for in path and query."""

    address: str | None = None
    identity: tuple[str, ...] = ()
    date: str | None = None
    slug: str | None = None


class ListingAddresses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which other addresses of the site are followed as listings."""

    follow: str | None = None
    ignore: str | None = None


class CrawlPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How politely a site is crawled, and how often. `delay` is in seconds, `every` as `12h`, `1d`, `2w`.

    A large page may take `max_reading` seconds of computing and `max_memory` bytes to read.
    """

    delay: float = 1.0
    concurrency: int = 1
    every: str = "1d"
    max_bytes: int = 32 * 1024 * 1024
    max_listings: int = 5_000
    max_reading: float = 60.0
    max_memory: int = 1024**3


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A news site as declared. Without `layouts` the general reader reads its articles."""

    name: str
    title: str
    hosts: tuple[str, ...]
    start: tuple[str, ...]
    timezone: str
    language: str
    date_order: Literal["DMY", "MDY", "YMD"] | None = None
    sessions: str | None = None
    articles: Addresses
    listings: ListingAddresses = ListingAddresses()
    crawl: CrawlPolicy = CrawlPolicy()
    layouts: tuple[Layout, ...] = ()

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str] | None]:
        sources = {
            "article": self.articles.address, "date": self.articles.date, "slug": self.articles.slug,
            "follow": self.listings.follow, "ignore": self.listings.ignore, "sessions": self.sessions,
        }  # fmt: skip
        return {name: re.compile(source) if source else None for name, source in sources.items()}

    def _search(self, name: str, url: str) -> re.Match[str] | None:
        pattern = self._patterns[name]
        parts = urlsplit(url)
        return pattern.search(f"{parts.path}?{parts.query}" if parts.query else parts.path) if pattern else None

    @cached_property
    def _ports(self) -> dict[str, frozenset[int]]:
        """The ports of each host: those that `hosts` and `start` write, else those of http and https."""
        origins = [*(f"//{host}" for host in self.hosts), *self.start]
        written: dict[str, set[int]] = {host_of(origin): set() for origin in origins[: len(self.hosts)]}
        for origin in origins:
            with suppress(ValueError):  # a port that is not a number: `declaration` says so
                if host_of(origin) in written and (port := urlsplit(origin).port) is not None:
                    written[host_of(origin)].add(port)
        return {host: frozenset(ports or DEFAULT_PORT.values()) for host, ports in written.items()}

    @property
    def is_declared(self) -> bool:
        """Whether the site is declared; one that is not stands for any page it is given."""
        return bool(self.hosts)

    def owns(self, url: str) -> bool:
        """Whether an address is on one of the site's hosts and ports, `www.` or not.

        A site without hosts owns every address.
        """
        if not self.is_declared:
            return True
        ports = self._ports.get(host_of(url))
        return ports is not None and port_of(url) in ports

    @cached_property
    def _facts(self) -> Callable[[str], tuple[bool, str]]:
        """Whether an address is an article, and its key. Remembered, for a crawl asks for each link many times."""
        return lru_cache(_REMEMBERED)(self._read_address)

    def _read_address(self, url: str) -> tuple[bool, str]:
        url = self.without_session(url)
        is_own = self.owns(url)
        is_article = is_own and self._looks_like_article(url)
        try:
            key = normalise_url(url, keep=self.articles.identity if is_article else ())
            return is_article, self._at_home(key) if self.is_declared and is_own else key
        except ValueError:  # "http://[broken" is nobody's address
            return is_article, url

    def without_session(self, url: str) -> str:
        """An address without the ids of sessions that are known by their names or that the site declares."""
        try:
            url = without_session(url)
            if (pattern := self._patterns["sessions"]) is not None:
                parts = urlsplit(url)
                path, _, query = pattern.sub("", f"{parts.path}?{parts.query}").partition("?")
                query = "&".join(filter(None, query.split("&")))
                url = parts._replace(path=path, query=query).geturl()
        except ValueError:
            pass
        return url

    def _looks_like_article(self, url: str) -> bool:
        """By the site's pattern; without one, any page may be an article, and its content decides."""
        if self.articles.address is not None:
            return self._search("article", url) is not None
        try:
            return _FILE.search(urlsplit(url).path) is None
        except ValueError:  # "http://[broken" is nobody's address
            return False

    def is_article(self, url: str) -> bool:
        """Whether an address names an article of this site."""
        return self._facts(url)[0]

    def kind(self, url: str) -> Kind:
        """What a request for an address of the site asks for."""
        return Kind.ARTICLE if self.is_article(url) else Kind.LISTING

    def is_listing(self, url: str) -> bool:
        """Whether an address of the site may be a listing: not an article, not a file, not ignored."""
        if not self.owns(url) or self.is_article(url) or self._search("ignore", url):
            return False
        if _FILE.search(urlsplit(url).path):
            return False
        return self._patterns["follow"] is None or self._search("follow", url) is not None

    def key(self, url: str) -> str:
        """The one address under which a page of the site is known: addresses with the same key are one page."""
        return self._facts(url)[1]

    @cached_property
    def _home(self) -> tuple[str, str, str]:
        """Scheme and host under which pages are known, and that host in its normal form."""
        host = self.hosts[0].partition(":")[0]
        return urlsplit(self.start[0]).scheme, host, host.lower().removeprefix("www.")

    def _at_home(self, url: str) -> str:
        """A normalised address of the site with the scheme and the host that the site declares."""
        scheme, host, bare = self._home
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            scheme = parts.scheme
        if (own := parts.hostname or "") != bare:
            host = own
        return parts._replace(scheme=scheme, netloc=f"{host}:{parts.port}" if parts.port else host).geturl()

    def address_date(self, url: str) -> str | None:
        """The calendar day in an address; None if there is none, or no such day."""
        if (match := self._search("date", url)) is None:
            return None
        try:
            return date.fromisoformat("-".join(match.groups())).isoformat()
        except ValueError:
            return None

    def address_slug(self, url: str) -> str | None:
        """The words of the title in an address."""
        match = self._search("slug", url)
        return unquote_plus(match[1]) if match else None

    def layout(self, fetched_at: str | None) -> Layout:
        """The layout for a page captured at a UTC time, by default the newest; an empty one if none is declared."""
        for layout in self.layouts:
            if layout.until is None or (fetched_at is not None and fetched_at[:10] < layout.until.isoformat()):
                return layout
        return self.layouts[-1] if self.layouts else Layout()
