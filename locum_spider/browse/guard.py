"""What `serve` asks of every request: a name that it knows, and a reader who is still there."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs

from locum_spider.browse import queries
from locum_spider.errors import UsageError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PAGES, SEARCHES, TABLES, QUERIES = "pages", "searches", "tables", "queries"
LANE: ContextVar[str] = ContextVar("lane", default=TABLES)
"""The kind of the request that is being answered: a page for readers, a search, a table, or SQL that somebody wrote."""
IS_CSV: ContextVar[bool] = ContextVar("is_csv", default=False)
"""Whether the request that is being answered asks for a CSV file."""

ANY, ANY_ADDRESS = "*", "address"
"""Instead of a name: every name, and every IP address. A hostile page can only come under a name."""
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
_EVERYWHERE = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - compared, not bound
_HOST = re.compile(r"(\[[0-9a-f:.]+(?:%[^\]]*)?\]|[^\[\]:/@\s]+?)\.?(?::\d*)?", re.IGNORECASE)
_READING = re.compile(r"/(?:-/locum/.*|[^/]+/-/(?:read|article/.*))?")
_SEARCH = re.compile(r"/[^/]+/-/find")
_QUERY = re.compile(rf"/[^/]+/(?:{'|'.join(queries.QUERIES)})(?:\.\w+)?")
_WRITTEN = frozenset({"sql", "_where", "_through"})
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    # Datasette's pages have scripts and styles of their own in them, and nothing of others.
    b"content-security-policy": b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' "
    b"'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'self'",
}


def names(host: str, further: Iterable[str] = ()) -> list[str]:
    """The names under which an archive may be asked for that is served on the address `host`.

    >>> names("127.0.0.1", ["News.example.org."])
    ['127.0.0.1', '[::1]', 'localhost', 'news.example.org']

    Raises UsageError if one of them is not a name.
    """
    found = set(_LOCAL)
    if host in _EVERYWHERE:
        found |= {ANY_ADDRESS, _plain(socket.gethostname())}
    else:
        found.add(_plain(f"[{host}]" if ":" in host else host))
    return sorted(found | {name if name == ANY else _plain(name) for name in further})


def _plain(name: str) -> str:
    parts = _HOST.fullmatch(name.strip())
    if parts is None:
        raise UsageError(f"{name!r} is not the name of a host; write news.example.org, without http:// and path")
    return parts[1].lower()


def is_known(header: str, known: Iterable[str]) -> bool:
    """Whether a Host header names one of the names; its port does not matter, since a reverse proxy has another.

    >>> [is_known(header, ["localhost", "[::1]"]) for header in ("localhost:8001", "[::1]:80", "LOCALHOST.", "[::1]")]
    [True, True, True, True]
    >>> [is_known(header, ["localhost"]) for header in ("evil.example", "localhost.evil.example", "", "a@localhost")]
    [False, False, False, False]
    >>> is_known("10.0.0.7:8001", [ANY_ADDRESS]), is_known("evil.example", [ANY_ADDRESS]), is_known("x", [ANY])
    (True, False, True)
    """
    known = set(known)
    if ANY in known:
        return True
    parts = _HOST.fullmatch(header.strip())
    if parts is None:
        return False
    name = parts[1].lower()
    if name in known - {ANY_ADDRESS}:
        return True
    if ANY_ADDRESS in known:
        with suppress(ValueError):
            return bool(ip_address(name.strip("[]")))
    return False


def kind(path: str, query: str) -> str:
    """Which of PAGES, SEARCHES, TABLES and QUERIES a request is for.

    >>> kind("/", ""), kind("/archive/-/find", "q=sql"), kind("/archive/articles", "_sort=id")
    ('pages', 'searches', 'tables')
    >>> kind("/archive", "sql=select+1"), kind("/archive/by_month.json", ""), kind("/archive/articles", "_where=1")
    ('queries', 'queries', 'queries')
    """
    if _READING.fullmatch(path):
        return PAGES
    if _SEARCH.fullmatch(path):
        return SEARCHES
    return QUERIES if _QUERY.fullmatch(path) or _WRITTEN & set(parse_qs(query, keep_blank_values=True)) else TABLES


def guarded(app: App, known: list[str]) -> App:
    """The app behind its guard: unknown names are refused, and the answer ends when nobody waits for it."""

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        hosts = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
        if not all(is_known(host, known) for host in hosts):  # who sends no Host is not a browser
            await _refuse(hosts[0], send)
            return
        LANE.set(kind(scope["path"], scope["query_string"].decode("latin-1")))
        IS_CSV.set(scope["path"].endswith(".csv"))
        await _while_wanted(app, scope, receive, send)

    return guard


async def _refuse(host: str, send: Send) -> None:
    text = (
        f"This archive is not served under the name {host!r}. If you started it and the name is right, start it again "
        f"with --allow-host and that name.\n"
    )
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS.items()]
    await send({"type": "http.response.start", "status": 421, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def _while_wanted(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request; if the reader leaves before the answer is sent, what is asked for it ends too."""
    sent = False

    async def sending(message: MutableMapping[str, Any]) -> None:
        nonlocal sent
        await send(_with_headers(message) if message["type"] == "http.response.start" else message)
        sent = message["type"] == "http.response.body" and not message.get("more_body")

    if scope["method"] not in {"GET", "HEAD"}:
        await app(scope, receive, sending)  # it reads the request itself
        return
    answer, gone = asyncio.ensure_future(app(scope, receive, sending)), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not (answer.done() or sent):
            answer.cancel()
        with suppress(asyncio.CancelledError):
            await answer
    finally:
        answer.cancel()
        gone.cancel()


def _with_headers(start: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The start of an answer with those of our headers that it does not have."""
    headers = list(start.get("headers", []))
    present = {key.lower() for key, _ in headers}
    return {**start, "headers": [*headers, *((key, value) for key, value in _HEADERS.items() if key not in present)]}


async def _gone(receive: Receive) -> None:
    """Ends when the reader has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
