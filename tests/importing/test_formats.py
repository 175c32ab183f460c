"""`locum import`: files as wget, Heritrix, Browsertrix, Common Crawl and the Wayback Machine write them."""

from __future__ import annotations

import base64
import gc
import gzip
import hashlib
import io
import re
import warnings
import zipfile

import lz4.frame
import pytest
from backports import zstd
from support import flipped, python, rows
from support.foreign_files import DATE, HOME, address, html, http, imported, members, page, put, record, run, wacz
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from locum_spider import Archive

brotli = pytest.importorskip("brotli")

TEXT = "A paragraph about agency work."


def chunked(body: bytes, size: int = 100) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;x=y\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def with_coding(url: str, name: str, body: bytes) -> bytes:
    return record(url, http(body, "Content-Type: text/html", f"Content-Encoding: {name}"))


def stated(data: bytes, algorithm: str, writing: str) -> str:
    digest = hashlib.new(algorithm.lower().replace("-", ""), data).digest()
    values = {
        "hex": digest.hex().upper(), "base32": base64.b32encode(digest).decode(),
        "base64": base64.b64encode(digest).decode(), "base64url": base64.urlsafe_b64encode(digest).decode(),
        "base64 without padding": base64.b64encode(digest).decode().rstrip("="),
    }  # fmt: skip
    return f"{algorithm}:{values[writing]}"


def folded(value: str) -> str:
    return "\r\n ".join(value[at : at + 60] for at in range(0, len(value), 60))


def ways(slug: str) -> dict[str, bytes]:
    """One page in every way of writing it."""
    url, text = address(slug), html(slug)
    latin = text.replace(b"agency work", "agency work for £40".encode("latin-1"))
    return {
        "plain": record(url, http(text)),
        "version 1.1, fractional date": record(
            url, http(text), date="2016-05-02T10:00:00.123456789Z", version="1.1"
        ),
        "address in angle brackets": record(f"<{url}>", http(text)),
        "chunked kept": record(url, http(chunked(text), "Content-Type: text/html", "Transfer-Encoding: chunked")),
        "chunked said, and undone": record(
            url, http(text, "Content-Type: text/html", "Transfer-Encoding: chunked")
        ),
        "chunked and gzip": record(
            url,
            http(chunked(gzip.compress(text)), "Transfer-Encoding: Chunked", "Content-Encoding: gzip"),
        ),
        "gzip": with_coding(url, "gzip", gzip.compress(text)),
        "gzip said, and undone": with_coding(url, "gzip", text),
        "brotli": with_coding(url, "br", brotli.compress(text)),
        "zstd": with_coding(url, "zstd", zstd.compress(text)),
        "HTTP/1.0": record(url, http(text, status="HTTP/1.0 200 OK")),
        "HTTP/2": record(url, http(text, status="HTTP/2 200")),
        "no reason": record(url, http(text, status="HTTP/1.1 200")),
        "line feeds alone": record(url, http(text, "Content-Type: text/html", line_end="\n"), line_end="\n"),
        "line feeds in the response": record(url, http(text, "Content-Type: text/html", line_end="\n")),
        "folded header": record(url, http(text, "Content-Type: text/html;\r\n\tcharset=utf-8", "X-A: b\r\n  c")),
        "latin-1 in a header": record(url, http(text, "Content-Type: text/html", "X-Author: Zoë\xa3")),
        "latin-1 page": record(url, http(latin, "Content-Type: text/html; charset=ISO-8859-1")),
        "no content type": record(url, http(text, "Server: x")),
        "X-Archive-Orig": record(
            url,
            http(text, "X-Archive-Orig-Content-Type: text/html", "X-Archive-Orig-Content-Encoding: gzip",
                 "X-Archive-Orig-Content-Length: 3", "Content-Type: text/html"),
        ),
        "Common Crawl": record(
            url,
            http(text, "Content-Type: text/html", "X-Crawler-Content-Encoding: gzip", "X-Crawler-Content-Length: 99"),
            WARC_Truncated=None, WARC_Identified_Payload_Type="text/html",
            WARC_Payload_Digest="sha1:" + "A" * 32, WARC_Block_Digest="sha1:"
            + hashlib.sha1(http(text, "Content-Type: text/html", "X-Crawler-Content-Encoding: gzip",
                                "X-Crawler-Content-Length: 99")).hexdigest(),
        ),
        "resource": record(url, text, "resource"),
        "https and www": record(url.replace("http://", "https://www."), http(text)),
        "port": record(url.replace(".uk/", ".uk:80/"), http(text)),
        "lower case fields": record(url, http(text)).replace(b"WARC-", b"warc-").replace(b"Content-L", b"content-l"),
        "folded field": record(url, http(text), X_Note="a\r\n b"),
        "folded length": record(url, http(text), Content_Length=f"\r\n\t{len(http(text))}\r\n "),
        "folded digest": record(url, http(text), WARC_Payload_Digest=folded(stated(text, "sha512", "hex"))),
        "a line before the status": record(url, b"\r\n" + http(text)),
        "HTTP without a version": record(url, http(text, status="HTTP 200 Document follows")),
        "status in small letters": record(url, http(text, status="http/1.1 200 ok")),
        "blanks in the status": record(url, http(text, status="HTTP/1.1 \t 200   OK")),
        "Shoutcast": record(url, http(text, status="ICY 200 OK")),
        "version x": record(url, http(text, status="HTTP/1.x 200 OK")),
        "version behind a blank": record(url, http(text, status="HTTP 1.1 200 OK")),
        "h2": record(url, http(text, status="h2 200")),
        "out of a browser's cache": record(url, http(text, status="HTTP/1.1 0 OK")),
        "behind 100 Continue": record(url, b"HTTP/1.1 100 Continue\r\n\r\n" + http(text)),
        "behind early hints": record(url, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + http(text)),
        "behind a proxy's answer": record(url, b"HTTP/1.0 200 Connection established\r\n\r\n" + http(text)),
        "the whole as a range": record(
            url, http(text, "Content-Type: text/html", f"Content-Range: bytes 0-{len(text) - 1}/{len(text)}",
                      status="HTTP/1.1 206 Partial Content"),
        ),
        **{
            f"{algorithm} in {writing}": record(
                url, http(text), WARC_Payload_Digest=stated(text, algorithm, writing),
                WARC_Block_Digest=stated(http(text), algorithm.upper().replace("SHA", "SHA-"), writing),
            )
            for algorithm in ("md5", "sha1", "sha256", "sha512")
            for writing in ("hex", "base32", "base64", "base64url", "base64 without padding")
        },
    }  # fmt: skip


