"""Tells others what a crawl found: by a command, a webhook, or the services that apprise knows (mail, chat)."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import urllib.request
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import msgspec

from locum_spider.archive import Archive
from locum_spider.errors import LocumError, UsageError
from locum_spider.items import CrawlOutcome
from locum_spider.text import printable
from locum_spider.version import __version__

_SHOWN = 20
_PATIENCE = 60
"""Seconds that a webhook or a command may take."""

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class News:
    """What a crawl of a site found. `new`, `changed` and `gone` hold articles (`id`, `url`, `title`).

    `failed` holds what could not be read, by cause (`outcome`, `reason`, `count`, `urls`); `reasons` say what makes the
    whole crawl doubtful, such as a new design; `error` is why it could not begin or go on.
    """

    site: str
    crawl: int | None
    outcome: str
    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    gone: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    error: str | None = None

    @property
    def worth_telling(self) -> bool:
        """Whether anything happened."""
        found = self.new or self.changed or self.gone or self.failed or self.reasons or self.error
        return bool(found) or self.outcome != CrawlOutcome.DONE

    @property
    def subject(self) -> str:
        """One line: the site and what there is of it."""
        counts = [
            f"{len(articles):,} {kind}"
            for kind, articles in (("new", self.new), ("changed", self.changed), ("gone", self.gone))
            if articles
        ]
        failed = sum(cause["count"] for cause in self.failed)
        counts += [f"{failed:,} failed"] if failed else []
        counts += [self.outcome.replace("_", " ")] if self.outcome != CrawlOutcome.DONE else []
        return printable(f"{self.site}: {', '.join(counts) or 'nothing new'}")

    @property
    def text(self) -> str:
        """The whole as plain text, long lists cut."""
        lines = [self.subject, *([self.error] if self.error else []), *self.reasons]
        for kind, articles in (("New", self.new), ("Changed", self.changed), ("Gone", self.gone)):
            lines += ["", kind] if articles else []
            lines += [f"- {article['title']}\n  {article['url']}" for article in articles[:_SHOWN]]
            lines += [f"- and {len(articles) - _SHOWN:,} more"] if len(articles) > _SHOWN else []
        lines += ["", "Failed"] if self.failed else []
        lines += [f"- {cause['count']:,} × {cause['reason']}\n  {cause['urls'][0]}" for cause in self.failed]
        return printable("\n".join(lines) + "\n")


def news_of(
    archive: Archive, site: str, crawl: dict[str, Any], causes: Sequence[dict[str, Any]], error: str | None = None
) -> News:
    """The news of a crawl: its row, the causes of its failures, and the error that stopped it, if one did."""
    failed = [cause for cause in causes if cause["outcome"] in {"failed", "not_article"}]
    return News(
        site, crawl["id"], crawl["outcome"], **archive.found_in(crawl["id"]), failed=failed, reasons=crawl["reasons"],
        error=error,
    )  # fmt: skip


Send = Callable[[News], None]


def sender(target: str) -> Send:
    """The way to a target: an address (`https://…`, `mailto://…`) or a command of the shell.

    Raises UsageError if nothing can send there.
    """
    if not _ADDRESS.match(target):
        if not target.strip():
            raise UsageError("--notify is empty; name a command, or an address such as https://… or mailto://…")
        return lambda news: _run(target, news)
    service = _service(target)
    if service is not None:
        return service
    if urlsplit(target).scheme in {"http", "https"}:
        return lambda news: _post(target, news)
    raise UsageError(
        f"--notify cannot send to {_named(target)}; install apprise (pip install 'locum-spider[notify]') and write the "
        "address as it wants it"
    )


def _named(target: str) -> str:
    """A target without what may be secret in it."""
    return f"{urlsplit(target).scheme}://…" if _ADDRESS.match(target) else target


def _service(target: str) -> Send | None:
    """A service that apprise knows; None if it does not, or is not installed."""
    try:
        import apprise
    except ImportError:
        return None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # our own sentence says it
    with warnings.catch_warnings(action="ignore"):  # it loads its services only now, with what they warn of
        if apprise.Apprise.instantiate(target, suppress_exceptions=True) is None:
            return None
    services = apprise.Apprise()
    services.add(target)

    def send(news: News) -> None:
        if not services.notify(title=news.subject, body=news.text, body_format=apprise.NotifyFormat.TEXT):
            raise LocumError(f"the notification to {_named(target)} was not taken; look if its address is right")

    return send


def _post(target: str, news: News) -> None:
    """Send the news as JSON to a webhook."""
    body = msgspec.json.encode({**asdict(news), "subject": news.subject, "text": news.text})
    headers = {"Content-Type": "application/json", "User-Agent": f"locum-spider/{__version__}"}
    request = urllib.request.Request(target, body, headers)  # noqa: S310 - http or https, checked by its caller
    try:
        urllib.request.urlopen(request, timeout=_PATIENCE).close()  # noqa: S310 - the same
    except (OSError, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()
        fault = f"the notification to {_named(target)} failed: {error}"
        raise LocumError(f"{fault}; look if its address is right") from None


def _run(command: str, news: News) -> None:
    """Run a command of the user's shell with the text on its standard input, and the first line in LOCUM_SUBJECT.

    What it prints goes to standard error: the report alone is our output.
    """
    environment = {**os.environ, "LOCUM_SUBJECT": news.subject}
    try:
        done = subprocess.run(  # noqa: S602 - the user's own command; what sites wrote is only its input
            command, shell=True, input=news.text.encode(), stdout=2, env=environment, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise LocumError(f"the command of --notify did not end within {_PATIENCE} seconds: {command}") from None
    if done.returncode:
        raise LocumError(f"the command of --notify ended with {done.returncode}: {command}")
