"""The progress of a command: bars on a terminal, lines in a log."""

from __future__ import annotations

import sys
from typing import Any, Self

from locum_spider.cli.common import echo
from locum_spider.text import printable


def is_terminal() -> bool:
    """Whether standard error is a terminal, where somebody may look at the progress."""
    return sys.stderr.isatty()


class Bars:
    """A bar for each task; draws nothing if `quiet`, or if there is no terminal.

    A running bar draws over output and questions: call `end` before them. `keep` leaves the bars on the screen.
    """

    def __init__(self, *, quiet: bool = False, keep: bool = False) -> None:
        self._bars: Any = None if quiet or not is_terminal() else _bars(keep=keep)
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop drawing."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def above(self, text: str) -> None:
        """Print text on standard error, above the bars if they are drawn."""
        if self._bars is None:
            echo(text, err=True)
        else:
            self._bars.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def show(self, name: str, done: int, total: int, words: str = "") -> None:
        """Draw a task's bar: `done` of `total` (0 if that is not known; it may grow), and words beside it."""
        if self._bars is None:
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(printable(name), total=None, words="")
        share = f"{done / total:4.0%}" if total else ""
        self._bars.update(self._tasks[name], completed=done, total=total or None, words=f"{share}  {words}")


def _bars(*, keep: bool) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    time = TimeElapsedColumn() if keep else TimeRemainingColumn()
    name, words = (TextColumn(f"{{task.{text}}}", markup=False) for text in ("description", "fields[words]"))
    columns = name, BarColumn(bar_width=20), words, time
    return Progress(*columns, console=Console(stderr=True), transient=not keep)


class Lines:
    """A line for a task whenever its words have changed."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def show(self, name: str, words: str) -> None:
        """Print the words, unless they are those of last time."""
        if self._last.get(name) != words:
            self._last[name] = words
            echo(f"{name}: {words}", err=True)
