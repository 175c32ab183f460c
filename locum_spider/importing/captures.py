"""What a WARC record of others says: a capture, one without its body, or why it is passed over."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus

from locum_spider.clock import http_second, second
from locum_spider.importing.fields import address, agrees, as_ours, header_pairs
from locum_spider.items import Exchange, Revisit, Source
from locum_spider.warc.codings import undo_chunks
from locum_spider.warc.mementos import WHOLE_STAMP, Memento, memento_of, original_location
from locum_spider.warc.reader import Broken

KINDS = frozenset({"response", "resource", "revisit"})
HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"(HTTP/\d(?:\.\d)?)[ \t]+(\d{3})(?!\d)")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]+[ \t]*(?:;[^\r\n]*)?\r\n")
_REASONS = frozenset({"length", "time", "disconnect", "unspecified"})
_REDIRECTS = range(300, 400)
_ORIGINAL = b"x-archive-orig-"
_REMEMBERED = 50_000
_MOST_DIGITS = 18


class PassedOverReason(Enum):
    """Why a record was passed over."""

    ELSEWHERE = "of another site"
    REWRITTEN = "a page as a web archive rewrote it"
    ARCHIVES_OWN = "an answer of a web archive, not of the site"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A capture that is not wanted, under the address in its record."""

    url: str
    reason: PassedOverReason = PassedOverReason.ELSEWHERE


Capture = Exchange | Revisit
Item = Capture | PassedOver | Broken


@dataclass(frozen=True, slots=True)
class Target:
    """What a record captures: the address in it, and the page it stands for if it is one of a web archive."""

    uri: str
    memento: Memento | None = None


def target_of(uri: str, wanted: Callable[[str], bool]) -> Target | None:
    """What an address asks for, directly or through a web archive; None if it is not wanted."""
    if wanted(uri):
        return Target(uri)
    memento = memento_of(uri)
    if memento is None:
        return None
    memento = replace(memento, url=address(memento.url))
    return Target(uri, memento) if wanted(memento.url) else None


def read_capture(
    target: Target, fields: dict[str, str], block: bytes, digests: dict[str, str]
) -> Capture | PassedOver | str:
    """What a record of one of the `KINDS` says; a sentence if it is damaged.

    `digests` maps the payload digests of writers to ours, and learns that of this record.
    """
    capture = _capture(target.uri, fields, block, digests)
    if target.memento is None or isinstance(capture, str):
        return capture
    return _through_archive(capture, target.memento)


def _capture(url: str, fields: dict[str, str], block: bytes, digests: dict[str, str]) -> Capture | str:
    kind = fields.get("warc-type", "").lower()
    fetched_at = second(fields.get("warc-date", ""))
    if fetched_at is None:
        return f"the record's WARC-Date is not a time: {fields.get('warc-date', '')!r}"
    if agrees(fields.get("warc-block-digest", ""), block) is False:
        return "the record is damaged: its bytes do not match its WARC-Block-Digest"
    ip, source = fields.get("warc-ip-address"), _source(fields)
    if kind == "resource":
        coding = fields.get("content-type", "application/octet-stream").encode("latin-1", "replace")
        return Exchange(
            url, "GET", (), 200, ((b"Content-Type", coding),), block, fetched_at, ip=ip, source=source,
            truncated=_stated(fields),
        )  # fmt: skip
    separator = HEAD_END.search(block)
    head, body = (block[: separator.start()], block[separator.end() :]) if separator else (block, b"")
    status = _STATUS.match(head)
    if status is None and (kind == "response" or head.strip()):
        return "the record holds no HTTP response"
    headers = tuple((name, value.replace(b"\r", b" ")) for name, value in header_pairs(head))
    exchange = Exchange(
        url=url, method="GET", request_headers=(), status=int(status[2]) if status else 0,
        response_headers=headers, body=body, fetched_at=fetched_at,
        protocol=status[1].decode() if status else "HTTP/1.1", ip=ip, source=source,
    )  # fmt: skip
    if kind == "revisit":
        return _revisit(exchange, fields, digests)
    return _response(exchange, fields, digests)


