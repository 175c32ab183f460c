"""Declarations: parsed TOML becomes a checked `Site`; every fault names its key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from locum_spider.clock import parse_span
from locum_spider.errors import DeclarationError
from locum_spider.sites.site import DECLARABLE, WAYS, CrawlPolicy, Layout, Rule, Site

_LONGEST_DELAY = 86_400
_LONGEST_READING = 86_400
_BY_WORDS = tuple(way for way in WAYS if way not in {"css", "meta", "json_ld"})
_TABLES = frozenset({"layouts"})
_GOES_WITH = {
    "attr": ("css",), "drop": ("css",), "followed_by": ("named_by",), "before": ("after",),
    "after": ("after", "label"),
}  # fmt: skip


def load_site(data: dict[str, Any], source: str) -> Site:
    """A checked Site from parsed TOML. `source` names the file in errors.

    Raises DeclarationError for an unknown key, a wrong type, a bad pattern or selector, overlapping layouts.
    """
    try:
        site = msgspec.convert(data, Site)
    except msgspec.ValidationError as error:
        raise DeclarationError(f"{source}: {_explain(str(error))}") from None
    for key, fault in chain(_faults(site), _missing_rules(data)):  # the first is enough
        raise DeclarationError(f"{source}: {key}: {fault}")
    return site


def _explain(message: str) -> str:
    """msgspec's sentence with the key in front and, for an unknown key, the ones that are allowed."""
    what, _, path = message.partition(" - at `$")
    path = path.strip("`.")
    if "unknown field" in what:
        name = what.split("`")[1]
        kind: Any = Site
        for key in re.findall("[a-z_]+", path):
            kind = _struct_in(next(field.type for field in msgspec.structs.fields(kind) if field.name == key))
        return f"{path + '.' if path else ''}{name}: unknown key; allowed here: {', '.join(kind.__struct_fields__)}"
    if what == "Expected `array`, got `object`" and path in _TABLES:
        return f"{path}: {what[0].lower()}{what[1:]}: write [[{path}]], with two brackets"
    where = path or "the file"
    if "missing required field" in what:
        return f"{where}: the key {what.split('`')[1]} is missing"
    return f"{where}: {what[0].lower()}{what[1:]}"


def _struct_in(kind: Any) -> Any:
    """The struct in the type of a key: the type itself, or one in its tuple or union; None if there is none."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next(filter(None, map(_struct_in, get_args(kind))), None)


def _missing_rules(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields without a rule: without it no page can be read as an article, or no article has its text."""
    for number, layout in enumerate(data.get("layouts", ())):
        rules = layout.get("article", {})
        for name in ("title", "published"):
            if not rules.get(name):
                yield f"layouts[{number}].article.{name}", "write a rule for it; a page without it is not an article"
        if "body" not in rules:
            yield f"layouts[{number}].article.body", "write a rule for the text, or body = [] if you want none"


