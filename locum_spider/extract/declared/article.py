"""Reads an article page by the rules of a layout."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from locum_spider.dates import read_date
from locum_spider.errors import PageError
from locum_spider.extract.declared import landmarks
from locum_spider.extract.declared.body import read_body
from locum_spider.extract.declared.landmarks import Span, find_end
from locum_spider.extract.declared.markup import by_css, by_json_ld
from locum_spider.extract.names import split_names
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.lines import Line
from locum_spider.extract.phrases import pattern
from locum_spider.fields import Field
from locum_spider.items import Article, Attachment, Image
from locum_spider.sites.site import DECLARABLE, Rule, Site
from locum_spider.text import fold

_cut = partial(pattern, "behind_date", before=r"\s*(?:[|•·;(\[]|\s[–—-]\s|,?\s", after=r"\s)")
_byline = partial(pattern, "by", "made_by", after=r"\s+(.{2,80})", lang="en")
_FEW_WORDS = 6
_LONGEST_DATE = 300
_KEYWORDS = re.compile(r"[\n,;]\s*")


@dataclass(slots=True)
class _Reading:
    """What has been read of one page so far."""

    document: Document
    site: Site
    now: datetime
    spans: dict[str, Span] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    images: tuple[Image, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    def keep(self, name: str, rule: Rule, value: str, span: Span | None = None) -> None:
        self.values[name] = value
        self.evidence[name] = str(rule)
        if span is not None:
            self.spans[name] = span


def read_declared(document: Document, site: Site, fetched_at: datetime) -> Article:
    """The article on a page of a declared site.

    Raises PageError, which says what is missing, if the address is not that of an article, or if the page has no title
    or no date: it is not an article, or this layout cannot read it.
    """
    if not site.is_article(document.url):
        raise PageError(f"its address is not that of an article of {site.title}")
    layout = site.layout(fetched_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    reading = _Reading(document, site, fetched_at)
    for name in DECLARABLE:
        for rule in layout.article.rules(name):
            _apply(reading, name, rule)
            if name in reading.values:
                break
    for name, what in (("title", "title"), ("published", "date")):
        if name not in reading.values:
            looked = "; ".join(str(rule) for rule in layout.article.rules(name))
            looked = looked or "nothing: the layout has no rule for it"
            raise PageError(f"no {what} on the page (looked for {looked}); not read as an article")
    return _article(reading)


def _apply(reading: _Reading, name: str, rule: Rule) -> None:
    """Try one rule for one field and keep what it yields."""
    document, site, lines = reading.document, reading.site, reading.document.lines
    match rule.way:
        case "css":
            if value := by_css(document, rule, DECLARABLE[name]):
                reading.keep(name, rule, value)
        case "meta":
            values = document.meta.get((rule.meta or "").lower(), [])
            if values and values[0]:
                reading.keep(name, rule, "\n".join(values) if DECLARABLE[name].is_list else values[0])
        case "json_ld":
            if value := by_json_ld(document, rule.json_ld or ""):
                reading.keep(name, rule, value)
        case "named_by":
            if span := landmarks.find_title(document, site, rule.named_by or (), rule.followed_by):
                reading.keep(name, rule, span.text, span)
        case "label":
            _apply_label(reading, name, rule)
        case "above":
            below = reading.spans.get((rule.above or "")[1:])
            if below and (span := landmarks.find_above(document, site, below.start)):
                reading.keep(name, rule, span.text, span)
        case _:
            start = _start_of(reading, rule.after or "")
            if start is None:
                return
            marks = [m for m in rule.before if not m.startswith("@")]
            fields = [reading.spans[m[1:]].start for m in rule.before if m[1:] in reading.spans and m.startswith("@")]
            stop = min([find_end(lines, marks, start), *[f for f in fields if f >= start]])
            if name == "body" and not any(line.image is None for line in lines[start:stop]):
                start = _below_tools(lines, stop)
                stop = find_end(lines, marks, start)
            _keep_region(reading, name, rule, start, stop)


def _below_tools(lines: Sequence[Line], index: int) -> int:
    """The first line below the tools for sharing that stand above the text: one landmark and the links after it.

    Another landmark right after them means that the page has no text: the rest is its tail.
    """
    stop = index + 1
    while stop < len(lines):
        line = lines[stop]
        is_tool = line.image is not None or line.links > 0 or line.tag == "button" or line.item is not None
        if not (is_tool and len(line.text.split()) <= _FEW_WORDS):
            break
        stop += 1
    return stop


def _start_of(reading: _Reading, landmark: str) -> int | None:
    if landmark.startswith("@"):
        span = reading.spans.get(landmark[1:])
        return span.stop if span else None
    end = find_end(reading.document.lines, [landmark], 0)
    return end + 1 if end < len(reading.document.lines) else None


def _apply_label(reading: _Reading, name: str, rule: Rule) -> None:
    lines, label = reading.document.lines, rule.label or ""
    start = _start_of(reading, rule.after) if rule.after else 0
    if start is None:
        return
    title = reading.spans.get("title")
    stop = _near(reading, start) if rule.after else len(lines)
    if span := landmarks.find_label(lines, label, start, stop):
        reading.keep(name, rule, span.text, span)
    elif inner := landmarks.find_inner_label(lines, label, max(start - 1, 0), stop):
        span, front = inner
        reading.keep(name, rule, span.text, span)
        if front and title is not None and span.start >= title.stop:
            reading.values.setdefault("standfirst", front)


def _near(reading: _Reading, start: int) -> int:
    """The end of what belongs to a landmark: a few lines further, and before the next article's headline."""
    lines, own = reading.document.lines, reading.site.key(reading.document.url)
    stop = min(start + landmarks.NEAR, len(lines))
    return next((i for i in range(start, stop) if landmarks.leads_to_other_article(lines[i], reading.site, own)), stop)


