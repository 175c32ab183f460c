"""How a complete crawl went."""

from __future__ import annotations

from collections import Counter

from locum_spider.items import CrawlOutcome, Kind, Outcome
from locum_spider.recorder.ingest import Crawl
from locum_spider.sites.site import DECLARABLE
from locum_spider.store import crawls, frontier
from locum_spider.store.connection import Connection

_UNREAD_SHARE = 0.1

_MANY = 10
"""Articles that are news if they go; if so many go at once and fewer stay, it is the site that has changed."""

_FEW = 5
"""Articles that may all lack a field without anybody being told."""

_ARTICLES = frozenset({Outcome.NEW, Outcome.CHANGED, Outcome.UNCHANGED})


def judge(db: Connection, crawl: Crawl) -> tuple[CrawlOutcome, list[str]]:
    """The outcome of a complete crawl, and what is wrong with it."""
    count = Counter(crawls.outcomes(db, crawl.id))
    answered, cause = crawls.count_answered(db, crawl.id), crawls.first_fault(db, crawl.id)
    if answered == 0 and cause is not None and count[Outcome.REFUSED, Kind.LISTING] == 0:
        return CrawlOutcome.UNREACHABLE, [f"{cause[0]}: {cause[1]}"]
    reasons = []
    articles = sum(number for (outcome, _), number in count.items() if outcome in _ARTICLES)
    gone = count[Outcome.GONE, Kind.ARTICLE]
    unread = count[Outcome.NOT_ARTICLE, Kind.ARTICLE] + count[Outcome.FAILED, Kind.ARTICLE]
    if gone >= _MANY and gone > articles:
        reasons.append(f"{gone} of {articles + gone} known articles went at once; look if the site has moved")
    if articles + gone + count[Outcome.STILL_GONE, Kind.ARTICLE] == 0:
        why = f" ({cause[0]}: {cause[1]})" if cause else ""
        reasons.append(f"no article was found{why}")
    elif unread > _UNREAD_SHARE * (articles + unread):
        reasons.append(f"{unread} of {articles + unread} article addresses gave no article")
    limit = crawl.site.crawl.max_listings
    if frontier.count_listings(db, crawl.id) >= limit:
        reasons.append(f"{limit:,} listing pages were reached (crawl.max_listings); further ones were not followed")
    reasons += [
        f"the start page {url} could not be read as a listing"
        for url in crawl.site.start
        if frontier.outcome_of(db, crawl.id, crawl.site.key(url)) is Outcome.FAILED
    ]
    return (CrawlOutcome.CHECK_FAILED if reasons else CrawlOutcome.DONE), reasons + _empty_fields(db, crawl)


def _empty_fields(db: Connection, crawl: Crawl) -> list[str]:
    """What the declaration has a rule for and no article has a value of: most often the rule is wrong."""
    if not crawl.site.layouts:
        return []
    rules = crawl.site.layouts[-1].article
    columns = {name: field.name for name, field in DECLARABLE.items() if rules.rules(name)}
    if not columns:
        return []
    articles, filled = crawls.count_filled(db, crawl.id, [*columns.values()])
    if articles < _FEW:
        return []
    return [
        f"none of {articles:,} articles has {name}; look at its rule in the declaration (layouts.article.{name})"
        for name, column in columns.items()
        if not filled[column]
    ]
