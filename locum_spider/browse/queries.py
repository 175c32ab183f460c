"""Canned queries: common questions to an archive, ready to run, to edit and to fetch as CSV or JSON.

A column `article_id` turns the title beside it into a link to the article's page.
"""

from __future__ import annotations

QUERY_FUNCTION = "locum_query"
"""SQL function: makes an FTS5 query that never fails of what a person typed."""

QUERIES: dict[str, dict[str, object]] = {
    "search": {
        "title": "Search",
        "description": (
            'Articles that contain all the words, the best first. "Quotes" find a phrase, word* finds any ending, '
            "-word leaves a word out, OR finds either word. The words searched for are in [brackets]."
        ),
        "sql": f"""SELECT a.id AS article_id, a.title, a.published, a.section,
  snippet(articles_fts, -1, '[', ']', '…', 24) AS snippet, a.site, a.url
FROM articles_fts JOIN articles a ON a.id = articles_fts.rowid
WHERE articles_fts MATCH {QUERY_FUNCTION}(:q)
ORDER BY rank""",  # noqa: S608 - our own function's name
    },
    "by_month": {
        "title": "Articles by month",
        "description": "How many articles each month has, and how many words.",
        "sql": """SELECT substr(published, 1, 7) AS month, site, count(*) AS articles, sum(word_count) AS words
FROM articles
GROUP BY month, site
ORDER BY month DESC, site""",
    },
    "on_this_day": {
        "title": "On this day",
        "description": "Articles of all years published on one day, such as 04-10. Leave it empty for today.",
        "sql": """SELECT id AS article_id, published, title, standfirst, section, url
FROM articles
WHERE substr(published, 6, 5) = coalesce(nullif(trim(:day), ''), strftime('%m-%d', 'now'))
ORDER BY published DESC, id""",
    },
    "changed": {
        "title": "Changed articles",
        "description": "Articles that a later capture found changed, the latest change first.",
        "sql": """SELECT a.id AS article_id, a.title, count(*) AS revisions, min(r.seen_at) AS first_revision,
  max(r.seen_at) AS last_revision, a.published, a.url
FROM revisions r JOIN articles a ON a.id = r.article_id
GROUP BY a.id
HAVING count(*) > 1
ORDER BY last_revision DESC, a.id DESC""",
    },
    "date_contradictions": {
        "title": "Date contradictions",
        "description": "Articles whose page contradicts itself about its date, or prints a date that does not exist.",
        "sql": """SELECT id AS article_id, title, published, published_raw, published_source, published_conflict, url
FROM articles
WHERE published_conflict IS NOT NULL
ORDER BY published DESC, id DESC""",
    },
    "crawl": {
        "title": "Results of a crawl",
        "description": "What became of each entry of the listings. Leave the crawl empty for the last one.",
        "sql": """SELECT outcome, article_id, title, url, reason, listing_url, position
FROM entry_outcomes
WHERE crawl_id = coalesce(nullif(trim(:crawl), ''), (SELECT max(id) FROM crawls))
ORDER BY outcome IN ('new', 'changed', 'unchanged'), outcome, capture_id, position""",
    },
    "unread": {
        "title": "Pages that could not be read",
        "description": "Addresses that gave nothing, and why. Leave the crawl empty for all crawls.",
        "sql": """SELECT f.crawl_id, f.outcome, f.reason, f.kind, f.url, f.capture_id
FROM frontier f
WHERE f.outcome IN ('failed', 'not_article', 'not_listing', 'refused')
  AND (nullif(trim(:crawl), '') IS NULL OR f.crawl_id = trim(:crawl))
ORDER BY f.crawl_id DESC, f.outcome, f.id""",
    },
    "attachments": {
        "title": "Attachments",
        "description": "Documents that articles link to, the newest article first.",
        "sql": """SELECT a.id AS article_id, a.title, a.published,
  json_extract(j.value, '$.title') AS document, json_extract(j.value, '$.url') AS document_url
FROM articles a, json_each(a.attachments) j
ORDER BY a.published DESC, a.id DESC, j.key""",
    },
    "captures_of": {
        "title": "Captures of an address",
        "description": (
            "When an address, or another address of the same article, was fetched, what the server answered, "
            "and where the record is in the WARC files."
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
    _query["hide_sql"] = True  # readers see the rows first; one click shows the SQL
