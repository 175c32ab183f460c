"""`locum import` of `.warc.zst`, as ArchiveTeam and forks of Heritrix write them: frames, dictionaries, damage."""

from __future__ import annotations

import itertools
import random
import resource
import zipfile
from functools import partial

import pytest
from backports import zstd
from support import flipped, python, rows
from support.foreign_files import HOME, address, html, http, imported, page, put, read_pages, record, run

from locum_spider.warc.reader import Broken

OPTIONS = {zstd.CompressionParameter.checksum_flag: 1, zstd.CompressionParameter.compression_level: 9}
SLUGS = [f"n{number}" for number in range(12)]
RECORDS = [page(slug, f"Paragraph {slug}.") for slug in SLUGS]
DICTIONARY = zstd.train_dict([page(f"s{n}", f"Sample {n * n}.") for n in range(300)], 4000)


def frame(data: bytes, dictionary: zstd.ZstdDict | None = None) -> bytes:
    return zstd.compress(data, options=OPTIONS, zstd_dict=dictionary)


def skippable(data: bytes, number: int = 0) -> bytes:
    return (0x184D2A50 + number).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data


def read(data: bytes) -> tuple[list[str], list[Broken]]:
    return read_pages(data, {slug: html(slug, f"Paragraph {slug}.") for slug in SLUGS})


