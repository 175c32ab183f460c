"""Scrapy's download handler for http and https: any answer that a browser would show, kept as it came.

Scrapy's own gives up on what is not quite HTTP, and it sorts and rewrites the headers of what is.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import Any
from urllib.parse import SplitResult, urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Headers, Response
from scrapy.utils.url import add_http_if_no_scheme

from locum_spider.clock import utc_now
from locum_spider.crawl.http.answer import Answer, NoAnswerError
from locum_spider.crawl.http.connections import PORTS, Connections, Proxy, Route
from locum_spider.items import Exchange
from locum_spider.items import Headers as Pairs
from locum_spider.warc.wire import request_line, write_head

ONLY_PUBLIC = "locum_only_public"
"""Key in a request's meta: the site's hosts. The request may go to public addresses, and to those of the hosts."""

_PROXY_AUTHORIZATION = b"Proxy-Authorization"
_OP_LEGACY_SERVER_CONNECT = 0x4  # of OpenSSL; in `ssl` from Python 3.12 on


class CapturedResponse(Response):
    """A response with the `exchange` that brought it."""

    attributes: tuple[str, ...] = (*Response.attributes, "exchange")
    __slots__ = ("exchange",)

    def __init__(self, *arguments: Any, exchange: Exchange, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.exchange = exchange


class DownloadHandler(BaseDownloadHandler):
    """Fetches over HTTP/1.1. An answer that ends early is a response all the same, and its exchange says so."""

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        self._limit = settings.getint("DOWNLOAD_MAXSIZE")
        self._timeout = settings.getfloat("DOWNLOAD_TIMEOUT")
        self._connections = Connections(tls_context(verify=settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES")))

    async def download_request(self, request: Request) -> Response:
        """The response to a request, or an exception of Scrapy's that says why there is none."""
        try:
            route = _route(request)
        except ValueError as error:
            raise UnsupportedURLSchemeError(str(error)) from error
        answer, sent = Answer(self._limit), _headers(request, route)
        base, for_proxy = "", sent
        if route.proxy is not None and route.scheme == "http":
            base = f"http://{route.authority}"
            if route.proxy.credentials:
                for_proxy = (*sent, (_PROXY_AUTHORIZATION, route.proxy.credentials))
        message = write_head(request_line(request.method, request.url, base), for_proxy) + request.body
        ip = await self._ask(route, message, answer, request.meta.get("download_timeout") or self._timeout)
        return _response(request, answer, sent, ip)

    async def _ask(self, route: Route, message: bytes, answer: Answer, timeout: float) -> str | None:  # noqa: ASYNC109
        try:
            async with asyncio.timeout(timeout):
                return await self._connections.ask(route, message, answer)
        except TimeoutError as error:
            if answer.head is None:
                raise DownloadTimeoutError(f"{timeout:g} seconds") from error
            answer.cut("time")
            return None
        except socket.gaierror as error:
            raise CannotResolveHostError(f"{_first_stop(route)}: {error.strerror}") from error
        except ConnectionRefusedError as error:
            raise DownloadConnectionRefusedError(f"by {_first_stop(route)}") from error
        except (NoAnswerError, ssl.SSLError) as error:
            raise DownloadFailedError(str(error)) from error
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise DownloadFailedError(f"the connection to {_first_stop(route)} failed: {why}") from error

    async def close(self) -> None:
        """Close the connections that were kept."""
        self._connections.close()


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """How TLS is spoken; with `verify`, only to servers whose certificate the system trusts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As Scrapy has it: old sites are worth keeping, and Python's own choice of ciphers is narrower.
    context.set_ciphers("DEFAULT")
    context.options |= _OP_LEGACY_SERVER_CONNECT
    context.set_alpn_protocols(["http/1.1"])
    if verify:
        context.load_default_certs()
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _route(request: Request) -> Route:
    """The way of a request. Raises ValueError if its address, or that of its proxy, has no host or no such port."""
    url = _split(request.url)
    meta = request.meta
    proxy = None
    if meta.get("proxy"):
        parts = _split(add_http_if_no_scheme(meta["proxy"]))
        credentials = request.headers.get(_PROXY_AUTHORIZATION)
        proxy = Proxy(parts.scheme, parts.hostname or "", parts.port or PORTS[parts.scheme], credentials)
    return Route(url.scheme, url.hostname or "", url.port or PORTS[url.scheme], proxy, meta.get(ONLY_PUBLIC))


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname or parts.port == 0:
        raise ValueError(f"{url} cannot be asked: it needs http or https, a host, and a port that exists")
    return parts


def _first_stop(route: Route) -> str:
    """To whom a connection is made, in words."""
    return f"the proxy {route.proxy.host}:{route.proxy.port}" if route.proxy else route.authority


def _headers(request: Request, route: Route) -> Pairs:
    """The headers of a request as the server gets them."""
    pairs = [(name, value) for name, values in request.headers.items() for value in values]
    host = request.headers.get(b"Host") or route.authority.encode()
    return ((b"Host", host), *(pair for pair in pairs if pair[0] not in {b"Host", _PROXY_AUTHORIZATION}))


def _response(request: Request, answer: Answer, sent: Pairs, ip: str | None) -> CapturedResponse:
    head = answer.head
    if head is None:
        raise DownloadFailedError("the connection was closed without an answer")
    exchange = Exchange(
        url=request.url, method=request.method, request_headers=sent, status=head.status,
        response_headers=head.headers, body=bytes(answer.body), fetched_at=utc_now(), protocol=head.protocol, ip=ip,
        truncated=answer.truncated, response_head=head.raw,
    )  # fmt: skip
    headers = Headers()
    for name, value in head.headers:
        headers.appendlist(name, value)
    return CapturedResponse(request.url, head.status, headers, exchange.body, protocol=head.protocol, exchange=exchange)
