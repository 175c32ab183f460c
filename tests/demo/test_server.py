import gzip
import http.client
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from support import LONGEST

from locum_spider.demo.sample import HOME, HOST, Page, Sample, build
from locum_spider.demo.server import SiteServer

KNOWN = "/article.php?s=2018-07-30-what-is-a-locum-social-worker"


@pytest.fixture
def server():
    with SiteServer(build()) as server:
        yield server


def ask(server, target="/", host=HOST, method="GET", **headers):
    """One request on a connection of its own: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, target, headers={"Host": host, **named})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def dial(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=LONGEST)


def serve(page, **options):
    return SiteServer(Sample({HOME: page}), **options)


def test_both_hosts_and_any_cat_title_are_one_page(server):
    status, headers, body = ask(server, KNOWN)
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert body == server.pages[f"http://{HOST}{KNOWN}"].body
    assert ask(server, KNOWN, f"www.{HOST}")[2] == body
    assert ask(server, f"{KNOWN}&catTitle=social%20work", f"{HOST.upper()}:80")[2] == body


def test_as_a_proxy(server):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": server.url}))
    with opener.open(f"http://www.{HOST}{KNOWN}", timeout=LONGEST) as response:
        assert response.status == 200
    with pytest.raises(urllib.error.HTTPError) as refused, opener.open("http://example.com/", timeout=LONGEST):
        pass
    refused.value.close()
    assert refused.value.code == 502
    assert [(hit.host, hit.path, hit.status) for hit in server.log] == [
        (f"www.{HOST}", KNOWN, 200),
        ("example.com", "/", 502),
    ]
    assert server.log[0].time <= server.log[1].time <= time.monotonic()


def test_in_a_browser(server):
    status, _, body = ask(server, host=f"127.0.0.1:{server.port}")
    assert status == 200
    assert b"Locum Today" in body


def test_what_is_not_there(server):
    assert ask(server, "/nothing")[0] == 404
    assert ask(server, host="example.com")[0] == 502
    assert ask(server, f"{HOST}:443", method="CONNECT")[0] == 502
    assert ask(server, method="DELETE")[0] == 405


def test_head_has_no_body(server):
    status, headers, body = ask(server, KNOWN, method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) == len(server.pages[f"http://{HOST}{KNOWN}"].body)


def test_connections_are_kept(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", KNOWN, headers={"Host": HOST})
        assert connection.getresponse().read()
    assert connection.sock is first
    connection.close()


def test_raw_spaces_and_requests_in_one_packet():
    with serve(Page(b"home")) as server, dial(server) as sock:
        sock.sendall(
            f"GET {HOME}?catTitle=social work HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
            f"GET / HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
        )
        received = b"".join(iter(lambda: sock.recv(65_536), b""))
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert received.endswith(b"home")


def test_what_is_not_http():
    with serve(Page(b"home")) as server, dial(server) as sock:
        sock.sendall(b"hello\r\n\r\n")
        received = b"".join(iter(lambda: sock.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 400 ")


def test_odd_articles(server):
    sample = build()
    odd = {name: url.removeprefix(HOME[:-1]) for name, url in sample.odd.items()}
    assert ask(server, odd["gone"])[0] == 404
    status, headers, _ = ask(server, odd["busy"])
    assert (status, headers["Retry-After"]) == (503, "1")
    assert ask(server, odd["busy"])[0] == 200
    status, headers, _ = ask(server, odd["moved"])
    assert (status, headers["Location"] in sample.pages) == (301, True)


def test_compression_is_negotiated(server):
    path = build().odd["gzip"].removeprefix(HOME[:-1])
    _, headers, plain = ask(server, path, Accept_Encoding="identity")
    assert "Content-Encoding" not in headers
    _, headers, packed = ask(server, path, Accept_Encoding="gzip, deflate")
    assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert int(headers["Content-Length"]) == len(packed) < len(plain)
    assert gzip.decompress(packed) == plain


def test_chunks():
    body = bytes(range(256)) * 50
    with serve(Page(body, chunked=True)) as server:
        _, headers, received = ask(server)
    assert headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in headers
    assert received == body


@pytest.mark.parametrize("chunked", [False, True])
def test_a_connection_cut_in_mid_body(chunked):
    page = Page(b"x" * 1000, cut=True, chunked=chunked)
    with serve(page) as server, pytest.raises(http.client.IncompleteRead):
        ask(server)


def test_a_delayed_page_does_not_delay_others():
    pages = {HOME: Page(b"slow", delay=0.4), f"{HOME}never": Page(b"", delay=LONGEST), f"{HOME}quick": Page(b"quick")}
    with SiteServer(Sample(pages)) as server, dial(server) as waiting:
        waiting.sendall(b"GET /never HTTP/1.1\r\nHost: locumtoday.co.uk\r\n\r\n")
        start = time.monotonic()
        assert ask(server)[2] == b"slow"
        assert time.monotonic() - start >= 0.4
        assert ask(server, "/quick")[2] == b"quick"
        assert {hit.path for hit in server.log} == {"/never", "/", "/quick"}


def test_conditional_requests():
    with serve(Page(b"one"), conditional=True) as server:
        _, first, _ = ask(server)
        assert ask(server, If_None_Match=first["ETag"])[::2] == (304, b"")
        assert ask(server, If_Modified_Since=first["Last-Modified"])[0] == 304
        server.pages[HOME] = Page(b"two")
        assert ask(server, If_None_Match=first["ETag"])[::2] == (200, b"two")
        assert ask(server, If_Modified_Since=first["Last-Modified"])[::2] == (200, b"two")


def test_no_validators_unless_asked_for(server):
    _, headers, _ = ask(server)
    assert "ETag" not in headers
    assert "Last-Modified" not in headers


def test_pages_change_at_run_time_and_the_sample_does_not():
    sample = build()
    with SiteServer(sample) as server:
        server.pages[f"http://{HOST}{KNOWN}"] = Page(b"changed")
        server.pages[f"{HOME}new"] = Page(b"new", headers=(("X-Robots-Tag", "noarchive"),))
        assert ask(server, KNOWN)[2] == b"changed"
        assert ask(server, "/new")[1]["X-Robots-Tag"] == "noarchive"
    assert f"{HOME}new" not in sample.pages
    assert sample.pages[f"http://{HOST}{KNOWN}"].body != b"changed"


def test_a_taken_port_is_an_error(server):
    with pytest.raises(OSError, match="in use"), SiteServer(build(), port=server.port):
        pass


@pytest.mark.parametrize("end", ["end of input", "SIGTERM"])
def test_as_a_process(end):
    command = [sys.executable, "-m", "locum_spider.demo.server", "--articles", "50"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        port = int(process.stdout.readline())
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
        connection.request("GET", "/category.php?c=news", headers={"Host": HOST})
        assert connection.getresponse().read()
        connection.close()
        if end == "SIGTERM":
            process.terminate()
        else:
            process.stdin.close()
        assert process.wait(5) == 0
