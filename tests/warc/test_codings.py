"""Content codings: what servers send, what they send by mistake, and what they send to do harm."""

from __future__ import annotations

import gzip
import random
import string
import tracemalloc
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from locum_spider.errors import PageError
from locum_spider.warc.codings import decode_content, is_whole, undo_chunks

PAGE = b"<!DOCTYPE html><p>Rates of pay for locums</p>" * 50
LIMIT = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def zstandard(data: bytes) -> bytes:
    try:
        from compression import zstd
    except ImportError:
        from backports import zstd
    return zstd.compress(data)


ENCODERS = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw": ("deflate", raw_deflate),
    "br": ("br", lambda data: brotli.compress(data, quality=1)),
    "zstd": ("zstd", zstandard),
}
every_encoder = pytest.mark.parametrize("name", sorted(ENCODERS))


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        (" GZip ", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", raw_deflate),
        ("deflate", gzip.compress),  # the two names are mixed up by servers
        ("gzip", zlib.compress),
        ("gzip, identity", gzip.compress),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
        ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
        ("br", brotli.compress),
        ("zstd", zstandard),
        ("gzip, br", lambda data: brotli.compress(gzip.compress(data))),
        ("identity", bytes),
        ("", bytes),
        (None, bytes),
    ],
)
def test_coding_is_undone(coding, encode):
    assert decode_content(encode(PAGE), coding, limit=LIMIT) == PAGE


@given(data=st.binary(max_size=2000), name=st.sampled_from(sorted(ENCODERS)))
def test_any_bytes_survive_the_round_trip(data, name):
    coding, encode = ENCODERS[name]
    assert decode_content(encode(data), coding, limit=LIMIT) == data


def test_all_gzip_members_are_read():
    body = gzip.compress(b"one ") + gzip.compress(b"two ") + gzip.compress(b"three")
    assert decode_content(body, "gzip", limit=LIMIT) == b"one two three"


@pytest.mark.parametrize("behind", [b"\0" * 40, b"trailing junk", b"\r\n"])
def test_bytes_behind_the_last_member_are_no_part_of_the_body(behind):
    assert decode_content(gzip.compress(PAGE) + behind, "gzip", limit=LIMIT) == PAGE


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_plain_page_under_a_coding_it_does_not_have_is_read_as_it_is(coding):
    assert decode_content(PAGE, coding, limit=LIMIT) == PAGE
    assert decode_content(b"\r\n " + PAGE, coding, limit=LIMIT) == b"\r\n " + PAGE


def test_empty_body_is_empty_under_any_coding():
    assert decode_content(b"", "gzip", limit=LIMIT) == b""


@every_encoder
@pytest.mark.parametrize("left", [0.5, 0.95])
def test_truncated_body_is_an_error_and_not_half_a_page(name, left):
    coding, encode = ENCODERS[name]
    whole = encode(random.Random(1).randbytes(5000))
    with pytest.raises(PageError, match="too early" if name != "br" else "too early|broken"):
        decode_content(whole[: int(len(whole) * left)], coding, limit=LIMIT)


def test_truncated_second_member_is_an_error():
    body = gzip.compress(b"first") + gzip.compress(random.Random(1).randbytes(500))[:200]
    with pytest.raises(PageError, match="too early"):
        decode_content(body, "gzip", limit=LIMIT)


@pytest.mark.parametrize("name", ["gzip", "zlib", "br", "zstd"])
def test_broken_data_is_an_error(name):
    coding, encode = ENCODERS[name]
    body = bytearray(encode(PAGE))
    body[4:40] = b"\xff" * 36
    with pytest.raises(PageError, match="broken"):
        decode_content(bytes(body), coding, limit=LIMIT)


@pytest.mark.parametrize("coding", ["compress", "sdch", "gzip, exi"])
def test_unknown_coding_is_named_in_the_error(coding):
    with pytest.raises(PageError, match=repr(coding.split()[-1])):
        decode_content(b"\x8b\x02\x80", coding, limit=LIMIT)


@every_encoder
def test_limit_counts_unpacked_bytes(name):
    coding, encode = ENCODERS[name]
    assert decode_content(encode(b"x" * 1000), coding, limit=1000) == b"x" * 1000
    with pytest.raises(PageError, match="limit of 1,000"):
        decode_content(encode(b"x" * 1001), coding, limit=1000)


def test_limit_holds_for_bodies_without_coding_and_over_all_members():
    assert decode_content(b"x" * 1000, None, limit=1000) == b"x" * 1000
    with pytest.raises(PageError, match="1,001 bytes"):
        decode_content(b"x" * 1001, None, limit=1000)
    with pytest.raises(PageError, match="limit"):
        decode_content(gzip.compress(b"x" * 600) * 2, "gzip", limit=1000)


