"""A page as a browser has it: decoded, parsed, with its standard metadata and its lines of visible text.

Nothing here depends on a site.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from locum_spider.extract.page.bounds import within_bounds
from locum_spider.extract.page.charset import decode
from locum_spider.extract.page.json_ld import Thing, breadcrumb, names_in, objects_of, own_articles, read_json_ld
from locum_spider.extract.page.lines import Line, LineReader
from locum_spider.items import Link
from locum_spider.text import fold
from locum_spider.urls import as_browsers_read

_LONGEST_BASE = 2_000
_ROOT = re.compile(r"https?://[\w.-]+(:\d+)?(?=[/?#]|$)")
_PLAIN_PATH = re.compile(r"(/(?!/)|(?=\w))(?!\w+:)(?!.*/\.)(?!\.)[\w/.%~+-]*(\?[\w/.%~+&=;,-]*)?")
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(/[\w/.%~+-]*)?(\?[\w/.%~+&=:;,-]+)?")


class Document:
    """One HTML page, fetched from `url`. Its addresses become absolute against its `<base>`.

    `html` is the page as text, `tree` the parsed page, `box_marks` the tag, class and id of each container. `language`
    is that of its site, for pages that do not declare their character set.

    Raises PageError if the tree of the page would never end.
    """

    def __init__(self, body: bytes, url: str, content_type: str | None = None, language: str | None = None) -> None:
        self.url = url
        self._address = url.split("#", maxsplit=1)[0]
        self.html = within_bounds(decode(body, content_type, language))
        try:
            self.tree = LexborHTMLParser(self.html)
        except SelectolaxError:
            raise MemoryError from None  # it reads any text: this is what it says if there is no memory
        self._root = self._folder = ""
        self._rebase(url)
        base = self.tree.css_first("base[href]")
        if base is not None:
            address = self.absolute(base.attributes.get("href")) or url
            self._rebase(address if len(address) <= _LONGEST_BASE else url)  # every address of the page may repeat it
        reader = LineReader(self.absolute)
        if self.tree.body is not None:
            reader.read(self.tree.body)
        self.lines: list[Line] = reader.lines
        self.links: list[Link] = reader.links
        self._boxes, self._ends = reader.boxes, reader.ends
        self.box_marks: list[str] = reader.marks

    def _rebase(self, base: str) -> None:
        self.base = base
        self._root = ""
        if (match := _ROOT.match(base)) and "/." not in base:
            self._root = match[0]
            path = base[match.end() :].split("?", 1)[0].split("#", 1)[0]
            self._folder = match[0] + (path.rpartition("/")[0] + "/")

    def absolute(self, href: str | None) -> str | None:
        """The absolute http(s) address of an `href` or `src`; None if it does not lead to a page."""
        if not href or href.startswith("#"):
            return None
        # Most links have one of these two forms; urljoin would take a third of a page's time.
        if _PLAIN_URL.fullmatch(href):
            return href
        if _PLAIN_PATH.fullmatch(href) and self._root:
            return (self._root if href[0] == "/" else self._folder) + href
        try:
            url = urljoin(self.base, as_browsers_read(href))
            parts = urlsplit(url)
            parts.port  # noqa: B018 - raises ValueError if it is not a number
            if "@" in parts.netloc:  # do not keep somebody's password in a page's address
                url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        except ValueError:
            return None
        return url if parts.scheme in {"http", "https"} and parts.hostname else None

    def is_elsewhere(self, url: str) -> bool:
        """Whether an address leads to another page."""
        return url.split("#", maxsplit=1)[0] != self._address

    def within(self, box: int, ancestor: int) -> bool:
        """Whether a container is inside another, or is the same."""
        return ancestor <= box <= self._ends[ancestor]  # numbered parent first, in the order of the page

    def last_inside(self, box: int) -> int:
        """The last of the containers inside a container, which are numbered one after the other."""
        return self._ends[box]

    def parent(self, box: int) -> int:
        """The container around a container."""
        return self._boxes[box]

    @cached_property
    def _links_by_line(self) -> dict[int, list[Link]]:
        by_line: dict[int, list[Link]] = {}
        for link in self.links:
            by_line.setdefault(link.line, []).append(link)
        return by_line

    def links_of(self, index: int) -> list[Link]:
        """The links in a line."""
        return self._links_by_line.get(index, [])

    @cached_property
    def title_tag(self) -> str:
        node = self.tree.css_first("title")
        return fold(node.text()) if node is not None else ""

    @cached_property
    def meta(self) -> dict[str, list[str]]:
        """The contents of `<meta>` by lower-case name, property or itemprop."""
        contents: dict[str, list[str]] = {}
        for node in self.tree.css("meta[content]"):
            attributes = node.attributes
            for kind in ("name", "property", "itemprop"):
                if name := attributes.get(kind):
                    contents.setdefault(name.strip().lower(), []).append(fold(attributes.get("content") or ""))
        return contents

    def metas(self, *names: str) -> list[str]:
        """The contents of all `<meta>`s with these names, those of the first name first."""
        return [content for name in names for content in self.meta.get(name, [])]

    @cached_property
    def json_ld(self) -> list[Thing]:
        """Every object of every JSON-LD block, with those of `@graph`; what cannot be read is skipped."""
        blocks = (
            node.text()
            for node in self.tree.css("script[type]")
            if "ld+json" in (node.attributes.get("type") or "").lower()
        )
        return objects_of(value for block in blocks for value in read_json_ld(block))

    @cached_property
    def articles(self) -> list[Thing]:
        """The objects of the JSON-LD that describe the page's article, the most certain first."""
        return own_articles(self.json_ld, [url for url in (self.url, self.canonical) if url], self.title_tag)

    @cached_property
    def _by_id(self) -> dict[str, Thing]:
        named = [thing for thing in self.json_ld if isinstance(thing.get("@id"), str) and "name" in thing]
        return {thing["@id"]: thing for thing in reversed(named)}

    def resolve(self, value: Any) -> Any:
        """The object of the JSON-LD that a bare `@id` refers to, if the page has it; else the value itself."""
        if isinstance(value, dict) and "name" not in value and isinstance(value.get("@id"), str):
            return self._by_id.get(value["@id"], value)
        return value

    @cached_property
    def sections(self) -> list[str]:
        """What the metadata and the breadcrumb say about the section of the page's article."""
        texts = [text for thing in self.articles for text in names_in(thing.get("articleSection"))]
        texts += self.metas("article:section", "og:section", "section", "parsely-section", "articlesection")
        return texts + breadcrumb(self.json_ld)

    @cached_property
    def canonical(self) -> str | None:
        node = self.tree.css_first('link[rel~="canonical"][href]')
        return self.absolute(node.attributes.get("href")) if node is not None else None

    @cached_property
    def lang(self) -> str | None:
        node = self.tree.css_first("html[lang]")
        value = (node.attributes.get("lang") or "").strip() if node is not None else ""
        return value.split("-")[0].split("_")[0].lower() or None
