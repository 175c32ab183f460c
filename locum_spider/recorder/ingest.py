"""From visits to rows: the same for a crawl, a rebuild and an import."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from urllib.parse import urldefrag
from uuid import uuid4

from locum_spider.errors import IntegrityError
from locum_spider.interpret import Reading
from locum_spider.items import Article, Child, Exchange, Kind, Listing, Location, Outcome, Revisit, RevisitOf, Visit
from locum_spider.recorder.reading import read
from locum_spider.sites.site import Site
from locum_spider.store import articles, captures, crawls, frontier, removals
from locum_spider.store.captures import Original
from locum_spider.store.connection import Connection
from locum_spider.store.content import digest_of_content
from locum_spider.store.frontier import Row
from locum_spider.store.reading import listed_days
from locum_spider.urls import absolute
from locum_spider.warc.reader import read_exchange


class Keep(Protocol):
    """Keeps exchanges, in turn."""

    def may_refer(self, original: Original) -> bool:
        """Whether a revisit may stand for the next exchange: its body can be read where `original` has it."""

    def keep(self, exchange: Exchange, revisit_of: RevisitOf | None) -> Location:
        """Keep the next exchange, as a revisit if it has one to refer to."""

    def read(self, original: Original) -> Exchange:
        """An exchange that was kept before. Raises IntegrityError if it cannot be read."""


IMPORT, UNDECLARED = "import", "undeclared"
"""Stand in the header `Locum-Visit` instead of the frontier's row: a capture made by others, of a site that is declared
or not."""

_REPEATS = 3
_REREAD = "it has not changed, but today's rules read it in another way; `locum rebuild` reads all again"
_SMALL = 512
_DAY = len("2018-04-10")
_GONE = frozenset({404, 410})
_UNREAD = frozenset({Outcome.NOT_ARTICLE, Outcome.NOT_LISTING, Outcome.FAILED})


@dataclass(slots=True)
class Crawl:
    """A crawl that runs, or an import. `uid` is what the WARC files call it."""

    id: int
    site: Site
    uid: str

    def name(self, request: int | str | None) -> str:
        """What the WARC files call a visit: the header `Locum-Visit` of its records."""
        return f"{self.site.name} {self.uid} {request or '-'}"


def begin_crawl(
    db: Connection, site: Site, start: list[str], *, version: str, now: str, uid: str | None = None
) -> Crawl:
    """A new crawl with its first requests in the frontier; `uid` if the WARC files have it already."""
    uid = uid or uuid4().hex
    crawl_id = crawls.start_crawl(db, uid, site.name, version, now)
    requests = [Child(site.key(url), url, site.kind(url)) for url in start]
    frontier.enqueue(db, crawl_id, requests, None)
    return Crawl(crawl_id, site, uid)


def unfinished_crawl(db: Connection, site: Site) -> Crawl | None:
    """The crawl of a site that was cut short; None if there is none."""
    crawl_id = crawls.unfinished_crawl(db, site.name)
    return Crawl(crawl_id, site, crawls.identifier(db, crawl_id)) if crawl_id is not None else None


def unfinished_import(db: Connection, site: Site) -> Crawl | None:
    """The import of a site that was cut short; None if there is none."""
    crawl_id = crawls.unfinished_import(db, site.name)
    return Crawl(crawl_id, site, crawls.identifier(db, crawl_id)) if crawl_id is not None else None


def known_articles(db: Connection, crawl: Crawl) -> list[Child]:
    """Requests for the known articles that a crawl has not come by, if today's rules call them articles."""
    site = crawl.site
    urls = frontier.passed_by(db, crawl.id)
    return [Child(site.key(url), url, Kind.ARTICLE) for url in urls if site.is_article(url)]


def row_of(db: Connection, visit: Visit) -> Row | None:
    """The frontier's row of a visit; None if there is none. For robots.txt one that is not stored."""
    if visit.request_id is None:
        return Row(None, "", Kind.ROBOTS)
    return frontier.find(db, visit.request_id)


def read_visit(db: Connection, warcs: Path, site: Site, visit: Visit, row: Row | None) -> Reading:
    """What a visit says; `row` is the frontier's."""
    reading = settled(visit)
    if reading is None:
        page = visit.exchanges[-1]
        with suppress(IntegrityError):  # `_save_capture` does not refer to the damaged body either
            page = to_read(db, warcs, page)
        reading = read(site, page, row.kind if row else None)
    return reading


def settled(visit: Visit) -> Reading | None:
    """What a visit without a page says; None if there is a page to read."""
    if visit.is_robots:
        return Reading(Outcome.ROBOTS)
    if visit.refused:
        return Reading(Outcome.REFUSED, visit.error)
    if visit.error is not None or not visit.exchanges:
        return Reading(Outcome.FAILED, visit.error or "no response")
    return None


