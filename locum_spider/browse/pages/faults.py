"""What cannot be answered, in words: a page with a way home, or JSON."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from datasette.database import QueryInterrupted
from datasette.utils.asgi import Base400, Forbidden, Response
from datasette.views.base import DatasetteError

from locum_spider.browse.configuration import NAME
from locum_spider.browse.pages import common
from locum_spider.browse.processes import BusyError, LostError
from locum_spider.errors import LocumError
from locum_spider.store.bounded import QueryError, StoppedError


@dataclass(frozen=True, slots=True)
class Fault:
    """An HTTP status, its heading, and what to do."""

    status: int
    heading: str
    text: str


async def page(datasette: Any, request: Any, exception: Exception) -> Any:
    """The answer to a request that raised an exception, as a page or as what the address asks for."""
    fault = told(exception, datasette.setting("sql_time_limit_ms") / 1000)
    if fault.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        traceback.print_exception(exception, file=sys.stderr)
    headers = {"Retry-After": "30"} if fault.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    if request.path.endswith(".json"):
        body = {"ok": False, "error": fault.text, "status": fault.status, "title": fault.heading}
        return Response.json(body, status=fault.status, headers=headers)
    if request.path.endswith(".csv"):
        return Response.text(fault.text, status=fault.status, headers=headers)
    name = common.options(datasette).get("front") or _named(datasette, request)
    sql = request.args.get("sql") or ""
    return common.respond(
        datasette, datasette.databases[name], "fault.html", fault.status, headers, fault=fault, sql=sql
    )


def _named(datasette: Any, request: Any) -> str:
    route = request.url_vars.get("database") if request.url_vars else None
    return next((key for key, database in datasette.databases.items() if database.route == route), NAME)


def told(exception: Exception, seconds: float) -> Fault:
    """An exception in words; `seconds` is the limit of a query.

    >>> told(BusyError("Others ask."), 5)
    Fault(status=503, heading='Busy', text='Others ask.')
    >>> told(ValueError("x"), 5).status
    500
    """
    stopped = f"The query took longer than {seconds:g} seconds and was stopped. Ask for less, or narrow it with WHERE."
    match exception:
        case BusyError():
            return Fault(503, "Busy", str(exception))
        case StoppedError() | LostError() | QueryError():
            return Fault(400, "Too much at once", str(exception))
        case QueryInterrupted():
            return Fault(400, "Too much at once", stopped)
        case DatasetteError() if isinstance(exception.__context__, QueryInterrupted):
            return Fault(400, "Too much at once", stopped)
        case Forbidden():
            return Fault(403, "Not allowed", f"This archive can only be read ({_words(exception)}).")
        case Base400(status=404):
            return Fault(404, "Not found", f"There is nothing at this address ({_words(exception)}).")
        case Base400():
            return Fault(exception.status, "Not understood", _words(exception))
        case DatasetteError():  # it gives 500 to what a reader asked wrongly
            return Fault(min(exception.status, 400), exception.title or "Not understood", f"{exception.message}.")
        case LocumError():
            return Fault(500, "A fault", str(exception))
        case _:
            return Fault(500, "A fault of ours", "The page could not be made. The terminal of `locum serve` says more.")


def _words(exception: Exception) -> str:
    return str(exception.args[0]).rstrip(".") if exception.args and exception.args[0] else "no reason is given"
