"""WARC files: what others' readers say of them, and what is read back."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import itertools
import os
import random
import zlib
from collections import Counter
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import flipped
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from locum_spider.errors import IntegrityError
from locum_spider.importing.records import read_captures
from locum_spider.items import Exchange, Location, RevisitOf
from locum_spider.warc.reader import OPEN, Broken, locate, read_exchange
from locum_spider.warc.writer import WarcWriter, payload_digest

URL = "http://www.news.example/article.php?s=1&catTitle=social%20work"


def exchange(body: bytes = b"<p>Hello</p>", **changed: object) -> Exchange:
    fields = {
        "url": URL, "method": "GET", "request_headers": ((b"Host", b"www.news.example"), (b"User-Agent", b"locum")),
        "status": 200, "response_headers": ((b"Content-Type", b"text/html"), (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2")), "body": body, "fetched_at": "2016-05-02T10:00:00Z", "ip": "192.0.2.1",
    }  # fmt: skip
    return Exchange(**{**fields, **changed})  # type: ignore[arg-type]


def write(folder, *exchanges: Exchange, close: bool = True) -> list[Location]:
    writer = WarcWriter(folder, "20160502T100000Z")
    locations = [writer.write("x 1 1", each) for each in exchanges]
    if close:
        writer.close()
    else:
        writer._file.close()  # as the end of a killed process does
    return locations


def members(data: bytes) -> list[bytes]:
    """Each gzip member by itself."""
    found = []
    while data:
        unpack = zlib.decompressobj(31)
        found.append(unpack.decompress(data))
        assert unpack.eof
        data = unpack.unused_data
    return found


def warcio_says(path) -> int:
    """0 where warcio's checker finds every digest right."""
    return Checker(SimpleNamespace(inputs=[str(path)], verbose=False)).process_all()


# -- round trip ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"body": b""},
        {"body": b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\nWARC/1.1\r\n"},
        {"body": gzip.compress(b"compressed"), "response_headers": ((b"Content-Encoding", b"gzip"),)},
        {"body": bytes(range(256)) * 1000},
        {"status": 301, "response_headers": ((b"Location", b"/elsewhere"),), "body": b""},
        {"status": 404},
        {"status": 599},
        {"response_headers": ()},
        {"response_headers": ((b"X-Empty", b""), (b"X-Latin", b"caf\xe9"))},
        {"protocol": "HTTP/1.0"},
        {"ip": None},
        {"url": "http://news.example"},
        {"fetched_at": "2026-11-22T05:22:00Z"},
    ],
    ids=itertools.count(),
)
def test_capture_reads_back_as_it_came(tmp_path, changed):
    sent = exchange(**changed)
    (at,) = write(tmp_path, sent)
    found = read_exchange(tmp_path, at.file, at.offset)
    length = (b"Content-Length", str(len(sent.body)).encode())
    for name in ("url", "status", "body", "fetched_at", "protocol", "ip"):
        assert getattr(found, name) == getattr(sent, name), name
    assert found.response_headers == (*sent.response_headers, length)
    with (tmp_path / at.file).open("rb") as file:
        (foreign,) = read_captures(file)
    assert (foreign.url, foreign.status, foreign.body) == (sent.url, sent.status, sent.body)


def test_transfer_coding_that_was_undone_is_not_claimed(tmp_path):
    headers = ((b"Transfer-Encoding", b"chunked"), (b"content-length", b"999"), (b"X", b"1"))
    (at,) = write(tmp_path, exchange(b"four", response_headers=headers))
    found = read_exchange(tmp_path, at.file, at.offset)
    assert found.response_headers == ((b"X", b"1"), (b"Content-Length", b"4"))
    assert found.body == b"four"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_any_bodies_read_back_each_at_its_place(tmp_path, bodies):
    folder = tmp_path / hashlib.sha256(repr(bodies).encode()).hexdigest()
    locations = write(folder, *(exchange(body) for body in bodies))
    for body, at in sorted(zip(bodies, locations, strict=True), key=lambda pair: -pair[1].offset):
        assert read_exchange(folder, at.file, at.offset).body == body


