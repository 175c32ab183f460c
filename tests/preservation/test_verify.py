"""`locum verify` finds every kind of damage, and nothing if there is none."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from support import change, flipped, invoke, rows, warcs
from support.gazette import crawl, site

from locum_spider.errors import ArchiveError, UsageError
from locum_spider.items import LedgerEntry
from locum_spider.preservation.fixity import check_files
from locum_spider.preservation.verify import read_head, verify
from locum_spider.store import ledger
from locum_spider.store.connection import connect_reading

SEED = 20260504


def kinds(folder: Path, **options: str) -> set[str]:
    return {finding.kind for finding in verify(folder, **options).findings}


def sentences(folder: Path, **options: str) -> str:
    return "\n".join(finding.text for finding in verify(folder, **options).findings)


def test_a_sound_archive_has_no_faults(sound):
    report = verify(sound)
    assert report.sound
    assert report.findings == []
    assert report.notes == []
    assert report.records == rows(sound, "SELECT count(*) FROM records")[0][0]
    assert report.bytes == sum(path.stat().st_size for path in warcs(sound))
    assert {kind for (kind,) in rows(sound, "SELECT DISTINCT type FROM records")} >= {"response", "revisit", "request"}


def test_verify_changes_nothing(archive):
    before = {path: path.read_bytes() for path in archive.rglob("*") if path.is_file() and path.suffix != ".db-shm"}
    verify(archive)
    after = {path: path.read_bytes() for path in archive.rglob("*") if path.is_file() and path.suffix != ".db-shm"}
    assert {path: data for path, data in after.items() if data} == before


# -- the table of damage -----------------------------------------------------------------------------------------------


@contextmanager
def instead(path: Path, data: bytes) -> Iterator[None]:
    """A file with other bytes, for a while."""
    before = path.read_bytes()
    path.write_bytes(data)
    try:
        yield
    finally:
        path.write_bytes(before)


def spread(folder: Path, count: int, end: int) -> list[tuple[Path, int]]:
    """Places all over the files, always the same ones; with `end` 1, never behind the last byte of a file."""
    chance = random.Random(SEED)
    places = [(path, n) for path in warcs(folder) for n in range(path.stat().st_size + 1 - end)]
    return sorted(chance.sample(places, count))


def missed(folder: Path, damaged: list[tuple[Path, int, bytes]], kind: str) -> list[tuple[str, int]]:
    """The damage that is not reported as one of a kind, by the part of `verify` that reads files; at times by all."""
    unreported = []
    with closing(connect_reading(folder)) as db:
        db.row_factory = None
        present = [path.name for path in warcs(folder)]
        for number, (path, n, data) in enumerate(damaged):
            with instead(path, data):
                reported = {finding.kind for finding in check_files(db, folder, present, [])}
                if reported != {kind} or (number % 20 == 0 and kinds(folder) != {kind}):
                    unreported.append((path.name, n))
    return unreported


def test_400_cuts(archive):
    files = {path: path.read_bytes() for path in warcs(archive)}
    assert missed(archive, [(path, n, files[path][:n]) for path, n in spread(archive, 400, end=1)], "files") == []


def test_400_flipped_bits(archive):
    chance = random.Random(SEED)
    files = {path: path.read_bytes() for path in warcs(archive)}
    places = spread(archive, 400, end=1)
    damaged = [(path, n, flipped(files[path], n, 1 << chance.randrange(8))) for path, n in places]
    assert missed(archive, damaged, "records") == []


def record_places(folder: Path) -> list[tuple[Path, int, int]]:
    found = rows(folder, "SELECT warc_file, warc_offset, warc_length FROM records ORDER BY seq")
    return [(folder / "warc" / name, offset, length) for name, offset, length in found]


def test_10_removed_records(archive):
    places = record_places(archive)
    for path, offset, length in places[:: len(places) // 10][:10]:
        data = path.read_bytes()
        with instead(path, data[:offset] + data[offset + length :]):
            assert not verify(archive).sound, (path.name, offset)


def test_9_cuts_between_records(archive):
    places = [place for place in record_places(archive) if place[1]]
    for path, offset, _ in places[:: len(places) // 9][:9]:
        with instead(path, path.read_bytes()[:offset]):
            found = verify(archive).findings
            assert [(f.kind, f.offset) for f in found] == [("files", offset)]
            assert f"ends at byte {offset:,}" in found[0].text


def test_swapped_and_doubled_records(archive):
    places = record_places(archive)
    for (path, start, length), (other, start2, length2) in list(pairwise(places))[::4]:
        if path != other:
            continue
        data = path.read_bytes()
        first, second = data[start : start + length], data[start2 : start2 + length2]
        swapped = data[:start] + second + first + data[start2 + length2 :]
        doubled = data[: start + length] + first + data[start + length :]
        for damaged in (swapped, doubled):
            with instead(path, damaged):
                assert "records" in kinds(archive)


def test_what_lies_there_instead_is_told(archive):
    (digest,) = rows(archive, "SELECT digest FROM records WHERE seq = 20")[0]
    file, offset = rows(archive, "SELECT warc_file, warc_offset FROM records WHERE seq = 30")[0]
    change(archive, "UPDATE records SET digest = 'x' WHERE seq = 20")
    change(archive, "UPDATE records SET digest = ? WHERE seq = 30", digest)
    assert f"not what was written (the record of {file}, byte {offset:,}, is there)" in sentences(archive)


def test_bytes_behind_the_last_record(archive):
    path = warcs(archive)[0]
    with instead(path, path.read_bytes() + b"\0"):
        assert "1 bytes after its last record" in sentences(archive)


def test_removed_renamed_swapped_and_foreign_files(archive):
    first, second, *_ = warcs(archive)
    one, two = first.read_bytes(), second.read_bytes()
    first.unlink()
    assert [f.file for f in verify(archive).findings] == [first.name]
    first.write_bytes(two)
    second.write_bytes(one)
    assert {f.file for f in verify(archive).findings} == {first.name, second.name}
    second.write_bytes(two)
    first.rename(first.with_name("other.warc.gz"))
    assert "other.warc.gz is not in the ledger" in sentences(archive)
    assert f"{first.name} is missing" in sentences(archive)
    first.with_name("other.warc.gz").unlink()
    first.with_name(first.name + ".open").write_bytes(one)
    assert f"{first.name} was closed, but is named {first.name}.open" in sentences(archive)
    first.write_bytes(one)
    assert f"{first.name}.open and {first.name} are both there" in sentences(archive)
    first.with_name(first.name + ".open").unlink()
    assert verify(archive).sound


# -- crawls under way and killed ---------------------------------------------------------------------------------------


def test_a_tail_that_is_not_acknowledged_is_said_but_no_damage(archive):
    path = warcs(archive)[-1]
    change(archive, "UPDATE warc_files SET closed = 0 WHERE name = ?", path.name)
    open_path = path.rename(path.with_name(path.name + ".open"))
    assert verify(archive).sound
    with open_path.open("ab") as file:
        file.write(b"torn")
    (archive / "warc" / "new.warc.gz.open").write_bytes(b"")
    report = verify(archive)
    assert report.sound
    expected = ("4 bytes that are not acknowledged", "has nothing that is acknowledged")
    assert [any(words in note for words in expected) for note in report.notes] == [True, True]


def test_verify_while_a_crawl_writes(tmp_path):
    folder = tmp_path / "archive"
    reports = []
    crawl(folder, site(4), each=lambda _: reports.append(verify(folder)))
    assert [report.findings for report in reports] == [[]] * len(reports)
    assert [report.records for report in reports] == sorted(report.records for report in reports)
    assert verify(folder, expect=reports[0].head).sound


# -- the ledger --------------------------------------------------------------------------------------------------------


def relink(folder: Path, start: int, *, end: int | None = None) -> None:
    """Recompute the chain from a row on, as somebody does who wants to hide a change."""
    with closing(sqlite3.connect(folder / "archive.db")) as db, db:
        before = db.execute("SELECT chain FROM records WHERE seq = ?", (start - 1,)).fetchone()
        chain = before[0] if before else ledger.GENESIS
        query = "SELECT seq, warc_file, warc_offset, warc_length, type, digest FROM records WHERE seq >= ? ORDER BY seq"
        for seq, *row in db.execute(query, (start,)).fetchall():
            if end is None or seq <= end:
                chain = ledger.link(chain, LedgerEntry(*row))
                db.execute("UPDATE records SET chain = ? WHERE seq = ?", (chain, seq))


@pytest.mark.parametrize("column", ["warc_file", "warc_offset", "warc_length", "type", "digest", "chain"])
def test_every_column_of_the_ledger_is_bound(archive, column):
    value = {"warc_offset": 1, "warc_length": 2}.get(column, "x")
    change(archive, f"UPDATE records SET {column} = ? WHERE seq = 10", value)
    assert "ledger" in kinds(archive)


def test_a_row_with_its_own_chain_recomputed(archive):
    change(archive, "UPDATE records SET type = 'resource' WHERE seq = 10")
    relink(archive, 10, end=10)
    findings = [f for f in verify(archive).findings if f.kind == "ledger"]
    assert [f.record for f in findings] == [11]


def test_a_ledger_written_anew_as_a_whole_needs_a_head(archive):
    head = read_head(archive)
    path, offset, _ = record_places(archive)[1]  # the last byte of a gzip header names the system that wrote it
    data = flipped(path.read_bytes(), offset + 9)
    path.write_bytes(data)
    seq, length = rows(
        archive, "SELECT seq, warc_length FROM records WHERE warc_file = ? AND warc_offset = ?", path.name, offset
    )[0]
    digest = sha256(data[offset : offset + length]).hexdigest()
    change(archive, "UPDATE records SET digest = ? WHERE seq = ?", digest, seq)
    relink(archive, seq)
    assert verify(archive).sound
    assert kinds(archive, expect=head) == {"head"}


@pytest.mark.parametrize("which", ["seq = 1", "seq = 10", "seq BETWEEN 10 AND 14"])
def test_removed_ledger_rows(archive, which):
    change(archive, f"DELETE FROM records WHERE {which}")
    assert "ledger" in kinds(archive)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_removed_last_ledger_rows(archive, count):
    change(archive, "DELETE FROM records WHERE seq > (SELECT max(seq) FROM records) - ?", count)
    assert "ledger" in kinds(archive)


def test_a_whole_end_cut_off_everywhere_needs_a_head(archive):
    head = read_head(archive)
    (last,) = rows(archive, "SELECT name FROM warc_files ORDER BY name DESC LIMIT 1")[0]
    (seq,) = rows(archive, "SELECT min(seq) FROM records WHERE warc_file = ?", last)[0]
    for sql in (
        "DELETE FROM captures WHERE warc_file = ? AND id NOT IN (SELECT capture_id FROM frontier WHERE capture_id > 0)",
        "DELETE FROM records WHERE warc_file = ?", "DELETE FROM warc_files WHERE name = ?",
    ):  # fmt: skip
        change(archive, sql, last)
    (archive / "warc" / last).unlink()
    assert seq > 1
    assert "head" in kinds(archive, expect=head)


def test_a_missing_and_a_wrong_row_of_warc_files(archive):
    name = warcs(archive)[0].name
    (size,) = rows(archive, "SELECT bytes FROM warc_files WHERE name = ?", name)[0]
    change(archive, "UPDATE warc_files SET bytes = bytes - 1 WHERE name = ?", name)
    assert kinds(archive) == {"files", "ledger"}
    change(archive, "UPDATE warc_files SET bytes = ? WHERE name = ?", size, name)
    change(archive, "DELETE FROM warc_files WHERE name = ?", name)
    assert "no row in warc_files" in sentences(archive)


def test_heads(sound):
    head = read_head(sound)
    number, _, chain = head.partition(":")
    assert number == str(verify(sound).records)
    earlier = rows(sound, "SELECT seq, chain FROM records WHERE seq = 7")[0]
    for expected in (head, chain, f"{earlier[0]}:{earlier[1]}", f"0:{ledger.GENESIS}", chain.upper()):
        assert verify(sound, expect=expected).sound
    for expected in (f"8:{earlier[1]}", "f" * 64, f"{number}:{'0' * 63}1"):
        assert kinds(sound, expect=expected) == {"head"}
    with pytest.raises(UsageError, match="is not the head"):
        verify(sound, expect="abc")


# -- rows --------------------------------------------------------------------------------------------------------------

PLACE = "warc_offset, warc_length"
REQUEST = "FROM records r WHERE r.warc_file = captures.warc_file AND type = 'request' LIMIT 1"
ALL = "(url, fetched_at, status, digest, warc_file, warc_offset, warc_length)"
ARTICLE = "id = (SELECT min(id) FROM articles)"
DAMAGE = {
    "capture without record": ("UPDATE captures SET warc_offset = warc_offset + 1 WHERE id = 5", "captures"),
    "capture of another length": ("UPDATE captures SET warc_length = warc_length - 1 WHERE id = 5", "captures"),
    "capture of a request": (f"UPDATE captures SET ({PLACE}) = (SELECT {PLACE} {REQUEST}) WHERE id = 5", "captures"),
    "record without capture": ("DELETE FROM captures WHERE id = (SELECT max(id) FROM captures)", "captures"),
    "capture twice": (f"INSERT INTO captures {ALL} SELECT {ALL[1:-1]} FROM captures WHERE id = 5", "captures"),
    "revisit that is none": ("UPDATE captures SET same_as = 2 WHERE id = 5", "captures"),
    "article without revision": ("DELETE FROM revisions WHERE article_id = (SELECT min(id) FROM articles)", "articles"),
    "latest revision removed": ("DELETE FROM revisions WHERE seq = 2", "articles"),
    "first revision removed": (
        "DELETE FROM revisions WHERE seq = 1 AND article_id = (SELECT article_id FROM revisions WHERE seq = 2)",
        "revisions",
    ),
    "title in articles": (f"UPDATE articles SET title = 'x' WHERE {ARTICLE}", "articles"),
    "date in articles": (f"UPDATE articles SET published = '2001-01-01' WHERE {ARTICLE}", "articles"),
    "authors in articles": (f"UPDATE articles SET authors = '[\"x\"]' WHERE {ARTICLE}", "articles"),
    "broken JSON in articles": (f"UPDATE articles SET tags = 'x' WHERE {ARTICLE}", "articles"),
    "words in articles": (f"UPDATE articles SET word_count = 1 WHERE {ARTICLE}", "articles"),
    "body in article_text": (f"UPDATE article_text SET body = body || '.' WHERE {ARTICLE}", "articles"),
    "article_text removed": (f"DELETE FROM article_text WHERE {ARTICLE}", "articles"),
    "article removed": (f"DELETE FROM articles WHERE {ARTICLE}", "articles"),
    "body in revisions": ("UPDATE revisions SET body = body || '.' WHERE id = 3", "revisions"),
    "standfirst in revisions": ("UPDATE revisions SET standfirst = 'x' WHERE id = 3", "revisions"),
    "fields in revisions": ("UPDATE revisions SET fields = replace(fields, 'May', 'July') WHERE id = 3", "revisions"),
    "broken JSON in revisions": ("UPDATE revisions SET fields = 'x' WHERE id = 3", "revisions"),
    "digest in revisions": ("UPDATE revisions SET digest = 'sha256:x' WHERE id = 3", "revisions"),
    "reference to no row": ("UPDATE revisions SET capture_id = 999 WHERE id = 3", "database"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_rows_changed_by_hand(archive, name):
    sql, kind = DAMAGE[name]
    change(archive, sql)
    findings = verify(archive).findings
    assert kind in {finding.kind for finding in findings}
    assert all("; " in finding.text for finding in findings)  # each says what to do


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM articles_fts_data WHERE id > 10",
        "INSERT INTO articles_fts(articles_fts, rowid, title, body) SELECT 'delete', id, title, body FROM article_text",
        "INSERT INTO articles_fts(rowid, title, body) VALUES (77, 'ghost', 'ghost')",
        "DROP TABLE articles_fts",
    ],
)
def test_a_full_text_index_that_differs(archive, sql):
    change(archive, sql)
    assert "full text" in kinds(archive)


def test_texts_changed_past_the_index(archive):
    change(archive, "DROP TRIGGER article_text_au")
    change(archive, "UPDATE article_text SET body = 'zebra' WHERE id = 3")
    assert {"full text", "articles"} <= kinds(archive)


def test_many_faults_of_a_kind_are_counted(archive):
    change(archive, "UPDATE captures SET warc_length = 1")
    texts = [finding.text for finding in verify(archive).findings]
    assert len(texts) == 21
    assert "more like the last one" in texts[-1]


@pytest.mark.parametrize("page", [1, 3, 5, 8])
def test_a_database_with_a_page_overwritten(archive, page):
    path = archive / "archive.db"
    data = bytearray(path.read_bytes())
    start = 4096 * page
    data[start : start + 4096] = random.Random(SEED).randbytes(4096)
    path.write_bytes(bytes(data))
    assert not verify(archive).sound


def test_a_database_that_is_none(archive):
    (archive / "archive.db").write_bytes(b"nonsense" * 1000)
    assert kinds(archive) == {"database"}


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_on_a_sound_archive(sound):
    result = invoke("verify", "--archive", sound)
    assert result.exit_code == 0
    assert "Nothing is wrong" in result.output
    head = invoke("verify", "--head", "--archive", sound).output.strip()
    assert head == read_head(sound)
    assert head in result.output
    assert invoke("verify", "--expect", head, "--archive", sound).exit_code == 0
    assert invoke("verify", "--expect", "f" * 64, "--archive", sound).exit_code == 7
    assert invoke("verify", "--expect", "f", "--archive", sound).exit_code == 2
    assert json.loads(invoke("verify", "--head", "--json", "--archive", sound).output) == {"head": head}


def test_the_command_on_a_damaged_archive(archive):
    path = warcs(archive)[0]
    path.write_bytes(path.read_bytes()[:-1])
    result = invoke("verify", "--archive", archive)
    assert result.exit_code == 7
    assert result.output.startswith(f"! {path.name} ends at byte")
    report = json.loads(invoke("verify", "--json", "--archive", archive).output)
    assert report["sound"] is False
    assert report["findings"][0]["file"] == path.name


def test_no_archive(tmp_path):
    with pytest.raises(ArchiveError):
        verify(tmp_path)
    assert invoke("verify", "--archive", tmp_path).exit_code == 2
