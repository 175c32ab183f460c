"""What a page says about its article besides date and text: title, authors, section, tags, standfirst, language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from locum_spider.extract.general.bylines import read_authors, site_keys
from locum_spider.extract.general.titles import find_headline, read_title
from locum_spider.extract.page.document import Document
from locum_spider.extract.page.json_ld import names_in, text_of
from locum_spider.extract.phrases import plain_words
from locum_spider.text import letters, words

_NEAR = 14
_MANY_TAGS, _LONG_TAG = 40, 60
_CODE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What was read. `evidence` has the source of each field, by the field's name in `Article`.

    `headline` is the index of the line with the title.
    """

    title: str | None
    headline: int | None
    authors: tuple[str, ...]
    standfirst: str | None
    section: str | None
    tags: tuple[str, ...]
    lang: str | None
    canonical_url: str | None
    evidence: dict[str, str]


def read_metadata(document: Document) -> Metadata:
    """Read structured data first, then what is printed."""
    title, title_source = read_title(document)
    headline = find_headline(document, title) if title else None
    authors, authors_source = read_authors(document, headline)
    read: dict[str, Any] = {
        "title": title,
        "authors": authors,
        "standfirst": read_standfirst(document, headline, title or ""),
        "section": read_section(document),
        "tags": read_tags(document),
        "lang": read_language(document),
        "canonical_url": document.canonical,
    }
    sources = {"title": title_source, "authors": authors_source, "standfirst": "visible"}
    evidence = {name: sources.get(name) or "metadata" for name, value in read.items() if value}
    return Metadata(headline=headline, evidence=evidence, **read)


def read_standfirst(document: Document, headline: int | None, title: str) -> str | None:
    """The description, if it is printed near the headline; one for search engines only does not count."""
    if headline is None:
        return None
    texts = [text_of(thing.get("description")) for thing in document.articles]
    texts += map(text_of, document.metas("og:description", "description", "twitter:description"))
    # Descriptions are often cut short: it is enough that a printed line begins like one.
    descriptions = [description for text in texts if len(description := words(text)) > 4]
    for line in document.lines[headline + 1 : headline + _NEAR]:
        if line.image is not None or line.caption or line.url is not None or line.text == title:
            continue
        printed = words(line.text)
        if 4 < len(printed) < 90 and any(_same_beginning(printed, description) for description in descriptions):
            return line.text
    return None


def _same_beginning(printed: list[str], description: list[str]) -> bool:
    size = min(len(printed), len(description), 12)
    whole = len(description) >= len(printed) - 3 or len(printed) <= 60
    return size > 4 and whole and printed[: size - 1] == description[: size - 1]


def read_section(document: Document) -> str | None:
    """The name of the section; the site's own name, or an address, does not count."""
    own = site_keys(document)
    for text in document.sections:
        name = letters(text)
        if name and name not in own and name not in plain_words("home") and len(text) <= _LONG_TAG and "/" not in text:
            return text
    return None


def read_tags(document: Document) -> tuple[str, ...]:
    """The keywords, each once, without a publisher's own marks with a colon or an underscore."""
    texts = [text for thing in document.articles for text in names_in(thing.get("keywords"))]
    for name in ("article:tag", "og:article:tag", "news_keywords", "parsely-tags", "sailthru.tags", "keywords"):
        texts = texts or document.meta.get(name, [])
    parts = [part.strip(" #\"'") for text in texts for part in re.split(r"[,;|]\s*", text)]
    kept = {
        part.casefold(): part
        for part in reversed(parts)
        if 1 < len(part) <= _LONG_TAG and not re.search(r"[_:=]|\d{6}", part)
    }
    return tuple(dict.fromkeys(kept[part.casefold()] for part in parts if part.casefold() in kept))[:_MANY_TAGS]


def read_language(document: Document) -> str | None:
    """The language code (`en`) of the page, its metadata or its JSON-LD."""
    texts = [document.lang or ""]
    texts += document.metas("content-language", "language", "dc.language", "og:locale", "inlanguage")
    texts += [text for thing in document.articles for text in names_in(thing.get("inLanguage"))]
    for text in texts:
        code = re.split(r"[-_,; ]", text.strip().lower())[0]
        if _CODE.fullmatch(code):
            return code
    return None


_REGION = re.compile(r"^[a-z]{2,3}[-_](?:[a-z]{4}[-_])?([a-z]{2})\b", re.IGNORECASE)


def region_of(document: Document) -> str | None:
    """The country in `og:locale` or in the page's language tag, in lower case."""
    node = document.tree.css_first("html[lang]")
    tags = [node.attributes.get("lang") or ""] if node is not None else []
    for tag in document.metas("og:locale", "content-language") + tags:
        if match := _REGION.match(tag.strip()):
            return match[1].lower()
    return None
