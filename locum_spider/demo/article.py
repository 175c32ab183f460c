"""One article of the sample as it was written; its fields are the keys of `articles.toml`."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urljoin

HOST = "locumtoday.co.uk"
HOME = f"http://{HOST}/"

_KINDS = {"# ": "heading", "! ": "strong", "- ": "bullet"}


@dataclass(frozen=True, slots=True)
class Article:
    """What was written, and so what a reader should find.

    In `text` each line is one block: `# ` begins a subheading, `! ` a short bold line, `- ` a bullet. `dated` is the
    visible date, if it is not that of the slug. `labelled` shows the category above the title, `also` is a second
    category that lists the article. Listings link to the slug `old`, which redirects. `leads_to` is the slug of one
    more entry among the latest articles. `serve` has arguments of `Page`.
    """

    slug: str
    title: str
    standfirst: str
    category: str
    text: str
    also: str = ""
    dated: str = ""
    old: str = ""
    leads_to: str = ""
    picture: str = ""
    labelled: bool = False
    featured: bool = False
    latest: bool = False
    unlisted: bool = False
    refused: bool = False
    documents: tuple[tuple[str, str], ...] = ()
    comments: tuple[tuple[str, str, str], ...] = ()
    serve: Mapping[str, Any] = field(default_factory=dict, hash=False)
    markup: str = "html5"

    @property
    def url(self) -> str:
        return article_address(self.slug)

    @property
    def section(self) -> str | None:
        return self.category if self.labelled else None

    @property
    def published(self) -> str | None:
        """The visible day; None if the calendar has no such day."""
        try:
            return date.fromisoformat(self.visible_date).isoformat()
        except ValueError:
            return None

    @property
    def visible_date(self) -> str:
        return self.dated or self.slug[:10]

    @property
    def published_raw(self) -> str:
        """As on the article's own page.

        >>> Article("2018-11-21-a", "", "", "", "").published_raw
        'Published on 21st November 2018'
        """
        year, month, day = map(int, self.visible_date.split("-"))
        ordinal = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
        return f"Published on {day}{ordinal} {month_name[month]} {year}"

    @property
    def listed_raw(self) -> str:
        """As in listings.

        >>> Article("2016-01-07-a", "", "", "", "").listed_raw
        'Published on 07 January 2016'
        """
        year, month, day = self.visible_date.split("-")
        return f"Published on {day} {month_name[int(month)]} {year}"

    @property
    def blocks(self) -> tuple[str, ...]:
        """The body as a reader sees it: paragraphs, subheadings, bullets that begin with `• `."""
        return tuple(f"• {words}" if kind == "bullet" else words for kind, words in blocks(self.text))

    @property
    def captions(self) -> tuple[str, ...]:
        return (self.picture,) if self.picture else ()

    @property
    def attachments(self) -> tuple[tuple[str, str], ...]:
        """Title and absolute address of each document."""
        return tuple((title, urljoin(self.url, href)) for title, href in self.documents)


def article_address(slug: str) -> str:
    return f"{HOME}article.php?s={slug}"


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Kind (`paragraph`, `heading`, `strong` or `bullet`) and words of each line that is not empty."""
    for line in filter(None, text.splitlines()):
        kind = _KINDS.get(line[:2])
        yield (kind, line[2:]) if kind else ("paragraph", line)
