"""The bundled sample of Locum Today: articles as data, in four markups, with the oddities of a real site.

The site's own HTML is not known. A reader that is right on every article in all four markups relies on what is known:
the order of the visible text, the address, and the metadata if a page has any.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache, partial
from random import Random
from typing import overload
from urllib.parse import quote

from locum_spider.demo.article import HOME, HOST, Article, article_address
from locum_spider.demo.render import (
    CATEGORIES,
    MARKUPS,
    SUBSCRIBE,
    Page,
    article_page,
    category_address,
    data,
    listing_page,
    sign_up_page,
)

__all__ = ["HOME", "HOST", "MARKUPS", "Article", "Page", "Sample", "build", "generate", "load", "page_key"]

Makers = dict[str, Callable[[], Page]]

_GIF = bytes.fromhex("47494638396101000100800000b4c8cf0000002c00000000010001000002024401003b")
_PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


@dataclass(frozen=True)
class Sample:
    """A site to serve: pages by absolute address (bare host, no `catTitle`), and what they say.

    `articles` are those that a polite crawl can read. `odd` maps the name of an oddity to its address. `expected` has
    the counts of a full crawl. A request for the server's own address goes to the first of `hosts`.
    """

    pages: Mapping[str, Page]
    articles: Sequence[Article] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    odd: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = (HOST,)


def page_key(host: str, target: str) -> str:
    """Key in `Sample.pages` of a request to a host.

    >>> page_key("www.locumtoday.co.uk", "/article.php?s=2015-01-17-a&catTitle=social work")
    'http://locumtoday.co.uk/article.php?s=2015-01-17-a'
    """
    path, _, query = target.partition("?")
    kept = "&".join(part for part in query.split("&") if not part.startswith("catTitle="))
    return f"http://{host.removeprefix('www.')}{path}{'?' if kept else ''}{kept}"


def build(markup: str | None = None) -> Sample:
    """The sample, with the four markups in turn, or with everything in one of them."""
    everything = load(markup)
    listed = sorted((a for a in everything if not a.unlisted), key=lambda a: a.slug, reverse=True)
    categories = {name: [a for a in listed if name in (a.category, a.also)] for name in CATEGORIES}
    listings = _listings(categories, [a for a in listed if a.featured], size=4, markup=markup)

    pages = _article_pages(everything) | {url: make() for url, make in listings.items()}
    pages |= _furniture([a.url for a in everything if a.refused])
    pages[HOME] = replace(pages[HOME], gzip=True)
    pages[SUBSCRIBE] = sign_up_page(markup or "html5")

    articles = tuple(a for a in everything if not a.refused and "status" not in a.serve)
    odd = {
        "gone": next(a.url for a in everything if "status" in a.serve),
        "refused": next(a.url for a in everything if a.refused),
        "busy": next(a.url for a in articles if "fail_first" in a.serve),
        "gzip": next(a.url for a in articles if "gzip" in a.serve),
        "chunked": next(a.url for a in articles if "chunked" in a.serve),
        "moved": next(article_address(a.old) for a in articles if a.old),
        "unlisted": next(a.url for a in articles if a.unlisted),
        "contradicted": next(a.url for a in articles if a.dated),
        "impossible": next(a.url for a in articles if a.published is None),
        "no_article": SUBSCRIBE,
    }
    expected = {
        "articles": len(articles),
        "listings": len(listings),
        "attachments": sum(len(a.attachments) for a in articles),
        **dict.fromkeys(("gone", "refused", "busy", "moved", "no_article"), 1),
    }
    return Sample(pages, articles, expected, odd)


def load(markup: str | None = None) -> list[Article]:
    """All articles of `articles.toml` in order, also those that a crawl cannot read."""
    articles = []
    for number, table in enumerate(tomllib.loads(data("articles.toml"))["article"]):
        for key in ("documents", "comments"):
            table[key] = tuple(map(tuple, table.get(key, ())))
        articles.append(Article(**table, markup=markup or MARKUPS[number % len(MARKUPS)]))
    return articles


def generate(count: int, markup: str | None = None) -> Sample:
    """A big site of `count` articles made from the sample's texts; each page is made on request."""
    articles = _Synthetic(range(count), count, markup)
    latest = tuple(articles[-2:])
    categories = {name: articles[-1 - turn :: -len(CATEGORIES)] for turn, name in enumerate(CATEGORIES)}
    furniture = _furniture([])
    listings = _listings(categories, latest, size=20, markup=markup)
    makers: Makers = {url: partial(furniture.__getitem__, url) for url in furniture} | listings
    for number in range(count):
        makers[articles.url(number)] = partial(articles.page, number, latest)
    return Sample(_LazyPages(makers), articles, {"articles": count, "listings": len(listings)})


