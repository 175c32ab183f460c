"""`locum import` of ARC files, as the Internet Archive and Heritrix wrote them until 2009."""

from __future__ import annotations

import gzip
import io
import itertools
import random
import zipfile
from collections.abc import Callable

import pytest
from support import flipped, rows
from support.foreign_files import address, html, http, imported, put, read_pages, run
from warcio.archiveiterator import ArchiveIterator

from locum_spider.importing.records import read_captures
from locum_spider.items import Exchange

SLUGS = [f"n{number}" for number in range(6)]
STAMP, DATE = "20060502100000", "2006-05-02T10:00:00Z"
_FIELDS = {
    1: "URL IP-address Archive-date Content-type Archive-length",
    2: "URL IP-address Archive-date Content-type Result-code Checksum Location Offset Filename Archive-length",
}


def filedesc(version: int = 1, more: str = "") -> bytes:
    block = f"{version} 1 InternetArchive\n{_FIELDS[version]}\n{more}"
    between = " 200 - - 0 x.arc" if version == 2 else ""
    return f"filedesc://x.arc 0.0.0.0 {STAMP} text/plain{between} {len(block)}\n{block}\n".encode()


def arc(url: str, block: bytes, *, version: int = 1, stamp: str = STAMP, kind: str = "text/html") -> bytes:
    between = " 200 e3b0c442 - 4711 x.arc" if version == 2 else ""
    return f"{url} 192.0.2.7 {stamp} {kind}{between} {len(block)}\n".encode() + block + b"\n"


def page(slug: str, version: int = 1) -> bytes:
    return arc(address(slug), http(html(slug)), version=version)


def file_of(version: int = 1, packing: Callable[[bytes], bytes] = bytes) -> bytes:
    return b"".join(map(packing, [filedesc(version), *(page(slug, version) for slug in SLUGS)]))


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def read(data: bytes):
    return read_pages(data, {slug: html(slug) for slug in SLUGS})


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("way", ["plain", "members", "one member"])
def test_both_versions_are_read_in_each_packing(version, way):
    data = {"plain": file_of(version), "members": file_of(version, packed), "one member": packed(file_of(version))}
    assert read(data[way]) == (SLUGS, [])


def test_import(tmp_path):
    files = [put(tmp_path, file_of(), "a.arc"), put(tmp_path, file_of(2, packed), "b.arc.gz")]
    results = imported(tmp_path / "a", *files)
    assert [(result["outcomes"], result["broken"]) for result in results] == [({"new": 6}, []), ({"known": 6}, [])]
    assert rows(tmp_path / "a", "SELECT DISTINCT status, fetched_at FROM captures") == [(200, DATE)]
    assert len(run(tmp_path / "a", "search", "agency", "--json")) == 6
    run(tmp_path / "a", "verify")


def test_an_arc_in_a_package_is_taken(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.wacz", "w") as package:
        package.writestr("archive/x.arc.gz", file_of(1, packed))
    assert imported(tmp_path / "a", tmp_path / "x.wacz")[0]["outcomes"] == {"new": 6}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (arc(address("a b"), http(html())), address("a%20b")),
        (arc(address(), http(html()), kind="text/html; charset=utf-8"), address()),
        (arc(address(), http(html()), stamp="200605021000"), address()),
        (arc(address(), http(html()), stamp="20060502100000123"), address()),
        (arc(address(), http(html(), line_end="\n")), address()),
        (arc(address(), http(html())).replace(b" 192.0.2.7 ", b" 2001:db8::7 "), address()),
        (arc(address(), http(html())).replace(b"192.0.2.7", b"0.0.0.0"), address()),
    ],
)
def test_lines_as_writers_write_them(record, expected):
    found = list(read_captures(io.BytesIO(filedesc() + record)))
    assert [(item.url, item.fetched_at, item.status, item.body) for item in found if isinstance(item, Exchange)] == [
        (expected, DATE, 200, html())
    ]
    assert len(found) == 1


def test_records_that_are_no_captures_are_passed_over():
    dns = arc("dns:locumtoday.co.uk", b"20060502100000\nlocumtoday.co.uk. 60 IN A 192.0.2.1\n", kind="text/dns")
    data = filedesc(more="<?xml version='1.0'?>\n<arcmetadata/>\n") + dns + page("n1") + dns
    assert read(data) == (["n1"], [])


def test_what_we_read_of_version_1_is_what_warcio_reads():
    ours = [(item.url, item.ip, item.body) for item in read_captures(io.BytesIO(file_of()))]
    theirs = [
        (record.rec_headers.get_header("uri"), record.rec_headers.get_header("ip-address"), record.raw_stream.read())
        for record in ArchiveIterator(io.BytesIO(file_of()))
        if record.rec_type == "response"
    ]
    assert ours == theirs


@pytest.mark.parametrize("packing", [bytes, packed])
def test_damage_costs_one_record(packing):
    parts = [packing(filedesc()), *(packing(page(slug)) for slug in SLUGS)]
    starts = [0, *itertools.accumulate(map(len, parts))]
    data, chance = b"".join(parts), random.Random(4)
    for _ in range(60):
        hit = chance.randrange(1, len(SLUGS))
        place = starts[hit] + chance.randrange(10, 60)  # in the line of the record
        slugs, _ = read(flipped(data, place, 1 << chance.randrange(7)))
        others = [slug for slug in SLUGS if slug != SLUGS[hit - 1]]
        assert [slug for slug in slugs if slug in others] == others, place


@pytest.mark.parametrize("garbage", [b"garbage\n", b"\0" * 100, b"http://a.example/ half a line"])
def test_garbage_between_records(garbage):
    data = filedesc() + page("n0") + garbage + b"\n" + page("n1")
    slugs, broken = read(data)
    assert slugs == ["n0", "n1"]
    assert len(broken) == 1


@pytest.mark.parametrize("length", [-1, 10, 5_000, 99_999_999_999])
def test_a_wrong_length_costs_one_record(length):
    bad = page("bad").replace(f" {len(http(html('bad')))}\n".encode(), f" {length}\n".encode(), 1)
    slugs, broken = read(filedesc() + page("n0") + bad + page("n1") + page("n2"))
    assert slugs == ["n0", "n1", "n2"]
    assert len(broken) == 1


def test_a_line_of_arc_in_the_body_of_a_damaged_warc_record_is_no_record():
    inside = b"\n" + arc("http://locumtoday.co.uk/article.php?s=2016-05-01-false-report", http(html("false")))
    warc = b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 99999\r\n\r\n" + http(inside)
    assert [item for item in read_captures(io.BytesIO(warc)) if isinstance(item, Exchange)] == []
