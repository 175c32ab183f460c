"""A real HTTP/1.1 server for a sample, on loopback only: visited directly, or as the proxy of a crawl.

With `http_proxy=http://127.0.0.1:PORT` a crawl uses the addresses of the real site and reaches nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import signal
import sys
import threading
import time
from collections import ChainMap, Counter
from collections.abc import MutableMapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from email.utils import formatdate, parsedate_to_datetime
from hashlib import sha1
from http import HTTPStatus
from typing import NamedTuple, Self, cast

from locum_spider.demo.sample import Page, Sample, build, generate, page_key

_LARGEST_HEAD = 65_536
_CHUNK = 4_096


class Hit(NamedTuple):
    """One answered request: `time.monotonic()`, host and path as requested, status."""

    time: float
    host: str
    path: str
    status: int


class Answer(NamedTuple):
    data: bytes
    delay: float = 0
    close: bool = False


class Request(NamedTuple):
    method: str
    host: str
    target: str
    headers: dict[str, str]
    close: bool

    @classmethod
    def parse(cls, head: bytes) -> Request | None:
        """Read a head in origin or absolute form, raw spaces allowed; None if it is not HTTP/1."""
        first, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        target, _, version = rest.rpartition(" ")
        if not target or not version.startswith("HTTP/1."):
            return None
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        host = headers.get("host", "")
        if target.startswith("http://"):
            host, _, path = target[7:].partition("/")
            target = f"/{path}"
        connection = (headers.get("connection") or headers.get("proxy-connection") or "").lower()
        close = connection == "close" or (version == "HTTP/1.0" and connection != "keep-alive")
        return cls(method, host.partition(":")[0].lower(), target, headers, close)


class SiteServer:
    """Serve a sample from a thread, as a context manager.

    `pages` may be changed while it runs; `log` has a `Hit` for each answer. With `conditional`, pages have `ETag` and
    `Last-Modified`, and a client that has the page gets 304.
    """

    def __init__(self, sample: Sample | None = None, *, port: int = 0, conditional: bool = False) -> None:
        sample = sample or build()
        self.pages: MutableMapping[str, Page] = ChainMap({}, cast("MutableMapping[str, Page]", sample.pages))
        self.log: list[Hit] = []
        self.connections: set[asyncio.Transport] = set()
        self._hosts = sample.hosts
        self._port = port
        self._conditional = conditional
        self._refusals: Counter[str] = Counter()
        self._validators: dict[str, tuple[str, int]] = {}
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="site-server", daemon=True)
        self._started: Future[int] = Future()

    @property
    def port(self) -> int:
        return self._started.result()

    @property
    def url(self) -> str:
        """The value for `http_proxy`, and the address for a browser."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            listener = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", self._port, backlog=1024)
        except OSError as error:
            self._started.set_exception(error)
            return
        self._started.set_result(listener.sockets[0].getsockname()[1])
        await self._stop.wait()
        listener.close()
        for transport in tuple(self.connections):
            transport.abort()
        await listener.wait_closed()

    def answer(self, head: bytes) -> Answer:
        """Answer one request, from its head without the empty line."""
        request = Request.parse(head)
        if request is None:
            return Answer(_message(Page(b"", status=400), [("Connection", "close")]), close=True)
        key, page = self._find(request)
        page, extra = self._negotiate(request, key, page)
        close = request.close or page.cut or request.method not in ("GET", "HEAD")
        if close:
            extra.append(("Connection", "close"))
        self.log.append(Hit(time.monotonic(), request.host, request.target, page.status))
        return Answer(_message(page, extra, with_body=request.method != "HEAD"), page.delay, close)

    def _find(self, request: Request) -> tuple[str, Page]:
        """The requested page, and its key."""
        host = self._hosts[0] if request.host in ("127.0.0.1", "localhost") else request.host
        if request.method == "CONNECT" or host.removeprefix("www.") not in self._hosts:
            return "", _refusal(502, f"{request.target if request.method == 'CONNECT' else host} cannot be reached.")
        if request.method not in ("GET", "HEAD"):
            return "", _refusal(405, "Only GET and HEAD are answered.")
        key = page_key(host, request.target)
        try:
            page = self.pages[key]
        except KeyError:
            return key, _refusal(404, "This page was not found.")
        if self._refusals[key] < page.fail_first:
            self._refusals[key] += 1
            return key, _refusal(503, "Please try again.", ("Retry-After", "1"))
        return key, page

    def _negotiate(self, request: Request, key: str, page: Page) -> tuple[Page, list[tuple[str, str]]]:
        """The page as the request's headers want it (304, compressed), and headers to add."""
        extra: list[tuple[str, str]] = []
        if self._conditional and page.status == 200:
            etag, changed = self._validator(key, page.body)
            extra += [("ETag", etag), ("Last-Modified", formatdate(changed, usegmt=True))]
            if _has_it(request.headers, etag, changed):
                return replace(page, body=b"", status=304, chunked=False), extra
        if page.gzip:
            extra.append(("Vary", "Accept-Encoding"))
            if "gzip" in request.headers.get("accept-encoding", ""):
                extra.append(("Content-Encoding", "gzip"))
                page = replace(page, body=gzip.compress(page.body, 6, mtime=0))
        return page, extra

    def _validator(self, key: str, body: bytes) -> tuple[str, int]:
        """ETag of a page and the second of its last change, a later one for each change."""
        etag = f'W/"{sha1(body, usedforsecurity=False).hexdigest()}"'
        last_etag, changed = self._validators.get(key, ("", 0))
        if last_etag != etag:
            self._validators[key] = etag, max(int(time.time()), changed + 1)
        return self._validators[key]


