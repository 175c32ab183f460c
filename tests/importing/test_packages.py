"""`locum import` of WACZ files that hold others, as Browsertrix packs a collection of several crawls."""

from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path

import pytest
from support import flipped, rows
from support.foreign_files import HOME, address, http, imported, members, page, put, record, run, wacz

SIGNED = "https://store.example/crawls/third.wacz?X-Amz-Signature=secret"


def made_wacz(folder: Path, name: str, *slugs: str) -> Path:
    """A WACZ as the package `wacz` makes it."""
    source = put(folder, members(*map(page, slugs)), f"{name}.warc.gz")
    assert wacz("create", "-f", source, "-o", folder / f"{name}.wacz").returncode == 0
    return folder / f"{name}.wacz"


def pack(
    path: Path, *parts: Path, compression: int = zipfile.ZIP_STORED, resources: list[object] | None = None
) -> Path:
    """Several WACZs in one, as Browsertrix lays it out: beside each other, with an inventory."""
    own = [{"name": part.name, "path": part.name, "bytes": part.stat().st_size} for part in parts]
    with zipfile.ZipFile(path, "w", compression) as container:
        for part in parts:
            container.write(part, part.name)
        inventory = {"profile": "multi-wacz-package", "resources": own if resources is None else resources}
        container.writestr("datapackage.json", json.dumps(inventory))
    return path


@pytest.fixture(scope="module")
def parts(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("parts")
    return [made_wacz(folder, "first", "one", "two"), made_wacz(folder, "second", "three")]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_parts_of_a_collection_are_read(tmp_path, parts, compression):
    (result,) = imported(tmp_path / "a", pack(tmp_path / "all.wacz", *parts, compression=compression))
    assert (result["outcomes"], result["broken"]) == ({"new": 3}, [])
    assert rows(tmp_path / "a", "SELECT url FROM articles ORDER BY url") == [
        (address(slug),) for slug in ("one", "three", "two")
    ]


def test_a_collection_in_a_collection_is_read_and_deeper_ones_are_named(tmp_path, parts):
    two = pack(tmp_path / "two.wacz", parts[0])
    three = pack(tmp_path / "three.wacz", two, parts[1])
    (result,) = imported(tmp_path / "a", three)
    assert (result["outcomes"], result["broken"]) == ({"new": 3}, [])
    (result,) = imported(tmp_path / "b", pack(tmp_path / "four.wacz", three))
    assert result["outcomes"] == {"new": 1}
    (fault,) = result["broken"]
    assert fault.startswith("four.wacz/three.wacz/two.wacz/first.wacz: packed too deep; unpack")


def test_parts_that_are_only_named_are_told_without_what_opens_them(tmp_path, parts):
    resources = [
        {"name": "first.wacz", "path": "https://store.example/crawls/first.wacz?X-Amz-Signature=secret"},
        {"name": "third.wacz", "path": SIGNED},
        {"name": "fourth.wacz", "path": "fourth.wacz"},
        "not an object", {"name": "pages.jsonl", "path": "pages/pages.jsonl"}, {"path": None},
    ]  # fmt: skip
    (result,) = imported(tmp_path / "a", pack(tmp_path / "all.wacz", parts[0], resources=resources))
    assert result["outcomes"] == {"new": 2}
    behind = "which is not in the file; download and import that too"
    assert result["broken"] == [
        f"all.wacz/datapackage.json: it names https://store.example/crawls/third.wacz, {behind}",
        f"all.wacz/datapackage.json: it names fourth.wacz, {behind}",
    ]


def test_a_package_that_only_names_its_parts_is_refused(tmp_path):
    resources = [{"name": "third.wacz", "path": SIGNED}]
    output = run(tmp_path / "a", "import", pack(tmp_path / "all.wacz", resources=resources), code=2)
    assert "it only names them: https://store.example/crawls/third.wacz; download and import these" in output
    assert "secret" not in output
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("inventory", [b"", b"[]", b"{", b'{"resources": 3}', b"\xff\xfe", None])
def test_a_package_without_a_readable_inventory_is_read(tmp_path, parts, inventory):
    with zipfile.ZipFile(tmp_path / "all.wacz", "w") as container:
        container.write(parts[1], "deeper/second.wacz")
        if inventory is not None:
            container.writestr("datapackage.json", inventory)
    (result,) = imported(tmp_path / "a", tmp_path / "all.wacz")
    assert (result["outcomes"], result["broken"]) == ({"new": 1}, [])


def test_a_part_that_is_broken_does_not_take_the_others(tmp_path, parts):
    (tmp_path / "bad.wacz").write_bytes(parts[0].read_bytes()[:-30])
    (tmp_path / "none.wacz").write_bytes(b"")
    (result,) = imported(
        tmp_path / "a", pack(tmp_path / "all.wacz", tmp_path / "bad.wacz", tmp_path / "none.wacz", parts[1])
    )
    assert result["outcomes"] == {"new": 1}
    assert [fault.partition(": ")[0] for fault in result["broken"]] == ["all.wacz/bad.wacz", "all.wacz/none.wacz"]
    assert all("cannot be read as a WACZ" in fault for fault in result["broken"])


def test_damage_in_a_part_takes_no_more_than_it_hits(tmp_path, parts):
    path = pack(tmp_path / "all.wacz", *parts)
    data = path.read_bytes()
    path.write_bytes(flipped(data, data.index(members(page("two"))) + 60, 0x10))
    (result,) = imported(tmp_path / "a", path)
    assert result["outcomes"] == {"new": 2}
    (fault,) = result["broken"]
    assert fault.startswith(f"all.wacz/first.wacz/archive/first.warc.gz, byte {len(members(page())):,}: ")


@pytest.mark.parametrize("at", [0, 200, 700_000])
def test_damage_in_the_compression_of_the_zip_itself_is_reported(tmp_path, at):
    """A deflated member is read up to where it is damaged."""
    noise = [
        record(f"{HOME}{n}", http(random.Random(n).randbytes(100_000), "Content-Type: image/png")) for n in range(9)
    ]
    with zipfile.ZipFile(tmp_path / "x.wacz", "w", zipfile.ZIP_DEFLATED) as container:
        container.writestr("archive/a.warc", b"".join([page(), *noise, page("two")]))
        container.writestr("archive/b.warc.gz", members(page("three")))
    data = bytearray((tmp_path / "x.wacz").read_bytes())
    place = 30 + len("archive/a.warc") + at
    data[place : place + 40] = b"\xff" * 40
    (tmp_path / "x.wacz").write_bytes(data)
    (result,) = imported(tmp_path / "a", tmp_path / "x.wacz")
    assert result["outcomes"]["new"] in {1, 2, 3}
    assert rows(tmp_path / "a", "SELECT count(*) FROM articles WHERE url = ?", address("three")) == [(1,)]
    assert result["broken"]
    assert all(fault.startswith("x.wacz/archive/a.warc, byte ") for fault in result["broken"])


def test_a_part_cut_off_at_its_end_gives_what_is_there(tmp_path):
    """The members of a ZIP file that says more of them than it holds."""
    whole = members(page(), page("two"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as container:
        container.writestr("archive/a.warc.gz", whole)
        container.writestr("archive/locked.warc.gz", b"x" * 100)
    data = bytearray(buffer.getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1  # the second one is encrypted
    (tmp_path / "x.wacz").write_bytes(data)
    (result,) = imported(tmp_path / "a", tmp_path / "x.wacz")
    assert result["outcomes"] == {"new": 2}
    assert [fault.partition(": ")[0] for fault in result["broken"]] == ["x.wacz/archive/locked.warc.gz"]