def test_location_is_the_whole_record_and_its_digest_the_body_s(tmp_path):
    body = gzip.compress(b"as it went over the wire")
    first, second = write(tmp_path, exchange(), exchange(body))
    data = (tmp_path / second.file).read_bytes()
    (record,) = members(data[second.offset : second.offset + second.length])
    assert record.startswith(b"WARC/1.1\r\n")
    assert b"WARC-Type: response" in record
    assert record.rstrip(b"\r\n").endswith(body.rstrip(b"\r\n"))
    assert second.digest == payload_digest(body)
    assert second.digest == "sha1:" + base64.b32encode(hashlib.sha1(body).digest()).decode()
    assert second.offset >= first.offset + first.length


# -- what others read ------------------------------------------------------------------------------------------------


def test_checker_of_warcio_is_content(tmp_path):
    bodies = [b"", b"<p>One</p>", gzip.compress(b"two"), random.Random(1).randbytes(100_000)]
    (at, *_) = write(tmp_path, *(exchange(body, status=status) for body in bodies for status in (200, 301, 404)))
    assert warcio_says(tmp_path / at.file) == 0


def test_checker_of_warcio_is_not_content_with_another_body(tmp_path):
    (at,) = write(tmp_path, exchange(b"<p>Hello</p>"))
    path = tmp_path / at.file
    changed = [gzip.compress(member.replace(b"<p>Hello</p>", b"<p>Hallo</p>")) for member in members(path.read_bytes())]
    path.write_bytes(b"".join(changed))
    assert warcio_says(path) == 1


def test_records_are_those_of_warc_1_1_and_name_each_other(tmp_path):
    (at, _) = write(tmp_path, exchange(), exchange(method="HEAD", url="http://news.example?x=1"))
    with (tmp_path / at.file).open("rb") as file:
        records = [(record.rec_type, record.rec_headers, record.http_headers) for record in ArchiveIterator(file)]
    assert [kind for kind, *_ in records] == ["warcinfo", "response", "request", "response", "request"]
    assert {headers.protocol for _, headers, _ in records} == {"WARC/1.1"}
    info, response, request = (headers for _, headers, _ in records[:3])
    assert info["WARC-Filename"] == at.file
    assert (response["WARC-Target-URI"], response["WARC-Date"]) == (URL, "2016-05-02T10:00:00Z")
    assert response["WARC-IP-Address"] == "192.0.2.1"
    assert response["WARC-Payload-Digest"] == at.digest
    assert response["WARC-Block-Digest"].startswith("sha1:")
    assert request["WARC-Concurrent-To"] == response["WARC-Record-ID"]
    assert records[2][2].protocol == "GET"
    assert records[2][2].statusline == "/article.php?s=1&catTitle=social%20work HTTP/1.1"
    assert records[2][2].get_header("User-Agent") == "locum"
    ids = [headers["WARC-Record-ID"] for _, headers, _ in records]
    assert len(set(ids)) == len(ids)
    # "/?x=1" is what was asked for where the address has no path
    assert records[4][2].statusline == "/?x=1 HTTP/1.1"


def test_each_record_is_one_gzip_member(tmp_path):
    (at, *_) = write(tmp_path, *(exchange(os.urandom(2000)) for _ in range(5)))
    found = members((tmp_path / at.file).read_bytes())
    assert len(found) == 1 + 2 * 5
    assert all(member.startswith(b"WARC/1.1\r\n") for member in found)
    assert Counter(member.count(b"WARC/1.1\r\n") for member in found) == {1: 11}


def test_revisit_names_the_capture_it_stands_for_and_holds_no_body(tmp_path):
    writer = WarcWriter(tmp_path, "x")
    first = writer.write("v", exchange(b"x" * 5000))
    refers = RevisitOf(URL, "2016-05-02T10:00:00Z", first.digest, not_modified=False)
    again = writer.write("v", exchange(b"x" * 5000, fetched_at="2016-05-03T10:00:00Z"), refers)
    unchanged = writer.write("v", exchange(b"", status=304), RevisitOf(URL, "2016-05-02T10:00:00Z", first.digest, True))
    writer.close()
    assert warcio_says(tmp_path / first.file) == 0
    with (tmp_path / first.file).open("rb") as file:
        revisits = [record.rec_headers for record in ArchiveIterator(file) if record.rec_type == "revisit"]
    assert [headers["WARC-Profile"].rpartition("/")[2] for headers in revisits] == [
        "identical-payload-digest",
        "server-not-modified",
    ]
    for headers in revisits:
        assert headers["WARC-Refers-To-Target-URI"] == URL
        assert headers["WARC-Refers-To-Date"] == "2016-05-02T10:00:00Z"
        assert headers["WARC-Payload-Digest"] == first.digest
    assert again.length < 1000
    assert unchanged.digest == again.digest == first.digest


