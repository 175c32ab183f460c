"""`Archive`: reading an archive from Python."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from locum_spider.errors import NoSuchArticleError
from locum_spider.fields import FIELDS, told
from locum_spider.items import Article, Content
from locum_spider.sites import load_sites
from locum_spider.store import reading
from locum_spider.store import search as searching
from locum_spider.store.connection import connect_reading
from locum_spider.store.content import decoded, read_revision
from locum_spider.store.search import Filters, Hit
from locum_spider.urls import normalise_url


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArticle(Content):
    """An article as the archive has it now. `first_seen`, `last_seen` and `gone_at` are in UTC.

    `gone_at` is None if the site serves it, or if the archive is of an older version.
    """

    id: int
    site: str
    word_count: int
    state: str
    first_seen: str
    last_seen: str
    gone_at: str | None = None


@dataclass(frozen=True, slots=True)
class CaptureRecord:
    """Where the bytes of a capture lie: WARC file, offset and length of its record, digest of the payload.

    `body` is the record that has the body if this one is a revisit. `source_uri` is the address in a web archive
    that sent it; None if the site itself did. `stated_digest` is the digest in the record of the program that captured
    it; None if it agrees.
    """

    url: str
    fetched_at: str
    status: int
    digest: str
    warc_file: str
    warc_offset: int
    warc_length: int
    source_uri: str | None = None
    stated_digest: str | None = None
    body: CaptureRecord | None = None


@dataclass(frozen=True, slots=True)
class FieldEvidence:
    """The evidence for one field of an article: its raw text, the rule or source that read it, the capture.

    If the field has several values, `raw` has each on its own line.
    """

    field: str
    raw: str
    rule: str
    capture: CaptureRecord


class Archive:
    """An archive folder, opened for reading. Works while a crawl writes; also a context manager.

    Raises ArchiveError if the folder is not an archive, or if a newer version wrote it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._db = connect_reading(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def search(
        self, query: str, *, site: str | None = None, section: str | None = None, author: str | None = None,
        tag: str | None = None, since: str | None = None, until: str | None = None, limit: int = 20, offset: int = 0,
    ) -> list[Hit]:  # fmt: skip
        """Ranked hits. `query` may hold "phrases", `word*`, `-without` and OR; any text is a valid query.

        `since` and `until` are days, months or years (`2018-04`), both inclusive. Raises DateFilterError if not.
        """
        filters = Filters(site, section, author, tag, since, until)
        return searching.search(self._db, query, filters, limit, offset)

    def count(self, query: str, filters: Filters | None = None) -> int:
        """The number of articles that a query finds."""
        return searching.count(self._db, query, filters or Filters())

    def articles(
        self, *, site: str | None = None, section: str | None = None, author: str | None = None,
        tag: str | None = None, since: str | None = None, until: str | None = None,
    ) -> Iterator[StoredArticle]:  # fmt: skip
        """All articles that match the filters, newest first."""
        for row in searching.select(self._db, Filters(site, section, author, tag, since, until)):
            yield StoredArticle(**decoded(row))

    def article(self, id_or_url: int | str) -> StoredArticle | None:
        """One article by its id, or by any address that it was ever found at; None if there is none."""
        article_id = self._id(id_or_url)
        row = reading.article(self._db, article_id) if article_id is not None else None
        return StoredArticle(**decoded(row)) if row is not None else None

    def require(self, id_or_url: int | str) -> StoredArticle:
        """Like `article`, but raises NoSuchArticleError if there is none."""
        article = self.article(id_or_url)
        if article is None:
            raise NoSuchArticleError(id_or_url, self.path)
        return article

    def _id(self, id_or_url: int | str) -> int | None:
        text = searching.storable(str(id_or_url)).strip()
        if text.isdecimal() and len(text) < 19:
            return int(text)
        addresses = [text]
        try:
            addresses += [
                site.key(text) for site in load_sites(self.path, lambda _error: None).values() if site.owns(text)
            ]
            addresses.append(normalise_url(text))
        except ValueError:
            return None
        ids = (reading.article_at(self._db, address) for address in addresses)
        return next((article_id for article_id in ids if article_id is not None), None)

    def revisions(self, article_id: int) -> list[dict[str, Any]]:
        """Every revision of an article, oldest first, each with the capture it was read from."""
        return reading.revisions(self._db, article_id)

    def evidence(self, article_id: int) -> list[FieldEvidence]:
        """The evidence for every field of an article's latest revision."""
        versions = self.revisions(article_id)
        if not versions:
            return []
        last = versions[-1]
        capture = self._capture(last["capture_id"])
        article = read_revision(last["title"], last["standfirst"], last["body"], last["fields"])
        evidence = [_evidence(name, rule, article, capture) for name, rule in last["evidence"].items()]
        return [field for field in evidence if field.raw]

    def _capture(self, capture_id: int) -> CaptureRecord:
        row = reading.capture(self._db, capture_id)
        # An archive of an older version lacks some columns until this version writes to it.
        values = {field.name: row[field.name] for field in fields(CaptureRecord) if field.name in row}
        same_as = row["same_as"]
        return CaptureRecord(**values, body=self._capture(same_as) if same_as is not None else None)

    def addresses(self, article_id: int) -> list[str]:
        """Every address that an article was found at."""
        return reading.addresses(self._db, article_id)

    def crawls(self, site: str | None = None, limit: int = -1, *, imports: bool = True) -> list[dict[str, Any]]:
        """Crawls, newest first, with counts, outcome and reasons; with `imports`, these are among them."""
        return reading.crawls(self._db, site, limit, imports=imports)

    def found_in(self, crawl_id: int) -> dict[str, list[dict[str, Any]]]:
        """The articles (`id`, `url`, `title`) that a crawl found `new`, `changed` and `gone`."""
        return reading.found_in(self._db, crawl_id)

    def counts(self, state: str | None = None) -> dict[str, int]:
        """The number of articles of each site, or of those in one state: `live`, `gone`."""
        return reading.counts(self._db, state)

    def sections(self) -> list[str]:
        """The sections of the articles, the largest first."""
        return [row["name"] for row in reading.sections(self._db)]

    def schedules(self) -> dict[str, str]:
        """How often each scheduled site is crawled."""
        return reading.schedules(self._db)

    def scheduled_since(self, site: str) -> datetime:
        """When a scheduled site was put on the schedule."""
        return datetime.fromisoformat(reading.scheduled_since(self._db, site))


_BY_EVIDENCE = {field.rule or field.name: field for field in FIELDS}


def _evidence(name: str, rule: str, article: Article, capture: CaptureRecord) -> FieldEvidence:
    """What a field rests on; of the day in the address, which is no field, the day stands in place of a rule."""
    if name == "address_date":
        return FieldEvidence(name, rule[: len("2018-04-10")], f"the address {capture.url}", capture)
    if name == "published":
        return FieldEvidence(name, article.published_raw or article.published or "", rule, capture)
    field = _BY_EVIDENCE.get(name)
    return FieldEvidence(name, "\n".join(told(getattr(article, field.name))) if field else "", rule, capture)
