"""Captures to and from WARC/1.1. The only module that knows the WARC library.

A file carries `.open` until it is closed. Everything beyond the length that the database has acknowledged is the
torn tail of a killed process and is cut when the archive is opened for writing again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastwarc.stream_io import GzipReader, GzipWriter
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from locum_spider.checkpoints import checkpoint
from locum_spider.errors import IntegrityError
from locum_spider.items import Exchange, Source, payload_digest
from locum_spider.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from locum_spider.items import Headers

OPEN = ".open"
MAX_BYTES = 1_000_000_000
_LEVEL = 6
VISIT = "Locum-Visit"
EVENT = "application/vnd.locum-spider.event+json"
_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_SAME_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_HOP = frozenset({b"transfer-encoding", b"content-length"})


@dataclass(frozen=True, slots=True)
class Location:
    """Where a capture's record lies: name of the file (without `.open`), offset and length in bytes, payload digest."""

    file: str
    offset: int
    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Written:
    """One record as it was put into a file: what the ledger keeps of it. `digest` is sha256 of its bytes there."""

    file: str
    offset: int
    length: int
    type: str
    digest: str


@dataclass(frozen=True, slots=True)
class Refers:
    """The earlier capture whose body a revisit record stands for; `not_modified` where the server said so (304)."""

    url: str
    fetched_at: str
    digest: str
    not_modified: bool


def _head(first_line: str, headers: Headers) -> bytes:
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return first_line.encode("latin-1", "replace") + b"\r\n" + lines + b"\r\n"


def _response_head(exchange: Exchange, *, keep_length: bool) -> bytes:
    """Status line and headers; the body has no transfer coding any more, so its true length stands there instead."""
    try:
        reason = HTTPStatus(exchange.status).phrase
    except ValueError:
        reason = ""
    headers = exchange.response_headers
    if not keep_length:
        length = (b"Content-Length", str(len(exchange.body)).encode())
        headers = (*((k, v) for k, v in headers if k.lower() not in _HOP), length)
    return _head(f"{exchange.protocol} {exchange.status} {reason}".rstrip(), headers)


def _provenance(exchange: Exchange) -> dict[str, str]:
    """What a record says beyond the exchange itself: out of which web archive it came, and what its body lacks.

    The names are those that pywb writes into records it takes out of other archives.
    """
    headers = {}
    if exchange.source is not None:
        headers["WARC-Source-URI"] = exchange.source.uri
        if exchange.source.at is not None:
            headers["WARC-Creation-Date"] = exchange.source.at
    if exchange.truncated is not None:
        headers["WARC-Truncated"] = exchange.truncated
    return headers


def with_provenance(exchange: Exchange, header: Callable[[str], str | None]) -> Exchange:
    """An exchange with what its record says in those headers; `header` gives the value of one."""
    uri, truncated = header("WARC-Source-URI"), header("WARC-Truncated")
    if uri is None and truncated is None:
        return exchange
    source = Source(uri, header("WARC-Creation-Date")) if uri is not None else None
    return replace(exchange, source=source, truncated=truncated)


