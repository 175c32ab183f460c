"""Questions of visitors to the database, within limits on time, memory and the length of the answer."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from locum_spider.errors import LocumError
from locum_spider.store.connection import Connection

VALUE_BYTES = 32 * 1024 * 1024
"""The longest value or row, as long as the longest page that a crawl takes unless a site says otherwise."""
MEMORY_BYTES = 6 * VALUE_BYTES
"""What SQLite may take in a process; what it sorts beyond goes to temporary files."""
ANSWER_BYTES = 64 * 1024 * 1024
"""The longest answer: all its values together."""
_PATTERN_BYTES = 1_000  # default 50,000: LIKE and GLOB take the product of pattern and value, and cannot be stopped
_STEPS = 1_000  # of SQLite's machine between two looks at the clock

QueryError = sqlite3.OperationalError
"""Raised on a query that cannot be answered; its text says why."""


class StoppedError(LocumError):
    """Raised when a question took longer than its limit and was stopped."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"The question took longer than {seconds:g} seconds and was stopped; ask for less")

    def __reduce__(self) -> tuple[type[StoppedError], tuple[float]]:
        return type(self), (self.seconds,)


@dataclass(frozen=True, slots=True)
class Question:
    """A call `function(connection, *values)`, to be stopped after some seconds; it can be sent to another process."""

    function: Callable[..., Any]
    values: tuple[object, ...]
    seconds: float

    def __call__(self, db: Connection) -> Any:
        """The answer. Raises StoppedError, and QueryError if a limit on memory is reached."""
        try:
            with _time_limit(db, self.seconds):
                return self.function(db, *self.values)
        except sqlite3.OperationalError as error:
            if error.args == ("interrupted",):
                raise StoppedError(self.seconds) from None
            raise
        except (sqlite3.DataError, MemoryError) as error:
            fault = "a value is longer than 32 MB" if "too big" in str(error) else "it needs too much memory"
            raise QueryError(f"{fault}; ask for less") from None


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a query, as tuples; `truncated` if there are more."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool


def bound(db: Connection) -> None:
    """Limit the memory of this process's connections, and the length of the values of this one."""
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
    db.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _PATTERN_BYTES)
    db.execute(f"PRAGMA hard_heap_limit = {MEMORY_BYTES}")


def answer(db: Connection, sql: str, parameters: Mapping[str, Any] | Sequence[Any], most: int | None) -> Answer:
    """Run a query; at most so many rows. Raises QueryError if the answer is too long."""
    cursor = db.execute(sql, parameters)
    columns = tuple(column[0] for column in cursor.description or ())
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        if len(rows) == most:
            return Answer(columns, rows, truncated=True)
        rows.append(tuple(row))
        size += sum(len(value) if isinstance(value, (str, bytes)) else 8 for value in rows[-1])
        if size > ANSWER_BYTES:
            raise QueryError("the answer is longer than 64 MB; ask for fewer rows or columns")
    return Answer(columns, rows, truncated=False)


def rows_by_name(found: Answer) -> tuple[list[sqlite3.Row], Any]:
    """The rows as SQLite gives them, which know their columns, and the description of the columns."""
    db = sqlite3.connect(":memory:")
    try:
        names = ", ".join('NULL AS "' + name.replace('"', '""') + '"' for name in found.columns)
        cursor = db.execute(f"SELECT {names}" if names else "SELECT 1 WHERE 0")
        return [sqlite3.Row(cursor, row) for row in found.rows], cursor.description
    finally:
        db.close()


@contextmanager
def _time_limit(db: Connection, seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    db.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
    try:
        yield
    finally:
        db.set_progress_handler(None, _STEPS)
