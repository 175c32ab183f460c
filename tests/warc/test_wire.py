"""HTTP as servers write it: heads in every form, and chunks however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.work import calls

from locum_spider.items import Exchange
from locum_spider.warc.reader import exchange_of, read_records
from locum_spider.warc.wire import Chunks, read_head, request_line
from locum_spider.warc.writer import WarcWriter


@pytest.mark.parametrize(
    ("line", "protocol", "status"),
    [
        (b"HTTP/1.1 200 OK", "HTTP/1.1", 200),
        (b"HTTP/1.1 200", "HTTP/1.1", 200),
        (b"HTTP/1.1 200 ", "HTTP/1.1", 200),
        (b"HTTP/1.1  404  Not there", "HTTP/1.1", 404),
        (b"HTTP/1.1\t200\tOK", "HTTP/1.1", 200),
        (b" HTTP/1.1 200 OK", "HTTP/1.1", 200),
        (b"http/1.0 200 ok", "http/1.0", 200),
        (b"HTTP/2 200", "HTTP/2", 200),
        (b"HTTP 200 Document follows", "HTTP", 200),
        (b"ICY 200 OK", "ICY", 200),
        (b"HTTP/1.1 200OK", "HTTP/1.1", 200),
        (b"HTTP/1.1 799 Caf\xe9", "HTTP/1.1", 799),
        (b"HTTP/1.1 0 OK", "HTTP/1.1", 0),
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
@pytest.mark.parametrize("before", [b"", b"\r\n", b"\n\r\n"])
def test_status_lines_of_all_kinds(line, protocol, status, end, before):
    head = read_head(before + line + end + b"A: 1" + end + end + b"body")
    assert (head.protocol, head.status, head.headers) == (protocol, status, ((b"A", b"1"),))
    assert head.raw == line.lstrip(b"\r\n") + end + b"A: 1" + end + end
    assert head.end == len(before) + len(head.raw)


@pytest.mark.parametrize("data", [b"", b"<html>", b"HTTP/1.1", b"HTTP/1.1 2000 OK\r\n\r\n", b"FTP/1.1 200 OK\r\n\r\n"])
def test_what_is_not_http_has_no_head(data):
    assert read_head(data) is None


def test_a_head_is_waited_for_to_its_end():
    whole = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\n"
    assert [read_head(whole[:end], is_whole=False) for end in range(len(whole))] == [None] * len(whole)
    assert read_head(whole, is_whole=False).status == 200
    assert read_head(whole[:-2]).headers == ((b"A", b"1"),)
    assert read_head(whole[: whole.index(b"HTTP/1.1 200")]).status == 103


@pytest.mark.parametrize(
    ("lines", "pairs"),
    [
        (b"Content-Type : text/html\r\n", ((b"Content-Type", b"text/html"),)),
        (b"A:1\r\nA:\t2 \r\n", ((b"A", b"1"), (b"A", b"2"))),
        (b"A: 1\r\n  2\r\n\t3\r\nB: 4\r\n", ((b"A", b"1 2 3"), (b"B", b"4"))),
        (b" folded before all\r\nA: 1\r\n", ((b"A", b"1"),)),
        (b"no colon here\r\nA: 1\r\n: no name\r\n", ((b"A", b"1"),)),
        (b"X-Odd: \xff\xfe\r\n", ((b"X-Odd", b"\xff\xfe"),)),
        (b"A: " + b"long" * 100_000 + b"\r\n", ((b"A", b"long" * 100_000),)),
    ],
)
def test_header_lines_of_all_kinds(lines, pairs):
    assert read_head(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n").headers == pairs


@given(
    chunks=st.lists(st.binary(min_size=1, max_size=300), max_size=8),
    blank=st.sampled_from([b"", b" ", b"   ", b";a=b", b" ; a"]),
    end=st.sampled_from([b"\r\n", b"\n"]),
    step=st.integers(1, 50),
)
def test_chunks_are_the_same_however_they_come(chunks, blank, end, step):
    framed = b"".join(b"%X%b%b%b%b" % (len(chunk), blank, end, chunk, end) for chunk in chunks)
    framed += b"000" + end + b"Trailer: 1" + end + end
    reader = Chunks()
    for start in range(0, len(framed), step):
        assert reader.feed(framed[start : start + step]) == b""
    assert reader.is_done
    assert reader.body == b"".join(chunks)
    assert reader.feed(b"more") == b"more"


def test_chunks_cost_what_they_are_long():
    def work(number):
        framed = b"1\r\na\r\n" * number + b"0\r\n\r\n"
        return calls(lambda: Chunks().feed(framed))

    assert work(2_000) < 2.2 * work(1_000)


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://a.example//x", "GET //x HTTP/1.1"),
        ("http://a.example/x?", "GET /x? HTTP/1.1"),
        ("http://a.example?a=b/c", "GET /?a=b/c HTTP/1.1"),
        ("https://a.example:8443/%C3%A4?b=%zz#c", "GET /%C3%A4?b=%zz HTTP/1.1"),
    ],
)
def test_an_address_is_asked_for_as_it_is(url, line):
    assert request_line("GET", url) == line


HEADS = {
    "usual": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-b: 1\r\nx-A: 2\r\n\r\n",
    "bare": b"HTTP/1.0 200 Fine, thanks\nContent-length:4\nA : 1\n\n",
    "folded": b"HTTP/1.1 200 OK\r\nA: 1\r\n\t2\r\nContent-Length: 4\r\nnonsense\r\n\r\n",
    "false length": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
    "long": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" + b"Set-Cookie: a=b\r\n" * 20_000 + b"\r\n",
    "long line": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nP: " + b"csp " * 50_000 + b"\r\n\r\n",
}


def exchange(head, body=b"body", **more):
    read = read_head(head)
    return Exchange(
        "http://a.example/x?y", "GET", ((b"Host", b"a.example"), (b"b", b"1"), (b"A", b"2")), read.status, read.headers,
        body, "2026-01-02T03:04:05Z", protocol=read.protocol, response_head=read.raw, **more,
    )  # fmt: skip


def written(folder, exchange):
    writer = WarcWriter(folder, "t")
    writer.write("s 1 1", exchange)
    (folder / writer.close()).rename(folder / "one.warc.gz")
    return [record for record in read_records(folder / "one.warc.gz") if record.entry.type != "warcinfo"]


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_kept_byte_for_byte_and_read_back(tmp_path, name):
    sent = exchange(HEADS[name])
    response, request = written(tmp_path, sent)
    assert response.block == HEADS[name] + b"body"
    assert request.block == b"GET /x?y HTTP/1.1\r\nHost: a.example\r\nb: 1\r\nA: 2\r\n\r\n"
    assert exchange_of(response) == Exchange(
        sent.url, "GET", (), sent.status, sent.response_headers, b"body", sent.fetched_at, protocol=sent.protocol,
        response_head=sent.response_head,
    )  # fmt: skip


def test_of_a_head_only_the_framing_goes_that_the_body_does_not_have(tmp_path):
    head = b"HTTP/1.1 200 Yes\nb:1\nTransfer-Encoding:\n chunked\nCONTENT-LENGTH: 9\nA : 2\n\n"
    response, _ = written(tmp_path, exchange(head))
    assert response.block == b"HTTP/1.1 200 Yes\nb:1\nA : 2\r\nContent-Length: 4\r\n\r\nbody"
    assert exchange_of(response).body == b"body"


lines = st.lists(st.binary(min_size=1, max_size=60).filter(lambda line: b"\n" not in line), max_size=6)


@given(lines=lines, end=st.sampled_from([b"\r\n", b"\n"]), body=st.binary(max_size=40))
def test_any_head_is_read_back_as_it_was_written(lines, end, body, tmp_path_factory):
    read = read_head(end.join((b"HTTP/1.1 200 OK", *lines, end)))
    head = Exchange(
        "http://a.example/", "GET", (), read.status, read.headers, body, "2026-01-02T03:04:05Z",
        protocol=read.protocol, response_head=read.raw,
    )  # fmt: skip
    (response,) = written(tmp_path_factory.mktemp("warc"), head)
    back = exchange_of(response)
    framing = {b"transfer-encoding", b"content-length"}
    assert (back.status, back.body) == (read.status, body)
    assert [pair for pair in back.response_headers if pair[0].lower() not in framing] == [
        pair for pair in read.headers if pair[0].lower() not in framing
    ]
