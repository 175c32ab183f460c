"""HTTP as it is spoken: crawls of a server that says what servers say, and the records that are left."""

from __future__ import annotations

import gzip

import pytest
from support import invoke, require_same_rebuilt
from support.harness import Crawled, crawl, declare, scenario
from support.speaking import answering

from locum_spider.warc.reader import read_records, warc_files

PAPER = """
name = "paper"
title = "The Paper"
hosts = ["127.0.0.1"]
start = ["http://127.0.0.1:PORT/"]
timezone = "Europe/London"
language = "en"

[articles]
address = '^/news/'

[[layouts]]
[layouts.article]
title = { css = "h1" }
published = { css = "time", attr = "datetime" }
body = { css = "article" }
"""
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def page(title="Crane moved"):
    return (
        f"<!doctype html><html lang=en><title>{title}</title><h1>{title}</h1><time datetime=2024-05-12>12 May</time>"
        f"<article><p>{'A paragraph about it. ' * 30}</p></article>"
    ).encode()


def told(body, *lines, status=b"HTTP/1.1 200 OK", end=b"\r\n"):
    """A response of those header lines, word for word, on a connection that is closed behind it."""
    return end.join((status, *lines, b"Connection: close", b"", b"")) + body


def length(body):
    return b"Content-Length: %d" % len(body)


HTML = b"Content-Type: text/html; charset=utf-8"
CHUNKED = b"Transfer-Encoding: chunked"
LONG = tuple(b"Set-Cookie: consent%d=%b" % (number, b"x" * 90) for number in range(3_000))


def read_forms(p, packed, complete):
    """Forms in which a page comes that is read all the same, by name."""
    return {
        "usual": told(p, HTML, length(p)),
        "bare-line-ends": told(p, HTML, length(p), end=b"\n"),
        "blank-before-colon": told(p, b"Content-Type : text/html", b"content-LENGTH :%d" % len(p)),
        "folded": told(p, b"Content-Type: text/html;", b"\tcharset=utf-8", length(p)),
        "nonsense-line": told(p, HTML, b"this is no header", b": nor this", length(p)),
        "odd-status": told(p, HTML, length(p), status=b"HTTP 200 Document follows"),
        "lower-status": told(p, HTML, length(p), status=b"http/1.1  200  fine"),
        "icy": told(p, HTML, length(p), status=b"ICY 200 OK"),
        "no-phrase": told(p, HTML, length(p), status=b"HTTP/1.1 200"),
        "long-headers": told(p, HTML, length(p), b'ETag: "1"', *LONG),
        "long-line": told(p, HTML, length(p), b"X-Policy: " + b"csp " * 60_000),
        "latin-header": told(p, HTML, b"X-Caf\xe9: \xff", length(p)),
        "length-twice": told(p, HTML, length(p), length(p)),
        "length-differs": told(p, HTML, length(p), length(p + p)),
        "length-unpacked": told(packed, HTML, b"Content-Encoding: gzip", length(p)),
        "length-of-more": told(complete, HTML, length(complete + p)),
        "partial-but-whole": told(
            p, HTML, length(p), b"Content-Range: bytes 0-%d/%d" % (len(p) - 1, len(p)), status=b"HTTP/1.1 206 Partial"
        ),
        "not-its-author": told(p, HTML, length(p), status=b"HTTP/1.1 203 Non-Authoritative Information"),
        "no-type": told(p, length(p)),
        "odd-type": told(p, b"Content-Type: html", length(p)),
        "any-type": told(p, b"Content-Type: */*", length(p)),
        "false-coding": told(p, HTML, b"Content-Encoding: br", length(p)),
        "no-coding": told(p, HTML, b"Content-Encoding: utf-8", length(p)),
        "coding-in-two-lines": told(packed, HTML, b"Content-Encoding: none", b"Content-Encoding: gzip", length(packed)),
        "gzip-unsaid": told(packed, HTML, length(packed)),
    }


def framed_forms(p, _packed, complete):
    """Forms whose records differ from what came, for they have a length that holds, or only the last answer."""
    return {
        "blank-first": b"\r\n\r\n" + told(p, HTML, length(p)),
        "hints-first": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + told(p, HTML, length(p)),
        "length-short": told(p + b"<!-- -->", HTML, length(p)),
        "no-length": told(p, HTML),
        "chunks-blank": told(b"%x  \r\n%b\r\n0 \r\n\r\n" % (len(p), p), HTML, CHUNKED),
        "chunks-without-last": told(b"%x\r\n%b\r\n" % (len(complete), complete), HTML, CHUNKED),
        "chunks-untrue": told(p, HTML, CHUNKED),
    }