def _faults(site: Site) -> Iterator[tuple[str, str]]:
    """Keys with their faults. Each check relies on those before it: only the first fault is sure."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", site.name):
        yield "name", f"{site.name!r} may hold only a-z, 0-9 and hyphens"
    for host in site.hosts:
        if not re.fullmatch(r"[\w.-]+(:\d{1,5})?", host):
            yield "hosts", f"{host!r} is not a host name; write example.org, or example.org:8080 with its port"
    if not site.hosts:
        yield "hosts", "name at least one host"
    if not site.start:
        yield "start", "name at least one address"
    for url in site.start:
        if not _is_start(site, url):
            yield "start", f"{url!r} is not an http address on {', '.join(site.hosts)}"
    try:
        ZoneInfo(site.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield "timezone", f"{site.timezone!r} is not an IANA time zone; write Europe/London"
    if not re.fullmatch(r"[a-z]{2,3}", site.language):
        yield "language", f"{site.language!r} is not a language code; write en, de, fr"
    if site.articles.address is None:
        yield "articles.address", "write a pattern that tells which addresses are articles"
    yield from _pattern_faults(site)
    yield from _crawl_faults(site.crawl)
    if site.layouts:
        yield from _layout_faults(site)


def _crawl_faults(policy: CrawlPolicy) -> Iterator[tuple[str, str]]:
    whole = (policy.concurrency, policy.max_bytes, policy.max_listings, policy.max_memory)
    if not 0 <= policy.delay <= _LONGEST_DELAY or min(whole) < 1:
        yield (
            "crawl",
            f"delay must be 0 to {_LONGEST_DELAY:,}; concurrency, max_bytes, max_listings and max_memory 1 or more",
        )
    if not 0 < policy.max_reading <= _LONGEST_READING:
        yield "crawl.max_reading", f"it must be more than 0, and at most {_LONGEST_READING:,} seconds"
    try:
        parse_span(policy.every)
    except ValueError as error:
        yield "crawl.every", str(error)


def _is_start(site: Site, url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and parts.port != 0 and site.owns(url)
    except ValueError:
        return False


def _pattern_faults(site: Site) -> Iterator[tuple[str, str]]:
    patterns: dict[str, tuple[Any, tuple[str, ...]]] = {
        "": (site, ("sessions",)),
        "articles.": (site.articles, ("address", "date", "slug")),
        "listings.": (site.listings, ("follow", "ignore")),
    }
    for table, (struct, keys) in patterns.items():
        for key in keys:
            source, name = getattr(struct, key), f"{table}{key}"
            try:
                groups = re.compile(source or "").groups
            except re.error as error:
                yield name, f"{source!r} is not a regular expression: {error}"
                continue
            wanted = {"date": (1, 3), "slug": (1,)}.get(key)
            if source is not None and wanted and groups not in wanted:
                shape = "one group (2018-04-10) or three (year, month, day)" if key == "date" else "one group"
                yield name, f"{source!r} must have {shape}, but has {groups}"


def _layout_faults(site: Site) -> Iterator[tuple[str, str]]:
    *earlier, last = (layout.until for layout in site.layouts)
    dates = [until for until in (*earlier, last) if until is not None]
    if None in earlier:
        yield f"layouts[{earlier.index(None)}].until", "only the last layout may be without a date"
    if any(later <= sooner for sooner, later in pairwise(dates)):
        yield (
            "layouts",
            f"their dates overlap: until must rise from one to the next, here {[*map(str, (*earlier, last))]}",
        )
    if last is not None:
        yield f"layouts[{len(earlier)}].until", "the last layout must have no date: it reads today's pages"
    for number, layout in enumerate(site.layouts):
        rules = [(f"article.{name}", rule) for name in DECLARABLE for rule in layout.article.rules(name)]
        if (published := layout.listing.published) is not None:
            rules.append(("listing.published", published))
        for key, rule in rules:
            for fault in _rule_faults(rule):
                yield f"layouts[{number}].{key}", fault
        yield from _place_faults(layout, number)
        if published is not None and published.label is None:
            yield f"layouts[{number}].listing.published", 'read the date of an entry by its label: { label = "…" }'


def _place_faults(layout: Layout, number: int) -> Iterator[tuple[str, str]]:
    """Rules that look above or below a field that is never found by its words, and so has no place on the page."""
    placed: set[str] = set()
    for name in DECLARABLE:
        rules = layout.article.rules(name)
        for rule in rules:
            for mark in (rule.above, rule.after):
                if mark is not None and mark.startswith("@") and mark[1:] not in placed:
                    yield (
                        f"layouts[{number}].article.{name}",
                        f"{mark} has no place on the page: it must be read before {name}, by {', '.join(_BY_WORDS)}",
                    )
        if any(rule.way in _BY_WORDS for rule in rules):
            placed.add(name)


def _rule_faults(rule: Rule) -> Iterator[str]:
    ways = [w for w in WAYS if getattr(rule, w) is not None]
    main = [w for w in ways if w != "after"] or ways
    if len(main) != 1:
        yield f"a rule has exactly one of {', '.join(WAYS)}; this one has {', '.join(main) or 'none'}"
        return
    for key, allowed in _GOES_WITH.items():
        if getattr(rule, key) not in (None, ()) and main[0] not in allowed:
            yield f"{key} goes with {' or '.join(allowed)} only"
    for selector in (rule.css, rule.drop):
        if selector is not None and not _is_selector(selector):
            yield f"{selector!r} is not a CSS selector"
    if rule.above is not None and not rule.above.startswith("@"):
        yield f"above must name a field; write {'@' + rule.above!r}"
    for mark in (rule.above, rule.after, *rule.before):
        if mark is not None and mark.startswith("@") and mark[1:] not in DECLARABLE:
            yield f"{mark!r} is not a field; allowed: {', '.join('@' + f for f in DECLARABLE)}"


def _is_selector(selector: str) -> bool:
    try:
        LexborHTMLParser("<p></p>").css(selector)
    except (SelectolaxError, ValueError, RuntimeError):
        return False
    return bool(selector.strip())