def _response(exchange: Exchange, fields: dict[str, str], digests: dict[str, str]) -> Exchange | str:
    codings = b",".join(v for k, v in exchange.response_headers if k.lower() == b"transfer-encoding").lower()
    framed = exchange.body
    body = undo_chunks(framed) if b"chunked" in codings else framed
    broken_frames = b"chunked" in codings and body is framed and _CHUNK_SIZE.match(framed) is not None
    is_cut = broken_frames or (b"chunked" not in codings and _is_shorter(exchange))
    response = replace(exchange, body=body, truncated=_stated(fields) or ("unspecified" if is_cut else None))
    stated = fields.get("warc-payload-digest", "")
    if stated and stated != response.digest:
        agree = agrees(stated, framed) or agrees(stated, body)
        # Some digest the body before it was cut or unpacked; only the digest of the block itself is certain.
        may_differ = {"warc-block-digest", "warc-truncated"} & fields.keys() or exchange.header(b"content-encoding")
        if agree is False and not may_differ:
            return "the record is damaged: its body does not match its WARC-Payload-Digest"
        if len(digests) >= _REMEMBERED:
            del digests[next(iter(digests))]
        digests[stated] = response.digest
    return response


def _revisit(exchange: Exchange, fields: dict[str, str], digests: dict[str, str]) -> Revisit:
    stated = fields.get("warc-payload-digest", "")
    return Revisit(
        exchange,
        not_modified=fields.get("warc-profile", "").strip("<> ").endswith("server-not-modified"),
        digest=digests.get(stated, as_ours(stated)),
        url=address(fields.get("warc-refers-to-target-uri", "")) or None,
        fetched_at=second(fields.get("warc-refers-to-date", "")),
    )


def _source(fields: dict[str, str]) -> Source | None:
    """The source that pywb and Conifer note for a response from a web archive; None if there is none."""
    uri = address(fields.get("warc-source-uri", ""))
    return Source(uri, second(fields.get("warc-creation-date", ""))) if uri else None


# -- through web archives ----------------------------------------------------------------------------------------------


def _through_archive(capture: Capture, memento: Memento) -> Capture | PassedOver | str:
    """An answer of a web archive as a capture of the site, at the time when the archive captured it."""
    exchange = capture.exchange if isinstance(capture, Revisit) else capture
    uri = exchange.url
    captured_at = exchange.header(b"memento-datetime")
    marked = captured_at is not None or any(name.lower().startswith(_ORIGINAL) for name, _ in exchange.response_headers)
    whole = len(memento.stamp) == WHOLE_STAMP
    if not (marked or whole or memento.flag):
        return PassedOver(uri)  # an address that only looks like one of a web archive
    if _is_archives_own(exchange, memento, marked=marked):
        return PassedOver(uri, PassedOverReason.ARCHIVES_OWN)
    if not memento.is_as_sent(exchange.header(b"content-type")):
        return PassedOver(uri, PassedOverReason.REWRITTEN)
    at = (http_second(captured_at) if captured_at else None) or (second(memento.stamp) if whole else None)
    if at is None:
        return "neither a Memento-Datetime nor the address tells when the web archive captured the page"
    exchange = replace(exchange, url=memento.url, fetched_at=at, source=Source(uri, exchange.fetched_at))
    if isinstance(capture, Revisit):
        # It refers to another answer of the archive: only by its digest can we have the body.
        return replace(capture, exchange=exchange, url=None, fetched_at=None)
    return exchange


def _is_archives_own(exchange: Exchange, memento: Memento, *, marked: bool) -> bool:
    """Whether the archive itself answers: a redirect to another time, "not archived", "not modified", an error."""
    if exchange.status == HTTPStatus.NOT_MODIFIED or exchange.header(b"x-archive-redirect-reason") is not None:
        return True
    if exchange.status in _REDIRECTS:
        location = exchange.header(b"location")
        return not marked or (location is not None and original_location(location, exchange.url) == memento.url)
    return not marked and exchange.status not in {0, HTTPStatus.OK}


# -- HTTP --------------------------------------------------------------------------------------------------------------


def _stated(fields: dict[str, str]) -> str | None:
    """Why the block is not whole, as the record says; None if it is. Segments of a record are not joined."""
    if "warc-truncated" not in fields:
        return "unspecified" if "warc-segment-number" in fields else None
    reason = fields["warc-truncated"].lower()
    return reason if reason in _REASONS else "unspecified"


def _is_shorter(exchange: Exchange) -> bool:
    """Whether a body ends before its Content-Length. With a coding, the length may be that of the packed body."""
    if exchange.status != HTTPStatus.OK or exchange.header(b"content-encoding"):
        return False
    lengths = {value for name, value in exchange.response_headers if name.lower() == b"content-length"}
    if len(lengths) != 1:
        return False
    length = lengths.pop()
    return length.isdigit() and len(length) <= _MOST_DIGITS and len(exchange.body) < int(length)
