"""The routes: front page, search, article, and their stylesheet."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from jinja2 import Environment, FileSystemLoader

from locum_spider.browse import reading
from locum_spider.browse.configuration import PLUGIN
from locum_spider.browse.format import day_in_words, marked, moment_in_words
from locum_spider.browse.queries import QUERIES
from locum_spider.errors import UsageError
from locum_spider.store.search import Filters

_HERE = Path(__file__).parent.parent
_TABLES = ("articles", "article_text", "articles_fts", "revisions", "captures")
_HEADERS = {
    # The pages bear what others wrote; nothing of it may run, load or be told where the reader came from.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_known: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


async def is_archive(datasette: Any, name: str | None) -> bool:
    """Whether a database that Datasette serves is one of ours."""
    database = datasette.databases.get(name)
    if database is None:
        return False
    if database not in _known:
        _known[database] = await database.execute_fn(reading.is_archive)
    return _known[database]


def options(datasette: Any) -> dict[str, Any]:
    """What `serve` told the plugin; empty where Datasette was started in another way."""
    return datasette.plugin_config(PLUGIN) or {}


def front_url(datasette: Any, name: str) -> str:
    """Address of an archive's front page."""
    if options(datasette).get("front") == name:
        return str(datasette.urls.instance())
    return f"{datasette.urls.database(name)}/-/read"


def article_url(datasette: Any, name: str, article_id: int) -> str:
    """Address of an article's page."""
    return f"{datasette.urls.database(name)}/-/article/{article_id}"


def sheet_url(datasette: Any, name: str) -> str:
    """Address of a stylesheet, new whenever its content is."""
    return f"{datasette.urls.path('/-/locum/' + name + '.css')}?{_sheet(name)[1]}"


@cache
def _sheet(name: str) -> tuple[str, str]:
    text = (_HERE / "assets" / f"{name}.css").read_text(encoding="utf-8")
    return text, sha256(text.encode()).hexdigest()[:12]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "assets"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "day": day_in_words,
        "moment": moment_in_words,
        "marked": marked,
        "web": lambda url: str(url).lower().startswith(("http://", "https://")),
    }
    return environment


async def _open(datasette: Any, request: Any, name: str | None = None) -> Any:
    """The database an address names, where it is an archive and this reader may see it."""
    from datasette import NotFound
    from datasette.utils import tilde_decode

    if name is None:
        route = tilde_decode(request.url_vars["database"])
        name = next((key for key, database in datasette.databases.items() if database.route == route), None)
    if not await is_archive(datasette, name):
        raise NotFound("There is no archive of this name here")
    if hasattr(datasette, "ensure_permission"):  # Datasette 1.0
        from datasette.resources import TableResource

        for table in _TABLES:
            resource = TableResource(database=name, table=table)
            await datasette.ensure_permission(action="view-table", resource=resource, actor=request.actor)
    else:
        for table in _TABLES:
            await datasette.ensure_permissions(
                request.actor, [("view-table", (name, table)), ("view-database", name), "view-instance"]
            )
    return datasette.databases[name]


async def _read(datasette: Any, database: Any, function: Callable[..., Any], *values: object) -> Any:
    """Run a function of `reading` within Datasette's time limit."""
    from datasette.utils import sqlite_timelimit

    def limited(connection: Any) -> Any:
        with sqlite_timelimit(connection, datasette.setting("sql_time_limit_ms")):
            return function(connection, *values)

    return await database.execute_fn(limited)


def _respond(datasette: Any, database: Any, template: str, status: int = 200, **context: Any) -> Any:
    from datasette import Response

    base = str(datasette.urls.database(database.name))
    titles = options(datasette).get("sites") or {}
    html = _environment().get_template(template).render(
        base=base,
        home=front_url(datasette, database.name),
        style=sheet_url(datasette, "pages"),
        archive_title=options(datasette).get("title") or "News archive",
        site_title=lambda name: titles.get(name, name),
        several_sites=len(titles) > 1,
        find_url=lambda **args: f"{base}/-/find?{urlencode({k: v for k, v in args.items() if v})}",
        **context,
    )  # fmt: skip
    return Response.html(html, status=status, headers=_HEADERS)


async def stylesheet(request: Any) -> Any:
    """One of our stylesheets."""
    from datasette import Response

    text, _ = _sheet(request.url_vars["name"])
    headers = {"Cache-Control": "max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(text, headers=headers, content_type="text/css; charset=utf-8")


async def home(request: Any, datasette: Any) -> Any:
    """The front page at `/`, where `serve` asked for it."""
    return await _front(datasette, await _open(datasette, request, options(datasette)["front"]))


async def front(request: Any, datasette: Any) -> Any:
    """The front page of one archive among other databases."""
    return await _front(datasette, await _open(datasette, request))


async def _front(datasette: Any, database: Any) -> Any:
    page = await _read(datasette, database, reading.front)
    return _respond(datasette, database, "front.html", page=page, queries=QUERIES)


async def find(request: Any, datasette: Any) -> Any:
    """Search results, or a list of articles where no words are given."""
    database = await _open(datasette, request)
    asked = {key: (request.args.get(key) or "").strip()
             for key in ("q", "site", "section", "author", "tag", "from", "to", "page")}  # fmt: skip
    page = int(asked.pop("page")) if asked["page"].isascii() and asked["page"].isdigit() else 1
    asked.pop("page", None)
    page = min(max(page, 1), 10_000)
    filters = Filters(
        site=asked["site"] or None, section=asked["section"] or None, author=asked["author"] or None,
        tag=asked["tag"] or None, since=asked["from"] or None, until=asked["to"] or None,
    )  # fmt: skip
    error, found = None, {"total": 0, "cards": [], "further": False}
    try:
        found = await _read(datasette, database, reading.find, asked["q"], filters, page)
    except UsageError as fault:
        error = str(fault).replace("--", "")
    return _respond(
        datasette, database, "find.html", 400 if error else 200, asked=asked, number=page, error=error, **found,
        sections=await _read(datasette, database, reading.sections),
    )  # fmt: skip


async def article(request: Any, datasette: Any) -> Any:
    """An article, or with `?revision=` its content at an earlier time."""
    database = await _open(datasette, request)
    asked = request.args.get("revision") or ""
    seq = int(asked[:9]) if asked.isascii() and asked.isdigit() else None
    page = await _read(datasette, database, reading.article, int(request.url_vars["id"]), seq)
    if page is None:
        return _respond(datasette, database, "missing.html", 404)
    return _respond(datasette, database, "article.html", page=page, seq=seq)
