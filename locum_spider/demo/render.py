"""Pages of the sample in four markups, whose pieces of HTML are in `markups/*.toml`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from html import escape
from importlib.resources import files
from itertools import groupby

from locum_spider.demo.article import HOME, Article, article_address, blocks

MARKUPS = ("table", "bootstrap", "html5", "unclosed")
CATEGORIES = ("News", "Social work", "Advice and Guides", "Careers", "Features")
SUBSCRIBE = article_address("subscribe")

_PITCH = "Interviews, features and news for agency social workers in the UK, in one free email a month."


@dataclass(frozen=True, slots=True)
class Page:
    """What the server answers at one address.

    The first `fail_first` requests get 503 with `Retry-After: 1`. `delay` is in seconds. `gzip` compresses for clients
    that accept it, `chunked` sends the body in chunks, `cut` closes the connection in the middle of it.
    """

    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    fail_first: int = 0
    delay: float = 0
    gzip: bool = False
    chunked: bool = False
    cut: bool = False


def category_address(name: str, number: int = 1) -> str:
    return f"{HOME}category.php?c={name.lower().replace(' ', '-')}{f'&page={number}' if number > 1 else ''}"


def article_page(article: Article, latest: tuple[Article, ...]) -> Page:
    """The article's own page, with the entries of others below it."""
    markup = article.markup
    page = _page(
        markup,
        "article",
        article.title,
        _metadata(article),
        url=escape(article.url),
        title=escape(article.title),
        standfirst=escape(article.standfirst),
        published=article.published_raw,
        iso=article.visible_date,
        pitch=_PITCH,
        label=_piece(markup, "label", text=article.category) if article.labelled else "",
        picture=_piece(markup, "picture", text=article.picture) if article.picture else "",
        body="".join(_chapter(markup, chapter) for chapter in article.text.split("\n\n")),
        attachments="".join(_piece(markup, "attachment", text=t, href=href) for t, href in article.documents),
        comments="".join(_piece(markup, "comment", who=w, date=d, text=t) for w, d, t in article.comments),
        latest=_latest(markup, latest),
    )
    return replace(page, **article.serve) if article.serve else page


def listing_page(
    heading: str,
    articles: Iterable[Article],
    link: Callable[[Article], str],
    pager: Iterable[tuple[str, str]],
    markup: str,
) -> Page:
    return _page(
        markup,
        "listing",
        heading,
        heading=escape(heading),
        entries=_entries(markup, articles, link),
        pager="".join(_piece(markup, "pager", text=text, href=href) for text, href in pager),
    )


def sign_up_page(markup: str) -> Page:
    """A page with the address of an article that is not one."""
    return _page(markup, "plain", "Stay in touch", pitch=_PITCH)


def data(name: str) -> str:
    """Text of a file of this package."""
    return files(__package__).joinpath(name).read_text("utf-8")


def _page(markup: str, part: str, head_title: str, metadata: str = "", **html: str) -> Page:
    pieces = _pieces(markup)
    text = pieces["page"].format(
        title=escape(head_title), meta=metadata, nav=_navigation(markup), main=pieces[part].format_map(html)
    )
    return Page(text.encode(pieces["encoding"], "xmlcharrefreplace"), pieces["content_type"])


def _metadata(article: Article) -> str:
    template = _pieces(article.markup)["meta"]
    if not template:
        return ""
    json_ld = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "description": article.standfirst,
        "datePublished": article.visible_date,
        "mainEntityOfPage": article.url,
        "publisher": {"@type": "Organization", "name": "Locum Today"},
    }
    if article.section:
        json_ld["articleSection"] = article.section
    return template.format(
        url=escape(article.url),
        title=escape(article.title),
        standfirst=escape(article.standfirst),
        iso=article.visible_date,
        json_ld=json.dumps(json_ld, ensure_ascii=False).replace("</", "<\\/"),
    )


@lru_cache(maxsize=2048)
def _chapter(markup: str, text: str) -> str:
    """HTML of some blocks; cached, since big synthetic sites consist of few chapters."""
    html = []
    for kind, group in groupby(blocks(text), key=lambda block: block[0]):
        items = "".join(_piece(markup, kind, text=words) for _, words in group)
        html.append(_pieces(markup)["bullets"].format(items=items) if kind == "bullet" else items)
    return "".join(html)


@lru_cache(maxsize=64)
def _latest(markup: str, articles: tuple[Article, ...]) -> str:
    return _entries(markup, articles, lambda article: article.url.replace("//", "//www."))


def _entries(markup: str, articles: Iterable[Article], link: Callable[[Article], str]) -> str:
    return "".join(
        _piece(
            markup,
            "entry",
            href=link(article),
            title=article.title,
            standfirst=article.standfirst,
            published=article.listed_raw,
            iso=article.visible_date,
        )
        for article in articles
    )


@cache
def _navigation(markup: str) -> str:
    categories = [(name, category_address(name)) for name in CATEGORIES]
    links = [("Home", HOME), *categories, ("Subscribe", SUBSCRIBE)]
    return "".join(_piece(markup, "nav", text=text, href=href) for text, href in links)


def _piece(markup: str, name: str, **values: str) -> str:
    return _pieces(markup)[name].format_map({key: escape(value) for key, value in values.items()})


@cache
def _pieces(markup: str) -> dict[str, str]:
    return tomllib.loads(data(f"markups/{markup}.toml"))