class _Connection(asyncio.Protocol):
    """One client; answers keep the order of the requests, also when one is delayed."""

    def __init__(self, server: SiteServer) -> None:
        self.server = server
        self.received = b""
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.connections.add(self.transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.server.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.answer_all()

    def answer_all(self) -> None:
        while not self.waiting and not self.transport.is_closing():
            head, end, rest = self.received.partition(b"\r\n\r\n")
            if not end:
                if len(head) > _LARGEST_HEAD:
                    self.transport.close()
                return
            self.received = rest
            answer = self.server.answer(head)
            if answer.delay:
                self.waiting = True
                asyncio.get_running_loop().call_later(answer.delay, self.send_late, answer)
            else:
                self.send(answer)

    def send(self, answer: Answer) -> None:
        self.transport.write(answer.data)
        if answer.close:
            self.transport.close()

    def send_late(self, answer: Answer) -> None:
        self.waiting = False
        if not self.transport.is_closing():
            self.send(answer)
            self.answer_all()


def _refusal(status: int, text: str, *headers: tuple[str, str]) -> Page:
    return Page(f"{text}\n".encode(), "text/plain; charset=utf-8", status, headers)


def _has_it(headers: dict[str, str], etag: str, changed: int) -> bool:
    if "if-none-match" in headers:
        return etag in headers["if-none-match"]
    with suppress(KeyError, ValueError):
        return changed <= parsedate_to_datetime(headers["if-modified-since"]).timestamp()
    return False


def _message(page: Page, extra: list[tuple[str, str]], *, with_body: bool = True) -> bytes:
    """The response as it goes over the wire; with half the body if the page is `cut`."""
    body = page.body
    headers = [("Date", formatdate(usegmt=True)), ("Content-Type", page.content_type), *page.headers, *extra]
    if page.chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        chunks = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
        body = b"".join([b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b"")])
    elif page.status != 304:
        headers.append(("Content-Length", str(len(body))))
    if page.cut:
        body = body[: len(body) // 2]
    lines = [f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}", *(f"{n}: {v}" for n, v in headers)]
    head = "\r\n".join((*lines, "\r\n")).encode("latin-1")
    return head + body if with_body else head


def main() -> None:
    """Serve until standard input ends or SIGTERM comes. The first line of output is the port."""
    parser = argparse.ArgumentParser(prog="python -m locum_spider.demo.server", description=main.__doc__)
    parser.add_argument("--articles", type=int, help="serve a synthetic site of that many articles")
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sample = generate(options.articles) if options.articles else build()
    with suppress(KeyboardInterrupt), SiteServer(sample, port=options.port) as server:
        print(server.port, flush=True)
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
