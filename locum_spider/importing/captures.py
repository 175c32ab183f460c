"""What a WARC record of others says: a capture, one without its body, or why it is passed over."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from http import HTTPStatus

from locum_spider.clock import http_second, second
from locum_spider.importing.fields import address, agrees, as_ours
from locum_spider.items import Exchange, Revisit, Source
from locum_spider.warc.codings import undo_chunks
from locum_spider.warc.mementos import WHOLE_STAMP, Memento, memento_of, original_location
from locum_spider.warc.reader import Broken
from locum_spider.warc.wire import header_pairs, read_head

KINDS = frozenset({"response", "resource", "revisit"})
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(
    rb"\s*(?P<protocol>HTTPS?(?:[ \t]*/[ \t]*|[ \t]+(?=\d\.\d))?[\w.,?]*|ICY|h[23])[ \t:]+(?P<status>\d{3}|0)(?!\d)"
    rb"[ \t]*(?P<phrase>[^\r\n]*)",
    re.IGNORECASE,
)
"""What programs took for a status line: without a version, in small letters, of Shoutcast, with other blanks."""

_PROTOCOL = re.compile(rb"HTTP/\d(?:\.\d)?")
_TUNNEL = re.compile(rb"connection established", re.IGNORECASE)
_INTERIM = range(100, 200)
_SWITCHING = 101
_MOST_HEADS = 10
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
    OTHER_REQUEST = "an answer to another request than GET"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A capture that is not wanted, under the address in its record."""

    url: str
    reason: PassedOverReason = PassedOverReason.ELSEWHERE


Capture = Exchange | Revisit
Item = Capture | PassedOver | Broken


def exchange_in(item: Item) -> Exchange | None:
    """The exchange of a capture; None for everything else."""
    return item.exchange if isinstance(item, Revisit) else item if isinstance(item, Exchange) else None


@dataclass(frozen=True, slots=True)
class Writers:
    """What is known of the writers of an import's files.

    `digests` maps their payload digests and the ids of their records to our digests. If `damaged`, records whose digest
    is wrong are taken too.
    """

    digests: dict[str, str]
    damaged: bool = False

    def learn(self, name: str, digest: str) -> None:
        """Note the digest of a payload under a name that a later record may have for it."""
        if name in {"", digest} or self.digests.get(name) == digest:
            return
        if len(self.digests) >= _REMEMBERED:
            del self.digests[next(iter(self.digests))]
        self.digests[name] = digest


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


def read_capture(target: Target, fields: dict[str, str], block: bytes, writers: Writers) -> Capture | PassedOver | str:
    """What a record of one of the `KINDS` says; a sentence if it is damaged."""
    capture = _capture(target.uri, fields, block, writers)
    if target.memento is None or isinstance(capture, str):
        return capture
    return _through_archive(capture, target.memento)


def _capture(url: str, fields: dict[str, str], block: bytes, writers: Writers) -> Capture | str:
    kind = fields.get("warc-type", "").lower()
    fetched_at = second(fields.get("warc-date", ""))
    if fetched_at is None:
        return f"the record's WARC-Date is not a time: {fields.get('warc-date', '')!r}"
    stated, wrong = fields.get("warc-block-digest", ""), None
    if agrees(stated, block) is False:
        if not writers.damaged:
            return "the record is damaged: its bytes do not match its WARC-Block-Digest"
        wrong = address(stated)
    ip, source = fields.get("warc-ip-address"), _source(fields)
    if kind == "resource":
        coding = fields.get("content-type", "application/octet-stream").encode("latin-1", "replace")
        return Exchange(
            url, "GET", (), 200, ((b"Content-Type", coding),), block, fetched_at, ip=ip, source=source,
            truncated=_stated(fields), stated_digest=wrong,
        )  # fmt: skip
    head, body = _response_parts(block)
    status = _STATUS.match(head)
    if status is None and (kind == "response" or head.strip()):
        return "the record holds no HTTP response"
    headers = tuple((name, value.replace(b"\r", b" ")) for name, value in header_pairs(head.lstrip()))
    exchange = Exchange(
        url=url, method="GET", request_headers=(), status=_code(status, body), response_headers=headers, body=body,
        fetched_at=fetched_at, protocol=_protocol(status), ip=ip, source=source, stated_digest=wrong,
        response_head=_as_it_came(head, status, body),
    )  # fmt: skip
    if kind == "revisit":
        return _revisit(exchange, fields, writers)
    return _response(exchange, fields, writers)


