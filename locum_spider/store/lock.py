"""The lock that gives an archive one writer at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from locum_spider.errors import ArchiveError
from locum_spider.store.files import writing_errors

LOCK = "archive.lock"


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the archive for writing. Raises ArchiveError if another process does. Any end of this process frees it."""
    if folder.is_file():
        raise ArchiveError(f"{folder} cannot be written: it is a file, and an archive is a folder; name a folder")
    with writing_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            by = f" by process {holder}" if holder.isdigit() else ""
            raise ArchiveError(
                f"{folder} is being written{by}; wait until that crawl ends, or stop it with Ctrl-C"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)


def is_being_written(folder: Path) -> bool:
    """Whether another process holds the archive for writing at this moment."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:  # never written, or only by others who let nobody look
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