# -- files -----------------------------------------------------------------------------------------------------------


def test_file_is_open_until_it_is_closed(tmp_path):
    (at,) = write(tmp_path, exchange(), close=False)
    assert [path.name for path in tmp_path.iterdir()] == [at.file + OPEN]
    assert read_exchange(tmp_path, at.file, at.offset).status == 200
    assert locate(tmp_path, at.file).name == at.file + OPEN


def test_closed_file_has_its_name_and_the_next_record_another_file(tmp_path):
    writer = WarcWriter(tmp_path, "x")
    assert writer.close() is None
    first = writer.write("v", exchange())
    assert writer.close() == first.file
    assert writer.close() is None
    second = writer.write("v", exchange())
    assert second.file != first.file
    writer.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.file, second.file])
    assert warcio_says(tmp_path / first.file) == warcio_says(tmp_path / second.file) == 0


def test_file_is_full_at_its_size(tmp_path):
    writer = WarcWriter(tmp_path, "x", max_bytes=20_000)
    names = []
    for _ in range(12):
        names.append(writer.write("v", exchange(os.urandom(5_000))).file)
        if writer.is_full:
            writer.close()
    writer.close()
    assert list(Counter(names).values()) == [4, 4, 4]
    assert all(20_000 <= path.stat().st_size < 26_000 for path in tmp_path.iterdir())


def test_files_of_an_earlier_run_are_never_written_over(tmp_path):
    (first,) = write(tmp_path, exchange(b"one"))
    (second,) = write(tmp_path, exchange(b"two"), close=False)
    (third,) = write(tmp_path, exchange(b"three"))
    assert len({first.file, second.file, third.file}) == 3
    assert read_exchange(tmp_path, first.file, first.offset).body == b"one"


def test_position_is_the_length_of_the_file(tmp_path):
    writer = WarcWriter(tmp_path, "x")
    at = writer.write("v", exchange(b"x" * 10_000))
    assert writer.position == locate(tmp_path, at.file).stat().st_size
    writer.close()


def test_what_was_written_is_told_once_record_by_record(tmp_path):
    writer = WarcWriter(tmp_path, "x")
    writer.write("v", exchange())
    writer.write_event({"event": "é"}, "2016-05-02T10:00:00Z")
    records = writer.take_written()
    assert writer.take_written() == []
    writer.close()
    data = (tmp_path / records[0].file).read_bytes()
    assert [record.type for record in records] == ["warcinfo", "response", "request", "metadata"]
    end = 0
    for record in records:
        assert record.offset == end
        end += record.length
        assert hashlib.sha256(data[record.offset : end]).hexdigest() == record.digest
    assert end == len(data)


@pytest.mark.parametrize("durable", [True, False])
def test_only_durable_writing_waits_for_the_disk(tmp_path, monkeypatch, durable):
    calls = []
    writer = WarcWriter(tmp_path, "x", durable=durable)
    writer.write("v", exchange())
    monkeypatch.setattr(os, "fsync", calls.append)
    writer.flush()
    assert bool(calls) is durable
    writer.close()


# -- damage ----------------------------------------------------------------------------------------------------------


