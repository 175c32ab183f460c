"""`Site` and `Layout`: what is declared of a news site. Data, not code; `docs/sites.md` tells every key."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal
from urllib.parse import unquote_plus, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from locum_spider.errors import DeclarationError
from locum_spider.normalise import host_of, normalise_url

Evidence = Literal["address", "metadata", "heading"]
_REMEMBERED = 5_000
_LONGEST_DELAY = 86_400
_LONGEST_SPAN = 24 * 3_653
_SPAN = re.compile(r"(\d+) ?(h|hours?|d|days?|w|weeks?)")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}
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
        return next(w for w in _WAYS if getattr(self, w) is not None)

    def __str__(self) -> str:
        return ", ".join(f"{k} = {v!r}" for k, v in msgspec.structs.asdict(self).items() if v not in (None, ()))


_WAYS = ("css", "meta", "json_ld", "named_by", "label", "above", "after")
_GOES_WITH = {
    "attr": ("css",), "drop": ("css",), "followed_by": ("named_by",), "before": ("after",),
    "after": ("after", "label"),
}  # fmt: skip
FIELDS = ("title", "published", "standfirst", "section", "body", "authors", "tags", "modified")
Rules = Rule | tuple[Rule, ...]


class ArticleRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule, or several of which the first that finds something counts, for each field of an article."""

    title: Rules = ()
    published: Rules = ()
    standfirst: Rules = ()
    section: Rules = ()
    body: Rules = ()
    authors: Rules = ()
    tags: Rules = ()
    modified: Rules = ()

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
    """Which addresses are articles, and what an address says. Patterns are searched in path and query."""

    address: str | None = None
    identity: tuple[str, ...] = ()
    date: str | None = None
    slug: str | None = None


class ListingAddresses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which other addresses of the site are followed as listings."""

    follow: str | None = None
    ignore: str | None = None


class CrawlPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How gently a site is asked, and how often. `delay` in seconds, `every` as `12h`, `1d`, `2w`."""

    delay: float = 1.0
    concurrency: int = 1
    every: str = "1d"
    max_bytes: int = 32 * 1024 * 1024
    max_listings: int = 5_000

    @property
    def interval(self) -> timedelta:
        """`every` as a time span."""
        return parse_span(self.every)


def parse_span(text: str) -> timedelta:
    """A time span as people write it; ValueError where it is none.

    >>> parse_span("12h"), parse_span("2 days")
    (datetime.timedelta(seconds=43200), datetime.timedelta(days=2))
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None or len(match[1]) > 9 or int(match[1]) == 0:
        raise ValueError(f"{text!r} is no time span; write hours, days or weeks: 12h, 1d, 2w")
    hours = int(match[1]) * _HOURS[match[2][0]]
    if hours > _LONGEST_SPAN:
        raise ValueError(f"{text!r} is longer than ten years; write hours, days or weeks: 12h, 1d, 2w")
    return timedelta(hours=hours)


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """A declared news site."""

    name: str
    title: str
    hosts: tuple[str, ...]
    start: tuple[str, ...]
    timezone: str
    language: str
    date_order: Literal["DMY", "MDY", "YMD"] | None = None
    articles: Addresses
    listings: ListingAddresses = ListingAddresses()
    crawl: CrawlPolicy = CrawlPolicy()
    layouts: tuple[Layout, ...] = (Layout(),)

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str] | None]:
        sources = {
            "article": self.articles.address, "date": self.articles.date, "slug": self.articles.slug,
            "follow": self.listings.follow, "ignore": self.listings.ignore,
        }  # fmt: skip
        return {name: re.compile(source) if source else None for name, source in sources.items()}

    def _search(self, name: str, url: str) -> re.Match[str] | None:
        pattern = self._patterns[name]
        parts = urlsplit(url)
        return pattern.search(f"{parts.path}?{parts.query}" if parts.query else parts.path) if pattern else None

    @cached_property
    def _hosts(self) -> frozenset[str]:
        return frozenset(h.lower().removeprefix("www.") for h in self.hosts)

    def owns(self, url: str) -> bool:
        """Whether an address is on one of the site's hosts, `www.` or not."""
        return host_of(url) in self._hosts

    @cached_property
    def _known(self) -> dict[str, tuple[bool, str]]:
        """Whether an address is an article, and its key: a page's links are asked for many times."""
        return {}

    def _facts(self, url: str) -> tuple[bool, str]:
        if (facts := self._known.get(url)) is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            is_own = self.owns(url)
            is_article = is_own and self._search("article", url) is not None
            try:
                key = normalise_url(url, keep=self.articles.identity if is_article else ())
                if is_own:
                    key = self._at_home(key)
            except ValueError:  # "http://[broken" is nobody's address
                key = url
            facts = self._known[url] = is_article, key
        return facts

    def is_article(self, url: str) -> bool:
        """Whether an address names an article of this site."""
        return self._facts(url)[0]

    def is_listing(self, url: str) -> bool:
        """Whether an address of the site may be a listing: no article, no file, not ignored."""
        if not self.owns(url) or self.is_article(url) or self._search("ignore", url):
            return False
        if _FILE.search(urlsplit(url).path):
            return False
        return self._patterns["follow"] is None or self._search("follow", url) is not None

    def key(self, url: str) -> str:
        """The one address under which a page of the site is known: two addresses with one key are one page."""
        return self._facts(url)[1]

    @cached_property
    def _home(self) -> tuple[str, str, str]:
        """Scheme and host under which pages are known, and that host in its normal form."""
        return urlsplit(self.start[0]).scheme, self.hosts[0].split(":")[0], self.hosts[0].lower().removeprefix("www.")

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
        """The calendar day an address names, if it is one that exists."""
        if (match := self._search("date", url)) is None:
            return None
        try:
            return date.fromisoformat("-".join(match.groups())).isoformat()
        except ValueError:
            return None

    def address_slug(self, url: str) -> str | None:
        """The words an address says of the title."""
        match = self._search("slug", url)
        return unquote_plus(match[1]) if match else None

    def layout(self, fetched_at: str | None) -> Layout:
        """The layout for a page captured at a UTC time; the newest where no time is given."""
        for layout in self.layouts:
            if layout.until is None or (fetched_at is not None and fetched_at[:10] < layout.until.isoformat()):
                return layout
        return self.layouts[-1]


