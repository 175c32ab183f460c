"""What an import costs grows with its input and no faster, whatever the input is; memory does not grow at all."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections import Counter
from collections.abc import Callable

import lz4.frame
import pytest
from backports import zstd
from support.foreign_files import address, html, http, page, record
from support.work import calls

from locum_spider.importing.records import read_captures
from locum_spider.items import Exchange

FIRST, LAST = page("first"), page("last")
TINY = b"WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
ARC = b"filedesc://x.arc 0.0.0.0 20060502100000 text/plain 0\n\n"


def gz(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def between(pack: Callable[[bytes], bytes], middle: bytes, number: int) -> bytes:
    return pack(FIRST) + middle * number + pack(LAST)


def lie(length: int) -> bytes:
    return record(address("lie"), http(html("lie")), Content_Length=str(length))


COSTLY: dict[str, Callable[[int], bytes]] = {
    "empty gzip members": lambda n: between(gz, gz(b""), n),
    "gzip members of a byte": lambda n: between(gz, gz(b"x"), n),
    "gzip members of a line end": lambda n: between(gz, gz(b"\n"), n),
    "heads of gzip members": lambda n: between(gz, b"\x1f\x8b\x08\0\0\0\0\0\0\xff", n),
    "first bytes of gzip members": lambda n: between(gz, b"\x1f\x8b\x08", 10 * n),
    "empty zstd frames": lambda n: between(zstd.compress, zstd.compress(b""), n),
    "zstd frames to skip": lambda n: between(zstd.compress, b"\x50\x2a\x4d\x18\0\0\0\0", n),
    "first bytes of zstd frames": lambda n: between(zstd.compress, b"\x28\xb5\x2f\xfd", n),
    "empty lz4 frames": lambda n: between(lz4.frame.compress, lz4.frame.compress(b""), n),
    "lies in gzip": lambda n: between(gz, gz(lie(10_000_000_000)), n),
    "small lies in gzip": lambda n: between(gz, gz(lie(300_000)), n),
    "lies": lambda n: between(bytes, lie(10_000_000_000), n),
    "small lies": lambda n: between(bytes, lie(300_000), n),
    "lies in one member": lambda n: gz(between(bytes, lie(10_000_000_000), n)),
    "tiny records": lambda n: between(bytes, TINY, n),
    "tiny records in gzip": lambda n: between(gz, gz(TINY), n),
    "heads without an end": lambda n: between(bytes, b"WARC/1.0\r\nA:", n),
    "heads that end together": lambda n: between(bytes, b"WARC/1.0\r\nA: b\r\n" * 5 + b"\r\n", n),
    "folded lines": lambda n: between(bytes, b"WARC/1.0\r\nA: b\r\n c\r\n d\r\n", n),
    "lines of ARC": lambda n: ARC + b"http://a.example/ 192.0.2.7 20060502100000 text/html 9999999\n" * n,
    "times in a line of ARC": lambda n: ARC + (b"http:" + b"a 1 20060502100000 " * 50 + b"\n") * n,
}


def read(data: bytes) -> None:
    for _ in read_captures(io.BytesIO(data)):
        pass


@pytest.mark.parametrize("kind", COSTLY)
def test_twice_the_input_is_at_most_twice_the_work(kind):
    few, many = (COSTLY[kind](number) for number in (200, 800))
    read(few)
    less = calls(lambda: read(few))
    assert calls(lambda: read(many)) <= 4.5 * less


@pytest.mark.parametrize("kind", [kind for kind in COSTLY if "ARC" not in kind])
def test_what_stands_before_and_behind_is_read(kind):
    urls = Counter(item.url for item in read_captures(io.BytesIO(COSTLY[kind](50))) if isinstance(item, Exchange))
    assert urls.keys() >= {address("first")}
    assert address("last") in urls or kind in {"heads without an end", "small lies", "small lies in gzip"}


@pytest.mark.parametrize("pack", [gz, zstd.compress, lz4.frame.compress], ids=["gzip", "zstd", "lz4"])
def test_a_bomb_costs_itself_alone_and_no_memory(pack):
    bomb = pack(record(address("bomb"), http(bytes(30_000_000))))
    data = pack(FIRST) + bomb * 4 + pack(LAST)
    tracemalloc.start()
    urls = [item.url for item in read_captures(io.BytesIO(data), limit=1_000_000) if isinstance(item, Exchange)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert urls == [address("first"), address("last")]
    assert peak < 8_000_000


def test_bodies_held_until_their_requests_come_do_not_add_up():
    data = gz(b"".join(record(address(f"n{n}"), http(bytes(8_000_000))) for n in range(12)))
    tracemalloc.start()
    for _ in read_captures(io.BytesIO(data)):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 80_000_000