def test_place_without_a_response_is_an_integrity_error(tmp_path):
    first, second = write(tmp_path, exchange(b"one"), exchange(b"two"))
    size = (tmp_path / first.file).stat().st_size
    for offset in (first.offset + 1, first.offset + first.length // 2, second.offset - 3, size, size + 1000):
        with pytest.raises(IntegrityError, match=f"at byte {offset:,}"):
            read_exchange(tmp_path, first.file, offset)


def test_place_of_another_record_is_not_read_as_the_next_response(tmp_path):
    """A row that points at a request would give the evidence of another capture."""
    first, _ = write(tmp_path, exchange(b"one"), exchange(b"two"))
    for offset in (0, first.offset + first.length):
        with pytest.raises(IntegrityError):
            read_exchange(tmp_path, first.file, offset)


@pytest.mark.parametrize("left", [0.3, 0.9, 0.999])
def test_truncated_record_is_an_integrity_error(tmp_path, left):
    (at,) = write(tmp_path, exchange(random.Random(1).randbytes(20_000)))
    path = tmp_path / at.file
    path.write_bytes(path.read_bytes()[: at.offset + int(at.length * left)])
    with pytest.raises(IntegrityError):
        read_exchange(tmp_path, at.file, at.offset)


@pytest.mark.parametrize("place", [0.05, 0.5, 0.95])
def test_changed_byte_is_an_integrity_error(tmp_path, place):
    (at,) = write(tmp_path, exchange(random.Random(1).randbytes(20_000)))
    path = tmp_path / at.file
    path.write_bytes(flipped(path.read_bytes(), at.offset + int(at.length * place), 0x55))
    with pytest.raises(IntegrityError):
        read_exchange(tmp_path, at.file, at.offset)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(IntegrityError, match=r"none\.warc\.gz is missing"):
        read_exchange(tmp_path, "none.warc.gz", 0)


# -- files of others ---------------------------------------------------------------------------------------------------


def foreign(url: str, block: bytes, kind: str = "response", announced: int | None = None, **headers: str) -> bytes:
    """A record as others write it."""
    content_type = "application/http; msgtype=response" if kind != "resource" else "text/html"
    fields = {
        "WARC-Type": kind, "WARC-Target-URI": url, "WARC-Date": "2014-01-02T03:04:05.678Z",
        "Content-Type": content_type, "WARC-Record-ID": "<urn:uuid:00000000-0000-0000-0000-000000000000>",
        "Content-Length": str(len(block) if announced is None else announced), **headers,
    }  # fmt: skip
    head = "WARC/1.0\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + block + b"\r\n\r\n"


def page(words: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>{words}".encode()


def read(data: bytes) -> list[Exchange | Broken]:
    return list(read_captures(io.BytesIO(data)))


ONE, TWO, THREE = (foreign(f"http://x.example/{word}", page(word)) for word in ("one", "two", "three"))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_files_of_others_are_read_compressed_or_not(pack):
    data = b"".join(pack(record) for record in (ONE, foreign("", b"a: b", "warcinfo"), TWO, THREE))
    found = read(data)
    assert [(each.url, each.body) for each in found] == [
        (f"http://x.example/{word}", f"<p>{word}".encode()) for word in ("one", "two", "three")
    ]
    assert found[0].fetched_at == "2014-01-02T03:04:05Z"
    assert found[0].header(b"content-type") == "text/html"


def test_chunks_of_others_are_undone_and_content_codings_kept():
    body = gzip.compress(b"<p>one")
    framed = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Encoding: gzip\r\n\r\n"
    (found,) = read(foreign("http://x.example/one", head + framed))
    assert (found.body, found.header(b"content-encoding")) == (body, "gzip")


def test_resource_is_a_page_too():
    (found,) = read(foreign("http://x.example/one", b"<p>one", "resource"))
    assert (found.status, found.body, found.header(b"content-type")) == (200, b"<p>one", "text/html")


def test_broken_record_of_others_is_named_and_the_next_one_read():
    first, middle = gzip.compress(ONE), gzip.compress(TWO)
    found = read(first + flipped(middle, len(middle) // 2, 0xFF) + gzip.compress(THREE))
    assert [each.body for each in found if isinstance(each, Exchange)] == [b"<p>one", b"<p>three"]
    assert [each.offset for each in found if isinstance(each, Broken)] == [len(first)]


@pytest.mark.parametrize("left", [0.5, 0.9])
def test_file_of_others_that_ends_in_a_record_gives_the_ones_before(left):
    for data, cut in ((ONE, TWO), (gzip.compress(ONE), gzip.compress(TWO))):
        found = read(data + cut[: int(len(cut) * left)])
        assert found[0].body == b"<p>one"
        assert not any(isinstance(each, Exchange) for each in found[1:])
        assert any(isinstance(each, Broken) for each in found[1:])


NO_WARCS = (b"", b"\x1f\x8b\x08", b"no WARC at all", b"<html>" * 100, gzip.compress(b"text", mtime=0))


@pytest.mark.parametrize("data", NO_WARCS)
def test_what_is_no_warc_gives_no_capture(data):
    assert not [each for each in read(data) if isinstance(each, Exchange)]


@given(st.integers(0, 400), st.binary(max_size=20), st.booleans())
def test_no_damage_of_others_is_a_fault_of_ours(place, junk, packed):
    data = bytearray(gzip.compress(ONE) + gzip.compress(TWO) if packed else ONE + TWO)
    data[place : place + len(junk)] = junk
    read(bytes(data))
