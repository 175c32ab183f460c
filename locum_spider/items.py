"""The nouns of the project, as frozen dataclasses. Field names follow WARC and schema.org NewsArticle."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

Headers = tuple[tuple[bytes, bytes], ...]
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Kind(StrEnum):
    """What a request asks for."""

    ARTICLE = "article"
    LISTING = "listing"
    ROBOTS = "robots"


class Outcome(StrEnum):
    """What became of a request, or of a capture made by others. `ARTICLE` is what a page was read as; stored, it is
    `NEW`, `CHANGED` or `UNCHANGED`. A known article that is answered with 404 or 410 is `GONE`, and `STILL_GONE` the
    next time. `REPEATED` and `KNOWN` were stored before."""

    ARTICLE = "article"
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    GONE = "gone"
    STILL_GONE = "still_gone"
    LISTING = "listing"
    NOT_ARTICLE = "not_article"
    NOT_LISTING = "not_listing"
    FAILED = "failed"
    REFUSED = "refused"
    TAKEN_DOWN = "taken_down"
    ROBOTS = "robots"
    REPEATED = "repeated"
    KNOWN = "known"


class CrawlOutcome(StrEnum):
    """How a crawl ended. The row of an import has `IMPORTED` from its begin on."""

    DONE = "done"
    INTERRUPTED = "interrupted"
    UNREACHABLE = "unreachable"
    CHECK_FAILED = "check_failed"
    IMPORTED = "imported"


class EventKind(StrEnum):
    """What happened, in a record that is not an exchange."""

    CRAWL_BEGIN = "crawl-begin"
    CRAWL_END = "crawl-end"
    KNOWN_ARTICLES = "known-articles"
    IMPORT_BEGIN = "import-begin"
    IMPORT_END = "import-end"
    VISIT_FAILED = "visit-failed"
    TAKEDOWN = "takedown"


class Child(NamedTuple):
    """A page that another one leads to: its key, its address, what is expected there."""

    key: str
    url: str
    kind: Kind


def payload_digest(body: bytes) -> str:
    """`sha1:` and base32, the form that every WARC reader knows.

    >>> payload_digest(b"")
    'sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ'
    """
    return "sha1:" + base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


@dataclass(frozen=True, slots=True)
class Source:
    """Where and when a response was taken from a web archive: the address there, and the time."""

    uri: str
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request and its response as they went over the wire (body still compressed).

    `fetched_at` is UTC, `2026-11-22T05:22:00Z`. `body` has no transfer coding any more, and the WARC record has no
    `Transfer-Encoding`. `response_head` is the status line and the headers byte for byte, if they are known.
    If a web archive sent the response, `source` says so; `url` and `fetched_at` are those of the page on the site.
    `truncated` is why the body is not whole, in a word of WARC's: `length`, `time`, `disconnect`, `unspecified`.
    `stated_digest` is the digest that the program which captured it states, if the bytes have another.
    """

    url: str
    method: str
    request_headers: Headers
    status: int
    response_headers: Headers
    body: bytes = field(repr=False)
    fetched_at: str
    protocol: str = "HTTP/1.1"
    ip: str | None = None
    source: Source | None = None
    truncated: str | None = None
    stated_digest: str | None = None
    response_head: bytes | None = field(default=None, repr=False)
    _digest: str | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def phrase(self) -> str:
        """The standard's words for its status; "" if it has none."""
        return _PHRASES.get(self.status, "")

    @property
    def digest(self) -> str:
        """Payload digest of the body, computed once: a copy with another body has its own."""
        digest = self._digest or payload_digest(self.body)
        object.__setattr__(self, "_digest", digest)
        return digest

    def header(self, name: bytes) -> str | None:
        """First response header of that (lower-case) name; None if there is none."""
        return next((value.decode("latin-1") for key, value in self.response_headers if key.lower() == name), None)

    @property
    def coding(self) -> str | None:
        """How the body is said to be packed, by all headers that say so; None if none does."""
        lines = (value for key, value in self.response_headers if key.lower() == b"content-encoding")
        return b",".join(lines).decode("latin-1") or None


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request of the frontier led to: its exchanges in order (retries, redirects), or why there is none.

    `request_id` is the frontier's row; robots.txt has none. `error` is why no final response came;
    `refused` is True if robots.txt forbade the request.
    """

    crawl_id: int
    request_id: int | None
    exchanges: tuple[Exchange, ...] = ()
    error: str | None = None
    refused: bool = False

    @property
    def is_robots(self) -> bool:
        """Whether this is a visit of robots.txt, which has no row in the frontier."""
        return self.request_id is None


@dataclass(frozen=True, slots=True)
class Link:
    """An anchor of a page: absolute address, visible text, the line it stands in."""

    url: str
    text: str
    line: int
    rel: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the article: absolute address, alternative text, caption as printed."""

    url: str
    alt: str | None = None
    caption: str | None = None

    @property
    def words(self) -> str:
        """Its text in a list."""
        return self.caption or self.alt or self.url


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that the article offers as a link of its own."""

    title: str
    url: str

    @property
    def words(self) -> str:
        """Its text in a list."""
        return self.title or self.url


FieldKind = Literal[
    "line", "prose", "names", "keywords", "day", "instant", "address", "attachments", "images", "rules"
]  # fmt: skip
LISTS = frozenset({"names", "keywords", "attachments", "images"})
"""Kinds of fields that hold a tuple."""


def _is(kind: FieldKind, about: str, **more: Any) -> dict[str, Any]:
    """The line of a field in the table, see `fields.Field`."""
    return {"kind": kind, "about": about, **more}


def _may(kind: FieldKind, about: str, default: Any = None, **more: Any) -> Any:
    """A field that an article may lack."""
    return field(default=() if kind in LISTS else default, metadata=_is(kind, about, **more))


@dataclass(frozen=True, slots=True)
class Content:
    """What an article says, as far as an archive has columns for it.

    `published` is the calendar day at the publisher's place (`2018-04-10`) or a month (`2018-04`);
    `published_at` an instant with offset, if a time is known; `published_raw` the words on the page;
    `published_source` where they were read; `published_conflict` what contradicts it, in words.
    `text` is the body as plain text, blocks separated by blank lines, list items led by `• ` or `1. `.
    """

    url: str = field(metadata=_is("address", "Address that was fetched and answered with the article", column=False))
    title: str = field(metadata=_is("line", "The headline", counts=True, rule="title"))
    standfirst: str | None = _may("line", "The summary printed between title and text", counts=True, rule="standfirst")
    authors: tuple[str, ...] = _may("names", "Names of the byline (JSON array)", counts=True, rule="authors")
    section: str | None = _may("line", "Section as printed", counts=True, rule="section")
    tags: tuple[str, ...] = _may("keywords", "Keywords (JSON array)", counts=True, rule="tags")
    lang: str | None = _may("line", "Language that the page names, else the site's")
    published: str | None = _may(
        "day", "Calendar day at the publisher's place, or a month if no more is known", counts=True, rule="published"
    )
    published_at: str | None = _may("instant", "Instant with its offset, if a time is known", counts=True)
    published_raw: str | None = _may("line", "The words on the page", counts=True)
    published_source: str | None = _may("line", "Where the date was read")
    published_conflict: str | None = _may("line", "What contradicts the date")
    modified_at: str | None = _may(
        "instant", "Last change, as the page says", rule="modified", fact="Modified, it says"
    )
    text: str = _may("prose", "The body, blocks separated by blank lines", "", counts=True, rule="body", column=False)
    attachments: tuple[Attachment, ...] = _may("attachments", "Documents that it offers (JSON array)", counts=True)
    images: tuple[Image, ...] = _may("images", "Pictures (JSON array)", counts=True)

    @property
    def captions(self) -> tuple[str, ...]:
        """Captions of the pictures, else their alternative texts."""
        return tuple(c for c in (i.caption or i.alt for i in self.images) if c)


@dataclass(frozen=True, slots=True)
class Article(Content):
    """What one capture of an article page says.

    `canonical_url` is the address that the page itself calls canonical. `evidence` maps a field to the rule that read
    it.
    """

    canonical_url: str | None = _may("address", "The page's canonical link", column=False)
    evidence: dict[str, str] = field(
        default_factory=dict, metadata=_is("rules", "What read each field (JSON object)", column=False)
    )


@dataclass(frozen=True, slots=True)
class ListingEntry:
    """One entry of a listing page: what the page says of an article."""

    position: int
    url: str
    title: str | None
    published_raw: str | None = None
    published: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a listing page says: its entries in order, and the other pages of the site it leads to."""

    url: str
    entries: tuple[ListingEntry, ...]
    pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """Where a capture's record is: name of the file (without `.open`), offset and length in bytes, payload digest."""

    file: str
    offset: int
    length: int
    digest: str


class LedgerEntry(NamedTuple):
    """One record in the ledger: its place in a file, its type, and the sha256 `digest` of its bytes there.

    `seq` is its row there, 0 before it has one; `removed` is the JSON of the takedown that removed it; `capture_id` is
    its capture's row, if that was asked for.
    """

    file: str
    offset: int
    length: int
    type: str
    digest: str
    seq: int = 0
    removed: str | None = None
    capture_id: int | None = None

    @property
    def end(self) -> int:
        """The byte after it."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class RevisitOf:
    """The earlier capture that has the body of a revisit; `not_modified` if the server said so (304)."""

    url: str
    fetched_at: str
    digest: str
    not_modified: bool


@dataclass(frozen=True, slots=True)
class Revisit:
    """A record without its body, which is in an earlier one: that with the digest, or with the address and time.

    The status of `exchange` is 0 if the record does not have it.
    """

    exchange: Exchange
    not_modified: bool
    digest: str | None
    url: str | None
    fetched_at: str | None