def _article_pages(articles: Sequence[Article]) -> dict[str, Page]:
    by_slug = {article.slug: article for article in articles}
    pages = {}
    for article in articles:
        latest = [other for other in articles if other.latest and other is not article]
        latest += [by_slug[article.leads_to]] if article.leads_to else []
        pages[article.url] = article_page(article, tuple(latest))
        if article.old:
            moved = Page(b"Moved", "text/plain", status=301, headers=(("Location", article.url),))
            pages[article_address(article.old)] = moved
    return pages


def _furniture(refused: Sequence[str]) -> dict[str, Page]:
    """All that is neither article nor listing."""
    rules = ["User-agent: GreedyBot", "Crawl-delay: 30", "Disallow: /private/", ""]
    rules += ["User-agent: *", "Disallow: /subscribe.php"]
    rules += [f"Disallow: /{url.removeprefix(HOME)}" for url in refused]
    pages = {
        f"{HOME}robots.txt": Page("\n".join((*rules, "")).encode(), "text/plain"),
        f"{HOME}style.css": Page(data("style.css").encode(), "text/css"),
    }
    for name in ("logo", "picture", "share", "thumb"):
        pages[f"{HOME}images/{name}.gif"] = Page(_GIF, "image/gif")
    for name in ("media-pack", "readers-survey-2017", "serious-violence-strategy"):
        pages[f"{HOME}documents/{name}.pdf"] = Page(_PDF, "application/pdf")
    return pages


def _listings(
    categories: Mapping[str, Sequence[Article]], featured: Sequence[Article], size: int, markup: str | None
) -> Makers:
    """Makers of the home page and of all pages of all categories, by address."""
    makers: Makers = {HOME: partial(listing_page, "Featured", featured, _featured_link, (), markup or "bootstrap")}
    for turn, (name, articles) in enumerate(categories.items()):
        for number in range(1, -(-len(articles) // size) + 1):
            makers[category_address(name, number)] = partial(
                _category_page, name, articles, number, size, markup or MARKUPS[turn % len(MARKUPS)]
            )
    return makers


def _category_page(name: str, articles: Sequence[Article], number: int, size: int, markup: str) -> Page:
    end = size * number
    pager = [("« Previous page", category_address(name, number - 1))] if number > 1 else []
    pager += [("Next page »", category_address(name, number + 1))] if end < len(articles) else []
    return listing_page(name, articles[end - size : end], partial(_category_link, name), pager, markup)


def _category_link(category: str, article: Article) -> str:
    return f"article.php?s={article.old or article.slug}&catTitle={quote(category.lower())}"


def _featured_link(article: Article) -> str:
    """With spaces that are not escaped, as on the real site."""
    return f"{article.url}&catTitle={article.category.lower()}home page featured"


class _LazyPages(Mapping[str, Page]):
    def __init__(self, makers: Makers) -> None:
        self._makers = makers

    def __getitem__(self, url: str) -> Page:
        return self._makers[url]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


class _Synthetic(Sequence[Article]):
    """Articles, each made from its number alone, in the order of `numbers`."""

    def __init__(self, numbers: range, count: int, markup: str | None) -> None:
        self._numbers = numbers
        self._count = count
        self._markup = markup

    def slug(self, number: int) -> str:
        day = date(2015, 1, 1) + timedelta(days=number * 1460 // self._count)
        return f"{day}-report-{number:06d}"

    def url(self, number: int) -> str:
        return article_address(self.slug(number))

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Article: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Article]: ...
    def __getitem__(self, index: int | slice) -> Article | Sequence[Article]:
        if isinstance(index, slice):
            return _Synthetic(self._numbers[index], self._count, self._markup)
        return self.numbered(self._numbers[index])

    def page(self, number: int, latest: tuple[Article, ...]) -> Page:
        return article_page(self.numbered(number), latest)

    def numbered(self, number: int) -> Article:
        models = _models()
        model = models[number % len(models)]
        chance = Random(number)  # noqa: S311 - to be repeatable, not secret
        chapters = [chapter.text for chapter in chance.choices(models, k=8 + number % 5)]
        return Article(
            slug=self.slug(number),
            title=f"{model.title} (part {number // len(models) + 1})",
            standfirst=model.standfirst,
            category=CATEGORIES[(self._count - 1 - number) % len(CATEGORIES)],
            text="\n\n".join([f"This is report LT{number:06d}.", *chapters]),
            labelled=model.labelled,
            markup=self._markup or MARKUPS[number % len(MARKUPS)],
        )


@cache
def _models() -> list[Article]:
    return [article for article in load() if article.text]