def load_site(data: dict[str, Any], source: str) -> Site:
    """A checked Site out of parsed TOML. `source` names the file in errors.

    Raises DeclarationError for an unknown key, a wrong type, a bad pattern or selector, overlapping layouts.
    """
    try:
        site = msgspec.convert(data, Site)
    except msgspec.ValidationError as error:
        raise DeclarationError(f"{source}: {_explain(str(error))}") from None
    for key, fault in _faults(site):
        raise DeclarationError(f"{source}: {key}: {fault}")
    return site


def _explain(message: str) -> str:
    """msgspec's sentence with the key in front and, for an unknown key, the ones that are allowed."""
    what, _, where = message.partition(" - at `$")
    where = where.rstrip("`").lstrip(".") or "the file"
    if "unknown field" in what:
        name = what.split("`")[1]
        path = where if where != "the file" else ""
        kind: Any = Site
        for pattern, candidate in _STRUCTS:
            if re.fullmatch(pattern, path):
                kind = candidate
        return f"{path + '.' if path else ''}{name}: unknown key; allowed here: {', '.join(kind.__struct_fields__)}"
    if "missing required field" in what:
        return f"{where}: the key {what.split('`')[1]} is missing"
    return f"{where}: {what[0].lower()}{what[1:]}"


_STRUCTS: tuple[tuple[str, Any], ...] = (
    (r"articles", Addresses), (r"listings", ListingAddresses), (r"crawl", CrawlPolicy),
    (r"layouts\[\d+\]", Layout), (r"layouts\[\d+\]\.article", ArticleRules), (r"layouts\[\d+\]\.listing", ListingRules),
    (r"layouts\[\d+\]\.(article|listing)\.\w+(\[\d+\])?", Rule),
)  # fmt: skip


