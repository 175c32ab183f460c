"""The schema, as numbered migrations. A released migration is never changed; a new one is added below it."""

from __future__ import annotations

import json

from sqlite_utils import Database, Migrations

from locum_spider.checkpoints import checkpoint
from locum_spider.fields import FIELDS, content_digest
from locum_spider.items import Outcome
from locum_spider.store.articles import GONE_AT
from locum_spider.store.content import sound, without_empty
from locum_spider.store.fulltext import index_folded
from locum_spider.store.schema import FIRST

migrations = Migrations("locum_spider")


@migrations()
def m001_first_schema(db: Database) -> None:
    """Everything of version 0.1."""
    for statement in FIRST:
        checkpoint("migration")
        db.execute(statement)


@migrations()
def m002_sightings(db: Database) -> None:
    """What a capture says as an article, so that an imported capture between two of ours finds its place.

    article_digest: of the content, as in revisions; NULL if a capture is not an article, or was stored earlier.
    """
    checkpoint("migration")
    db.execute("ALTER TABLE captures ADD COLUMN article_digest TEXT")


_M003 = (
    "ALTER TABLE captures ADD COLUMN source_uri TEXT",
    "ALTER TABLE captures ADD COLUMN truncated TEXT",
    "ALTER TABLE captures ADD COLUMN gone TEXT",
    # Imported captures did not count before; a rebuild counts them.
    """UPDATE captures SET gone = f.key FROM frontier f
        WHERE f.capture_id = captures.id AND f.outcome = 'failed' AND captures.status IN (404, 410)""",
    # A capture that was stored before m002 gets the digest that its article had at that time.
    """UPDATE captures SET article_digest = (
            SELECT r.digest FROM frontier f JOIN revisions r ON r.article_id = f.article_id
            WHERE f.capture_id = captures.id AND r.seen_at <= captures.fetched_at ORDER BY r.seq DESC LIMIT 1
        ) WHERE article_digest IS NULL""",
    "CREATE INDEX captures_gone ON captures(gone, fetched_at) WHERE gone IS NOT NULL",
)


@migrations()
def m003_what_others_kept(db: Database) -> None:
    """Captures from web archives, truncated bodies, and since when an article is gone, in any order.

    source_uri: the address in the web archive that sent it; NULL if the site did. truncated: why the body is not
    whole. gone: the key of the address that was answered with 404 or 410.
    """
    for statement in _M003:
        checkpoint("migration")
        db.execute(statement)


@migrations()
def m004_index_without_trigger(db: Database) -> None:
    """The code that stores a new article also puts it into the full text index.

    SQLite prepares to undo a statement with a trigger, and for that FTS5 writes out all it has in memory: this doubles
    the cost of an article. Changes and removals, which are rare, keep their triggers.
    """
    checkpoint("migration")
    db.execute("DROP TRIGGER article_text_ai")


_M005 = (
    # Only for revisions that are what was stored: if one was changed by hand, its digest must still show it.
    """UPDATE captures SET article_digest = known.digest
        FROM (SELECT digest AS old, max(locum_digest(title, standfirst, body, fields, digest)) AS digest
            FROM revisions GROUP BY digest) AS known
        WHERE known.old = captures.article_digest AND known.digest IS NOT NULL""",
    """UPDATE revisions SET digest = coalesce(locum_digest(title, standfirst, body, fields, digest), digest),
        fields = locum_fields(fields)""",
    """UPDATE revisions SET evidence = locum_evidence(evidence) WHERE evidence LIKE '%"address_date"%'""",
    """UPDATE crawls SET finished_at = NULL, reasons = '[]' WHERE outcome = 'imported'
        AND reasons = '["under way, or cut short: run the same `locum import` again"]'""",
)


@migrations()
def m005_digests_of_named_values(db: Database) -> None:
    """Digests that a new field does not change (version 2), and revisions without empty fields.

    An import that was cut short is a row without `finished_at`; before, a sentence in its `reasons` said so.
    """
    db.register_function(_digest, name="locum_digest", deterministic=True)
    db.register_function(without_empty, name="locum_fields", deterministic=True)
    db.register_function(_day_alone, name="locum_evidence", deterministic=True)
    for statement in _M005:
        checkpoint("migration")
        db.execute(statement)
    make_full_articles(db)


_M006 = (
    "ALTER TABLE crawls ADD COLUMN uid TEXT NOT NULL DEFAULT ''",
    "UPDATE crawls SET uid = id",
    "CREATE UNIQUE INDEX crawls_uid ON crawls(uid)",
    "CREATE INDEX revisions_digest ON revisions(digest)",
    # The key of an article is in article_urls, beside every address that it was found at.
    """UPDATE OR IGNORE articles SET url = coalesce((
            SELECT c.url FROM article_urls u JOIN captures c ON c.url = u.url
            WHERE u.article_id = articles.id AND c.article_digest IS NOT NULL ORDER BY c.id LIMIT 1
        ), (
            SELECT c.url FROM revisions r JOIN captures c ON c.id = r.capture_id
            WHERE r.article_id = articles.id AND c.url <> '' ORDER BY c.id LIMIT 1
        ), url)""",
    "INSERT OR IGNORE INTO article_urls (url, article_id) SELECT url, id FROM articles",
    "ALTER TABLE captures ADD COLUMN stated_digest TEXT",
    "ALTER TABLE captures ADD COLUMN unread TEXT",
)


@migrations()
def m006_crawls_and_addresses(db: Database) -> None:
    """What the WARC files call a crawl, and the addresses under which articles answered.

    crawls.uid: no other crawl of any archive has it. Before, a crawl was called by the number of its row, and two could
    have the same, after a lost database. articles.url: before, it was the key, which may not be an address.
    Of imports, the digest that a record states if the bytes have another, and why a page could not be read.
    """
    for statement in _M006:
        checkpoint("migration")
        db.execute(statement)


