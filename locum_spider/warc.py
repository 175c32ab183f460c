"""Captures to and from WARC/1.1. The only module that knows the WARC library.

A file carries `.open` until it is closed. Everything beyond the length that the database has acknowledged is the
torn tail of a killed process and is cut when the archive is opened for writing again.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastwarc.stream_io import GzipReader, GzipWriter
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from locum_spider import __version__
from locum_spider.errors import IntegrityError
from locum_spider.items import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from locum_spider.items import Headers

OPEN = ".open"
MAX_BYTES = 1_000_000_000
_LEVEL = 6
_HOP = frozenset({b"transfer-encoding", b"content-length"})


@dataclass(frozen=True, slots=True)
class Location:
    """Where a record lies: name of the file (without `.open`), offset and length in bytes, payload digest."""

    file: str
    offset: int
    length: int
    digest: str


def payload_digest(body: bytes) -> str:
    """`sha1:` and base32, the form every WARC reader knows.

    >>> payload_digest(b"")
    'sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ'
    """
    return "sha1:" + base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()


def _head(first_line: str, headers: Headers) -> bytes:
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    return first_line.encode("latin-1", "replace") + b"\r\n" + lines + b"\r\n"


def _response_head(exchange: Exchange) -> bytes:
    """Status line and headers; the body has no transfer coding any more, so its true length stands there instead."""
    try:
        reason = HTTPStatus(exchange.status).phrase
    except ValueError:
        reason = ""
    headers = tuple((k, v) for k, v in exchange.response_headers if k.lower() not in _HOP)
    length = (b"Content-Length", str(len(exchange.body)).encode())
    return _head(f"{exchange.protocol} {exchange.status} {reason}".rstrip(), (*headers, length))


def _target(url: str) -> str:
    rest = url.split("://", 1)[-1]
    slash = rest.find("/")
    return rest[slash:] if slash >= 0 else "/"


class WarcWriter:
    """Appends records to a folder of WARC files, one gzip member a record.

    `write` puts whole records into the file at once and returns where they lie; they count once the caller has
    committed `position`. `durable` adds an fsync to every `flush`.
    """

    def __init__(self, folder: Path, prefix: str, *, max_bytes: int = MAX_BYTES, durable: bool = False) -> None:
        self.folder, self.prefix, self.max_bytes, self.durable = folder, prefix, max_bytes, durable
        self.name: str | None = None
        self.position = 0
        self._file: io.FileIO | None = None
        self._number = 0

    def write(self, exchange: Exchange) -> Location:
        """Write the response and request records of one exchange; the location is the response's."""
        if self._file is None:
            self._start()
        digest = payload_digest(exchange.body)
        response_id, request_id = _new_id(), _new_id()
        block = _response_head(exchange) + exchange.body
        response = _record(
            WarcRecordType.response,
            response_id,
            block,
            exchange,
            "application/http; msgtype=response",
            digest,
        )
        request_head = _head(f"{exchange.method} {_target(exchange.url)} {exchange.protocol}", exchange.request_headers)
        request = _record(
            WarcRecordType.request, request_id, request_head, exchange, "application/http; msgtype=request",
            concurrent_to=response_id,
        )  # fmt: skip
        location = Location(self.name or "", self.position, len(response), digest)
        self._append(response + request)
        return location

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
        name = self.name
        (self.folder / (name + OPEN)).rename(self.folder / name)
        self._file, self.name, self.position = None, None, 0
        return name

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        while True:
            self._number += 1
            name = f"{self.prefix}-{self._number:05d}.warc.gz"
            if not (self.folder / name).exists() and not (self.folder / (name + OPEN)).exists():
                break
        self._file = io.FileIO(self.folder / (name + OPEN), "xb")
        self.name, self.position = name, 0
        info = f"software: locum-spider/{__version__}\r\nformat: WARC File Format 1.1\r\n".encode()
        record = WarcRecord()
        record.init_headers(record_type=WarcRecordType.warcinfo)
        record.headers["WARC-Filename"] = name
        record.headers["Content-Type"] = "application/warc-fields"
        record.set_bytes_content(info)
        self._append(_gzip(record))

    def _append(self, data: bytes) -> None:
        file = self._file
        if file is None:
            raise IntegrityError("the WARC file is closed; open a new one before writing")
        view = memoryview(data)
        while view:
            view = view[file.write(view) or 0 :]
        self.position += len(data)


def _new_id() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def _record(
    kind: WarcRecordType, urn: str, block: bytes, exchange: Exchange, content_type: str,
    digest: str | None = None, concurrent_to: str | None = None,
) -> bytes:  # fmt: skip
    record = WarcRecord()
    record.init_headers(record_type=kind)
    headers = record.headers
    headers["WARC-Record-ID"] = f"<{urn}>"
    headers["WARC-Date"] = exchange.fetched_at
    headers["WARC-Target-URI"] = exchange.url
    if exchange.ip:
        headers["WARC-IP-Address"] = exchange.ip
    if concurrent_to:
        headers["WARC-Concurrent-To"] = f"<{concurrent_to}>"
    headers["WARC-Block-Digest"] = payload_digest(block)
    if digest:
        headers["WARC-Payload-Digest"] = digest
    headers["Content-Type"] = content_type
    record.set_bytes_content(block)
    return _gzip(record)


def _gzip(record: WarcRecord) -> bytes:
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
            record = next(iter(ArchiveIterator(GzipReader(file), record_types=WarcRecordType.response)))
        except (StopIteration, OSError) as error:
            raise IntegrityError(f"{path}: no response record can be read at byte {offset}: {error}") from None
        return _exchange(record)


def read_exchanges(path: Path) -> Iterator[Exchange]:
    """Every response of a WARC file in order."""
    for record in ArchiveIterator(str(path), record_types=WarcRecordType.response):
        yield _exchange(record)


def _exchange(record: WarcRecord) -> Exchange:
    headers = record.http_headers
    pairs = (
        tuple((k.encode("latin-1"), v.encode("latin-1", "replace")) for k, v in headers.astuples()) if headers else ()
    )
    status_line = (headers.status_line if headers else "HTTP/1.1 0") or "HTTP/1.1 0"
    protocol, _, rest = status_line.partition(" ")
    code = rest[:3]
    return Exchange(
        url=record.headers.get("WARC-Target-URI") or "", method="GET", request_headers=(),
        status=int(code) if code.isdigit() else 0, response_headers=pairs,
        body=record.reader.read() if record.reader else b"", fetched_at=record.headers.get("WARC-Date") or "",
        protocol=protocol, ip=record.headers.get("WARC-IP-Address"),
    )  # fmt: skip
