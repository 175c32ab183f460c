"""What a WARC record of others says: a capture, one without its body, or why it is none of the site's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus

from locum_spider.clock import http_second, second
from locum_spider.importing.fields import address, agrees, as_ours
from locum_spider.items import Exchange, Headers, Revisit, Source
from locum_spider.warc.codings import undo_chunks
from locum_spider.warc.mementos import WHOLE_STAMP, Memento, memento_of, original_location
from locum_spider.warc.reader import Broken

KINDS = frozenset({"response", "resource", "revisit"})
HEAD_END = re.compile(rb"\r?\n\r?\n")
LINE_END = re.compile(rb"\r?\n")
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
    """A capture that was not wanted, under the address in its record."""

    url: str
    reason: PassedOverReason = PassedOverReason.ELSEWHERE


Found = Exchange | Revisit | PassedOver | Broken


@dataclass(frozen=True, slots=True)
class Target:
    """What a record is a capture of: the address in it, and what that stands for where it is one of a web archive."""

    uri: str
    memento: Memento | None = None


def target_of(uri: str, wanted: Callable[[str], bool]) -> Target | None:
    """What an address asks for, by itself or through a web archive; None where it is not wanted."""
    if wanted(uri):
        return Target(uri)
    memento = memento_of(uri)
    if memento is None:
        return None
    memento = replace(memento, url=address(memento.url))
    return Target(uri, memento) if wanted(memento.url) else None


class Captures:
    """Reads records one by one. `digests` remembers what other digests the writers have for payloads than we."""

    def __init__(self, digests: dict[str, str]) -> None:
        self._digests = digests

    def read(self, target: Target, fields: dict[str, str], block: bytes) -> Exchange | Revisit | PassedOver | str:
        """What a record of one of the `KINDS` says; a sentence where it is damaged."""
        found = self._capture(target.uri, fields, block)
        if target.memento is None or isinstance(found, str):
            return found
        return _through_archive(found, target.memento)

    def _capture(self, url: str, fields: dict[str, str], block: bytes) -> Exchange | Revisit | str:
        kind = fields.get("warc-type", "").lower()
        fetched_at = second(fields.get("warc-date", ""))
        if fetched_at is None:
            return f"the record's WARC-Date is no time: {fields.get('warc-date', '')!r}"
        if agrees(fields.get("warc-block-digest", ""), block) is False:
            return "the record is damaged: its WARC-Block-Digest is that of other bytes"
        ip, source = fields.get("warc-ip-address"), _source(fields)
        if kind == "resource":
            coding = fields.get("content-type", "application/octet-stream").encode("latin-1", "replace")
            return Exchange(
                url, "GET", (), 200, ((b"Content-Type", coding),), block, fetched_at, ip=ip, source=source,
                truncated=_stated(fields),
            )  # fmt: skip
        separator = HEAD_END.search(block)
        head, body = (block[: separator.start()], block[separator.end() :]) if separator else (block, b"")
        lines = LINE_END.split(head)
        status = _STATUS.match(lines[0])
        if status is None and (kind == "response" or head.strip()):
            return "the record holds no HTTP response"
        exchange = Exchange(
            url=url, method="GET", request_headers=(), status=int(status[2]) if status else 0,
            response_headers=_pairs(lines[1:]), body=body, fetched_at=fetched_at,
            protocol=status[1].decode() if status else "HTTP/1.1", ip=ip, source=source,
        )  # fmt: skip
        if kind == "revisit":
            return self._revisit(exchange, fields)
        return self._response(exchange, fields)

    def _response(self, exchange: Exchange, fields: dict[str, str]) -> Exchange | str:
        codings = b",".join(v for k, v in exchange.response_headers if k.lower() == b"transfer-encoding").lower()
        framed = exchange.body
        body = undo_chunks(framed) if b"chunked" in codings else framed
        broken_frames = b"chunked" in codings and body is framed and _CHUNK_SIZE.match(framed) is not None
        lacking = broken_frames or (b"chunked" not in codings and _is_shorter(exchange))
        response = replace(exchange, body=body, truncated=_stated(fields) or ("unspecified" if lacking else None))
        stated = fields.get("warc-payload-digest", "")
        if stated and stated != response.digest:
            agree = agrees(stated, framed) or agrees(stated, body)
            # Some digest what stood there before it was cut, or unpacked; only a record's own block says for sure.
            sure = {"warc-block-digest", "warc-truncated"} & fields.keys() or exchange.header(b"content-encoding")
            if agree is False and not sure:
                return "the record is damaged: its WARC-Payload-Digest is that of other bytes"
            if len(self._digests) >= _REMEMBERED:
                del self._digests[next(iter(self._digests))]
            self._digests[stated] = response.digest
        return response

    def _revisit(self, exchange: Exchange, fields: dict[str, str]) -> Revisit:
        stated = fields.get("warc-payload-digest", "")
        return Revisit(
            exchange,
            not_modified=fields.get("warc-profile", "").strip("<> ").endswith("server-not-modified"),
            digest=self._digests.get(stated, as_ours(stated)),
            url=address(fields.get("warc-refers-to-target-uri", "")) or None,
            fetched_at=second(fields.get("warc-refers-to-date", "")),
        )


def _source(fields: dict[str, str]) -> Source | None:
    """What pywb and Conifer write of a response that they took out of a web archive."""
    uri = address(fields.get("warc-source-uri", ""))
    return Source(uri, second(fields.get("warc-creation-date", ""))) if uri else None


# -- through web archives ----------------------------------------------------------------------------------------------


def _through_archive(found: Exchange | Revisit, memento: Memento) -> Exchange | Revisit | PassedOver | str:
    """A record of a web archive's answer as a capture of the site, at the time at which the archive had made it."""
    exchange = found.exchange if isinstance(found, Revisit) else found
    uri = exchange.url
    made = exchange.header(b"memento-datetime")
    said = made is not None or any(name.lower().startswith(_ORIGINAL) for name, _ in exchange.response_headers)
    whole = len(memento.stamp) == WHOLE_STAMP
    if not (said or whole or memento.flag):
        return PassedOver(uri)  # an address that only looks like one of a web archive
    if _is_archives_own(exchange, memento, said=said):
        return PassedOver(uri, PassedOverReason.ARCHIVES_OWN)
    if not memento.is_as_sent(exchange.header(b"content-type")):
        return PassedOver(uri, PassedOverReason.REWRITTEN)
    at = (http_second(made) if made else None) or (second(memento.stamp) if whole else None)
    if at is None:
        return "neither a Memento-Datetime nor the address tells when the web archive captured the page"
    exchange = replace(exchange, url=memento.url, fetched_at=at, source=Source(uri, exchange.fetched_at))
    if isinstance(found, Revisit):
        # Its address and time are those of another answer of the archive: only the digest leads to a body of ours.
        return replace(found, exchange=exchange, url=None, fetched_at=None)
    return exchange