PLAIN = b"".join(frame(raw) for raw in RECORDS)
KNOWN = DICTIONARY.dict_content
WAYS = {
    "a frame a record": PLAIN,
    "one frame": frame(b"".join(RECORDS)),
    "several frames a record": b"".join(frame(raw[:100]) + frame(raw[100:]) for raw in RECORDS),
    "a dictionary": skippable(KNOWN, 13) + b"".join(frame(raw, DICTIONARY) for raw in RECORDS),
    "a packed dictionary": skippable(frame(KNOWN), 13) + b"".join(frame(raw, DICTIONARY) for raw in RECORDS),
    "other frames between": b"".join(frame(raw) + skippable(b"index" * 20_000, 3) for raw in RECORDS),
    "empty frames": frame(b"") + b"".join(frame(raw) + frame(b"") for raw in RECORDS),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_packing_is_read(way):
    assert read(WAYS[way]) == (SLUGS, [])


@pytest.mark.parametrize("way", ["a frame a record", "a packed dictionary"])
def test_import(tmp_path, way):
    (result,) = imported(tmp_path / "a", put(tmp_path, WAYS[way], "x.warc.zst"))
    assert (result["outcomes"], result["broken"]) == ({"new": 12}, [])
    assert len(run(tmp_path / "a", "search", '"Paragraph n7"', "--json")) == 1
    run(tmp_path / "a", "verify")


def test_the_program_zstd_packs_a_whole_file_as_one(tmp_path):
    noise = random.Random(1)
    bodies = [record(address(slug), http(html(slug, f"Paragraph {slug}."))) for slug in SLUGS]
    blobs = [record(f"{HOME}{n}.bin", http(noise.randbytes(400_000), "Content-Type: image/png")) for n in range(12)]
    plain = b"".join(itertools.chain(*zip(blobs, bodies, strict=True)))
    (result,) = imported(tmp_path / "a", put(tmp_path, zstd.compress(plain), "x.warc.zst"))
    assert result["outcomes"] == {"new": 12, "not_listing": 12}


STARTS = [0, *itertools.accumulate(len(frame(raw)) for raw in RECORDS)]


def test_cut_at_any_place():
    for cut in range(len(frame(RECORDS[0])), len(PLAIN), 101):
        slugs, broken = read(PLAIN[:cut])
        whole = sum(start <= cut for start in STARTS[1:])
        assert slugs == SLUGS[:whole], cut
        assert [damage.offset for damage in broken] == ([] if cut in STARTS else [STARTS[whole]]), cut


@pytest.mark.parametrize("way", ["a frame a record", "a packed dictionary"])
def test_flipped_bit_costs_one_record(way):
    data = WAYS[way]
    first = len(data) - len(b"".join(frame(raw, DICTIONARY if "dict" in way else None) for raw in RECORDS))
    sizes = (len(frame(raw, DICTIONARY if "dict" in way else None)) for raw in RECORDS)
    starts = list(itertools.accumulate(sizes, initial=first))
    chance = random.Random(1)
    for _ in range(100):
        place = chance.randrange(first, len(data))
        slugs, broken = read(flipped(data, place, 1 << chance.randrange(8)))
        hit = sum(start <= place for start in starts) - 1
        assert slugs in ([slug for slug in SLUGS if slug != SLUGS[hit]], SLUGS), place
        if slugs != SLUGS:
            assert [damage.offset for damage in broken] == [starts[hit]], place


@pytest.mark.parametrize("garbage", [b"garbage", random.Random(3).randbytes(5000), b"\x28\xb5\x2f\xfd" + b"x" * 200])
def test_garbage_between_frames(garbage):
    first = frame(RECORDS[0])
    slugs, broken = read(first + garbage + PLAIN[len(first) :])
    assert slugs == SLUGS
    assert [damage.offset for damage in broken] == [len(first)]


def test_a_damaged_record_in_a_frame_of_its_own_is_named(tmp_path):
    bad = record(address("bad"), b"this is no response at all")
    data = frame(RECORDS[0]) + frame(bad) + frame(RECORDS[1])
    (result,) = imported(tmp_path / "a", put(tmp_path, data, "x.warc.zst"))
    assert result["outcomes"] == {"new": 2}
    assert result["broken"] == [f"x.warc.zst, byte {len(frame(RECORDS[0])):,}: the record holds no HTTP response"]


@pytest.mark.parametrize(
    "dictionary",
    [b"no dictionary at all", frame(b"neither when unpacked"), frame(KNOWN)[:-9], b"",
     zstd.train_dict([page(f"o{n}", f"Others {n * n}.") for n in range(300)], 4000).dict_content],
)  # fmt: skip
def test_without_its_dictionary_a_file_is_refused(tmp_path, dictionary):
    data = skippable(dictionary, 13) + b"".join(frame(raw, DICTIONARY) for raw in RECORDS)
    output = run(tmp_path / "a", "import", put(tmp_path, data, "x.warc.zst"), code=2)
    assert "x.warc.zst: " in output
    assert "Zstandard dictionary" in output
    with zipfile.ZipFile(tmp_path / "x.wacz", "w") as container:
        container.write(tmp_path / "x.warc.zst", "archive/x.warc.zst")
        container.writestr("archive/y.warc.zst", PLAIN)
    (result,) = imported(tmp_path / "b", tmp_path / "x.wacz")
    assert result["outcomes"] == {"new": 12}
    (fault,) = result["broken"]
    assert fault.startswith("x.wacz/archive/x.warc.zst, byte 0: ")
    assert "Zstandard dictionary" in fault
    assert rows_if_any(tmp_path / "a") == 0


def rows_if_any(archive) -> int:
    return rows(archive, "SELECT count(*) FROM captures")[0][0] if (archive / "archive.db").exists() else 0


def test_memory_does_not_grow_with_what_a_frame_unpacks_to(tmp_path):
    """A gigabyte of nothing in 32 KB, in a record that is too long to be read."""
    head = record(address("big"), b"", Content_Length="1000000000").rstrip(b"\r\n") + b"\r\n\r\n"
    path = tmp_path / "x.warc.zst"
    packer = zstd.ZstdCompressor()
    with path.open("wb") as file:
        file.write(frame(RECORDS[0]) + packer.compress(head))
        for _ in range(100):
            file.write(packer.compress(bytes(10_000_000)))
        file.write(packer.flush(packer.FLUSH_FRAME) + frame(b"\r\n\r\n") + frame(RECORDS[1]))
    code = (
        "import sys; from locum_spider.importing.records import read_captures\n"
        "print(*(type(item).__name__ for item in read_captures(open(sys.argv[1], 'rb'))))"
    )
    limits = partial(resource.setrlimit, resource.RLIMIT_AS, (700_000_000, 700_000_000))
    done = python("-c", code, path, preexec_fn=limits)
    assert done.stdout.split() == ["Exchange", "Broken", "Exchange"], done.stderr