@pytest.mark.parametrize("packing", ["members", "plain", "one member"])
def test_each_way_of_writing_a_page_is_read(tmp_path, packing):
    files, slugs = [], {}
    for number, name in enumerate(ways("x")):
        slugs[f"n{number}"] = name
        both = (ways(f"n{number}")[name], page(f"after{number}"))
        data = {"members": members(*both), "plain": b"".join(both), "one member": gzip.compress(b"".join(both))}[
            packing
        ]
        files.append(put(tmp_path, data, f"{number:02} {name.replace('/', ' ')}.warc"))
    found = {
        result["file"][3:-5]: (result["outcomes"], result["broken"]) for result in imported(tmp_path / "a", *files)
    }
    assert found == {name.replace("/", " "): ({"new": 2}, []) for name in slugs.values()}
    assert rows(tmp_path / "a", "SELECT DISTINCT status, fetched_at FROM captures ORDER BY 1") == [
        (200, DATE), (206, DATE),
    ]  # fmt: skip
    assert rows(tmp_path / "a", "SELECT count(stated_digest) FROM captures") == [(0,)]
    with Archive(tmp_path / "a") as archive:
        assert len(archive.search('"agency work"', limit=200)) == 2 * len(slugs)
        for slug, name in slugs.items():
            article = archive.article(address(slug))
            target = re.search(rb"(?i)warc-target-uri: <?([^\s>]+)", ways(slug)[name])[1].decode()
            assert (article.url, article.title) == (target, f"{slug.title()} report"), name
            assert article.text.startswith("A paragraph about agency work"), name
            assert ("£40" in article.text) == (name == "latin-1 page")
    assert python("-m", "warcio.cli", "check", *(tmp_path / "a/warc").iterdir()).returncode == 0