@migrations()
def m006_gone(db: Database) -> None:
    """Since when an article is gone, and how many went in a crawl.

    gone_at: the time of the first capture that says so; NULL while the article is live. An article that was known and
    is gone was a failed request before; now it has an outcome of its own.
    """
    checkpoint("migration")
    db.execute("ALTER TABLE articles ADD COLUMN gone_at TEXT")
    db.execute("ALTER TABLE crawls ADD COLUMN articles_gone INTEGER NOT NULL DEFAULT 0")
    db.execute(f"UPDATE articles SET gone_at = ({GONE_AT}) WHERE state = 'gone'")
    for capture_id, crawl_id, outcome in _went(db):
        counted = ", articles_gone = articles_gone + 1" if outcome is Outcome.GONE else ""
        db.execute(f"UPDATE crawls SET failed = failed - 1{counted} WHERE id = ?", (crawl_id,))
        db.execute("UPDATE frontier SET outcome = ? WHERE capture_id = ?", (outcome, capture_id))
    checkpoint("migration")
    make_full_articles(db)


def _went(db: Database) -> list[tuple[int, int, Outcome]]:
    """Captures that say that an article is gone that was known then, each with its crawl and what it says."""
    found, gone = [], set()
    rows = db.execute(
        "SELECT id, crawl_id, fetched_at, gone FROM captures WHERE gone IS NOT NULL ORDER BY id"
    ).fetchall()
    for capture_id, crawl_id, fetched_at, key in rows:
        article = db.execute("SELECT article_id FROM article_urls WHERE url = ?", (key,)).fetchone()
        if article is None:
            continue
        before, last = db.execute(
            "SELECT max(c.fetched_at), max(c.id) FROM article_urls u JOIN captures c ON c.url = u.url "
            "WHERE u.article_id = ? AND c.article_digest IS NOT NULL AND c.id < ?",
            (article[0], capture_id),
        ).fetchone()
        if before is not None and before <= fetched_at:
            outcome = Outcome.STILL_GONE if (article[0], last) in gone else Outcome.GONE
            found.append((capture_id, crawl_id, outcome))
            gone.add((article[0], last))
    return found


_M006_WORDS = (
    # Texts that the tokenizer does not know how to fold, as `store.folding` folds them; an article without a row is
    # searched as it is. Its name keeps it out of sight in Datasette.
    """CREATE TABLE articles_fts_folded (
        id INTEGER PRIMARY KEY REFERENCES article_text(id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        standfirst TEXT,
        body TEXT NOT NULL
    )""",
    """CREATE VIRTUAL TABLE articles_fts_folded_index USING fts5(
        title, standfirst, body, content="articles_fts_folded", content_rowid="id", tokenize="porter unicode61"
    )""",
    "INSERT INTO articles_fts_folded_index(articles_fts_folded_index, rank) VALUES ('rank', 'bm25(8.0, 4.0, 1.0)')",
    """CREATE TRIGGER articles_fts_folded_ad AFTER DELETE ON articles_fts_folded BEGIN
        INSERT INTO articles_fts_folded_index(articles_fts_folded_index, rowid, title, standfirst, body)
        VALUES ('delete', old.id, old.title, old.standfirst, old.body);
    END""",
    # Who changes a text by hand has it searched as it is.
    """CREATE TRIGGER article_text_folded_ad AFTER DELETE ON article_text BEGIN
        DELETE FROM articles_fts_folded WHERE id = old.id;
    END""",
    """CREATE TRIGGER article_text_folded_au AFTER UPDATE OF title, standfirst, body ON article_text
    WHEN old.title IS NOT new.title OR old.standfirst IS NOT new.standfirst OR old.body IS NOT new.body BEGIN
        DELETE FROM articles_fts_folded WHERE id = old.id;
    END""",
)


@migrations()
def m006_words_of_every_script(db: Database) -> None:
    """An index beside the other one, for texts in scripts without spaces, with soft hyphens, with letters such as ß."""
    for statement in _M006_WORDS:
        checkpoint("migration")
        db.execute(statement)
    for row in db.execute("SELECT id, title, standfirst, body FROM article_text"):
        index_folded(db.conn, *row)


def _digest(title: str, standfirst: str | None, body: str, fields: str, digest: str) -> str | None:
    article = sound(title, standfirst, body, fields, digest)
    return content_digest(article) if article is not None else None


def _day_alone(evidence: str) -> str:
    """Evidence without the address that stood after the day it names; the capture has that address."""
    try:
        rules = json.loads(evidence)
        rules["address_date"] = rules["address_date"][: len("2018-04-10")]
    except (ValueError, TypeError, KeyError):  # changed by hand
        return evidence
    return json.dumps(rules, ensure_ascii=False)


def make_full_articles(db: Database) -> None:
    """Make the view `full_articles` of the columns that exist. Call it after adding a column to `articles`."""
    present = {column.name for column in db.table("articles").columns}
    fields = [field.name for field in FIELDS if field.name == "text" or (field.column and field.name in present)]
    columns = ", ".join("t.body AS text, a.word_count" if name == "text" else f"a.{name}" for name in fields)
    state = "a.state, a.gone_at" if "gone_at" in present else "a.state"
    db.execute("DROP VIEW IF EXISTS full_articles")
    db.execute(
        f"CREATE VIEW full_articles AS SELECT a.id, a.url, a.site, {columns}, {state}, a.first_seen, a.last_seen "
        "FROM articles a JOIN article_text t USING (id)"
    )


def known() -> set[str]:
    """The names of all migrations that this version knows."""
    return {name for name in globals() if name[:1] == "m" and name[1:4].isdecimal()}
