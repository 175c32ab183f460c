"""Connections to servers: opened directly or through a proxy, kept for the next request, closed at the end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple, cast

from locum_spider.crawl.http.answer import LARGEST_HEAD, Answer, NoAnswerError
from locum_spider.crawl.http.guard import allowed
from locum_spider.warc.wire import write_head

PORTS = {"http": 80, "https": 443}

_PATIENCE = 5.0
"""Seconds without a byte after which a body that shows its end is taken for whole: servers promise more than they send,
and keep the connection open."""

_ONE_ADDRESS = 10.0
"""Seconds for a connection to one address of a host that has others."""


class Proxy(NamedTuple):
    """A proxy, and how to introduce oneself there (the value of Proxy-Authorization)."""

    scheme: str
    host: str
    port: int
    credentials: bytes | None


class Route(NamedTuple):
    """The way to a server. With `only_public` not to a special address, except to one that those hosts have too."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None = None
    only_public: tuple[str, ...] | None = None

    @property
    def authority(self) -> str:
        """Host and port as a request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


class Connection(asyncio.Protocol):
    """One connection, which brings one answer at a time."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.is_closed = False
        self._answer: Answer | None = None
        self._done: asyncio.Future[None] | None = None
        self._early = b""
        self._heard_at = 0.0

    async def ask(self, message: bytes, answer: Answer) -> None:
        """Send a request and wait until its answer is complete. Raises NoAnswerError or OSError if there is none."""
        loop = asyncio.get_running_loop()
        self._answer, self._done, self._heard_at = answer, loop.create_future(), loop.time()
        self._timer = loop.call_later(_PATIENCE, self._look_for_its_end, loop)
        try:
            if self._early:
                self.data_received(self._early)
            if self.is_closed:
                self._end(None)
            else:
                self.transport.write(message)
            await self._done
        except BaseException:
            self.transport.abort()
            raise
        finally:
            self._timer.cancel()
            self._answer = self._done = None

    def _look_for_its_end(self, loop: asyncio.AbstractEventLoop) -> None:
        silence = loop.time() - self._heard_at
        if self._answer is not None and silence >= _PATIENCE and self._answer.shows_its_end():
            self._answer.cut("time")
            self._settle()
        else:
            pause = _PATIENCE - silence if silence < _PATIENCE else _PATIENCE
            self._timer = loop.call_later(pause, self._look_for_its_end, loop)

    def _settle(self, error: Exception | None = None) -> None:
        if self._done is None or self._done.done():
            return
        if error is None:
            self._done.set_result(None)
        else:
            self._done.set_exception(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._done is None:
            self._take_unasked(data)
            return
        if self._done.done():
            return
        self._heard_at = asyncio.get_running_loop().time()
        try:
            self._answer.feed(data)
        except NoAnswerError as error:
            self._settle(error)
        if self._answer.is_complete:
            self._settle()

    def _take_unasked(self, data: bytes) -> None:
        """Some servers answer before they are asked; behind an answer, nobody knows what more bytes belong to."""
        if self._heard_at or len(self._early) > LARGEST_HEAD:
            self.is_closed = True
            self.transport.abort()
        else:
            self._early += data

    def eof_received(self) -> None:
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def _end(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._answer is None or self._answer.is_complete:
            return
        if error is not None and self._answer.head is not None:
            self._answer.cut("disconnect")
            error = None
        elif error is None:
            try:
                self._answer.end()
            except NoAnswerError as no_answer:
                error = no_answer
        self._settle(error)


class Connections:
    """The connections of a crawl. One that has brought a whole answer is kept for the next request on its route."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._idle: defaultdict[Route, list[Connection]] = defaultdict(list)
        self._addresses: dict[tuple[str, int], list[str]] = {}

    async def ask(self, route: Route, message: bytes, answer: Answer) -> str | None:
        """Send a request and wait until its answer is complete; returns the server's address, if there is no proxy.

        Raises NoAnswerError, OSError, or SpecialAddressError if the route may not lead there.
        """
        connection = self._kept(route)
        if connection is not None:
            try:
                await connection.ask(message, answer)
            except (NoAnswerError, OSError):
                if answer.has_begun:
                    raise
                connection = None  # the server had closed it, and we did not know yet
        if connection is None:
            connection = await self._open(route)
            await connection.ask(message, answer)
        if answer.is_reusable and not connection.is_closed:
            self._idle[route].append(connection)
        else:
            connection.transport.abort()
        peer = connection.transport.get_extra_info("peername") if route.proxy is None else None
        return str(peer[0]) if peer else None

    def close(self) -> None:
        """Close what is kept."""
        for connection in (connection for kept in self._idle.values() for connection in kept):
            connection.transport.abort()
        self._idle.clear()

    def _kept(self, route: Route) -> Connection | None:
        kept = self._idle[route]
        while kept:
            if not (connection := kept.pop()).is_closed:
                return connection
        return None

    async def _open(self, route: Route) -> Connection:
        if route.proxy is None:
            addresses = await self._resolve(route.host, route.port)
            if route.only_public is not None:
                addresses = await self._public(route, addresses, route.only_public)
            return await self._connect(route, addresses, is_secure=route.scheme == "https")
        if route.only_public is not None:
            with suppress(socket.gaierror):  # only the proxy knows that name
                await self._public(route, await self._resolve(route.host, route.port), route.only_public)
        proxy = Route(route.proxy.scheme, route.proxy.host, route.proxy.port)
        addresses = await self._resolve(proxy.host, proxy.port)
        connection = await self._connect(proxy, addresses, is_secure=proxy.scheme == "https")
        if route.scheme == "https":
            await self._dig(connection, route, route.proxy)
        return connection

    async def _public(self, route: Route, addresses: list[str], own_hosts: tuple[str, ...]) -> list[str]:
        own: list[str] = []
        for host in own_hosts:
            with suppress(socket.gaierror):
                own += await self._resolve(host, route.port)
        return allowed(addresses, route.host, own=own)

    async def _resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host, those of IPv4 first: networks that claim to have IPv6 often do not."""
        if (host, port) not in self._addresses:
            # Bytes, because Python's IDNA refuses names that are in use.
            found = await asyncio.get_running_loop().getaddrinfo(
                host.rstrip(".").encode("ascii", "replace"), port, type=socket.SOCK_STREAM
            )
            found.sort(key=lambda info: info[0] != socket.AF_INET)
            self._addresses[host, port] = list(dict.fromkeys(str(info[4][0]) for info in found))
        return self._addresses[host, port]

    async def _connect(self, route: Route, addresses: list[str], *, is_secure: bool) -> Connection:
        loop = asyncio.get_running_loop()
        for number, address in enumerate(addresses, 1):
            try:
                async with asyncio.timeout(_ONE_ADDRESS if number < len(addresses) else None):
                    _, connection = await loop.create_connection(
                        Connection, address, route.port, ssl=self._context if is_secure else None,
                        server_hostname=route.host.rstrip(".") if is_secure else None,
                    )  # fmt: skip
            except OSError:
                if number == len(addresses):
                    self._addresses.pop((route.host, route.port), None)  # it may have moved
                    raise
            else:
                return connection
        raise socket.gaierror(socket.EAI_NONAME, f"{route.host} has no address")

    async def _dig(self, connection: Connection, route: Route, proxy: Proxy) -> None:
        """Have the proxy connect us to the server, and speak TLS with that."""
        host = f"[{route.host}]" if ":" in route.host else route.host
        authority = f"{host}:{route.port}"
        headers = [(b"Host", authority.encode())]
        if proxy.credentials:
            headers.append((b"Proxy-Authorization", proxy.credentials))
        answer = Answer(0, only_head=True)
        await connection.ask(write_head(f"CONNECT {authority} HTTP/1.1", tuple(headers)), answer)
        if answer.head is None or answer.head.status != 200:
            connection.transport.abort()
            said = bytes(answer.head.raw).split(b"\r", 1)[0].decode("latin-1") if answer.head else ""
            raise NoAnswerError(f"the proxy {proxy.host}:{proxy.port} does not connect us to {authority}: {said}")
        transport = await asyncio.get_running_loop().start_tls(
            connection.transport, connection, self._context, server_hostname=route.host.rstrip(".")
        )
        connection.transport = cast("asyncio.Transport", transport)
