"""Canned queries: what people most often ask an archive, ready to run, to edit and to fetch as CSV or JSON.

A column `article_id` turns the title beside it into a link to the article's page.
"""

from __future__ import annotations

QUERY_FUNCTION = "locum_query"
"""SQL function: what a person typed, as an FTS5 query that never fails."""

QUERIES: dict[str, dict[str, object]] = {
    "search": {
        "title": "Search",
        "description": (
            'Articles that contain all the words, the best first. "Phrases" in quotes, word* for beginnings, '
            "-word to leave out, OR between alternatives. Found words stand in [brackets]."
        ),
        "sql": f"""SELECT a.id AS article_id, a.title, a.published, a.section,
  snippet(articles_fts, -1, '[', ']', '…', 24) AS snippet, a.site, a.url
FROM articles_fts JOIN articles a ON a.id = articles_fts.rowid
WHERE articles_fts MATCH {QUERY_FUNCTION}(:q)
ORDER BY rank""",  # noqa: S608 - our own function's name
    },
    "by_month": {
        "title": "Articles by month",
        "description": "How many articles were published in each month, and how many words they have.",
        "sql": """SELECT substr(published, 1, 7) AS month, site, count(*) AS articles, sum(word_count) AS words
FROM articles
GROUP BY month, site
ORDER BY month DESC, site""",
    },
    "on_this_day": {
        "title": "On this day",
        "description": "Articles of all years published on one day, such as 04-10; today's if none is given.",
        "sql": """SELECT id AS article_id, published, title, standfirst, section, url
FROM articles
WHERE substr(published, 6, 5) = coalesce(nullif(trim(:day), ''), strftime('%m-%d', 'now'))
ORDER BY published DESC, id""",
    },
    "changed": {
        "title": "Changed articles",
        "description": "Articles whose content was found changed by a later crawl, the latest change first.",
        "sql": """SELECT a.id AS article_id, a.title, count(*) AS revisions, min(r.seen_at) AS first_revision,
  max(r.seen_at) AS last_revision, a.published, a.url
FROM revisions r JOIN articles a ON a.id = r.article_id
GROUP BY a.id
HAVING count(*) > 1
ORDER BY last_revision DESC, a.id DESC""",
    },
    "date_contradictions": {
        "title": "Date contradictions",
        "description": "Articles whose page says two things about its date, or prints one that does not exist.",
        "sql": """SELECT id AS article_id, title, published, published_raw, published_source, published_conflict, url
FROM articles
WHERE published_conflict IS NOT NULL
ORDER BY published DESC, id DESC""",
    },
    "crawl": {
        "title": "What a crawl gave",
        "description": "What became of each entry of the listings a crawl read; the last crawl if none is given.",
        "sql": """SELECT outcome, article_id, title, url, reason, listing_url, position
FROM entry_outcomes
WHERE crawl_id = coalesce(nullif(trim(:crawl), ''), (SELECT max(id) FROM crawls))
ORDER BY outcome IN ('new', 'changed', 'unchanged'), outcome, capture_id, position""",
    },
    "unread": {
        "title": "Pages that could not be read",
        "description": "Addresses that gave nothing in a crawl and the reason why; all crawls if none is given.",
        "sql": """SELECT f.crawl_id, f.outcome, f.reason, f.kind, f.url, f.capture_id
FROM frontier f
WHERE f.outcome IN ('failed', 'not_article', 'not_listing', 'refused')
  AND (nullif(trim(:crawl), '') IS NULL OR f.crawl_id = trim(:crawl))
ORDER BY f.crawl_id DESC, f.outcome, f.id""",
    },
    "attachments": {
        "title": "Attachments",
        "description": "Documents that articles offer, the newest article first.",
        "sql": """SELECT a.id AS article_id, a.title, a.published,
  json_extract(j.value, '$.title') AS document, json_extract(j.value, '$.url') AS document_url
FROM articles a, json_each(a.attachments) j
ORDER BY a.published DESC, a.id DESC, j.key""",
    },
    "captures_of": {
        "title": "Captures of an address",
        "description": (
            "When an address, or another of the same article, was fetched, what the server said, "
            "and where the exchange lies in the WARC files."
        ),
        "sql": """SELECT id AS capture_id, fetched_at, status, content_type, digest, warc_file, warc_offset,
  warc_length, crawl_id, url
FROM captures
WHERE url = trim(:url)
  OR url IN (
    SELECT other.url FROM article_urls u JOIN article_urls other USING (article_id) WHERE u.url = trim(:url)
  )
ORDER BY fetched_at DESC, id DESC""",
    },
}
for _query in QUERIES.values():
    _query["hide_sql"] = True  # readers see the rows first; one click shows and edits the SQL
