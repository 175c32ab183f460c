"""What several folders of tests use."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from locum_spider.cli import locum

PROJECT = Path(__file__).parents[2]
LONGEST = 300
"""Seconds that anything may take: only so that what hangs ends, however busy the machine is."""


def no_file_beyond(size: int) -> Callable[[], None]:
    """For `preexec_fn`: files of the process grow to that many bytes, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def python(
    *arguments: object, also: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run this Python to its end in a session of its own, so that a kill takes all of it; nothing is raised.

    `also` goes into its environment; options are those of `subprocess.run`.
    """
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env={**os.environ, **(also or {})}, capture_output=True, text=True,
        timeout=LONGEST, start_new_session=True, check=False, **options,
    )  # fmt: skip


def run_locum(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, as `python` does."""
    return python("-m", "locum_spider", *arguments, **options)


def invoke(*arguments: object, answer: str | None = None) -> Result:
    """Run one command in this process, for the many; `answer` is what it finds on standard input."""
    return CliRunner().invoke(locum, [str(argument) for argument in arguments], input=answer)


def rows(archive: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """What the archive's database answers."""
    with closing(sqlite3.connect(archive / "archive.db")) as db:
        return db.execute(sql, values).fetchall()


def change(archive: Path, sql: str, *values: object) -> None:
    """Change rows behind the archive's back."""
    with closing(sqlite3.connect(archive / "archive.db")) as db, db:
        db.execute(sql, values)