def with_pages(forms):
    """Each form with a page of its own, so that none is a revisit of another."""
    pages = {name: page(name) for name in forms(b"", b"", b"")}
    return {name: forms(p, gzip.compress(p, mtime=0), p + b"</body></html>\n")[name] for name, p in pages.items()}


P = page()
PACKED = gzip.compress(P, mtime=0)
AS_SENT, FRAMED = with_pages(read_forms), with_pages(framed_forms)
SENT = {**AS_SENT, **FRAMED}
CUT = {
    "cut": (told(P[:200], HTML, length(P)), b"after 200 of %d bytes" % len(P)),
    "cut-packed": (told(PACKED[:-20], HTML, b"Content-Encoding: gzip", length(PACKED)), b"ended too early"),
    "cut-chunks": (told(b"%x\r\n%b" % (len(P), P[:100]), HTML, CHUNKED), b"after 100 bytes"),
    "cut-headers": (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", b"ended too early"),
    "partial": (
        told(P[:-9], HTML, b"Content-Range: bytes 0-%d/%d" % (len(P) - 10, len(P)), status=b"HTTP/1.1 206 Partial"),
        b"HTTP 206",
    ),
    "nothing": (b"", b"the connection was closed without an answer"),
    "no-http": (b"SSH-2.0-OpenSSH_9.6\r\n", b"the answer is not HTTP"),
    "pdf": (told(b"%PDF-1.4 \0", b"Content-Type: pdf", b"Content-Length: 10"), b"its type is 'pdf'"),
    "away": (told(b"", b"Location: \\\\127.0.0.1.example\\news\\x", status=b"HTTP/1.1 302 Found"), b"another site"),
    "wall": (
        told(b"", b"Location: /news/wall", b"Set-Cookie: seen=1", status=b"HTTP/1.1 302 Found"),
        b"a crawl keeps no cookies",
    ),
    "circle": (told(b"", b"Location: /news/circle", status=b"HTTP/1.1 302 Found"), b"lead in a circle"),
}
ALL = {**SENT, **{name: sent for name, (sent, _) in CUT.items()}}


def paper(forms):
    """What the paper answers: a listing, and each of its pages in its form."""

    def answer(head):
        path = head.split(b" ")[1].decode()
        name = path.removeprefix("/news/")
        if path == "/":
            links = "".join(f'<li><a href="/news/{name}">Story of the harbour, {name}</a>' for name in forms)
            return [told(f"<html lang=en><h1>The Paper</h1><ul>{links}</ul>".encode(), HTML)]
        if name == "long-headers" and b"If-None-Match" in head:
            return [told(b"", *LONG, status=b"HTTP/1.1 304 Not Modified")]
        return [forms.get(name, NOT_FOUND)]

    return answer


@scenario
def spoken(folder):
    """Two crawls of one site; the second finds only the pages that can be read, unchanged."""
    forms = dict(ALL)
    with answering(paper(forms)) as (port, heads):
        declare(folder, "paper", PAPER.replace("PORT", str(port)))
        runs = [crawl(folder, "", "--concurrency", "8", sites=["paper"])]
        for name in CUT:
            del forms[name]
        runs.append(crawl(folder, "", "--concurrency", "8", sites=["paper"]))
        return Crawled(folder, [], runs), heads, f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("name", SENT)
def test_a_page_is_read_whatever_it_is_wrapped_in(spoken, name):
    crawled, _, home = spoken
    outcomes = crawled.rows("SELECT outcome, reason FROM frontier WHERE url = ? ORDER BY id", f"{home}/news/{name}")
    assert outcomes == [("new", None), ("unchanged", None)]


@pytest.mark.parametrize("name", CUT)
def test_what_is_no_page_has_a_reason(spoken, name):
    crawled, _, home = spoken
    ((outcome, reason),) = crawled.rows("SELECT outcome, reason FROM frontier WHERE url = ?", f"{home}/news/{name}")
    assert outcome in {"failed", "not_article"}
    assert CUT[name][1].decode() in reason


@pytest.mark.parametrize("name", ["cut", "cut-packed", "cut-chunks", "cut-headers"])
def test_each_try_of_a_body_that_ended_early_is_a_capture(spoken, name):
    crawled, _, home = spoken
    tries = crawled.rows("SELECT status, truncated FROM captures WHERE crawl_id = 1 AND url = ?", f"{home}/news/{name}")
    assert tries == [(200, "disconnect")] * 4


def first_records(crawled, home, kind):
    """The block of the first record of each page."""
    found = {}
    for path in warc_files(crawled.archive / "warc"):
        for record in read_records(path):
            if record.entry.type == kind:
                found.setdefault(record.headers["WARC-Target-URI"].removeprefix(f"{home}/news/"), record.block)
    return found


def test_records_are_what_went_over_the_wire(spoken):
    crawled, heads, home = spoken
    responses, requests, revisits = (first_records(crawled, home, kind) for kind in ("response", "request", "revisit"))
    del revisits["long-headers"]  # a 304
    for name, sent in AS_SENT.items():
        assert responses[name] == sent, name
        if name in revisits:
            assert sent.startswith(revisits[name])
            assert revisits[name].rstrip().endswith(b"Connection: close")
        assert requests[name] in heads
    assert len(revisits) > len(AS_SENT) // 2
    assert requests["usual"].startswith(b"GET /news/usual HTTP/1.1\r\nHost: 127.0.0.1:")


def test_headers_of_any_length_can_be_read_again(spoken):
    crawled, _, home = spoken
    assert [run.code for run in crawled.runs] == [6, 0], "the first finds pages that cannot be read"
    statuses = crawled.rows("SELECT status FROM captures WHERE url = ? ORDER BY id", f"{home}/news/long-headers")
    assert statuses == [(200,), (304,)]
    assert crawled.rows("SELECT count(*) FROM revisions") == [(len(SENT),)]
    assert invoke("verify", "--archive", crawled.archive).exit_code == 0
    require_same_rebuilt(crawled.archive)


# -- robots.txt -------------------------------------------------------------------------------------------------------

SECRET = b"User-agent: *\nDisallow: /news/secret\n"


def crawl_with_robots(folder, robots):
    """A crawl of two articles, with the answers that `robots` gives to `/robots.txt` and what that leads to."""

    def answer(head):
        path = head.split(b" ")[1].decode()
        if (told_by_robots := robots(path)) is not None:
            return [told_by_robots]
        if path == "/":
            return [
                told(b'<h1>A</h1><a href="/news/open">Story open</a> <a href="/news/secret">Secret story</a>', HTML)
            ]
        return [told(page(path), HTML, length(page(path)))]

    with answering(answer) as (port, heads):
        declare(folder, "paper", PAPER.replace("PORT", str(port)))
        run = crawl(folder, "", sites=["paper"])
        return Crawled(folder, [], [run]), [head.split(b" ")[1].decode() for head in heads]


def moved(to):
    return told(b"", b"Location: " + to.encode(), status=b"HTTP/1.1 301 Moved")


@scenario
def robots_elsewhere(folder):
    """Six redirects on the site, and a seventh to another host at the same address."""
    elsewhere = []

    def other(head):
        elsewhere.append(head)
        return [told(SECRET, length(SECRET))]

    def robots(path):
        hops = ["/robots.txt", *(f"/r{number}" for number in range(6)), f"http://localhost:{port}/their-robots"]
        return moved(hops[hops.index(path) + 1]) if path in hops else None

    with answering(other) as (port, _):
        return *crawl_with_robots(folder, robots), elsewhere


def test_redirects_of_robots_txt_are_followed_to_other_hosts(robots_elsewhere):
    crawled, paths, elsewhere = robots_elsewhere
    assert crawled.run.code == 0
    assert len(elsewhere) == 1
    assert {path for path in paths if path.startswith("/news")} == {"/news/open"}
    assert crawled.value("SELECT count(*) FROM captures WHERE url LIKE '%/their-robots'") == 1


@scenario
def robots_inside(folder):
    """A redirect to a service of the machine that is not where the site is."""
    with answering(lambda _: [told(b"secret", length(b"secret"))]) as (port, heads):
        to = f"http://[::ffff:127.0.0.2]:{port}/latest/meta-data"
        return *crawl_with_robots(folder, lambda path: moved(to) if path == "/robots.txt" else None), heads


def test_robots_txt_leads_to_no_special_address(robots_inside):
    crawled, paths, inside = robots_inside
    assert inside == []
    assert paths == ["/robots.txt"]
    assert crawled.run.code in {4, 6}
    assert "a loopback address, which no site may lead us to" in " ".join(crawled.run.out.split())


@scenario
def robots_of_noise(folder):
    noise = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    return crawl_with_robots(folder, lambda path: told(noise, length(noise)) if path == "/robots.txt" else None)


def test_nothing_is_fetched_if_robots_txt_cannot_be_read(robots_of_noise):
    crawled, paths = robots_of_noise
    assert paths == ["/robots.txt"]
    assert crawled.run.code == 6
    assert "robots.txt cannot be read" in " ".join(crawled.run.out.split())
