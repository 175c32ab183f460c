"""Messages between crawl and recorder: dataclasses, pickled, over a `multiprocessing` connection.

Both ends are our own processes: nothing from outside is ever unpickled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from locum_spider.errors import ExitCode, LocumError
from locum_spider.items import Outcome
from locum_spider.store.frontier import Request


@dataclass(frozen=True, slots=True)
class Open:
    """Begin or resume the crawl of a site."""

    site: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A crawl's id, whether it resumes an unfinished one, and its first requests.

    `warning` is what its user should know before it goes on.
    """

    crawl_id: int
    resumed: bool
    requests: list[Request]
    waiting: int
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A visit is stored: its outcome, and more requests. `waiting` more are still in the frontier.

    `url` is the address that was asked for; `reason` is why it gave neither an article nor a listing.
    """

    outcome: Outcome
    requests: list[Request]
    waiting: int
    url: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Close:
    """End a crawl. One that is not `complete` was stopped, and the next one resumes it."""

    crawl_id: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What a crawl did: its row, the requests that gave nothing, the same by their causes, and its exit code."""

    crawl: dict[str, Any]
    unread: list[dict[str, Any]] = field(default_factory=list)
    causes: list[dict[str, Any]] = field(default_factory=list)
    exit_code: ExitCode = ExitCode.DONE


@dataclass(frozen=True, slots=True)
class Leave:
    """No crawl needs the recorder any more: it closes the archive and ends, without an answer."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The recorder cannot go on."""

    error: LocumError