def to_read(db: Connection, warcs: Path, last: Exchange) -> Exchange:
    """The response to read: for a 304 the body that it stands for. Raises IntegrityError if that is damaged."""
    if last.status != HTTPStatus.NOT_MODIFIED:
        return last
    if (original := captures.last_body(db, last.url, last.fetched_at)) is None:
        return last
    body = read_exchange(warcs, original.warc_file, original.warc_offset)
    return replace(
        last, status=HTTPStatus.OK.value, response_headers=body.response_headers, body=body.body,
        truncated=original.truncated,
    )  # fmt: skip


def _save_capture(db: Connection, crawl: Crawl, exchange: Exchange, keep: Keep) -> int:
    """Keep an exchange, as a revisit if an earlier capture has its body; returns the id of its row.

    A body that cannot be read is not one that the archive has: a response is kept whole then, and the next crawl asks
    for the whole page where this one got a 304.
    """
    original, not_modified = None, exchange.status == HTTPStatus.NOT_MODIFIED
    if not_modified:
        original = captures.last_body(db, exchange.url, exchange.fetched_at)
    elif exchange.status == HTTPStatus.OK and len(exchange.body) >= _SMALL:
        original = captures.same_body(db, exchange.digest)
    if original is None or not keep.may_refer(original):
        return captures.save_capture(db, crawl.id, exchange, keep.keep(exchange, None))
    revisit_of = RevisitOf(original.url, original.fetched_at, original.digest, not_modified)
    return captures.save_capture(db, crawl.id, exchange, keep.keep(exchange, revisit_of), original.id)


def store_visit(db: Connection, crawl: Crawl, visit: Visit, row: Row | None, reading: Reading, keep: Keep) -> Outcome:
    """Store a visit inside the caller's transaction; returns its outcome. `keep` stores its exchanges.

    If `row`, the frontier's, is not queued any more, the visit was stored before.
    """
    if row is None or not row.is_queued:
        return Outcome.REPEATED
    if _is_taken_down(db, crawl.site, visit.exchanges, reading):
        if row.kind is not Kind.ROBOTS:
            frontier.finish(db, row, Outcome.TAKEN_DOWN)
        return Outcome.TAKEN_DOWN
    capture_id = None
    for exchange in visit.exchanges:
        capture_id = _save_capture(db, crawl, exchange, keep)
    if row.kind is Kind.ROBOTS:
        return reading.outcome
    outcome, article_id = reading.outcome, None
    if capture_id is not None and reading.article is not None:
        saved = _store_article(db, crawl, visit, reading.article, capture_id, row.key, keep)
        outcome, article_id = saved.outcome, saved.article_id
        if saved.twin:  # its links would lead to twins without end
            reading = replace(reading, children=[])
        if saved.reread:
            reading = replace(reading, reason=_REREAD)
    elif capture_id is not None and outcome is Outcome.FAILED and visit.exchanges[-1].status in _GONE:
        outcome = articles.mark_gone(db, capture_id, row.key) or outcome
    if outcome is Outcome.NOT_LISTING and row.key in {crawl.site.key(url) for url in crawl.site.start}:
        outcome = Outcome.FAILED
    requests = frontier.enqueue(db, crawl.id, _children(db, crawl, reading, row.found_on), capture_id)
    if reading.listing is not None and capture_id is not None:
        _save_listing(db, crawl, capture_id, reading.listing, requests)
    frontier.finish(db, row, outcome, reading.reason, capture_id, article_id)
    return outcome


def with_body(db: Connection, warcs: Path, revisit: Revisit) -> Exchange | None:
    """The exchange of a revisit record of others, with the body from this archive; None if the body is not here.

    A 304 stays without a body, as ours do.
    """
    exchange = revisit.exchange
    if revisit.not_modified:
        original = captures.last_body(db, exchange.url, exchange.fetched_at)
        return None if original is None else replace(exchange, status=HTTPStatus.NOT_MODIFIED.value, body=b"")
    original = captures.same_body(db, revisit.digest) if revisit.digest else None
    if original is None and revisit.url and revisit.fetched_at:
        original = captures.body_at(db, revisit.url, revisit.fetched_at)
    if original is not None:
        body = read_exchange(warcs, original.warc_file, original.warc_offset)
        if not exchange.status:
            exchange = replace(
                exchange, status=body.status, response_headers=body.response_headers, response_head=body.response_head
            )
        return replace(exchange, body=body.body, truncated=body.truncated, stated_digest=body.stated_digest)
    empty = replace(exchange, body=b"")
    return empty if exchange.status and revisit.digest == empty.digest else None


def store_imported(db: Connection, crawl: Crawl, exchange: Exchange, reading: Reading, keep: Keep) -> Outcome:
    """Store a capture made by others that is not known yet: without frontier, nothing is fetched."""
    if _is_taken_down(db, crawl.site, (exchange,), reading):
        return Outcome.TAKEN_DOWN
    capture_id = _save_capture(db, crawl, exchange, keep)
    outcome = reading.outcome
    if reading.article is not None:
        key, visit = crawl.site.key(exchange.url), Visit(crawl.id, None, (exchange,))
        outcome = _store_article(db, crawl, visit, reading.article, capture_id, key, keep).outcome
    elif reading.listing is not None:
        _save_listing(db, crawl, capture_id, reading.listing, {})
    elif exchange.status in _GONE and crawl.site.is_article(exchange.url):
        outcome = articles.mark_gone(db, capture_id, crawl.site.key(exchange.url)) or outcome
    if outcome in _UNREAD and reading.reason:
        captures.note_unread(db, capture_id, reading.reason)
    crawls.count_imported(db, crawl.id, outcome)
    return outcome


