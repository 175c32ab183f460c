"""Declarations: parsed TOML becomes a checked `Site`; every fault names its key."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from locum_spider.errors import DeclarationError
from locum_spider.sites.site import (
    DECLARABLE,
    WAYS,
    Addresses,
    ArticleRules,
    CrawlPolicy,
    Layout,
    ListingAddresses,
    ListingRules,
    Rule,
    Site,
)

_LONGEST_DELAY = 86_400
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
    faults: list[tuple[str, str]] = []
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", site.name):
        faults.append(("name", f"{site.name!r} may hold only a-z, 0-9 and hyphens"))
    faults += [
        ("hosts", f"{h!r} is not a host name; write example.org") for h in site.hosts if not re.fullmatch(r"[\w.-]+", h)
    ]
    faults += [("hosts", "name at least one host")] * (not site.hosts) + [("start", "name at least one address")] * (
        not site.start
    )
    if not faults:
        faults += [
            ("start", f"{u!r} is not an http address on {', '.join(site.hosts)}")
            for u in site.start
            if not _is_start(site, u)
        ]
    try:
        ZoneInfo(site.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(("timezone", f"{site.timezone!r} is not an IANA time zone; write Europe/London"))
    if not re.fullmatch(r"[a-z]{2,3}", site.language):
        faults.append(("language", f"{site.language!r} is not a language code; write en, de, fr"))
    if site.articles.address is None:
        faults.append(("articles.address", "write a pattern that tells which addresses are articles"))
    faults += _pattern_faults(site)
    policy = site.crawl
    if (
        not 0 <= policy.delay <= _LONGEST_DELAY
        or policy.concurrency < 1
        or policy.max_bytes < 1
        or policy.max_listings < 1
    ):
        faults.append(
            ("crawl", f"delay must be 0 to {_LONGEST_DELAY:,}; concurrency, max_bytes and max_listings 1 or more")
        )
    try:
        policy.interval  # noqa: B018
    except ValueError as error:
        faults.append(("crawl.every", str(error)))
    return faults + _layout_faults(site)


def _is_start(site: Site, url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and parts.port != 0 and site.owns(url)
    except ValueError:
        return False


def _pattern_faults(site: Site) -> list[tuple[str, str]]:
    faults = []
    for table, keys in (("articles", ("address", "date", "slug")), ("listings", ("follow", "ignore"))):
        for key in keys:
            source = getattr(getattr(site, table), key)
            try:
                groups = re.compile(source).groups if source is not None else None
            except re.error as error:
                faults.append((f"{table}.{key}", f"{source!r} is not a regular expression: {error}"))
                continue
            wanted = {"date": (1, 3), "slug": (1,)}.get(key)
            if groups is not None and wanted and groups not in wanted:
                shape = "one group (2018-04-10) or three (year, month, day)" if key == "date" else "one group"
                faults.append((f"{table}.{key}", f"{source!r} must have {shape}, but has {groups}"))
    return faults


def _layout_faults(site: Site) -> list[tuple[str, str]]:
    if not site.layouts:
        return []
    faults: list[tuple[str, str]] = []
    untils = [layout.until for layout in site.layouts]
    if None in untils[:-1]:
        faults.append((f"layouts[{untils.index(None)}].until", "only the last layout may be without a date"))
    elif any(b is not None and a is not None and b <= a for a, b in pairwise(untils)):
        faults.append(
            (
                "layouts",
                f"their dates overlap: until must rise from one to the next, here {[str(u) for u in untils]}",
            )
        )
    elif untils[-1] is not None:
        faults.append(
            (f"layouts[{len(untils) - 1}].until", "the last layout must have no date: it reads today's pages")
        )
    for number, layout in enumerate(site.layouts):
        places = [(f"article.{name}", rule) for name in DECLARABLE for rule in layout.article.rules(name)]
        places += [("listing.published", layout.listing.published)] if layout.listing.published else []
        faults += [(f"layouts[{number}].{key}", fault) for key, rule in places for fault in _rule_faults(rule)]
        if (published := layout.listing.published) is not None and published.label is None:
            faults.append(
                (
                    f"layouts[{number}].listing.published",
                    'read the date of an entry by its label: { label = "…" }',
                )
            )
    return faults


def _rule_faults(rule: Rule) -> list[str]:
    ways = [w for w in WAYS if getattr(rule, w) is not None]
    main = [w for w in ways if w != "after"] or ways
    if len(main) != 1:
        return [f"a rule has exactly one of {', '.join(WAYS)}; this one has {', '.join(main) or 'none'}"]
    faults = [
        f"{key} goes with {' or '.join(allowed)} only"
        for key, allowed in _GOES_WITH.items()
        if getattr(rule, key) not in (None, ()) and main[0] not in allowed
    ]
    for key in ("css", "drop"):
        selector = getattr(rule, key)
        if selector is not None and not _is_selector(selector):
            faults.append(f"{selector!r} is not a CSS selector")
    if rule.above is not None and not rule.above.startswith("@"):
        faults.append(f"above must name a field; write {'@' + rule.above!r}")
    landmarks = [rule.above, rule.after, *rule.before]
    faults += [
        f"{mark!r} is not a field; allowed: {', '.join('@' + f for f in DECLARABLE)}"
        for mark in landmarks
        if mark is not None and mark.startswith("@") and mark[1:] not in DECLARABLE
    ]
    return faults


def _is_selector(selector: str) -> bool:
    try:
        LexborHTMLParser("<p></p>").css(selector)
    except (SelectolaxError, ValueError, RuntimeError):
        return False
    return bool(selector.strip())
