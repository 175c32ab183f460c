"""Writes captures as WARC/1.1.

A file has `.open` behind its name until it is closed. What lies beyond the length that the database has acknowledged is
the torn tail of a killed process; it is cut when the archive is opened for writing again.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Mapping
from pathlib import Path

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import WarcRecord, WarcRecordType

from locum_spider.checkpoints import checkpoint
from locum_spider.items import Exchange, LedgerEntry, Location, RevisitOf, payload_digest
from locum_spider.system import sync
from locum_spider.version import __version__
from locum_spider.warc.reader import EVENT, HEAD, OPEN, SOFTWARE, STATED_DIGEST, VISIT
from locum_spider.warc.wire import request_line, without_lines, write_head

MAX_BYTES = 1_000_000_000
_LEVEL = 6
_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
_SAME_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
_FRAMING = frozenset({b"transfer-encoding", b"content-length"})


def _response_head(exchange: Exchange, *, has_body: bool) -> bytes:
    """Status line and headers as they came, but none of a transfer coding that the body does not have any more.

    If no header says how long the body is, one does afterwards.
    """
    head = exchange.response_head
    names = {name.lower() for name, _ in exchange.response_headers}
    if head is None:  # only the headers of a capture by others are known, and its length may be of other bytes
        head = write_head(
            f"{exchange.protocol} {exchange.status} {exchange.phrase}".rstrip(), exchange.response_headers
        )
        names.add(b"transfer-encoding")
    if not has_body or (b"content-length" in names and b"transfer-encoding" not in names):
        return head
    lines = without_lines(head, _FRAMING).rstrip(b"\r\n")
    return lines + b"\r\nContent-Length: %d\r\n\r\n" % len(exchange.body)


class WarcWriter:
    """Appends records to a folder of WARC files, one gzip member a record.

    `write` puts whole records into the file and returns where they are; they count once the caller has committed
    `position`. `durable` adds an fsync to every `flush`. `take_written` returns their ledger entries. `head` is that of
    the ledger, `NUMBER:CHAIN`: each new file says which records came before it.
    """

    def __init__(self, folder: Path, prefix: str, *, max_bytes: int = MAX_BYTES, durable: bool = False) -> None:
        self.folder, self.prefix, self.max_bytes, self.durable = folder, prefix, max_bytes, durable
        self.name: str | None = None
        self.position = 0
        self.head = ""
        self._file: io.FileIO | None = None
        self._number = 0
        self._written: list[LedgerEntry] = []

    def write(self, visit: str, exchange: Exchange, revisit_of: RevisitOf | None = None) -> Location:
        """Write the response (or revisit) and request records of an exchange; returns the location of the first.

        `visit` goes into the header `Locum-Visit`: the records of a visit follow each other and have the same value.
        """
        digest = revisit_of.digest if revisit_of else exchange.digest
        head = _response_head(exchange, has_body=revisit_of is None)
        source = exchange.source
        known = {
            "WARC-Target-URI": exchange.url, "WARC-Date": exchange.fetched_at, VISIT: visit,
            "WARC-Payload-Digest": digest, "WARC-IP-Address": exchange.ip or None,
            # pywb uses the same names for records that it takes from other archives
            "WARC-Source-URI": source.uri if source else None, "WARC-Creation-Date": source.at if source else None,
            "WARC-Truncated": exchange.truncated, STATED_DIGEST: exchange.stated_digest,
        }  # fmt: skip
        headers = {name: value for name, value in known.items() if value is not None}
        if revisit_of:
            headers["WARC-Profile"] = _NOT_MODIFIED if revisit_of.not_modified else _SAME_PAYLOAD
            headers["WARC-Refers-To-Target-URI"] = revisit_of.url
            headers["WARC-Refers-To-Date"] = revisit_of.fetched_at
        kind = "revisit" if revisit_of else "response"
        block = head if revisit_of else head + exchange.body
        record_id, entry = self._record(kind, block, "application/http; msgtype=response", headers)
        if exchange.request_headers:  # captures made by others do not have them
            request = write_head(request_line(exchange.method, exchange.url), exchange.request_headers)
            headers = {
                "WARC-Target-URI": exchange.url, "WARC-Date": exchange.fetched_at, "WARC-Concurrent-To": record_id,
            }  # fmt: skip
            self._record("request", request, "application/http; msgtype=request", headers)
        return Location(entry.file, entry.offset, entry.length, digest)

    def write_event(self, event: Mapping[str, object], at: str) -> None:
        """Write an event (a crawl's begin, its end, a failure) as a metadata record."""
        self._record("metadata", json.dumps(event, ensure_ascii=False).encode(), EVENT, {"WARC-Date": at})

    def take_written(self) -> list[LedgerEntry]:
        """Ledger entries of the records written since the last call, in order."""
        written, self._written = self._written, []
        return written

    def flush(self) -> None:
        """With `durable`, bring everything to the disk."""
        if self._file is not None and self.durable:
            sync(self._file.fileno())

    @property
    def is_full(self) -> bool:
        return self.position >= self.max_bytes

    def close(self) -> str | None:
        """Close the file under its final name; returns that name."""
        if self._file is None or self.name is None:
            return None
        sync(self._file.fileno())
        self._file.close()
        checkpoint("warc-closed")
        name = self.name
        (self.folder / (name + OPEN)).rename(self.folder / name)
        self._sync_folder()
        self._file, self.name, self.position = None, None, 0
        return name

    def abandon(self) -> None:
        """Leave the file as it is: the next to open the archive cuts what is not acknowledged."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _start(self) -> io.FileIO:
        """Begin a new file with the record that says what wrote it."""
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
        info = f"software: {SOFTWARE}/{__version__}\r\nformat: WARC File Format 1.1\r\n".encode()
        self._record("warcinfo", info, "application/warc-fields", {"WARC-Filename": name, HEAD: self.head})
        return self._file

    def _record(self, kind: str, block: bytes, content_type: str, headers: dict[str, str]) -> tuple[str, LedgerEntry]:
        """Append one record, to a new file if none is open; returns its id and its ledger entry."""
        file = self._file or self._start()
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
        entry = LedgerEntry(self.name or "", self.position, len(data), kind, hashlib.sha256(data).hexdigest())
        view = memoryview(data)
        checkpoint("warc-torn", lambda: file.write(view[: len(view) // 2]))
        while view:
            view = view[file.write(view) or 0 :]
        checkpoint("warc-append")
        self.position += len(data)
        self._written.append(entry)
        return record_id, entry

    def _sync_folder(self) -> None:
        """With `durable`, bring the names in the folder to the disk: a file without its name is lost."""
        if self.durable:
            sync(self.folder)


def gzip_record(record: WarcRecord) -> bytes:
    """A record as one gzip member."""
    buffer = io.BytesIO()
    writer = GzipWriter(buffer, compression_level=_LEVEL)
    record.write(writer)
    writer.finish()
    return buffer.getvalue()
