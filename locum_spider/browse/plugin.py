"""The Datasette plugin: pages for readers and canned queries for archives; other databases are left alone.

Written for Datasette 0.65; hooks and calls that only 1.0 has are marked.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from datasette import Forbidden, hookimpl
from markupsafe import Markup

from locum_spider.browse.guard import App, guarded
from locum_spider.browse.pages import article, common, faults, find, front
from locum_spider.browse.queries import QUERIES, QUERY_FUNCTION
from locum_spider.errors import LocumError
from locum_spider.store.connection import Connection
from locum_spider.store.search import fts_query


@hookimpl
def prepare_connection(conn: Connection) -> None:
    """Add `locum_query(text)`: typed words as an FTS5 query, or an empty phrase, which finds nothing."""
    conn.create_function(QUERY_FUNCTION, 1, lambda text: fts_query(str(text or "")) or '""', deterministic=True)


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    """Our pages; the one at `/` only if `serve` asks for it."""
    routes: list[tuple[str, Callable[..., Awaitable[Any]]]] = [
        (r"/-/locum/(?P<name>pages|tables)\.css$", common.stylesheet),
        (r"/(?P<database>[^/]+)/-/read$", front.front),
        (r"/(?P<database>[^/]+)/-/find$", find.find),
        (r"/(?P<database>[^/]+)/-/article/(?P<id>[0-9]{1,18})$", article.article),
    ]
    if _is_ours(datasette):
        routes.append((r"/$", front.front))
    return routes


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[App], App]:
    """What `serve` serves has a guard; other Datasettes are left alone."""
    known = common.options(datasette).get("hosts")
    return (lambda app: guarded(app, known)) if known else (lambda app: app)


@hookimpl(hookwrapper=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Generator[None, Any, None]:
    """Faults of our pages, and in what `serve` serves all faults, are pages with a way home, and nobody else's."""
    answers = yield
    if _is_ours(datasette) or isinstance(exception, LocumError):
        answers.force_result([lambda: faults.page(datasette, request, exception)])


@hookimpl(tryfirst=True)
def forbidden(datasette: Any, request: Any, message: str) -> Callable[[], Awaitable[Any]] | None:
    """A page of Datasette that the reader may not see."""
    return (lambda: faults.page(datasette, request, Forbidden(message))) if _is_ours(datasette) else None


def _is_ours(datasette: Any) -> bool:
    """Whether `serve` made this Datasette; others have databases that are not archives."""
    return "front" in common.options(datasette)


@hookimpl(optionalhook=True)
async def canned_queries(datasette: Any, database: str) -> dict[str, Any]:
    """Datasette 0.65 asks for them on each page."""
    if not await common.is_archive(datasette, database):
        return {}
    return {name: dict(query) for name, query in QUERIES.items()}


@hookimpl
async def startup(datasette: Any) -> None:
    """Datasette 1.0 stores them once."""
    for database in list(datasette.databases) if hasattr(datasette, "add_query") else []:
        if await common.is_archive(datasette, database):
            for name, query in QUERIES.items():
                await datasette.add_query(database, name, **query, is_trusted=True, source="plugin")


@hookimpl
async def extra_css_urls(datasette: Any, database: str | None) -> list[str]:
    """A stylesheet for Datasette's own pages of an archive: dark mode and narrow screens."""
    return [common.sheet_url(datasette, "tables")] if await common.is_archive(datasette, database) else []


@hookimpl
async def menu_links(datasette: Any) -> list[dict[str, str]]:
    """A link from the tables back to the pages for readers."""
    archives = [name for name in datasette.databases if await common.is_archive(datasette, name)]
    several = len(archives) > 1
    return [
        {"href": common.front_url(datasette, name), "label": f"Read {name}" if several else "Read the archive"}
        for name in archives
    ]


_LISTS = {"authors", "tags"}


@hookimpl
def render_cell(
    row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any
) -> Callable[[], Awaitable[Markup | None]] | None:
    """Titles link to the article's page; names and tags are shown without brackets."""
    ours = table in {"articles", "full_articles"}
    if not (column == "title" and value) and not (ours and column in _LISTS):
        return None

    async def cell() -> Markup | None:
        if not await common.is_archive(datasette, database):
            return None
        if column in _LISTS:
            return Markup("{}").format(", ".join(map(str, json.loads(value or "[]")))) or Markup("&nbsp;")
        key = "id" if ours else "article_id"
        article_id = row[key] if key in row.keys() else None  # noqa: SIM118 - `in` a sqlite3.Row looks at its values
        if not isinstance(article_id, int):
            return None
        return Markup('<a href="{}">{}</a>').format(common.article_url(datasette, database, article_id), value)

    return cell
