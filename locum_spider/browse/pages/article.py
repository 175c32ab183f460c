"""An article: its text, its source, and what changed from one revision to the next."""

from __future__ import annotations

from typing import Any

from locum_spider.browse.diff import changes
from locum_spider.browse.format import blocks
from locum_spider.browse.pages.common import open_archive, read, respond
from locum_spider.fields import FIELDS, told
from locum_spider.items import Article
from locum_spider.store import reading
from locum_spider.store.connection import Connection
from locum_spider.store.content import COLUMNS, decoded, read_revision
from locum_spider.store.reading import Row

_CAPTURES = 100


async def article(request: Any, datasette: Any) -> Any:
    """An article, or with `?revision=` its content at an earlier time."""
    database = await open_archive(datasette, request)
    asked = request.args.get("revision") or ""
    seq = int(asked[:9]) if asked.isascii() and asked.isdigit() else None
    page = await read(datasette, database, contents, int(request.url_vars["id"]), seq)
    if page is None:
        return respond(datasette, database, "missing.html", 404)
    return respond(datasette, database, "article.html", page=page, seq=seq)


def contents(db: Connection, article_id: int, seq: int | None) -> Row | None:
    """Everything about an article, as it is now or in revision `seq`. None if there is no such article or revision."""
    row = reading.article(db, article_id)
    if row is None:
        return None
    page = decoded(row)
    revisions = {revision["seq"]: revision for revision in reading.revisions(db, article_id)}
    if seq is not None:
        if seq not in revisions:
            return None
        before = max((earlier for earlier in revisions if earlier < seq), default=0)
        page |= _revision(revisions[seq], revisions.get(before))
    shown = revisions.get(seq or max(revisions, default=0))
    return {
        **page,
        "facts": [(field.fact, ", ".join(told(page.get(field.name))), field.kind) for field in FIELDS if field.fact],
        "blocks": blocks(page["text"]),
        "revisions": list(revisions.values()),
        "captures": reading.captures_of(db, article_id, _CAPTURES),
        "urls": [url for url in reading.addresses(db, article_id) if url != page["url"]],
        "evidence": shown["evidence"] if shown is not None else {},
    }


def _revision(row: Row, before: Row | None) -> Row:
    """The content of a revision, and how it differs from the revision before it."""
    new = _read(row)
    page: Row = {field.name: getattr(new, field.name) for field in COLUMNS}
    page |= {"text": new.text, "word_count": len(new.text.split()), "seen_at": row["seen_at"], "before": None}
    if before is not None:
        old = _read(before)
        pairs = [(field.name, getattr(old, field.name), getattr(new, field.name)) for field in COLUMNS]
        page["before"] = {
            "seq": before["seq"],
            "fields": [(name, _plain(a), _plain(b)) for name, a, b in pairs if a != b],
            "blocks": changes(old.text, new.text),
        }
    return page


def _read(row: Row) -> Article:
    return read_revision(row["title"], row["standfirst"], row["body"], row["fields"])


def _plain(value: Any) -> str:
    return ", ".join(told(value)) or "nothing"