def _target(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(scheme="", netloc="", fragment="").geturl() if parts.path else f"/?{parts.query}".rstrip("?")


class WarcWriter:
    """Appends records to a folder of WARC files, one gzip member a record.

    `write` puts whole records into the file at once and returns where they lie; they count once the caller has
    committed `position`. `durable` adds an fsync to every `flush`. `take_written` hands over what the ledger needs.
    """

    def __init__(self, folder: Path, prefix: str, *, max_bytes: int = MAX_BYTES, durable: bool = False) -> None:
        self.folder, self.prefix, self.max_bytes, self.durable = folder, prefix, max_bytes, durable
        self.name: str | None = None
        self.position = 0
        self._file: io.FileIO | None = None
        self._number = 0
        self._written: list[Written] = []

    def write(self, visit: str, exchange: Exchange, refers: Refers | None = None) -> Location:
        """Write the response (or revisit) and request records of one exchange; the location is the former's.

        `visit` goes into the header `Locum-Visit`: the records of one visit follow each other and carry one value.
        """
        if self._file is None:
            self._start()
        digest = refers.digest if refers else exchange.digest
        head = _response_head(exchange, keep_length=refers is not None)
        headers = {
            "WARC-Target-URI": exchange.url, "WARC-Date": exchange.fetched_at, VISIT: visit,
            "WARC-Payload-Digest": digest,
        }  # fmt: skip
        if exchange.ip:
            headers["WARC-IP-Address"] = exchange.ip
        headers |= _provenance(exchange)
        if refers:
            headers["WARC-Profile"] = _NOT_MODIFIED if refers.not_modified else _SAME_PAYLOAD
            headers["WARC-Refers-To-Target-URI"] = refers.url
            headers["WARC-Refers-To-Date"] = refers.fetched_at
        kind = "revisit" if refers else "response"
        block = head if refers else head + exchange.body
        location = Location(self.name or "", self.position, 0, digest)
        record_id, length = self._record(kind, block, "application/http; msgtype=response", headers)
        if exchange.request_headers:  # of captures of others we do not know what was asked
            request = _head(f"{exchange.method} {_target(exchange.url)} {exchange.protocol}", exchange.request_headers)
            headers = {
                "WARC-Target-URI": exchange.url, "WARC-Date": exchange.fetched_at, "WARC-Concurrent-To": record_id,
            }  # fmt: skip
            self._record("request", request, "application/http; msgtype=request", headers)
        return replace(location, length=length)

    def write_event(self, event: dict[str, object], at: str) -> None:
        """Write what happened beside the exchanges (a crawl's begin, its end, a failure) as a metadata record."""
        if self._file is None:
            self._start()
        self._record("metadata", json.dumps(event, ensure_ascii=False).encode(), EVENT, {"WARC-Date": at})

    def take_written(self) -> list[Written]:
        """The records written since the last call, in order."""
        written, self._written = self._written, []
        return written

    def flush(self) -> None:
        """Hand everything to the operating system, and to the disk where `durable`."""
        if self._file is not None and self.durable:
            os.fsync(self._file.fileno())

    @property
    def is_full(self) -> bool:
        return self.position >= self.max_bytes

    def close(self) -> str | None:
        """Close the file under its final name; returns that name."""
        if self._file is None or self.name is None:
            return None
        os.fsync(self._file.fileno())
        self._file.close()
        checkpoint("warc-closed")
        name = self.name
        (self.folder / (name + OPEN)).rename(self.folder / name)
        self._sync_folder()
        self._file, self.name, self.position = None, None, 0
        return name

    def abandon(self) -> None:
        """Let go of the file as it is: who opens the archive next cuts off what was not acknowledged."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        while True:
            self._number += 1
            name = f"{self.prefix}-{self._number:05d}.warc.gz"
            if not (self.folder / name).exists() and not (self.folder / (name + OPEN)).exists():
                break
        self._file = io.FileIO(self.folder / (name + OPEN), "xb")
        self._sync_folder()
        checkpoint("warc-started")
        self.name, self.position = name, 0
        info = f"software: locum-spider/{__version__}\r\nformat: WARC File Format 1.1\r\n".encode()
        self._record("warcinfo", info, "application/warc-fields", {"WARC-Filename": name})

    def _record(self, kind: str, block: bytes, content_type: str, headers: dict[str, str]) -> tuple[str, int]:
        """Append one record; returns its id and its length in the file."""
        record = WarcRecord()
        record.init_headers(record_type=getattr(WarcRecordType, kind))
        record_id = f"<urn:uuid:{uuid.uuid4()}>"
        record.headers["WARC-Record-ID"] = record_id
        for name, value in headers.items():
            record.headers[name] = value
        record.headers["WARC-Block-Digest"] = payload_digest(block)
        record.headers["Content-Type"] = content_type
        record.set_bytes_content(block)
        data = gzip_record(record)
        offset = self.position
        self._append(data)
        digest = hashlib.sha256(data).hexdigest()
        self._written.append(Written(self.name or "", offset, len(data), kind, digest))
        return record_id, len(data)

    def _append(self, data: bytes) -> None:
        file = self._file
        if file is None:
            raise IntegrityError("the WARC file is closed; open a new one before writing")
        view = memoryview(data)
        checkpoint("warc-torn", lambda: file.write(view[: len(view) // 2]))
        while view:
            view = view[file.write(view) or 0 :]
        checkpoint("warc-append")
        self.position += len(data)

    def _sync_folder(self) -> None:
        """Bring the names in the folder to the disk, where `durable`: a file without its name is lost."""
        if self.durable:
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def gzip_record(record: WarcRecord) -> bytes:
    """A record as one gzip member."""
    buffer = io.BytesIO()
    writer = GzipWriter(buffer, compression_level=_LEVEL)
    record.write(writer)
    writer.finish()
    return buffer.getvalue()


def locate(folder: Path, name: str) -> Path:
    """The file of that name, closed or still open. Raises IntegrityError where there is none."""
    for path in (folder / name, folder / (name + OPEN)):
        if path.exists():
            return path
    raise IntegrityError(f"{folder / name} is missing; restore it from a backup, then run `locum verify`")


def read_exchange(folder: Path, name: str, offset: int) -> Exchange:
    """The capture whose response record lies at an offset; its request headers are not read.

    Raises IntegrityError where no response record can be read there.
    """
    path = locate(folder, name)
    with path.open("rb") as file:
        file.seek(offset)
        try:
            record = next(iter(ArchiveIterator(GzipReader(file))))
            if record.record_type != WarcRecordType.response:
                raise OSError("a record of another type stands there")
            exchange = _exchange(record)
        except (StopIteration, OSError) as error:
            raise IntegrityError(f"{path}: no response record can be read at byte {offset}: {error}") from None
        if exchange.digest != record.headers.get("WARC-Payload-Digest"):
            raise IntegrityError(f"{path}: the response record at byte {offset} is damaged; run `locum verify`")
        return exchange


def _exchange(record: WarcRecord) -> Exchange:
    headers = record.http_headers
    pairs = (
        tuple((k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in headers.astuples()) if headers else ()
    )
    status_line = (headers.status_line if headers else "HTTP/1.1 0") or "HTTP/1.1 0"
    protocol, _, rest = status_line.partition(" ")
    code = rest[:3]
    exchange = Exchange(
        url=record.headers.get("WARC-Target-URI") or "", method="GET", request_headers=(),
        status=int(code) if code.isdigit() else 0, response_headers=pairs,
        body=record.reader.read() if record.reader else b"", fetched_at=record.headers.get("WARC-Date") or "",
        protocol=protocol, ip=record.headers.get("WARC-IP-Address"),
    )  # fmt: skip
    return with_provenance(exchange, record.headers.get)


@dataclass(frozen=True, slots=True)
class Broken:
    """A place in somebody's WARC that cannot be read: byte in the file, and why."""

    offset: int
    fault: str
