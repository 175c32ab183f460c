"""`locum import` of damaged files: what is broken is named, everything else is taken."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from support import LONGEST, flipped, require_same_rebuilt, rows
from support.foreign_files import address, html, http, imported, members, page, put, read_pages, record, run, state

from locum_spider.importing.records import read_captures
from locum_spider.items import Exchange
from locum_spider.warc.reader import Broken
from locum_spider.warc.writer import payload_digest

SLUGS = [f"n{number}" for number in range(6)]
RECORDS = [page(slug) for slug in SLUGS]
STARTS = [0, *itertools.accumulate(len(members(raw)) for raw in RECORDS)]
PLAIN_STARTS = [0, *itertools.accumulate(map(len, RECORDS))]


def read(data: bytes) -> tuple[list[str], list[Broken]]:
    return read_pages(data, {slug: html(slug) for slug in SLUGS})


def test_cut_at_any_place_members():
    data = members(*RECORDS)
    for cut in range(20, len(data), max(len(data) // 60, 1)):
        slugs, broken = read(data[:cut])
        whole = sum(start <= cut for start in STARTS[1:])
        assert slugs == SLUGS[:whole], cut
        assert [damage.offset for damage in broken] == ([] if cut in STARTS else [STARTS[whole]]), cut


def test_cut_at_any_place_plain():
    data = b"".join(RECORDS)
    for cut in range(30, len(data), len(data) // 60):
        slugs, broken = read(data[:cut])
        whole = sum(start - 4 <= cut for start in PLAIN_STARTS[1:])
        assert slugs == SLUGS[:whole], cut
        assert [damage.offset for damage in broken] in ([], [PLAIN_STARTS[whole]]), cut


@pytest.mark.parametrize("more", [1, 2, 3, 4])
def test_a_cut_in_the_first_bytes_of_a_record_does_not_cost_the_one_before(more):
    slugs, broken = read(b"".join(RECORDS)[: PLAIN_STARTS[3] + more])
    assert slugs == SLUGS[:3]
    assert [damage.offset for damage in broken] == [PLAIN_STARTS[3]]


def test_cut_at_any_place_of_one_member_keeps_what_came_before():
    noise = [record(address(slug), http(html(slug) + random.Random(slug).randbytes(3000))) for slug in SLUGS]
    data = gzip.compress(b"".join(noise), mtime=0)
    counts = []
    for cut in range(2000, len(data), len(data) // 60):
        items = list(read_captures(io.BytesIO(data[:cut])))
        counts.append(sum(isinstance(item, Exchange) for item in items))
        assert sum(isinstance(item, Broken) for item in items) == 1
    assert counts == sorted(counts)
    assert counts[-1] == len(SLUGS) - 1
    assert counts[len(counts) // 2] >= 2


def test_flipped_bit_costs_one_record_of_members():
    data = members(*RECORDS)
    chance = random.Random(1)
    for _ in range(200):
        place = chance.randrange(3, len(data))
        slugs, broken = read(flipped(data, place, 1 << chance.randrange(8)))
        hit = sum(start <= place for start in STARTS) - 1
        others = [slug for slug in SLUGS if slug != SLUGS[hit]]
        assert slugs in (others, SLUGS), place  # a time or name in the gzip head changes nothing
        if slugs != SLUGS:
            assert [damage.offset for damage in broken] == [STARTS[hit]], place


def test_flipped_bit_costs_one_record_of_a_plain_file():
    digests = [
        record(address(slug), block, WARC_Block_Digest=payload_digest(block))
        for slug, block in zip(SLUGS, [http(html(slug)) for slug in SLUGS], strict=True)
    ]
    starts = [0, *itertools.accumulate(map(len, digests))]
    data = b"".join(digests)
    chance = random.Random(2)
    for _ in range(200):
        place = chance.randrange(5, len(data))
        items = list(read_captures(io.BytesIO(flipped(data, place, 1 << chance.randrange(7)))))
        hit = sum(start <= place for start in starts) - 1
        bodies = [item.body for item in items if isinstance(item, Exchange)]
        assert set(map(html, SLUGS)) - set(bodies) <= {html(SLUGS[hit])}, place
        assert all(body in set(map(html, SLUGS)) for body in bodies), place


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("garbage", [b"garbage", b"\r\n\r\ngarbage\r\n", b"\0" * 1000, random.Random(3).randbytes(5000),
                                     b"\x1f\x8b\x08" + b"x" * 200, b"WARC/1.0\r\nno end"])  # fmt: skip
def test_garbage_between_records(garbage, packed):
    first, *rest = [members(raw) if packed else raw for raw in RECORDS]
    slugs, broken = read(first + garbage + b"".join(rest))
    assert slugs == SLUGS
    if garbage.startswith(b"WARC/") or (packed and not garbage.strip(b"\0")):
        return  # half a head before a whole one, and what gzip itself passes over
    assert [damage.offset for damage in broken] == [
        len(first) + (4 if garbage.startswith(b"\r\n") and not packed else 0)
    ]  # fmt: skip


@pytest.mark.parametrize("packed", [True, False, None], ids=["members", "plain", "one member"])
@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("too long", record(address("bad"), http(html("bad")), Content_Length="999999")),
        ("by far too long", record(address("bad"), http(html("bad")), Content_Length="99999999999999")),
        ("one too long", record(address("bad"), http(html("bad")), Content_Length=str(len(http(html("bad"))) + 20))),
        ("too short", record(address("bad"), http(html("bad")), Content_Length="100")),
        ("no length", record(address("bad"), http(html("bad")), Content_Length=None)),
        ("negative", record(address("bad"), http(html("bad")), Content_Length="-5")),
        ("words", record(address("bad"), http(html("bad")), Content_Length="many")),
        ("no time", record(address("bad"), http(html("bad")), WARC_Date=None)),
        ("wrong time", record(address("bad"), http(html("bad")), WARC_Date="yesterday")),
        ("not HTTP", record(address("bad"), b"this is no response at all")),
        ("nothing", record(address("bad"), b"")),
        ("wrong digest", record(address("bad"), http(html("bad")), WARC_Block_Digest="sha1:" + "A" * 32)),
        ("wrong payload", record(address("bad"), http(html("bad")), WARC_Payload_Digest="md5:" + "0" * 32)),
        ("no fields", b"WARC/1.0\r\n\r\n\r\n\r\n"),
    ],
)
def test_broken_record_is_named_and_everything_behind_it_taken(name, bad, packed):
    around = [*RECORDS[:2], bad, *RECORDS[2:]]
    if packed is None:
        data, place = gzip.compress(b"".join(around)), 0
    else:
        data = members(*around) if packed else b"".join(around)
        place = STARTS[2] if packed else PLAIN_STARTS[2]
    slugs, broken = read(data)
    assert slugs == SLUGS
    assert [damage.offset for damage in broken] == [place]
    assert all(damage.fault for damage in broken)


@pytest.mark.parametrize("field", ["WARC-Block-Digest", "WARC-Payload-Digest"])
def test_a_record_whose_digest_is_wrong_is_taken_and_marked_if_asked(tmp_path, field):
    stated = "sha1:" + "A" * 32
    bad = record(address("bad"), http(html("bad")), **{field: stated})
    file, archive = put(tmp_path, members(RECORDS[0], bad, RECORDS[1])), tmp_path / "a"
    (refused,) = imported(archive, file)
    assert (refused["outcomes"], len(refused["broken"]), refused["wrong_digests"]) == ({"new": 2}, 1, [])
    (taken,) = run(archive, "import", file, "--damaged", "--json")
    assert (taken["outcomes"], taken["broken"]) == ({"new": 1, "known": 2}, [])
    assert taken["wrong_digests"] == [address("bad")]
    marked = "SELECT url, stated_digest FROM captures WHERE stated_digest IS NOT NULL"
    assert rows(archive, marked) == [(address("bad"), stated)]
    assert f"another digest, {stated}" in run(archive, "show", address("bad"), "--evidence")
    require_same_rebuilt(archive)
    assert rows(archive, marked) == [(address("bad"), stated)]
    assert "kept, though its digest is wrong" in run(tmp_path / "b", "import", file, "--damaged")


def test_pages_that_are_not_read_have_a_reason(tmp_path):
    gone = [record(address(f"gone{n}"), http(b"", status="HTTP/1.1 404 Not Found")) for n in range(3)]
    image = record(address("image"), http(b"PNG", "Content-Type: image/png"))
    file, archive = put(tmp_path, members(RECORDS[0], *gone, image)), tmp_path / "a"
    (result,) = imported(archive, file)
    reasons = {(entry["url"], entry["outcome"], entry["reason"]) for entry in result["unread"]}
    assert reasons == {(address(f"gone{n}"), "failed", "HTTP 404 Not Found") for n in range(3)} | {
        (address("image"), "not_article", "it is image/png, not a page")
    }
    table = "SELECT url, unread FROM captures WHERE unread IS NOT NULL"
    assert set(rows(archive, table)) == {(url, reason) for url, _, reason in reasons}
    require_same_rebuilt(archive)
    assert len(rows(archive, table)) == 4
    text = " ".join(run(tmp_path / "b", "import", file).replace("!", "").split())
    assert f"not read, HTTP 404 Not Found: 3 pages, first {address('gone0')}" in text


def test_faults_are_printed_with_file_and_byte(tmp_path):
    bad = record(address("bad"), b"this is no response at all")
    output = run(tmp_path / "a", "import", put(tmp_path, members(RECORDS[0], *[bad] * 12, RECORDS[1])))
    text = " ".join(output.replace("!", "").split())
    assert f"skipped, broken: foreign.warc.gz, byte {STARTS[1]:,}: the record holds no HTTP response" in text
    assert "and 2 more" in output
    assert "2 new" in output


def test_import_twice_doubles_nothing(tmp_path):
    file = put(tmp_path, members(*RECORDS, page(SLUGS[0], "Another text.", "2016-06-01T00:00:00Z")))
    imported(tmp_path / "a", file)
    before, records = state(tmp_path / "a"), rows(tmp_path / "a", "SELECT count(*) FROM records")
    (again,) = imported(tmp_path / "a", file)
    assert again["outcomes"] == {"known": 7}
    assert state(tmp_path / "a") == before
    assert rows(tmp_path / "a", "SELECT count(*) FROM records") == records


def test_killed_at_any_time_and_run_again_is_as_if_never_killed(tmp_path):
    many = [
        page(f"n{number}", f"Paragraph {number % 40}.", f"2016-05-02T10:{number % 60:02}:00Z") for number in range(300)
    ]
    file = put(tmp_path, members(*many, *many[:20], page("n3", "Changed.", "2017-01-01T00:00:00Z")))
    imported(tmp_path / "whole", file)
    command = [sys.executable, "-m", "locum_spider", "import", file, "--archive", tmp_path / "killed"]
    database, killed = tmp_path / "killed" / "archive.db", 0
    for least in (1, 70, 150):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + LONGEST
        while process.poll() is None and time.monotonic() < end:
            if database.exists() and captures(tmp_path / "killed") >= least:
                os.kill(process.pid, signal.SIGKILL)
                break
            time.sleep(0.002)
        killed += process.wait() == -signal.SIGKILL
    assert killed
    imported(tmp_path / "killed", file)
    assert state(tmp_path / "killed") == state(tmp_path / "whole")
    assert run(tmp_path / "killed", "verify")


def captures(archive) -> int:
    try:
        return rows(archive, "SELECT count(*) FROM captures")[0][0]
    except Exception:  # noqa: BLE001 - there are no tables yet
        return 0
