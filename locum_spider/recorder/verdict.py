"""How a crawl that came to its end went."""

from __future__ import annotations

import sqlite3
from collections import Counter

from locum_spider.recorder.ingest import Crawl
from locum_spider.store import crawls, frontier

_UNREAD_SHARE = 0.1


def judge(db: sqlite3.Connection, crawl: Crawl) -> tuple[str, list[str]]:
    """Outcome of a crawl that came to its end, and why it is none to be content with."""
    count = Counter(crawls.outcomes(db, crawl.id))
    answered, cause = crawls.count_answered(db, crawl.id), crawls.first_fault(db, crawl.id)
    if answered == 0 and cause is not None and count["refused", "listing"] == 0:
        return "unreachable", [f"{cause[0]}: {cause[1]}"]
    reasons = []
    articles = sum(number for (outcome, _), number in count.items() if outcome in {"new", "changed", "unchanged"})
    unread = count["not_article", "article"] + count["failed", "article"]
    if articles == 0:
        why = f" ({cause[0]}: {cause[1]})" if cause else ""
        reasons.append(f"no article was found{why}")
    elif unread > _UNREAD_SHARE * (articles + unread):
        reasons.append(f"{unread} of {articles + unread} article addresses gave no article")
    broken = [url for url in crawl.site.start if frontier.outcome_of(db, crawl.id, crawl.site.key(url)) == "failed"]
    limit = crawl.site.crawl.max_listings
    if frontier.count_listings(db, crawl.id) >= limit:
        reasons.append(f"{limit:,} listing pages were reached (crawl.max_listings); further ones were not followed")
    reasons += [f"the start page {url} could not be read as a listing" for url in broken]
    return ("check_failed" if reasons else crawls.DONE), reasons
