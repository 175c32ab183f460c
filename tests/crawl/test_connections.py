"""Connections to real servers: kept and reused, through proxies, with and without a certificate to trust."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest
from support.speaking import self_signed

from locum_spider.crawl.http import connections
from locum_spider.crawl.http.answer import Answer, NoAnswerError
from locum_spider.crawl.http.connections import Connections, Proxy, Route
from locum_spider.crawl.http.guard import SpecialAddressError, kind_of
from locum_spider.crawl.http.handler import tls_context

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LIMIT = 10_000_000


class Server:
    """A server that does with each connection what a test says; `connections` counts them."""

    def __init__(self, serve):
        self.serve, self.connections = serve, 0

    async def accept(self, reader, writer):
        self.connections += 1
        try:
            await self.serve(reader, writer, self.connections)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def serving(serve, context=None):
    server = Server(serve)
    async with await asyncio.start_server(server.accept, "127.0.0.1", 0, ssl=context) as listener:
        server.port = listener.sockets[0].getsockname()[1]
        yield server


async def one(reader, writer, answer=HELLO):
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(answer)
    return head


async def ask(kept, route, message=GET):
    answer = Answer(LIMIT)
    ip = await kept.ask(route, message, answer)
    return answer, ip


def client(cafile=None):
    context = tls_context(verify=True)
    if cafile:
        context.load_verify_locations(cafile)
    return Connections(context)


def to(server, **more):
    return Route(more.pop("scheme", "http"), more.pop("host", "127.0.0.1"), server.port, **more)


def run(test):
    async def bounded():
        async with asyncio.timeout(60):
            await test()

    asyncio.run(bounded())


def test_a_connection_is_kept_for_the_next_request():
    async def serve(reader, writer, _):
        while True:
            await one(reader, writer)

    async def test():
        async with serving(serve) as server:
            kept = client()
            for _ in range(3):
                answer, ip = await ask(kept, to(server))
                assert (answer.body, ip) == (b"hello", "127.0.0.1")
            assert server.connections == 1
            kept.close()

    run(test)


@pytest.mark.parametrize("behind", [b"", b"more than was said"])
def test_a_kept_connection_that_the_server_ends_is_no_failure(behind):
    """Also if we notice only when the next request is under way."""

    async def serve(reader, writer, number):
        await one(reader, writer, HELLO + behind)
        if number == 1:
            await reader.readuntil(b"\r\n\r\n")  # and closes without an answer

    async def test():
        async with serving(serve) as server:
            kept = client()
            for _ in range(2):
                answer, _ = await ask(kept, to(server))
                assert answer.body == b"hello"
            assert server.connections == 2
            kept.close()

    run(test)


def test_what_comes_behind_an_answer_is_not_taken_for_the_next():
    async def test():
        async with serving(lambda reader, writer, _: one(reader, writer)) as server:
            kept = client()
            await ask(kept, to(server))
            (connection,) = kept._idle[to(server)]
            connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            answer, _ = await ask(kept, to(server))
            assert (answer.body, server.connections) == (b"hello", 2)
            kept.close()

    run(test)


def test_a_server_may_answer_before_it_is_asked():
    async def serve(reader, writer, _):
        writer.write(HELLO)
        writer.write_eof()
        await reader.read(1000)

    async def test():
        async with serving(serve) as server:
            answer, _ = await ask(client(), to(server))
            assert answer.body == b"hello"

    run(test)


@pytest.mark.parametrize(
    ("sent", "body", "truncated"),
    [
        (b"Content-Length: 99\r\n\r\n<html>all</html>", b"<html>all</html>", None),
        (b"\r\n<html>all</html>\n", b"<html>all</html>\n", None),
        (b"Transfer-Encoding: chunked\r\n\r\n10\r\n<html>all</html>\r\n", b"<html>all</html>", None),
    ],
)
def test_a_page_that_is_whole_is_not_waited_for(monkeypatch, sent, body, truncated):
    monkeypatch.setattr(connections, "_PATIENCE", 0.05)

    async def serve(reader, writer, _):
        await one(reader, writer, b"HTTP/1.1 200 OK\r\n" + sent)
        await reader.read()  # until the other end closes

    async def test():
        async with serving(serve) as server:
            answer, _ = await ask(client(), to(server))
            assert (answer.body, answer.truncated) == (body, truncated)

    run(test)


def test_a_connection_that_is_reset_has_brought_what_it_has_brought():
    async def serve(reader, writer, _):
        await one(reader, writer, b"HTTP/1.1 200 OK\r\n\r\nhalf")
        await writer.drain()
        await reader.read(1)
        writer.transport.abort()

    async def test():
        async with serving(serve) as server:
            answer = Answer(LIMIT)
            asking = asyncio.ensure_future(client().ask(to(server), GET + b"x", answer))
            await asking
            assert answer.body == b"half"

    run(test)


# -- TLS and proxies --------------------------------------------------------------------------------------------------


def test_a_certificate_must_be_one_to_trust(tmp_path):
    async def test():
        async with serving(lambda reader, writer, _: one(reader, writer), self_signed(tmp_path)) as server:
            with pytest.raises(ssl.SSLCertVerificationError):
                await ask(client(), to(server, scheme="https", host="localhost"))
            trusting = client(tmp_path / "server.pem")
            answer, _ = await ask(trusting, to(server, scheme="https", host="localhost"))
            assert answer.body == b"hello"
            with pytest.raises(ssl.SSLCertVerificationError):
                await ask(trusting, to(server, scheme="https", host="127.0.0.1"))
            trusting.close()

    run(test)


async def pump(reader, writer):
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()


def proxy_to(port, heads):
    async def serve(reader, writer, _):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if b"secret" not in heads[-1]:
            writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 3\r\n\r\nno!")
            return
        there = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))
        finally:
            there[1].close()

    return serve


def test_https_goes_through_a_proxy(tmp_path):
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 3_000_000
    heads = []

    async def serve(reader, writer, _):
        while True:
            await one(reader, writer, large)

    async def test():
        async with serving(serve, self_signed(tmp_path)) as server, serving(proxy_to(server.port, heads)) as proxy:
            kept = client(tmp_path / "server.pem")
            route = to(
                server, scheme="https", host="localhost", proxy=Proxy("http", "127.0.0.1", proxy.port, b"secret")
            )
            for _ in range(2):
                answer, ip = await ask(kept, route)
                assert (len(answer.body), answer.truncated, ip) == (3_000_000, None, None)
            there = b"localhost:%d" % server.port
            assert heads == [b"CONNECT %b HTTP/1.1\r\nHost: %b\r\nProxy-Authorization: secret\r\n\r\n" % (there, there)]
            kept.close()

    run(test)


def test_a_proxy_that_refuses_is_named(tmp_path):
    async def test():
        async with serving(proxy_to(1, [])) as proxy:
            route = Route("https", "a.example", 443, Proxy("http", "127.0.0.1", proxy.port, None))
            with pytest.raises(NoAnswerError, match=r"proxy 127.0.0.1:\d+ does not connect us to a.example:443: .*407"):
                await ask(client(), route)

    run(test)


# -- where a site may not lead us -------------------------------------------------------------------------------------

SPECIAL = {
    "127.0.0.1": "loopback", "127.8.9.10": "loopback", "::1": "loopback", "0.0.0.0": "unspecified", "::": "unspecified",
    "10.0.0.1": "private", "172.16.0.1": "private", "192.168.1.1": "private", "100.64.0.1": "private",
    "192.0.2.7": "private", "198.18.0.1": "private", "fd00::1": "private", "2001:db8::1": "private",
    "169.254.1.1": "link-local", "fe80::1": "link-local", "fe80::1%1": "link-local", "169.254.169.254": "metadata",
    "fd00:ec2::254": "metadata", "168.63.129.16": "metadata", "224.0.0.1": "multicast", "239.255.255.250": "multicast",
    "ff02::1": "multicast", "255.255.255.255": "private", "240.0.0.1": "private",
    "::ffff:127.0.0.1": "loopback", "::ffff:a9fe:a9fe": "metadata", "::127.0.0.1": "loopback",
    "64:ff9b::127.0.0.1": "loopback", "64:ff9b::a9fe:a9fe": "metadata", "2002:7f00:1::": "loopback",
    "2002:a00:1::1": "private",
}  # fmt: skip
PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]


@pytest.mark.parametrize("address", SPECIAL)
def test_an_address_is_special(address):
    assert kind_of(address) == SPECIAL[address]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_is_public(address):
    assert kind_of(address) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "::ffff:127.0.0.1", "0"])
@pytest.mark.parametrize("own", [(), ("192.0.2.1",), ("no-such-host.invalid",)])
@pytest.mark.parametrize("by_proxy", [False, True])
def test_nothing_is_asked_at_a_special_address(host, own, by_proxy):
    async def test():
        async with serving(lambda reader, writer, _: one(reader, writer)) as server:
            proxy = Proxy("http", "127.0.0.1", server.port, None) if by_proxy else None
            with pytest.raises(SpecialAddressError, match=f"it leads to {host}"):
                await ask(client(), to(server, host=host, only_public=own, proxy=proxy))
            assert server.connections == 0

    run(test)


def test_a_site_may_lead_to_the_address_at_which_it_is_itself():
    async def test():
        async with serving(lambda reader, writer, _: one(reader, writer)) as server:
            answer, _ = await ask(client(), to(server, host="localhost", only_public=("127.0.0.1",)))
            assert answer.body == b"hello"

    run(test)