def _response_parts(block: bytes) -> tuple[bytes, bytes]:
    """Head and body of the response in a block. A `100 Continue` or the answer of a proxy may come before it."""
    start = 0
    for _ in range(_MOST_HEADS):
        start = len(block) - len(block[start:].lstrip(b"\r\n"))
        separator = _HEAD_END.search(block, start)
        if separator is None:
            break
        head = block[start : separator.start()]
        if not _is_interim(head) or _STATUS.match(block, separator.end()) is None:
            return head, block[separator.end() :]
        start = separator.end()
    return block[start:], b""


def _is_interim(head: bytes) -> bool:
    status = _STATUS.match(head)
    if status is None:
        return False
    code = int(status["status"])
    return (code in _INTERIM and code != _SWITCHING) or _TUNNEL.match(status["phrase"]) is not None


def _code(status: re.Match[bytes] | None, body: bytes) -> int:
    """The status of a response; 0 if a revisit has none. Browsers note 0 for a page that they had in their cache."""
    if status is None:
        return 0
    return int(status["status"]) or (HTTPStatus.OK.value if body else 0)


def _as_it_came(head: bytes, status: re.Match[bytes] | None, body: bytes) -> bytes | None:
    """The head byte for byte, to be kept so; None if our own reader of heads would read something else out of it."""
    raw = head + b"\r\n\r\n"
    found = read_head(raw)
    if found is None or found.status != _code(status, body) or found.end != len(raw):
        return None
    return None if any(b"\r" in value for _, value in found.headers) else raw


def _protocol(status: re.Match[bytes] | None) -> str:
    protocol = status["protocol"].upper() if status is not None else b""
    return protocol.decode() if _PROTOCOL.fullmatch(protocol) else "HTTP/1.1"


def _response(exchange: Exchange, fields: dict[str, str], writers: Writers) -> Exchange | str:
    codings = b",".join(v for k, v in exchange.response_headers if k.lower() == b"transfer-encoding").lower()
    framed = exchange.body
    body = undo_chunks(framed) if b"chunked" in codings else framed
    broken_frames = b"chunked" in codings and body is framed and _CHUNK_SIZE.match(framed) is not None
    is_cut = broken_frames or (b"chunked" not in codings and _is_shorter(exchange))
    response = replace(exchange, body=body, truncated=_stated(fields) or ("unspecified" if is_cut else None))
    if response.truncated is None and exchange.header(b"content-length") not in {None, str(len(body))}:
        response = replace(response, response_head=None)  # the length is of other bytes, packed or framed
    stated = fields.get("warc-payload-digest", "")
    if stated and stated != response.digest:
        agree = agrees(stated, framed) or agrees(stated, body)
        # Some digest the body before it was cut or unpacked; only the digest of the block itself is certain.
        may_differ = {"warc-block-digest", "warc-truncated"} & fields.keys() or exchange.header(b"content-encoding")
        if agree is False and not may_differ:
            if not writers.damaged:
                return "the record is damaged: its body does not match its WARC-Payload-Digest"
            response = replace(response, stated_digest=address(stated))
    writers.learn(as_ours(stated) or "", response.digest)
    writers.learn(fields.get("warc-record-id", ""), response.digest)
    return response


def _revisit(exchange: Exchange, fields: dict[str, str], writers: Writers) -> Capture:
    stated = as_ours(fields.get("warc-payload-digest", ""))
    if exchange.body and exchange.status == HTTPStatus.OK and stated and agrees(stated, exchange.body):
        return exchange  # some writers keep the body all the same
    known = writers.digests.get(stated or "") or writers.digests.get(fields.get("warc-refers-to", ""))
    return Revisit(
        exchange,
        not_modified=fields.get("warc-profile", "").strip("<> ").endswith("server-not-modified"),
        digest=known or stated,
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
