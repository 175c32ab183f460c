"""`locum import` of what hardly anybody writes: nothing ends it, nothing vanishes, and a rebuild gives the same."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from support import require_same_rebuilt, rows
from support.foreign_files import DATE, address, html, http, imported, members, page, put, record, revisit, run

from locum_spider.warc.mementos import memento_of

LATER = "2017-01-01T00:00:00Z"
LAST = "2018-01-01T00:00:00Z"
TYPE = "Content-Type: text/html; charset=utf-8"


def unchanged(date: str, slug: str = "one") -> bytes:
    return record(address(slug), http(b"", 'ETag: "a"', status="HTTP/1.1 304 Not Modified"), date=date)


def taken(tmp_path, *records: bytes) -> dict[str, object]:
    """An import, its archive sound and the same after a rebuild, and nothing new when it is run again."""
    file, archive = put(tmp_path, members(*records)), tmp_path / "a"
    (result,) = imported(archive, file)
    (again,) = imported(archive, file)
    assert set(again["outcomes"]) <= {"known"}
    if rows(archive, "SELECT count(*) FROM captures") != [(0,)]:
        require_same_rebuilt(archive)
        run(archive, "verify")
    return result


# -- which captures are known ------------------------------------------------------------------------------------------


def test_304_and_200_of_one_second_are_two_captures(tmp_path):
    result = taken(tmp_path, page(), unchanged(LATER), page(date=LATER))
    assert result["outcomes"] == {"new": 1, "unchanged": 2}
    assert rows(tmp_path / "a", "SELECT status FROM captures ORDER BY id") == [(200,), (304,), (200,)]


def test_304_is_known_whatever_body_came_in_since(tmp_path):
    result = taken(tmp_path, page(text="First."), unchanged(LAST), page(text="Then.", date=LATER))
    assert sum(result["outcomes"].values()) == 3


def test_not_modified_revisit_beside_a_page_that_is_cut_short(tmp_path):
    whole = revisit(address(), LATER, body=html(), profile="server-not-modified")
    cut = record(address(), http(html()), date=LATER, WARC_Truncated="length")
    taken(tmp_path, page(), whole, cut)


# -- addresses and times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", [address("tw\ro"), address("a b"), address("tw\x00o"), address("tw\x85o")])
def test_no_address_breaks_a_header(tmp_path, uri):
    taken(tmp_path, record(uri, http(html())))
    for url, file, offset in rows(tmp_path / "a", "SELECT url, warc_file, warc_offset FROM captures"):
        with (tmp_path / "a" / "warc" / file).open("rb") as warc:
            warc.seek(offset)
            assert f"WARC-Target-URI: {url}\r\n".encode() in gzip.GzipFile(fileobj=warc).read(2000)


def test_an_escaped_line_end_in_an_address_of_a_web_archive_stays_escaped(tmp_path):
    uri = "https://web.archive.org/web/20160502100000id_/http%3A%2F%2Flocumtoday.co.uk%2Fx%0D%0AWARC-Truncated:%20time"
    taken(tmp_path, record(uri, http(html())))
    assert rows(tmp_path / "a", "SELECT url, truncated FROM captures") == [
        ("http://locumtoday.co.uk/x%0D%0AWARC-Truncated:%20time", None)
    ]


@pytest.mark.parametrize(
    ("page", "url"),
    [("a.example/x?u=http://b.example/", "http://a.example/x?u=http://b.example/"),
     ("a.de/%C3%BC%3F", "http://a.de/%C3%BC%3F"), ("HTTP:/a.de/%3F", "http://a.de/%3F")],
)  # fmt: skip
def test_a_page_behind_an_address_keeps_its_words(page, url):
    assert memento_of(f"https://web.archive.org/web/2017id_/{page}").url == url


def test_scheme_in_capitals(tmp_path):
    assert taken(tmp_path, record(address().replace("http", "HTTP"), http(html())))["outcomes"] == {"new": 1}


@pytest.mark.parametrize(
    "date", ["201804101545", "2018111015", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"]
)
def test_what_is_no_time_is_told_and_the_next_record_read(tmp_path, date):
    result = taken(tmp_path, record(address(), http(html()), date=date), page("two"))
    assert result["outcomes"] == {"new": 1}
    (fault,) = result["broken"]
    assert f"the record's WARC-Date is not a time: {date!r}" in fault


@pytest.mark.parametrize("made", ["Fri, 31 Dec 9999 23:59:59 -0100", "Mon, 02 May 2016 10:00:00 +99999999999999999"])
def test_a_memento_s_time_beyond_the_calendar_gives_way_to_that_of_its_address(tmp_path, made):
    uri = f"https://web.archive.org/web/20160502100000id_/{address()}"
    result = taken(tmp_path, record(uri, http(html(), TYPE, f"Memento-Datetime: {made}")))
    assert result["outcomes"] == {"new": 1}
    assert rows(tmp_path / "a", "SELECT fetched_at FROM captures") == [(DATE,)]


# -- heads -------------------------------------------------------------------------------------------------------------


def test_content_length_of_thousands_of_digits(tmp_path):
    assert taken(tmp_path, record(address(), http(html(), TYPE, "Content-Length: " + "9" * 5000)))["outcomes"] == {
        "new": 1
    }


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"WARC_Type": None}, "it has no WARC-Type"),
        ({"WARC_Type": "respnnse"}, "'respnnse'"),
        ({"WARC_Target_URI": None}, "it has no WARC-Target-URI"),
    ],
)
def test_what_a_header_lacks_is_reported(tmp_path, fields, fault):
    result = taken(tmp_path, record(address(), http(html()), **fields), page("two"))
    assert result["outcomes"] == {"new": 1}
    assert [line.rpartition(": ")[2] for line in result["broken"]] == [fault]


def test_a_segment_is_not_the_page(tmp_path):
    half = len(html()) // 2
    result = taken(
        tmp_path,
        record(address(), http(html()[:half], TYPE, "Transfer-Encoding: chunked"), WARC_Segment_Number="1"),
        record(address(), html()[half:], "continuation", WARC_Segment_Number="2"),
    )
    assert result["outcomes"] == {"failed": 1}
    assert result["cut_short"] == [address()]


def test_no_bug_ends_an_import(tmp_path, monkeypatch):
    def broken(_target, fields, _block, _digests):
        raise RecursionError(fields["warc-date"])

    monkeypatch.setattr("locum_spider.importing.captures.read_capture", broken)
    (result,) = imported(tmp_path / "a", put(tmp_path, members(page(), page("two"))), code=6)
    assert [line.partition(": ")[2] for line in result["broken"]] == [
        f"a bug in locum: RecursionError: {DATE}; please report it"
    ] * 2


# -- what a 304 stands for ---------------------------------------------------------------------------------------------


def test_a_304_confirms_the_last_answer_not_the_first_with_its_bytes(tmp_path):
    promised = http(html(), TYPE, f"Content-Length: {len(html()) + 10}")
    result = taken(tmp_path, record(address(), promised), page(date=LATER), unchanged(LAST))
    assert result["outcomes"] == {"failed": 1, "new": 1, "unchanged": 1}
    assert rows(tmp_path / "a", "SELECT last_seen FROM articles") == [(LAST,)]


def test_a_304_of_a_page_that_is_cut_short_is_not_read_either(tmp_path):
    cut = record(address(), http(html()), WARC_Truncated="length")
    assert taken(tmp_path, cut, unchanged(LATER), unchanged(LAST))["outcomes"] == {"failed": 3}


def test_a_packed_page_of_a_web_archive_that_a_304_stands_for(tmp_path):
    packed = gzip.compress(html(), mtime=0)
    uri = f"https://web.archive.org/web/20160502100000id_/{address()}"
    first = record(uri, http(packed, TYPE, "x-archive-orig-content-encoding: gzip"))
    own = record(address(), http(packed, TYPE, "Content-Encoding: gzip"), date=LATER)
    assert taken(tmp_path, first, own, unchanged(LAST))["outcomes"] == {"new": 1, "unchanged": 2}


# -- packings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_told_and_the_next_read(tmp_path, packing):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as container:
        container.writestr("archive/a.warc", page())
        container.writestr("archive/b.warc", page("two"))
    data = bytearray(buffer.getvalue())
    for at in range(52, 90):
        data[at] ^= 0xFF
    (result,) = imported(tmp_path / "a", put(tmp_path, bytes(data), "a.wacz"))
    assert any("a.warc" in fault for fault in result["broken"])
    assert rows(tmp_path / "a", "SELECT url FROM captures WHERE url = ?", address("two"))


def test_line_ends_without_end_are_passed_over(tmp_path):
    packed = gzip.compress(page() + b"\r\n" * 3_000_000, mtime=0)
    (result,) = imported(tmp_path / "a", put(tmp_path, packed + members(page("two"))))
    assert result["outcomes"] == {"new": 2}
    assert not result["broken"]
