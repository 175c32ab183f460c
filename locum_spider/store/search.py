"""Full-text search: turns what people type into a query that is always valid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from locum_spider.errors import DateFilterError
from locum_spider.store.connection import Connection
from locum_spider.store.excerpts import MARK, UNMARK, excerpts
from locum_spider.store.folding import folded
from locum_spider.store.fulltext import present_indexes

__all__ = [
    "MARK",
    "MOST_TERMS",
    "UNMARK",
    "Filters",
    "Hit",
    "count",
    "fts_query",
    "search",
    "select",
    "storable",
    "terms",
]

_TERM = re.compile(r'(-?)"([^"]*)"(\*?)|(\S+)')
_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
MOST_TERMS = 40
"""Words and phrases of a search; what follows is left out, since each costs a look at the whole index."""


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a search. `since` and `until` are days, months or years, both inclusive."""

    site: str | None = None
    section: str | None = None
    author: str | None = None
    tag: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One article that a search found; a higher `score` is better."""

    id: int
    url: str
    site: str
    title: str
    section: str | None
    published: str | None
    snippet: str
    score: float


def fts_query(text: str) -> str:
    """An FTS5 query for what was typed: words, "phrases", `word*`, `-without`, `OR`; everything else is a word.

    Words are folded as in the index. Empty if there is nothing to search for.

    >>> fts_query('children "care order" -adoption')
    '"children" "care order" NOT "adoption"'
    >>> fts_query('NEAR( " AND * ' + "it's"), fts_query('-only'), fts_query('pay OR fees')
    ('"NEAR(" "AND" "it\\'s"', '', '"pay" OR "fees"')
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, star, word in _TERM.findall(storable(text)):
        if word == "OR":
            if wanted and wanted[-1] != "OR":
                wanted.append("OR")
            continue
        body = phrase or word.lstrip("-").replace('"', " ")
        prefix = bool(star) or body.endswith("*")
        body = " ".join(folded(body.rstrip("*")).split())
        if not re.search(r"[\w\ue000-\uf8ff]", body) or len(wanted) + len(unwanted) >= MOST_TERMS:
            continue
        term = '"' + body + '"' + ("*" if prefix else "")
        (unwanted if minus or word.startswith("-") else wanted).append(term)
    while wanted and wanted[-1] == "OR":
        wanted.pop()
    if not wanted:
        return ""
    query = " ".join(wanted)
    if not unwanted:
        return query
    return (f"({query})" if "OR" in wanted else query) + "".join(f" NOT {term}" for term in unwanted)


def terms(text: str) -> list[str]:
    """The words and phrases that were typed, with their signs.

    >>> terms('pay OR "care order" -caps *')
    ['pay', '"care order"', '-caps']
    """
    typed = (match[0] for match in _TERM.finditer(storable(text)))
    return [term for term in typed if term != "OR" and re.search(r"\w", term)]


def storable(text: str) -> str:
    """Text without what SQLite cannot take: NUL, and bytes of the shell that are not UTF-8."""
    return _UNSTORABLE.sub(" ", text)


def _conditions(filters: Filters) -> tuple[str, list[object]]:
    clauses: list[str] = []
    values: list[object] = []
    for column, value in (("site", filters.site), ("section", filters.section)):
        if value is not None:
            clauses.append(f"a.{column} = ? COLLATE NOCASE")
            values.append(storable(value))
    for column, value in (("authors", filters.author), ("tags", filters.tag)):
        if value is not None:
            clauses.append(f"EXISTS (SELECT 1 FROM json_each(a.{column}) WHERE value = ? COLLATE NOCASE)")
            values.append(storable(value))
    for name, sign, value in (("since", ">=", filters.since), ("until", "<=", filters.until)):
        if value is not None:
            if not _DATE.fullmatch(value):
                raise DateFilterError(name, value)
            clauses.append(f"a.published {sign} ?")
            values.append(value if sign == ">=" else value + "~")  # "~" sorts behind every day of a month
    return "".join(f" AND {clause}" for clause in clauses), values


_FOLDED = "articles_fts_folded"
_AT_ONCE = 50  # texts in memory


def _indexes(db: Connection) -> list[tuple[str, str]]:
    """The indexes with a condition: each article is searched in one, the folded one if it has its text."""
    present = present_indexes(db)
    beside = f" AND articles_fts.rowid NOT IN (SELECT id FROM {_FOLDED})" if len(present) > 1 else ""
    return [(name, beside if name == "articles_fts" else "") for name in present]


def search(db: Connection, text: str, filters: Filters, limit: int, offset: int) -> list[Hit]:
    """The best hits for what was typed. Raises DateFilterError if `since` or `until` is not a date."""
    conditions, values = _conditions(filters)
    query = fts_query(text)
    if not query:
        return []
    rows: list[Any] = []
    for index, own in _indexes(db):
        rows += db.execute(
            f"SELECT a.id, a.url, a.site, a.title, a.section, a.published, -rank AS score "
            f"FROM {index} JOIN articles a ON a.id = {index}.rowid "
            f"WHERE {index} MATCH ?{own}{conditions} ORDER BY rank LIMIT ?",
            (query, *values, limit + offset),
        ).fetchall()
    rows.sort(key=lambda row: -row["score"])
    rows = rows[offset : offset + limit]
    shown: dict[int, str] = {}
    for start in range(0, len(rows), _AT_ONCE):
        numbers = json.dumps([row["id"] for row in rows[start : start + _AT_ONCE]])
        texts = db.execute(
            "SELECT id, title, standfirst, body FROM article_text WHERE id IN (SELECT value FROM json_each(?))",
            (numbers,),
        )
        shown |= excerpts({row[0]: tuple(row)[1:] for row in texts}, query)
    return [Hit(**dict(row), snippet=shown.get(row["id"], "")) for row in rows]


def count(db: Connection, text: str, filters: Filters) -> int:
    """The number of articles that a search finds. Raises DateFilterError like `search`."""
    conditions, values = _conditions(filters)
    query = fts_query(text)
    if not query:
        return 0
    return sum(
        int(
            db.execute(
                f"SELECT count(*) FROM {index} JOIN articles a ON a.id = {index}.rowid "
                f"WHERE {index} MATCH ?{own}{conditions}",
                (query, *values),
            ).fetchone()[0]
        )
        for index, own in _indexes(db)
    )


def select(db: Connection, filters: Filters, limit: int = -1, offset: int = 0) -> Iterator[dict[str, Any]]:
    """Rows of `full_articles` that match the filters, newest first; -1 as limit means all."""
    conditions, values = _conditions(filters)
    rows = db.execute(
        f"SELECT a.* FROM full_articles a WHERE 1{conditions} ORDER BY a.published DESC, a.id DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    return map(dict, rows)