@every_encoder
def test_bomb_is_refused_before_it_fills_the_memory(name):
    coding, encode = ENCODERS[name]
    bomb = encode(b"\0" * 20_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(PageError, match="limit"):
            decode_content(bomb, coding, limit=100_000)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_bomb_in_a_bomb_is_refused():
    bomb = gzip.compress(gzip.compress(b"\0" * 20_000_000))
    with pytest.raises(PageError, match="limit"):
        decode_content(bomb, "gzip, gzip", limit=100_000)


def test_raw_deflate_that_begins_with_a_less_than_sign_is_undone():
    """`<` (0x3C) is also the first byte of raw deflate that repeats 9 bytes at most in a first block of several."""
    chance = random.Random(1)
    chunks = []
    for _ in range(400):
        word = "".join(chance.choices(string.ascii_lowercase, k=9)).encode()
        chunks += [bytes([128 + i]) + word + bytes([255 - i]) for i in range(60)]
    chance.shuffle(chunks)
    page = b"".join(chunks)
    body = raw_deflate(page)
    assert body[:1] == b"<", "the stream no longer shows what this test is about"
    assert decode_content(body, "deflate", limit=LIMIT) == page


@given(chunks=st.lists(st.binary(min_size=1, max_size=300)))
def test_chunks_are_undone(chunks):
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert undo_chunks(framed) == b"".join(chunks)


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"5\r\nhel", b"5\r\nhello\r\n", b"-4\r\nWiki\r\n0\r\n\r\n", b"xyz\r\nWiki", b"\r\n\r\n"]
)
def test_broken_chunks_leave_the_body_as_it_is(body):
    assert undo_chunks(body) == body


def test_chunk_extensions_and_trailers_are_no_part_of_the_body():
    assert undo_chunks(b"4;name=x\r\nWiki\r\nA \r\n1234567890\r\n0\r\nExpires: 0\r\n\r\n") == b"Wiki1234567890"


# -- what servers say of a body, and what it is -----------------------------------------------------------------------

TEXTS = {
    "page": PAGE,
    "mark": b"\xef\xbb\xbf" + PAGE,
    "notice": b"Notice: undefined index<br>" + PAGE,
    "kay": b"kK {[;+3sS cC words before it, " + PAGE,
    "zlib-like": b"x^ and x\x9c are how zlib begins" + PAGE,
    "wide": PAGE.decode().encode("utf-16"),
    "latin": "Café über alles".encode("latin-1"),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize(
    "coding", ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, br", "utf-8", "none", "binary", "8bit, gzip"]
)
def test_text_is_text_whatever_it_is_called(text, coding):
    assert decode_content(text, coding, limit=LIMIT) == text


@every_encoder
@pytest.mark.parametrize("said", ["{}, utf-8", "none, {}", "{},", '"{}"', "{}, {}"])
def test_a_name_of_nothing_hides_no_coding(name, said):
    coding, encode = ENCODERS[name]
    if name in {"raw", "br"} and said == "{}, utf-8":
        pytest.skip("its bytes have no mark: behind a name that we do not know they may be anything")
    assert decode_content(encode(PAGE), said.format(coding, coding), limit=LIMIT) == PAGE


@pytest.mark.parametrize("coding", [None, "", "identity", "gzip", "br", "text/html"])
def test_gzip_is_undone_by_its_mark(coding):
    assert decode_content(gzip.compress(PAGE), coding, limit=LIMIT) == PAGE


@pytest.mark.parametrize("name", ["gzip", "zlib", "raw", "zstd"])
def test_what_comes_before_a_break_can_be_salvaged(name):
    coding, encode = ENCODERS[name]
    data = b"".join(b"Disallow: /%d\n" % number for number in range(20_000))
    found = decode_content(encode(data)[:-300], coding, limit=LIMIT, salvage=True)
    assert data.startswith(found)
    assert len(found) > len(data) // 3


@pytest.mark.parametrize(
    ("body", "coding", "whole"),
    [
        (b"<html><p>1</p></html>", None, True),
        (b"<html><p>1</p></HTML >\n<!-- cached -->\n<!-- 2 -->", None, True),
        (b"<html><p>1</p></html><!-- cached", None, False),
        (b"<html><p>1</p>", None, False),
        (b"<rss></rss>\n", None, True),
        (gzip.compress(b"<p>1", mtime=0), "gzip", True),
        (gzip.compress(b"<p>1", mtime=0)[:-5], "gzip", False),
        (b"", None, False),
    ],
)
def test_a_body_shows_whether_it_is_whole(body, coding, whole):
    assert is_whole(body, coding, limit=LIMIT) is whole


class CountedInflate:
    """Counts the bytes that are handed to zlib: what lies behind a member is copied there."""

    handed = 0

    def __init__(self, wbits):
        self._inflate = zlib_decompressobj(wbits)

    def decompress(self, data, limit):
        CountedInflate.handed += len(data)
        return self._inflate.decompress(data, limit)

    def __getattr__(self, name):
        return getattr(self._inflate, name)


zlib_decompressobj = zlib.decompressobj


def test_many_members_cost_what_they_are_long(monkeypatch):
    monkeypatch.setattr(zlib, "decompressobj", CountedInflate)

    def work(number):
        CountedInflate.handed = 0
        assert decode_content(gzip.compress(b"", mtime=0) * number, "gzip", limit=LIMIT) == b""
        return CountedInflate.handed

    assert work(4_000) < 2.2 * work(2_000)