def _faults(site: Site) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", site.name):
        found.append(("name", f"{site.name!r} may hold only a-z, 0-9 and hyphens"))
    found += [
        ("hosts", f"{h!r} is no host name; write example.org") for h in site.hosts if not re.fullmatch(r"[\w.-]+", h)
    ]
    found += [("hosts", "name at least one host")] * (not site.hosts) + [("start", "name at least one address")] * (
        not site.start
    )
    if not found:
        found += [
            ("start", f"{u!r} is no http address on {', '.join(site.hosts)}")
            for u in site.start
            if not _is_start(site, u)
        ]
    try:
        ZoneInfo(site.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found.append(("timezone", f"{site.timezone!r} is no zone of the IANA database; write Europe/London"))
    if not re.fullmatch(r"[a-z]{2,3}", site.language):
        found.append(("language", f"{site.language!r} is no language code; write en, de, fr"))
    if site.articles.address is None:
        found.append(("articles.address", "a pattern is needed that tells which addresses are articles"))
    found += _pattern_faults(site)
    policy = site.crawl
    if (
        not 0 <= policy.delay <= _LONGEST_DELAY
        or policy.concurrency < 1
        or policy.max_bytes < 1
        or policy.max_listings < 1
    ):
        found.append(
            ("crawl", f"delay must be 0 to {_LONGEST_DELAY:,}; concurrency, max_bytes and max_listings 1 or more")
        )
    try:
        policy.interval  # noqa: B018
    except ValueError as error:
        found.append(("crawl.every", str(error)))
    return found + _layout_faults(site)


def _is_start(site: Site, url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and parts.port != 0 and site.owns(url)
    except ValueError:
        return False


def _pattern_faults(site: Site) -> list[tuple[str, str]]:
    found = []
    for table, keys in (("articles", ("address", "date", "slug")), ("listings", ("follow", "ignore"))):
        for key in keys:
            source = getattr(getattr(site, table), key)
            try:
                groups = re.compile(source).groups if source is not None else None
            except re.error as error:
                found.append((f"{table}.{key}", f"{source!r} is no regular expression: {error}"))
                continue
            wanted = {"date": (1, 3), "slug": (1,)}.get(key)
            if groups is not None and wanted and groups not in wanted:
                shape = "one group (2018-04-10) or three (year, month, day)" if key == "date" else "one group"
                found.append((f"{table}.{key}", f"{source!r} must have {shape}, it has {groups}"))
    return found


def _layout_faults(site: Site) -> list[tuple[str, str]]:
    if not site.layouts:
        return [("layouts", "an empty list reads nothing; leave the key out for the general reader")]
    found: list[tuple[str, str]] = []
    untils = [layout.until for layout in site.layouts]
    if None in untils[:-1]:
        found.append((f"layouts[{untils.index(None)}].until", "only the last layout may be without a date"))
    elif any(b is not None and a is not None and b <= a for a, b in pairwise(untils)):
        found.append(
            (
                "layouts",
                f"their dates overlap: until must rise from one to the next, here {[str(u) for u in untils]}",
            )
        )
    elif untils[-1] is not None:
        found.append((f"layouts[{len(untils) - 1}].until", "the last layout must have no date: it reads today's pages"))
    for number, layout in enumerate(site.layouts):
        places = [(f"article.{name}", rule) for name in FIELDS for rule in layout.article.rules(name)]
        places += [("listing.published", layout.listing.published)] if layout.listing.published else []
        found += [(f"layouts[{number}].{key}", fault) for key, rule in places for fault in _rule_faults(rule)]
        if (published := layout.listing.published) is not None and published.label is None:
            found.append(
                (f"layouts[{number}].listing.published", 'an entry\'s date is found by its label only: { label = "…" }')
            )
    return found


def _rule_faults(rule: Rule) -> list[str]:
    ways = [w for w in _WAYS if getattr(rule, w) is not None]
    main = [w for w in ways if w != "after"] or ways
    if len(main) != 1:
        return [f"a rule has exactly one of {', '.join(_WAYS)}; this one has {', '.join(main) or 'none'}"]
    found = [
        f"{key} goes with {' or '.join(allowed)} only"
        for key, allowed in _GOES_WITH.items()
        if getattr(rule, key) not in (None, ()) and main[0] not in allowed
    ]
    for key in ("css", "drop"):
        selector = getattr(rule, key)
        if selector is not None and not _is_selector(selector):
            found.append(f"{selector!r} is no CSS selector")
    if rule.above is not None and not rule.above.startswith("@"):
        found.append(f"above names a field, {'@' + rule.above!r}")
    landmarks = [rule.above, rule.after, *rule.before]
    found += [
        f"{mark!r} is no field; allowed: {', '.join('@' + f for f in FIELDS)}"
        for mark in landmarks
        if mark is not None and mark.startswith("@") and mark[1:] not in FIELDS
    ]
    return found


def _is_selector(selector: str) -> bool:
    try:
        LexborHTMLParser("<p></p>").css(selector)
    except (SelectolaxError, ValueError, RuntimeError):
        return False
    return bool(selector.strip())
