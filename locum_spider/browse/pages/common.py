"""What the pages share: addresses, who may read, the time limit, templates and stylesheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from jinja2 import Environment, FileSystemLoader

from locum_spider.browse.configuration import PLUGIN
from locum_spider.browse.format import day_in_words, marked, moment_in_words, one_way
from locum_spider.store import reading
from locum_spider.store.bounded import Question

_BROWSE = Path(__file__).parent.parent
_TABLES = ("articles", "article_text", "articles_fts", "revisions", "captures")
_HEADERS = {
    # The pages show what others wrote: none of it may run or load anything, or learn where the reader came from.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_is_archive: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


async def is_archive(datasette: Any, name: str | None) -> bool:
    """Whether a database that Datasette serves is one of ours."""
    database = datasette.databases.get(name)
    if database is None:
        return False
    if database not in _is_archive:
        _is_archive[database] = await database.execute_fn(reading.is_archive)
    return _is_archive[database]


def options(datasette: Any) -> dict[str, Any]:
    """The options that `serve` gave the plugin; empty if Datasette was started in another way."""
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
    """Address of a stylesheet; another address if its content changes."""
    return f"{datasette.urls.path('/-/locum/' + name + '.css')}?{_sheet(name)[1]}"


@cache
def _sheet(name: str) -> tuple[str, str]:
    text = (_BROWSE / "static" / f"{name}.css").read_text(encoding="utf-8")
    return text, sha256(text.encode()).hexdigest()[:12]


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(_BROWSE / "templates")
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "day": day_in_words,
        "moment": moment_in_words,
        "marked": marked,
        "one_way": one_way,
        "web": lambda url: str(url).lower().startswith(("http://", "https://")),
    }
    return environment


async def open_archive(datasette: Any, request: Any, name: str | None = None) -> Any:
    """The database that an address names. Raises NotFound if it is not an archive, Forbidden if it may not be read."""
    from datasette import NotFound
    from datasette.utils import tilde_decode

    if name is None:
        route = tilde_decode(request.url_vars["database"])
        name = next((key for key, database in datasette.databases.items() if database.route == route), None)
    if not await is_archive(datasette, name):
        raise NotFound("There is no archive with this name here")
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


async def read(datasette: Any, database: Any, function: Callable[..., Any], *values: object) -> Any:
    """Call `function(connection, *values)`, a function of a module, within Datasette's time limit.

    Raises StoppedError after that time, QueryError if a limit on memory is reached.
    """
    seconds = datasette.setting("sql_time_limit_ms") / 1000
    return await database.execute_fn(Question(function, values, seconds))


def respond(
    datasette: Any, database: Any, template: str, status: int = 200, headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Any:  # fmt: skip
    """A page from a template, with the values that every template needs."""
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
    return Response.html(html, status=status, headers={**_HEADERS, **(headers or {})})


async def stylesheet(request: Any) -> Any:
    """One of our stylesheets."""
    from datasette import Response

    text, _ = _sheet(request.url_vars["name"])
    headers = {"Cache-Control": "max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(text, headers=headers, content_type="text/css; charset=utf-8")