def _keep_region(reading: _Reading, name: str, rule: Rule, start: int, stop: int) -> None:
    if name == "body":
        text, reading.images, reading.attachments = read_body(reading.document, reading.site, start, stop)
        reading.keep(name, rule, text, Span(start, stop, text))
        return
    title = reading.values.get("title")
    picked = []
    for line in reading.document.lines[start:stop]:
        if line.image is not None or line.caption or line.url is not None or line.tag in {"button", "label"}:
            continue
        if byline := _byline().fullmatch(line.text):
            reading.values.setdefault("authors", byline[1])
            reading.evidence.setdefault("authors", str(rule))
        elif line.text != title:
            picked.append(line.text)
    if picked:
        text = " ".join(picked)
        reading.keep(name, rule, text, Span(start, stop, text))


def _article(reading: _Reading) -> Article:
    values, site, document = reading.values, reading.site, reading.document
    dated = _read_published(values["published"], site, reading.now)
    address_day = site.address_date(document.url)
    canonical = document.canonical
    read = {
        field.name: _value(reading, field, values[name])
        for name, field in DECLARABLE.items()
        if name in values and name != "published"
    }
    return Article(
        url=document.url,
        published=dated.day,
        published_at=dated.at,
        published_raw=dated.raw,
        published_source=_source(reading.evidence["published"]) if dated.day else None,
        published_conflict=_conflict(dated, address_day),
        lang=document.lang or site.language,
        attachments=reading.attachments,
        images=reading.images,
        canonical_url=canonical if canonical and site.is_article(canonical) else None,
        evidence=_evidence(reading, address_day),
        **read,
    )


def _value(reading: _Reading, field: Field, raw: str) -> Any:
    """The value of a field, from the words that a rule found."""
    match field.kind:
        case "names":
            names = split_names(raw, reading.document.lang or reading.site.language)
            return tuple(names) or (fold(raw),)
        case "keywords":
            return tuple(word for word in _KEYWORDS.split(raw) if word)
        case "instant":
            dated = _read_published(raw, reading.site, reading.now)
            return dated.at or dated.day
    return raw


def _evidence(reading: _Reading, address_day: str | None) -> dict[str, str]:
    """What read each field: the layout's rule, or the source that stands in for one."""
    evidence = dict(reading.evidence)
    evidence |= {name: evidence["body"] for name in ("attachments", "images") if getattr(reading, name)}
    evidence["lang"] = "html lang" if reading.document.lang else "the site's declaration"
    if address_day is not None:
        evidence["address_date"] = address_day
    if reading.document.canonical:
        evidence["canonical_url"] = 'link rel="canonical"'
    return evidence


@dataclass(frozen=True, slots=True)
class _Dated:
    day: str | None
    at: str | None
    raw: str


def _read_published(raw: str, site: Site, now: datetime) -> _Dated:
    """A printed date; if more words follow on the line, only those before a separator are read."""
    printed = raw[:_LONGEST_DATE]
    cuts = [raw, *(printed[: m.start()] for m in _cut().finditer(printed) if m.start())]
    for text in cuts:
        value = read_date(text, now=now, tz=site.timezone, lang=site.language, order=site.date_order)
        if value is not None and value.precision not in {"year", "quarter"}:  # too vague to sort or cite by
            iso = value.isoformat()
            return _Dated(iso[:10], iso if "T" in iso else None, text.strip())
    return _Dated(None, None, raw)


def _conflict(dated: _Dated, address_day: str | None) -> str | None:
    if dated.day is None:
        hint = f"; the address says {address_day}" if address_day else ""
        return f"the page prints {dated.raw!r}, which cannot be read as a date{hint}"
    if address_day and not address_day.startswith(dated.day):
        return f"the page prints {dated.day}, the address says {address_day}"
    return None


def _source(evidence: str) -> str:
    """`visible` for words on the page, else the standard that the value comes from."""
    for way in ("meta", "json_ld"):
        if evidence.startswith(way):
            return way.replace("_", "-")
    return "visible"
