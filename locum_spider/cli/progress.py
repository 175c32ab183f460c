"""The progress bar of a crawl on a terminal."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from locum_spider.crawl.run import Progress as CrawlProgress


class BarProgress:
    """One bar a site. How many pages there are is learnt on the way, so the bar's end moves."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(),
            TextColumn("pages  {task.fields[found]} articles"), TimeElapsedColumn(), console=Console(stderr=True),
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, states: list[CrawlProgress]) -> None:
        for state in states:
            if state.site not in self._tasks:
                self._tasks[state.site] = self._bar.add_task(state.site, total=None, found=0)
            self._bar.update(
                self._tasks[state.site],
                completed=state.captures,
                total=(state.captures + state.pending) or None,
                found=state.new + state.changed + state.unchanged,
            )
