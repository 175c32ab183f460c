"""The database of an archive that `serve` serves: what visitors ask is answered in processes of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.database import Database, QueryInterrupted, Results
from datasette.views.base import DatasetteError

from locum_spider.browse.guard import IS_CSV, LANE, PAGES, QUERIES, SEARCHES, TABLES
from locum_spider.browse.processes import Answerer, Lane, LostError
from locum_spider.store.bounded import QueryError, Question, StoppedError, answer, bound, rows_by_name
from locum_spider.store.connection import Connection

_PROCESSES = {PAGES: 2, SEARCHES: 2, TABLES: 2, QUERIES: 3}
"""How many answer each kind of request: none waits for another kind."""


class ArchiveDatabase(Database):
    """A database of Datasette whose queries hold to limits, and end if nobody waits for them."""

    def __init__(self, served: Any, path: Path, *, is_mutable: bool = True) -> None:
        super().__init__(served, str(path), is_mutable=is_mutable)
        self._lanes = {
            kind: Lane(size, answerer, path, is_mutable, served.settings_dict(), urgent=kind != QUERIES)
            for kind, size in _PROCESSES.items()
        }

    def begin(self) -> None:
        """Start the processes that the first pages ask."""
        for lane in self._lanes.values():
            lane.begin()

    async def execute_fn(self, fn: Callable[[Connection], Any]) -> Any:
        """Call a function with a connection: a Question in a process; what Datasette asks for itself here."""
        if isinstance(fn, Question):
            return await self._lanes[LANE.get()].ask(fn)
        return await super().execute_fn(fn)

    async def execute(
        self,
        sql: str,
        params: Mapping[str, Any] | Sequence[Any] | None = None,
        truncate: bool = False,
        custom_time_limit: int | None = None,
        page_size: int | None = None,
        log_sql_errors: bool = True,  # noqa: ARG002 - errors of visitors are shown to them
    ) -> Results:
        """Run a query within the limits of time (milliseconds), rows and length of the answer.

        Raises QueryInterrupted after the time, QueryError if another limit is reached or the query is wrong (for a CSV
        file DatasetteError), BusyError if its turn does not come.
        """
        limit = self.ds.sql_time_limit_ms
        most = self.ds.max_returned_rows if truncate else None
        if most is not None and most == (page_size or self.ds.page_size):
            most += 1  # Datasette shows one row less, and a link to the next page
        values = dict(params) if isinstance(params, Mapping) else tuple(params or ())
        question = Question(answer, (sql, values, most), min(custom_time_limit or limit, limit) / 1000)
        try:
            found = await self.execute_fn(question)
        except StoppedError as error:
            raise QueryInterrupted(error, sql, params) from None
        except (QueryError, LostError) as error:
            if truncate and IS_CSV.get():  # Datasette 0.65 would send an empty file, as if nothing were wrong
                raise DatasetteError(str(error), title="Invalid SQL", status=400) from None
            raise QueryError(str(error)) from None
        rows, description = rows_by_name(found)
        return Results(rows, found.truncated, description)

    def end(self) -> None:
        """End its processes; what is asked, then and later, raises LostError or QueryError."""
        for lane in self._lanes.values():
            lane.close()

    def close(self) -> None:
        """End its processes and close its connections."""
        self.end()
        super().close()


def answerer(path: Path, is_mutable: bool, settings: dict[str, Any]) -> Answerer:
    """What a process of a lane does: answer with the connection that Datasette and its plugins would make."""
    served = Datasette([], settings={**settings, "num_sql_threads": 0})
    if hasattr(served, "get_internal_database"):  # Datasette 1.0 has made a file for it
        served.get_internal_database().close()
    database = served.add_database(Database(served, str(path), is_mutable=is_mutable))
    run = asyncio.new_event_loop().run_until_complete
    run(database.execute_fn(bound))
    return lambda question: run(database.execute_fn(question))