def test_records_that_are_no_captures_are_passed_over(tmp_path):
    others = [
        record("", b"software: Heritrix/3\r\n", "warcinfo", WARC_Target_URI=None),
        record(address(), b"GET / HTTP/1.0\r\n\r\n", "request"),
        record(address(), b"via: http://x/\r\n", "metadata"),
        record("dns:locumtoday.co.uk", b"20160502100000\nlocumtoday.co.uk. 60 IN A 192.0.2.1\n", "response"),
        record(f"urn:text:{address()}", b"the words", "resource"),
        record(f"screenshot:{address()}", b"\x89PNG", "resource"),
        record(f"urn:pageinfo:{address()}", b"{}", "resource"),
        record("whois:locumtoday.co.uk", b"who", "resource"),
        record(address(), b"text", "conversion"),
        record(address(), b"more", "continuation"),
        record(address(), b"?", "something-new"),
    ]
    (result,) = imported(tmp_path / "a", put(tmp_path, members(*others, page(), *others)))
    assert (result["outcomes"], result["elsewhere"], result["broken"]) == ({"new": 1}, {}, [])


def test_what_others_did_not_record_is_not_made_up(tmp_path):
    imported(tmp_path / "a", put(tmp_path, page()))
    assert rows(tmp_path / "a", "SELECT type FROM records WHERE type = 'request'") == []


def as_warcio_writes(*, compressed: bool) -> bytes:
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=compressed, warc_version="1.1" if compressed else "1.0")
    writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "warcio"}))
    head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
    fields = {"WARC-Date": DATE}
    response = writer.create_warc_record(
        address(), "response", payload=io.BytesIO(html()), http_headers=head, warc_headers_dict=fields
    )
    asked = StatusAndHeaders("GET /article.php HTTP/1.1", [("Host", "locumtoday.co.uk")], is_http_request=True)
    request = writer.create_warc_record(address(), "request", http_headers=asked, warc_headers_dict=fields)
    writer.write_request_response_pair(request, response)
    return out.getvalue()


@pytest.mark.parametrize("compressed", [True, False])
def test_files_as_warcio_writes_them(tmp_path, compressed):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # warcio leaves files open
        data = as_warcio_writes(compressed=compressed)
        gc.collect()
    (result,) = imported(tmp_path / "a", put(tmp_path, data))
    assert (result["outcomes"], result["broken"]) == ({"new": 1}, [])


def wacz_of_others(path, *files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as container:
        container.writestr("pages/pages.jsonl", '{"format": "json-pages-1.0"}\n')
        for number, data in enumerate(files):
            container.writestr(f"archive/rec-{number}-20160502100000-abc.warc.gz", data)
        container.writestr("indexes/index.cdx.gz", gzip.compress(b""))
        container.writestr("datapackage.json", "{}")
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_wacz_as_browsertrix_lays_it_out(tmp_path, compression):
    path = wacz_of_others(tmp_path / "x.wacz", members(page()), members(page("two")), compression=compression)
    (result,) = imported(tmp_path / "a", path)
    assert (result["outcomes"], result["broken"]) == ({"new": 2}, [])


def test_damage_in_a_wacz_takes_no_more_than_it_hits(tmp_path):
    path = wacz_of_others(
        tmp_path / "x.wacz", members(page(), page("two"), page("three")), compression=zipfile.ZIP_STORED
    )
    data = path.read_bytes()
    path.write_bytes(flipped(data, data.index(members(page("two"))) + 60, 0x10))
    (result,) = imported(tmp_path / "a", path)
    assert result["outcomes"] == {"new": 2}
    (fault,) = result["broken"]
    assert fault.startswith(f"x.wacz/archive/rec-0-20160502100000-abc.warc.gz, byte {len(members(page())):,}: ")


def test_wacz_of_wacz_create(tmp_path):
    source = put(tmp_path, members(page(), page("two")))
    assert wacz("create", "-f", source, "-o", tmp_path / "made.wacz").returncode == 0
    (result,) = imported(tmp_path / "a", tmp_path / "made.wacz")
    assert result["outcomes"] == {"new": 2}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.warc", b""),
        ("page.html", b"<html>not a capture</html>"),
        ("text.warc.gz", gzip.compress(b"no records in here, but packed", mtime=0)),
        ("cut.warc.gz", b"\x1f\x8b\x08"),
        ("zip.wacz", b"PK\x03\x04 and nothing that a ZIP file has"),
    ],
)
def test_what_is_no_warc_is_wrong_usage(tmp_path, name, data):
    output = run(tmp_path / "a", "import", put(tmp_path, data, name), code=2)
    assert name in output
    assert not (tmp_path / "a").exists()


