"""What crawl and recorder say to each other: pickled dataclasses, each led by its length in four bytes."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass, field
from typing import Any

from locum_spider.errors import LocumError
from locum_spider.store.frontier import Request

LENGTH = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Open:
    """Begin or resume the crawl of a site."""

    site: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A crawl's id, whether it goes on with an unfinished one, and its first requests."""

    crawl_id: int
    resumed: bool
    requests: list[Request]
    waiting: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A visit is stored: its outcome, and more requests. `waiting` are still in the frontier beyond these."""

    outcome: str
    requests: list[Request]
    waiting: int


@dataclass(frozen=True, slots=True)
class Close:
    """End a crawl for a reason of Scrapy's: `finished`, `shutdown` or another."""

    crawl_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a crawl did: its row, the worst of what gave nothing, and its exit code."""

    crawl: dict[str, Any]
    unread: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """The recorder cannot go on."""

    error: LocumError


def pack(message: object) -> bytes:
    """A message with its length in front."""
    data = pickle.dumps(message, protocol=5)
    return LENGTH.pack(len(data)) + data


def unpack(data: bytes) -> object:
    """A message without its length. Both ends are one program: nothing foreign is ever unpickled."""
    return pickle.loads(data)  # noqa: S301 - a socket pair between parent and child
