"""Reads pages in several processes at a time: what a page says depends only on its bytes and the rules."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path

from locum_spider.interpret import Reading
from locum_spider.recorder.reading import read
from locum_spider.recorder.replay import Page, ReadAhead
from locum_spider.sites import site_for
from locum_spider.sites.site import Site


@contextmanager
def readers(archive: Path, jobs: int) -> Iterator[ReadAhead | None]:
    """What begins to read pages in a pool of processes; None if this process must do it."""
    if jobs < 2:
        yield None
        return
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin_reading, (archive,))
    try:
        yield lambda pages: pool.submit(read_pages, pages)
    finally:
        pool.shutdown(cancel_futures=True)


_folder: Path | None = None


def _begin_reading(folder: Path) -> None:
    global _folder  # noqa: PLW0603 - a process of the pool reads for one archive all its life
    _folder = folder
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process decides
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the first process ends: a killed one cannot say so, and its pool would wait for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@cache
def _site_here(name: str, declared: bool) -> Site:
    return site_for(name, _folder, declared=declared)


def read_pages(pages: list[Page]) -> list[Reading]:
    """What responses mean."""
    return [read(_site_here(name, declared), exchange) for name, declared, exchange in pages]
