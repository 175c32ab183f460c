"""The first schema: all tables, indexes, triggers and views of version 0.1. Migrations change it, nobody this file."""

# Our times are UTC text, 2026-11-22T05:22:00Z: SQLite, Datasette and people sort and read them the same way.
FIRST = (
    """CREATE TABLE crawls (
        id INTEGER PRIMARY KEY,
        site TEXT NOT NULL,
        started_at TEXT NOT NULL,
        finished_at TEXT,
        outcome TEXT,
        reasons TEXT NOT NULL DEFAULT '[]',
        version TEXT NOT NULL,
        captures INTEGER NOT NULL DEFAULT 0,
        articles_new INTEGER NOT NULL DEFAULT 0,
        articles_changed INTEGER NOT NULL DEFAULT 0,
        articles_unchanged INTEGER NOT NULL DEFAULT 0,
        listings INTEGER NOT NULL DEFAULT 0,
        entries INTEGER NOT NULL DEFAULT 0,
        refused INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        not_articles INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX crawls_site ON crawls(site, id)",
    # bytes: how much is acknowledged; anything beyond in the file is the torn tail of a killed process.
    """CREATE TABLE warc_files (
        name TEXT PRIMARY KEY,
        bytes INTEGER NOT NULL DEFAULT 0,
        closed INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID""",
    # The ledger: every record of every WARC file, in the order it was written. digest: sha256 of its bytes in the
    # file. chain: sha256 over the chain before and this row; see store.ledger. removed: why a takedown emptied it.
    """CREATE TABLE records (
        seq INTEGER PRIMARY KEY,
        warc_file TEXT NOT NULL,
        warc_offset INTEGER NOT NULL,
        warc_length INTEGER NOT NULL,
        type TEXT NOT NULL,
        digest TEXT NOT NULL,
        chain TEXT NOT NULL,
        removed TEXT,
        UNIQUE (warc_file, warc_offset)
    )""",
    # same_as: the earlier capture with the same body; the WARC record of this one is then a revisit.
    """CREATE TABLE captures (
        id INTEGER PRIMARY KEY,
        crawl_id INTEGER REFERENCES crawls(id),
        url TEXT NOT NULL,
        fetched_at TEXT NOT NULL,
        status INTEGER NOT NULL,
        content_type TEXT,
        digest TEXT NOT NULL,
        location TEXT,
        etag TEXT,
        last_modified TEXT,
        same_as INTEGER REFERENCES captures(id),
        warc_file TEXT NOT NULL REFERENCES warc_files(name) DEFERRABLE INITIALLY DEFERRED,
        warc_offset INTEGER NOT NULL,
        warc_length INTEGER NOT NULL
    )""",
    "CREATE INDEX captures_url ON captures(url, fetched_at)",
    "CREATE INDEX captures_crawl ON captures(crawl_id)",
    "CREATE INDEX captures_digest ON captures(digest) WHERE same_as IS NULL",
    "CREATE INDEX captures_record ON captures(warc_file, warc_offset)",
    """CREATE TABLE articles (
        id INTEGER PRIMARY KEY,
        site TEXT NOT NULL,
        url TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        standfirst TEXT,
        authors TEXT NOT NULL DEFAULT '[]',
        section TEXT,
        tags TEXT NOT NULL DEFAULT '[]',
        lang TEXT,
        published TEXT,
        published_at TEXT,
        published_raw TEXT,
        published_source TEXT,
        published_conflict TEXT,
        modified_at TEXT,
        word_count INTEGER NOT NULL,
        attachments TEXT NOT NULL DEFAULT '[]',
        images TEXT NOT NULL DEFAULT '[]',
        canonical_url TEXT,
        state TEXT NOT NULL DEFAULT 'live',
        first_seen TEXT NOT NULL,
        last_seen TEXT NOT NULL
    )""",
    "CREATE INDEX articles_site_published ON articles(site, published)",
    "CREATE INDEX articles_published ON articles(published)",
    "CREATE INDEX articles_section ON articles(section)",
    "CREATE INDEX articles_canonical ON articles(canonical_url) WHERE canonical_url IS NOT NULL",
    """CREATE TABLE article_text (
        id INTEGER PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        standfirst TEXT,
        body TEXT NOT NULL
    )""",
    """CREATE VIRTUAL TABLE articles_fts USING fts5(
        title, standfirst, body, content="article_text", content_rowid="id", tokenize="porter unicode61"
    )""",
    # A word in the title says more about an article than one in its body.
    "INSERT INTO articles_fts(articles_fts, rank) VALUES ('rank', 'bm25(8.0, 4.0, 1.0)')",
    """CREATE TRIGGER article_text_ai AFTER INSERT ON article_text BEGIN
        INSERT INTO articles_fts(rowid, title, standfirst, body) VALUES (new.id, new.title, new.standfirst, new.body);
    END""",
    """CREATE TRIGGER article_text_ad AFTER DELETE ON article_text BEGIN
        INSERT INTO articles_fts(articles_fts, rowid, title, standfirst, body)
        VALUES ('delete', old.id, old.title, old.standfirst, old.body);
    END""",
    """CREATE TRIGGER article_text_au AFTER UPDATE OF title, standfirst, body ON article_text
    WHEN old.title IS NOT new.title OR old.standfirst IS NOT new.standfirst OR old.body IS NOT new.body BEGIN
        INSERT INTO articles_fts(articles_fts, rowid, title, standfirst, body)
        VALUES ('delete', old.id, old.title, old.standfirst, old.body);
        INSERT INTO articles_fts(rowid, title, standfirst, body) VALUES (new.id, new.title, new.standfirst, new.body);
    END""",
    """CREATE TABLE article_urls (
        url TEXT PRIMARY KEY,
        article_id INTEGER NOT NULL REFERENCES articles(id) ON DELETE CASCADE
    ) WITHOUT ROWID""",
    "CREATE INDEX article_urls_article ON article_urls(article_id)",
    # `fields` holds the fields without a column, as JSON, and `evidence` the rule that read each field.
    """CREATE TABLE revisions (
        id INTEGER PRIMARY KEY,
        article_id INTEGER NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        capture_id INTEGER NOT NULL REFERENCES captures(id),
        digest TEXT NOT NULL,
        title TEXT NOT NULL,
        standfirst TEXT,
        body TEXT NOT NULL,
        fields TEXT NOT NULL DEFAULT '{}',
        evidence TEXT NOT NULL DEFAULT '{}',
        seen_at TEXT NOT NULL,
        UNIQUE(article_id, seq)
    )""",
    "CREATE INDEX revisions_capture ON revisions(capture_id)",
    # One row an address and crawl. state: queued, done. A request in flight is still queued: a kill loses nothing.
    """CREATE TABLE frontier (
        id INTEGER PRIMARY KEY,
        crawl_id INTEGER NOT NULL REFERENCES crawls(id),
        key TEXT NOT NULL,
        url TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'queued',
        outcome TEXT,
        reason TEXT,
        found_on INTEGER REFERENCES captures(id),
        capture_id INTEGER REFERENCES captures(id),
        article_id INTEGER REFERENCES articles(id) ON DELETE SET NULL,
        UNIQUE(crawl_id, key)
    )""",
    "CREATE INDEX frontier_queued ON frontier(crawl_id, id) WHERE state = 'queued'",
    "CREATE INDEX frontier_article ON frontier(article_id)",
    "CREATE INDEX frontier_capture ON frontier(capture_id)",
    """CREATE TABLE listing_entries (
        capture_id INTEGER NOT NULL REFERENCES captures(id),
        position INTEGER NOT NULL,
        url TEXT NOT NULL,
        title TEXT,
        published_raw TEXT,
        published TEXT,
        summary TEXT,
        request_id INTEGER REFERENCES frontier(id),
        PRIMARY KEY (capture_id, position)
    ) WITHOUT ROWID""",
    "CREATE INDEX listing_entries_request ON listing_entries(request_id)",
    "CREATE TABLE schedules (site TEXT PRIMARY KEY, every TEXT NOT NULL, since TEXT NOT NULL) WITHOUT ROWID",
    # What was taken down and must not come back. url: sha256 of the address's key; finished_at: NULL until its
    # records are emptied and the file has no old pages left.
    """CREATE TABLE takedowns (
        url TEXT PRIMARY KEY,
        reason TEXT NOT NULL,
        at TEXT NOT NULL,
        finished_at TEXT
    ) WITHOUT ROWID""",
    """CREATE VIEW full_articles AS
        SELECT a.id, a.url, a.site, t.title, t.standfirst, a.authors, a.section, a.tags, a.lang, a.published,
            a.published_at, a.published_raw, a.published_source, a.published_conflict, a.modified_at, t.body AS text,
            a.word_count, a.attachments, a.images, a.state, a.first_seen, a.last_seen
        FROM articles a JOIN article_text t USING (id)""",
    """CREATE VIEW entry_outcomes AS
        SELECT c.crawl_id, e.capture_id, c.url AS listing_url, e.position, e.url, e.title,
            CASE WHEN f.state = 'queued' THEN 'queued' ELSE f.outcome END AS outcome, f.reason, f.article_id
        FROM listing_entries e JOIN captures c ON c.id = e.capture_id LEFT JOIN frontier f ON f.id = e.request_id""",
)