def test_zip_without_captures_missing_file_and_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.wacz", "w") as container:
        container.writestr("readme.txt", "nothing")
    assert "without WARCs" in run(tmp_path / "a", "import", tmp_path / "x.wacz", code=2)
    assert "cannot be opened" in run(tmp_path / "a", "import", tmp_path / "none.warc", code=2)
    assert "cannot be opened" in run(tmp_path / "a", "import", tmp_path, code=2)


def test_pages_of_sites_that_are_not_declared_are_reported(tmp_path):
    other = record("https://www.other.example/x", http(html()))
    some = run(tmp_path / "a", "import", put(tmp_path, members(other, other, page(), other)))
    assert "not of a declared site: other.example (3)" in some
    assert "1 new" in some
    nothing = run(tmp_path / "b", "import", put(tmp_path, members(other)), code=6)
    assert "no capture is of a declared site" in nothing
    assert rows(tmp_path / "b", "SELECT count(*) FROM crawls") == [(0,)]


def test_listings_and_other_answers_are_kept_and_counted(tmp_path):
    listing = f'<html><body><h3><a href="{address()}">One report</a></h3><p>Published on 1 May 2016</p></body></html>'
    (result,) = imported(
        tmp_path / "a",
        put(tmp_path, members(
            record(HOME, http(listing.encode())),
            record(address("gone"), http(b"", status="HTTP/1.1 404 Not Found")),
            record(address("moved"), http(b"", f"Location: {address()}", status="HTTP/1.1 301 Moved Permanently")),
            record(address("picture"), http(b"GIF89a", "Content-Type: image/gif")),
            record(address("empty"), http(b"<html><body><p>Sorry</p></body></html>")),
        )),
    )  # fmt: skip
    assert result["outcomes"] == {"listing": 1, "failed": 2, "not_article": 2}
    counts = "captures, listings, entries, failed, not_articles, outcome, reasons"
    assert rows(tmp_path / "a", f"SELECT {counts} FROM crawls") == [(5, 1, 1, 2, 2, "imported", "[]")]
    assert rows(tmp_path / "a", "SELECT url, title FROM listing_entries") == [(address(), "One report")]
    assert rows(tmp_path / "a", "SELECT location FROM captures WHERE status = 301") == [(address(),)]


def test_record_larger_than_the_limit_is_said_and_passed_over(tmp_path):
    sites = tmp_path / "a" / "sites"
    sites.mkdir(parents=True)
    (sites / "small.toml").write_text(
        'name = "small"\ntitle = "Small"\nhosts = ["small.example"]\nstart = ["http://small.example/"]\n'
        'timezone = "UTC"\nlanguage = "en"\n[articles]\naddress = "/a"\n'
    )
    big = record(address("big"), http(b"x" * 40_000_000))
    for packed, data in ((1, members(page(), big, page("two"))), (0, b"".join((page(), big, page("two"))))):
        (result,) = imported(tmp_path / f"a{packed}", put(tmp_path, data))
        assert result["outcomes"] == {"new": 2}
        (fault,) = result["broken"]
        assert "more than the limit" in fault
        assert f"byte {len(members(page())) if packed else len(page()):,}:" in fault


@pytest.mark.parametrize("whole", [True, False])
def test_lz4(tmp_path, whole):
    records = [page(f"n{number}") for number in range(5)]
    parts = [b"".join(records)] if whole else records
    file = put(tmp_path, b"".join(lz4.frame.compress(part) for part in parts), "x.warc.lz4")
    assert imported(tmp_path / "a", file)[0]["outcomes"] == {"new": 5}
    if not whole:
        (result,) = imported(tmp_path / "b", put(tmp_path, file.read_bytes()[:-30], "y.warc.lz4"))
        assert (result["outcomes"], len(result["broken"])) == ({"new": 4}, 1)
