"""Reads responses within bounds of time and memory: what a page costs, it costs itself alone.

A page of usual size is read in this process: its cost is bounded by its size. A larger one is read by a process that
can be ended, which lives as long as this one and is started for the first such page.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
from multiprocessing import Pipe
from pathlib import Path

from locum_spider.interpret import Page, Reading, interpret, read_page
from locum_spider.items import Exchange, Kind, Outcome
from locum_spider.recorder.apart import NO_MEMORY
from locum_spider.sites.site import Site

LARGE = 250_000
"""The bytes of a page, without its codings, beyond which it is read in a process of its own."""

_PATIENCE, _START = 10, 120  # a busy machine may take so many times the computing, and seconds to begin

_processes: dict[int, _Process] = {}  # by the process that started them: one that was forked does not share
_turn = threading.Lock()


def read(site: Site, exchange: Exchange, kind: Kind | None = None) -> Reading:
    """What a response means. `kind` is what the request asked for, if known. Never raises.

    A page that takes more computing or memory than the declaration of its site allows has failed.
    """
    return interpret(site, exchange, kind, _read_page)


def _read_page(site: Site, page: Page) -> Reading:
    if len(page.body) <= LARGE:
        return read_page(site, page)
    with _turn:
        process = _processes.get(os.getpid())
        if process is None or process.has_ended():
            _end()
            process = _processes[os.getpid()] = _Process()
        try:
            return process.read(site, page)
        except (EOFError, OSError):
            return _unread(_end(), site)
        except BaseException:  # this process was interrupted: the next page must not get the answer
            _end()
            raise


class _Process:
    """A process that reads one page at a time, and ends when the connection closes."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, "-P", "-m", "locum_spider.recorder.apart", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C does not reach it: this process decides
            )

    def has_ended(self) -> bool:
        """Whether it was ended from outside."""
        return self._process.poll() is not None

    def read(self, site: Site, page: Page) -> Reading:
        """What a page says. Raises EOFError or OSError if the process ended over it, or had to be ended."""
        watch = threading.Timer(_START + _PATIENCE * site.crawl.max_reading, self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            self._connection.send_bytes(pickle.dumps((pickle.dumps(site), page)))
            reading: Reading = pickle.loads(self._connection.recv_bytes())  # noqa: S301 - from our own process
        finally:
            watch.cancel()
        return reading

    def end(self) -> int:
        """End it, if it has not ended; returns what it ended with, as `subprocess` has it."""
        self._process.kill()
        self._connection.close()
        return self._process.wait()


def _unread(ended: int, site: Site) -> Reading:
    """What is said of a page that its process could not read."""
    seconds, memory = site.crawl.max_reading, site.crawl.max_memory
    if ended == -signal.SIGPROF:
        why = f"took more than {seconds:g} seconds of computing (crawl.max_reading)"
    elif ended == NO_MEMORY:
        why = f"took more than {memory:,} bytes of memory (crawl.max_memory)"
    elif ended < 0:
        why = f"took too much time, or more than {memory:,} bytes of memory (crawl.max_memory), or was stopped"
    else:
        why = f"could not begin: its process ended with {ended}"
    return Reading(Outcome.FAILED, f"reading the page {why}; it is kept, but not read")


@atexit.register
def _end() -> int:
    """End the process that reads for this one, if there is one; returns what it ended with."""
    process = _processes.pop(os.getpid(), None)
    return process.end() if process is not None else 0
