"""Two days in the life of the sample, for `locum demo`: its pages name authors and keywords; then some change.

The sample itself has only what is known of the real site. The demo declares it with two rules more, as users do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from locum_spider.demo.article import Article, article_address
from locum_spider.demo.sample import Page, Sample, build
from locum_spider.sites import SHIPPED

DECLARATION = (SHIPPED / "locum-today.toml").read_text(encoding="utf-8").replace(
    "[layouts.article]\n",
    '[layouts.article]\nauthors = { meta = "author" } # this and the next line are the demo\'s own\n'
    'tags = { meta = "keywords" }\n',
)  # fmt: skip
"""The declaration of the sample as the demo serves it."""

_AUTHORS = {
    "News": "Ruth Calder", "Social work": "Owen Pryce", "Advice and Guides": "Miriam Adeyemi",
    "Careers": "Tom Whitlock", "Features": "Ruth Calder",
}  # fmt: skip
_KEYWORDS = ("agency", "children", "contract", "court", "mileage", "pay", "pension", "safeguarding", "supervision")

CHANGED = {
    "2018-04-10-home-office-launches-serious-violence-strategy": (b"40m behind the plan", b"41m behind the plan"),
    "2015-02-03-agency-spending-passes-last-year-s-total": (
        b"The figures cover April to December 2014.",
        b"The figures cover April to December 2014; two of them were corrected the next day.",
    ),
}
"""Articles that have changed on the second day, by slug: words, and those that stand there then."""

GONE = "2015-04-14-agencies-report-rush-for-adults-workers"


def first_day(markup: str | None = None) -> Sample:
    """The sample, with authors and keywords in the metadata of its articles."""
    sample = build(markup)
    told = {article.url: _with_metadata(sample.pages[article.url], article) for article in sample.articles}
    return replace(sample, pages={**sample.pages, **told})


def _with_metadata(page: Page, article: Article) -> Page:
    keywords = ", ".join(word for word in _KEYWORDS if word in article.text.lower())
    meta = f'<meta name="author" content="{_AUTHORS[article.category]}"><meta name="keywords" content="{keywords}">'
    return replace(page, body=re.sub(b"(?i)<title", meta.encode() + rb"\g<0>", page.body, count=1))


def second_day(pages: Mapping[str, Page]) -> dict[str, Page]:
    """The pages that differ on the second day."""
    changed = {}
    for slug, (before, after) in CHANGED.items():
        page = pages[article_address(slug)]
        changed[article_address(slug)] = replace(page, body=page.body.replace(before, after))
    return {**changed, article_address(GONE): Page(b"This article was taken down.", "text/plain", status=410)}