def brings_back(db: Connection, site: Site, exchange: Exchange) -> bool:
    """Whether a capture made by others holds a page that a takedown emptied, or is a redirect to what it removed."""
    keys = {removals.payload_key(exchange.url, exchange.digest)}
    location = exchange.header(b"location")
    if location is not None:
        keys.add(site.key(absolute(exchange.url, location)))
    return bool(removals.taken_down(db, keys))


def _is_taken_down(db: Connection, site: Site, exchanges: tuple[Exchange, ...], reading: Reading) -> bool:
    """Whether a visit would bring back what a takedown removed, by its address or by the address it calls canonical."""
    keys = {site.key(exchange.url) for exchange in exchanges}
    article = reading.article
    if article is not None and article.canonical_url:
        keys.add(removals.titled(site.key(article.canonical_url), article.title))
    return bool(removals.taken_down(db, keys))


def _save_listing(db: Connection, crawl: Crawl, capture_id: int, listing: Listing, rows: dict[str, int]) -> None:
    """Store a listing; of an article that was taken down only that there was an entry. `rows` by key."""
    keys = {entry.url: crawl.site.key(entry.url) for entry in listing.entries}
    removed = removals.taken_down(db, set(keys.values()))
    requests = {removed.get(key, url): rows[key] for url, key in keys.items() if key in rows}
    entries = tuple(
        replace(entry, url=removed[keys[entry.url]], title=None, summary=None) if keys[entry.url] in removed else entry
        for entry in listing.entries
    )
    articles.save_listing(db, capture_id, replace(listing, entries=entries), requests)


def compare_with_listing(article: Article, days: list[str]) -> Article:
    """The article, with a note if a listing prints a day for it that is more than one day off.

    >>> from locum_spider.items import Article
    >>> compare_with_listing(Article("u", "t", published="2018-04-10"), ["2018-04-11"]).published_conflict
    >>> compare_with_listing(Article("u", "t", published="2018-04-10"), ["2016-04-10"]).published_conflict
    'the page prints 2018-04-10, a listing says 2016-04-10'
    """
    if article.published is None or len(article.published) < _DAY:
        return article
    own = date.fromisoformat(article.published)
    other = next((d for d in days if len(d) == _DAY and abs((date.fromisoformat(d) - own).days) > 1), None)
    if other is None:
        return article
    note = f"the page prints {article.published}, a listing says {other}"
    earlier = article.published_conflict
    return replace(article, published_conflict=f"{earlier}; {note}" if earlier else note)


def _store_article(
    db: Connection, crawl: Crawl, visit: Visit, article: Article, capture_id: int, requested: str, keep: Keep
) -> articles.Saved:
    site, last = crawl.site, visit.exchanges[-1]
    if visit.request_id is not None:
        article = compare_with_listing(article, listed_days(db, visit.request_id))
    urls = {exchange.url for exchange in visit.exchanges if site.is_article(exchange.url)} | {requested}
    canonical = site.key(article.canonical_url) if article.canonical_url else None
    return articles.save_article(
        db, site.name, article, url=urldefrag(last.url).url, key=site.key(last.url), canonical=canonical, urls=urls,
        capture_id=capture_id, seen_at=last.fetched_at, reread=partial(_read_again, db, site, keep),
        is_latest=visit.request_id is not None,
    )  # fmt: skip


def _read_again(db: Connection, site: Site, keep: Keep, capture_id: int) -> str | None:
    """The digest of what a capture says by today's rules; None if it is not an article any more."""
    if (kept := captures.kept(db, capture_id)) is None:
        return None
    url, fetched_at, original = kept
    try:
        exchange = replace(keep.read(original), url=url, fetched_at=fetched_at)
    except IntegrityError:
        return None
    article = read(site, exchange, Kind.ARTICLE).article
    return digest_of_content(article) if article is not None else None


def _children(db: Connection, crawl: Crawl, reading: Reading, found_on: int | None) -> list[Child]:
    """What to fetch next. A listing that repeats those that led to it adds no listings: such pages never end."""
    if reading.listing is None or reading.reason is None:
        return reading.children
    chain = frontier.chain(db, crawl.id, found_on, _REPEATS)
    repeats = len(chain) == _REPEATS and set(chain) == {reading.reason}
    if repeats or frontier.count_listings(db, crawl.id) >= crawl.site.crawl.max_listings:
        return [child for child in reading.children if child.kind is Kind.ARTICLE]
    return reading.children
