"""The rows of captures, and which capture has the body that a revisit refers to."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import NamedTuple

from locum_spider.items import Exchange, Location
from locum_spider.warc.mementos import original_location


def save_capture(
    db: sqlite3.Connection, crawl_id: int | None, exchange: Exchange, at: Location, same_as: int | None = None
) -> int:
    """Save a row for one exchange in a WARC; returns its id. `same_as` is the capture that a revisit refers to."""
    cursor = db.execute(
        "INSERT INTO captures (crawl_id, url, fetched_at, status, content_type, digest, location, etag, last_modified, "
        "same_as, source_uri, truncated, stated_digest, warc_file, warc_offset, warc_length) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            crawl_id, exchange.url, exchange.fetched_at, exchange.status, exchange.header(b"content-type"), at.digest,
            _location(exchange), exchange.header(b"etag"), exchange.header(b"last-modified"), same_as,
            exchange.source.uri if exchange.source else None, exchange.truncated, exchange.stated_digest,
            at.file, at.offset, at.length,
        ),
    )  # fmt: skip
    return int(cursor.lastrowid or 0)


def note_unread(db: sqlite3.Connection, capture_id: int, reason: str) -> None:
    """Note why a capture made by others could not be read."""
    db.execute("UPDATE captures SET unread = ? WHERE id = ?", (reason, capture_id))


def _location(exchange: Exchange) -> str | None:
    location = exchange.header(b"location")
    if location is None or exchange.source is None:
        return location
    return original_location(location, exchange.source.uri)


@dataclass(frozen=True, slots=True)
class Original:
    """The capture that a revisit refers to, with the place of its body."""

    id: int
    url: str
    fetched_at: str
    digest: str
    warc_file: str
    warc_offset: int
    truncated: str | None


def _original(db: sqlite3.Connection, condition: str, *values: object, order: str = "id") -> Original | None:
    row = db.execute(
        "SELECT id, url, fetched_at, digest, warc_file, warc_offset, truncated FROM captures "
        f"WHERE same_as IS NULL AND digest <> '' AND {condition} ORDER BY {order} LIMIT 1",
        values,
    ).fetchone()
    return Original(*row) if row else None


# The capture that a 304 refers to: of two captures in one second, the one that was stored later.
_LATEST = (
    "FROM captures WHERE url = ? AND (status = 200 OR (status = 304 AND same_as IS NOT NULL)) "
    "ORDER BY fetched_at DESC, id DESC LIMIT 1"
)


def last_body(db: sqlite3.Connection, url: str, until: str) -> Original | None:
    """The capture with the body that an address had at a time: what a 304 refers to; None if there is none.

    The archive may already have later ones, from an import.
    """
    latest = _LATEST.replace("url = ?", "url = ? AND fetched_at <= ?")
    row = db.execute(f"SELECT coalesce(same_as, id) {latest}", (url, until)).fetchone()
    if row is None:
        return None
    original = _original(db, "id = ?", row[0])
    # The same bytes may be the whole body of one response, and the truncated body of another.
    last = db.execute(
        "SELECT truncated FROM captures WHERE url = ? AND fetched_at <= ? AND status = 200 "
        "AND coalesce(same_as, id) = ? ORDER BY fetched_at DESC, id DESC LIMIT 1",
        (url, until, row[0]),
    ).fetchone()
    return replace(original, truncated=last[0]) if original is not None and last is not None else original


def same_body(db: sqlite3.Connection, digest: str) -> Original | None:
    """The newest capture of a 200 response that has the body with that digest; None if there is none."""
    return _original(db, "digest = ? AND status = 200", digest, order="id DESC")


def kept(db: sqlite3.Connection, capture_id: int) -> tuple[str, str, Original] | None:
    """Address and time of a capture, and the capture with its body; None if that was removed."""
    row = db.execute(
        "SELECT url, fetched_at, coalesce(same_as, id) FROM captures WHERE id = ?", (capture_id,)
    ).fetchone()
    original = _original(db, "id = ?", row[2]) if row is not None else None
    return (row[0], row[1], original) if original is not None else None


def body_at(db: sqlite3.Connection, url: str, fetched_at: str) -> Original | None:
    """The capture with the body of the capture of an address at a time; None if there is none."""
    that = "SELECT coalesce(same_as, id) FROM captures WHERE url = ? AND fetched_at = ? ORDER BY id LIMIT 1"
    return _original(db, f"id = ({that})", url, fetched_at)


def is_known(db: sqlite3.Connection, exchange: Exchange) -> bool:
    """Whether the archive already has a capture of that address and time with that body, or without one if a 304."""
    rows = db.execute(
        "SELECT status, digest FROM captures WHERE url = ? AND fetched_at = ?", (exchange.url, exchange.fetched_at)
    )
    if exchange.status == HTTPStatus.NOT_MODIFIED:  # its row has the digest of the body that it refers to
        return any(status == HTTPStatus.NOT_MODIFIED for status, _ in rows)
    return any(status != HTTPStatus.NOT_MODIFIED and digest == exchange.digest for status, digest in rows)


class WarcPosition(NamedTuple):
    """How many bytes of a WARC file are acknowledged, and whether it was closed."""

    bytes: int
    closed: bool


def warc_positions(db: sqlite3.Connection) -> dict[str, WarcPosition]:
    """How much of each WARC file is acknowledged, by name."""
    rows = db.execute("SELECT name, bytes, closed FROM warc_files").fetchall()
    return {name: WarcPosition(size, bool(closed)) for name, size, closed in rows}


def newest_warc(db: sqlite3.Connection) -> str | None:
    """The name of the newest WARC file; None if there is none."""
    name: str | None = db.execute("SELECT max(name) FROM warc_files").fetchone()[0]
    return name


def save_warc_position(db: sqlite3.Connection, name: str, position: int, *, closed: bool = False) -> None:
    """Acknowledge a WARC file up to a byte."""
    db.execute(
        "INSERT INTO warc_files (name, bytes, closed) VALUES (?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes, closed = excluded.closed",
        (name, position, int(closed)),
    )