def _is_archives_own(exchange: Exchange, memento: Memento, *, said: bool) -> bool:
    """Whether the archive speaks for itself: a redirect to another time, "not archived", "not modified", an error."""
    if exchange.status == HTTPStatus.NOT_MODIFIED or exchange.header(b"x-archive-redirect-reason") is not None:
        return True
    if exchange.status in _REDIRECTS:
        location = exchange.header(b"location")
        return not said or (location is not None and original_location(location, exchange.url) == memento.url)
    return not said and exchange.status not in {0, HTTPStatus.OK}


# -- HTTP --------------------------------------------------------------------------------------------------------------


def _stated(fields: dict[str, str]) -> str | None:
    """Why a record says that its block is not whole. The segments of a long one are not put together."""
    if "warc-truncated" not in fields:
        return "unspecified" if "warc-segment-number" in fields else None
    reason = fields["warc-truncated"].lower()
    return reason if reason in _REASONS else "unspecified"


def _is_shorter(exchange: Exchange) -> bool:
    """Whether a body ends before its Content-Length. One with a coding may have been unpacked, and tells by itself."""
    if exchange.status != HTTPStatus.OK or exchange.header(b"content-encoding"):
        return False
    lengths = {value for name, value in exchange.response_headers if name.lower() == b"content-length"}
    if len(lengths) != 1:
        return False
    length = lengths.pop()
    return length.isdigit() and len(length) <= _MOST_DIGITS and len(exchange.body) < int(length)


def _pairs(lines: list[bytes]) -> Headers:
    """Header lines, folded ones put together; what has no name is left out."""
    pairs: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and pairs:
            name, value = pairs[-1]
            pairs[-1] = name, (value + b" " + line.strip()).strip()
            continue
        name, colon, value = line.partition(b":")
        if colon and name.strip():
            pairs.append((name.strip(), value.strip().replace(b"\r", b" ")))
    return tuple(pairs)
