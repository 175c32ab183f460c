"""`python -m locum_spider.recorder.apart DESCRIPTOR`: read the large pages of the process that started this one."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from multiprocessing.connection import Connection
from queue import SimpleQueue

from locum_spider.interpret import Page, Reading, failure, read_page
from locum_spider.sites.site import CrawlPolicy, Site
from locum_spider.system import address_space, end_first

NO_MEMORY = 12
"""What this process ends with if a page needs more memory than it may."""

_MARGIN = 16 * 1024**2


@lru_cache(maxsize=16)
def _site(pickled: bytes) -> Site:
    """A site, once: its patterns are kept with it."""
    site: Site = pickle.loads(pickled)  # noqa: S301 - from our own process
    return site


def _read(pickled: bytes, page: Page) -> Reading:
    site = _site(pickled)
    try:
        with _bounds(site.crawl):
            return read_page(site, page)
    except MemoryError:
        os._exit(NO_MEMORY)  # who knows what was left half done
    except Exception as error:  # noqa: BLE001 - the report names it
        return failure(error)


@contextmanager
def _bounds(policy: CrawlPolicy) -> Iterator[None]:
    """Within, computing beyond the bound ends this process, and memory beyond it raises MemoryError.

    Computing and not time, so that a rebuild on a busy machine finds what the crawl found.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most, peak = address_space("VmSize") + policy.max_memory, address_space("VmPeak")
    _limit_memory(min([most] + [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]), hard)
    signal.setitimer(signal.ITIMER_PROF, policy.max_reading)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _limit_memory(soft, hard)
        near = most - _MARGIN
        # A library may say so in another way, or not at all.
        if address_space("VmSize") > near or address_space("VmPeak") > max(peak, near):
            raise MemoryError


def _limit_memory(most: int, hard: int) -> None:
    with suppress(ValueError, OSError, OverflowError):  # macOS refuses it
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _receive(connection: Connection, asked: SimpleQueue[bytes]) -> None:
    """Take questions until the other end closes or is killed, and end then at once, whatever is being read."""
    try:
        while True:
            asked.put(connection.recv_bytes())
    finally:
        os._exit(0)


def main(descriptor: int) -> None:
    """Read one page after the other."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # may reach all processes; the one that started this decides
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    end_first()
    connection = Connection(descriptor)
    asked: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_receive, args=(connection, asked), daemon=True).start()
    while True:
        connection.send_bytes(pickle.dumps(_read(*pickle.loads(asked.get()))))  # noqa: S301 - from our own process


if __name__ == "__main__":
    main(int(sys.argv[1]))
