"""Checks the database against itself, its ledger and its texts. Each check yields what it finds wrong."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from locum_spider.items import LedgerEntry
from locum_spider.store.connection import Connection, connect_reading, reading_place
from locum_spider.store.content import COLUMNS, EMPTY, decode_object, sound
from locum_spider.store.files import DATABASE, disk_error, in_use
from locum_spider.store.folding import needs_folding
from locum_spider.store.fulltext import INDEXES, fold_text
from locum_spider.store.ledger import GENESIS, had_head, link

_SHOWN = 20
_INDEX_DIFFERS = "the full text index differs from the texts of the articles ({}); rebuild it with `locum rebuild`"
_RESTORE = "restore archive.db from a backup, or rebuild it with `locum rebuild`"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: its kind and a sentence, with the file, the ledger's row and the byte if known."""

    kind: str
    text: str
    file: str | None = None
    record: int | None = None
    offset: int | None = None


def first_of(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The first findings of a check, and the number of the rest."""
    every = iter(findings)
    last = None
    for last in islice(every, _SHOWN):
        yield last
    more = sum(1 for _ in every)
    if more and last is not None:
        yield Finding(last.kind, f"{more:,} more like the last one")


def chain(db: Connection) -> Iterator[Finding]:
    """Rows of the ledger that are missing, or that do not follow from the row before."""
    before, last = GENESIS, 0
    query = "SELECT seq, warc_file, warc_offset, warc_length, type, digest, chain FROM records ORDER BY seq"
    for seq, file, offset, length, kind, digest, value in db.execute(query):
        if seq != last + 1:
            missing = f"row {last + 1:,} is" if seq == last + 2 else f"rows {last + 1:,} to {seq - 1:,} are"
            yield Finding("ledger", f"the ledger's {missing} missing; {_RESTORE}", record=last + 1)
        elif link(before, LedgerEntry(file, offset, length, kind, digest)) != value:
            text = (
                f"the ledger's row {seq:,} ({file}, byte {offset:,}) does not follow from the rows before it: "
                f"it or the row before was changed by hand; {_RESTORE}"
            )
            yield Finding("ledger", text, file, seq, offset)
        before, last = value, seq


def head(db: Connection, expected: str) -> Iterator[Finding]:
    """A ledger that never had the head `CHAIN` or `NUMBER:CHAIN` that `locum verify --head` printed."""
    number, _, value = expected.rpartition(":")
    if not had_head(db, int(number) if number else None, value):
        text = (
            f"the ledger never had the head {expected}: records of that time were removed or changed, or the ledger "
            "was rewritten; compare the archive with a backup of that time"
        )
        yield Finding("head", text)


def captures(db: Connection) -> Iterator[Finding]:
    """Captures without their record, records without their capture, and two captures of one record."""
    rows = db.execute(
        "SELECT c.id, c.url, c.warc_file, c.warc_offset, r.seq, r.type, r.warc_length = c.warc_length FROM captures c "
        "LEFT JOIN records r ON r.warc_file = c.warc_file AND r.warc_offset = c.warc_offset "
        "WHERE r.seq IS NULL OR r.type NOT IN ('response', 'revisit') OR r.warc_length <> c.warc_length "
        "OR (c.same_as IS NOT NULL) <> (r.type = 'revisit')"
    )
    for capture, url, file, offset, seq, kind, fits in rows:
        if seq is None:
            fault = f"the ledger has no record in {file} at byte {offset:,}"
        elif kind not in {"response", "revisit"}:
            fault = f"the record in {file} at byte {offset:,} is a {kind} record"
        elif not fits:
            fault = f"the record in {file} at byte {offset:,} has another length"
        else:
            fault = f"the record in {file} at byte {offset:,} is a {kind} record, but the capture says otherwise"
        yield Finding("captures", f"capture {capture} ({url}): {fault}; {_RESTORE}", file, seq, offset)
    rows = db.execute(
        "SELECT r.seq, r.warc_file, r.warc_offset, count(c.id) FROM records r "
        "LEFT JOIN captures c ON c.warc_file = r.warc_file AND c.warc_offset = r.warc_offset "
        "WHERE r.type IN ('response', 'revisit') GROUP BY r.seq HAVING count(c.id) <> 1"
    )
    for seq, file, offset, number in rows:
        many = "no capture" if number == 0 else f"{number} captures"
        text = f"the record in {file} at byte {offset:,} (ledger row {seq:,}) has {many} in the database; {_RESTORE}"
        yield Finding("captures", text, file, seq, offset)


def articles(db: Connection) -> Iterator[Finding]:
    """Articles without revisions, texts without articles, and what differs from the latest revision."""
    present = {row[1] for row in db.execute("PRAGMA table_info(articles)")}
    names = [field.name for field in COLUMNS if field.name in present]
    rows = db.execute(
        "SELECT a.id, a.url, r.id, t.id, a.word_count, "
        "t.title IS NOT r.title OR t.standfirst IS NOT r.standfirst OR t.body IS NOT r.body, "
        f"r.title, r.standfirst, r.body, r.fields, {', '.join(f'a.{name}' for name in names)} "
        "FROM articles a LEFT JOIN article_text t ON t.id = a.id "
        "LEFT JOIN revisions r ON r.id = (SELECT id FROM revisions WHERE article_id = a.id ORDER BY seq DESC LIMIT 1) "
        "ORDER BY a.id"
    )
    for article, url, revision, text, count, words, title, standfirst, body, fields, *values in rows:
        faults = []
        if revision is None:
            faults = ["has no revision"]
        elif text is None:
            faults = ["has no text"]
        else:
            stored = {**decode_object(fields), "title": title, "standfirst": standfirst}
            different = _different(stored, dict(zip(names, values, strict=True)))
            different += ["word_count"] * (count != len(body.split()))
            faults += ["has a text that differs from its latest revision"] * words
            faults += [f"differs from its latest revision in {', '.join(different)}"] * bool(different)
        for fault in faults:
            yield Finding("articles", f"article {article} ({url}) {fault}; {_RESTORE}")
    for (text_id,) in db.execute("SELECT id FROM article_text WHERE id NOT IN (SELECT id FROM articles)"):
        yield Finding("articles", f"text {text_id} does not belong to any article; {_RESTORE}")


def _different(stored: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """The names of the columns whose values differ from those in the revision."""
    names = []
    for field in COLUMNS:
        value: Any = row.get(field.name, EMPTY[field.name])  # an archive of an older version may lack the column
        if field.is_list:
            with suppress(msgspec.DecodeError, TypeError):
                value = msgspec.json.decode(value)
        if stored.get(field.name, [] if field.is_list else None) != value:
            names.append(field.name)
    return names


def revisions(db: Connection) -> Iterator[Finding]:
    """Revisions whose content does not match the digest stored with it, and gaps between revisions."""
    rows = db.execute(
        "SELECT r.article_id, r.seq, r.digest, r.title, r.standfirst, r.body, r.fields, "
        "r.seq = 1 + (SELECT count(*) FROM revisions o WHERE o.article_id = r.article_id AND o.seq < r.seq) "
        "FROM revisions r ORDER BY r.id"
    )
    for article, seq, digest, title, standfirst, body, fields, follows in rows:
        if sound(title, standfirst, body, fields, digest) is None:
            text = f"revision {seq} of article {article} is not what was stored: its digest differs; {_RESTORE}"
            yield Finding("revisions", text)
        if not follows:
            yield Finding("revisions", f"a revision before revision {seq} of article {article} is missing; {_RESTORE}")


def readable(name: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings of a check, with one more if the database cannot be read meanwhile.

    Raises ArchiveError if another program holds the database: that is not damage.
    """
    try:
        yield from findings
    except sqlite3.DatabaseError as error:
        if (held := in_use(error, Path(DATABASE))) is not None:
            raise held from None
        text = (
            f"{DATABASE} cannot be read ({name}: {error}); restore it from a backup, or rebuild it with `locum rebuild`"
        )
        yield Finding("database", text)


def pages(folder: Path) -> list[Finding]:
    """What SQLite's own checks find in the database of an archive."""
    with closing(connect_reading(folder)) as db:
        return list(readable("pages", first_of(sqlite(db))))


def sqlite(db: Connection) -> Iterator[Finding]:
    """What SQLite's own checks find: damaged pages, indexes that differ from their tables, broken references."""
    for (text,) in db.execute(f"PRAGMA integrity_check({_SHOWN})"):
        if text != "ok":
            yield Finding("database", f"archive.db is damaged: {' '.join(str(text).split())}; {_RESTORE}")
    for table, rowid, parent, _ in db.execute("PRAGMA foreign_key_check"):
        yield Finding("database", f"{table} row {rowid} refers to a row of {parent} that does not exist; {_RESTORE}")


CHECKS: tuple[Callable[[Connection], Iterator[Finding]], ...] = (chain, captures, articles, revisions)


def full_text(folder: Path) -> tuple[list[Finding], str | None]:
    """Findings if a full text index differs from the texts; and why that was not checked, else None.

    FTS5 can check only a database that it may write. That would block a crawl and is impossible on a read-only medium,
    so indexes and texts are copied into a temporary file and compared there.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="locum-verify-") as scratch:
            names = _copy_indexes(folder, Path(scratch) / "fts.db")
            with closing(sqlite3.connect(Path(scratch) / "fts.db")) as db:
                for name in names:
                    db.execute(f"INSERT INTO {name}({name}, rank) VALUES ('integrity-check', 1)")
                if len(names) > 1 and (article := _badly_folded(db)) is not None:
                    fault = f"the text of article {article} is not in it as it should be"
                    return [Finding("full text", _INDEX_DIFFERS.format(fault))], None
    except (OSError, sqlite3.Error) as error:
        if (held := in_use(error, folder)) is not None:
            raise held from None
        if disk_error(error, folder):
            return [], f"the full text index was not checked: no room for a copy in {tempfile.gettempdir()}"
        return [Finding("full text", _INDEX_DIFFERS.format(error))], None
    return [], None


def _badly_folded(db: Connection) -> int | None:
    """The first article whose text is not folded in the index beside as it should be, or is missing there."""
    rows = db.execute(
        "SELECT t.id, t.title, t.standfirst, t.body, f.id, f.title, f.standfirst, f.body "
        "FROM article_text t LEFT JOIN articles_fts_folded f ON f.id = t.id "
        "UNION ALL SELECT id, '', NULL, '', id, title, standfirst, body FROM articles_fts_folded "
        "WHERE id NOT IN (SELECT id FROM article_text)"
    )
    for article, title, standfirst, body, there, *stored in rows:
        wanted = list(fold_text(title, standfirst, body)) if needs_folding(title, standfirst, body) else [None] * 3
        if stored != wanted or (there is None) != (wanted[0] is None):
            return int(article)
    return None


def _copy_indexes(folder: Path, path: Path) -> list[str]:
    """Copy the indexes that there are, with their texts; their names."""
    with closing(sqlite3.connect(path.as_uri(), uri=True, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("ATTACH ? AS source", (reading_place(folder).uri,))
        db.execute("BEGIN")
        statements = dict(db.execute("SELECT name, sql FROM source.sqlite_master WHERE type = 'table'").fetchall())
        names = ["articles_fts", *(name for name in INDEXES if name in statements and name != "articles_fts")]
        for name in names:
            texts = INDEXES[name]
            for table in (texts, name):
                db.execute(statements.get(table) or f"SELECT * FROM source.{table}")  # the latter says what is missing
            db.execute(f"INSERT INTO main.{texts} SELECT * FROM source.{texts}")
            for part in ("data", "idx", "docsize", "config"):
                db.execute(f"DELETE FROM main.{name}_{part}")
                db.execute(f"INSERT INTO main.{name}_{part} SELECT * FROM source.{name}_{part}")
        db.execute("COMMIT")
    return names
