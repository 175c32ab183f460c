"""How much of the disk stays free."""

from __future__ import annotations

import os
import time
from pathlib import Path

from locum_spider.errors import NoSpaceError

_EVERY = 1.0
"""Seconds between two checks of the disk: a crawl writes less than half a gigabyte in one."""


class Reserve:
    """Bytes that must stay free on an archive's disk; 0 for none."""

    def __init__(self, folder: Path, bytes_free: int) -> None:
        self._folder, self._bytes = folder, bytes_free
        self._next = 0.0

    def lacking(self) -> NoSpaceError | None:
        """The error if less than the reserve is free; None if there is enough."""
        if not self._bytes or time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + _EVERY
        disk = os.statvfs(self._folder)
        free = disk.f_bavail * disk.f_frsize
        if free >= self._bytes:
            return None
        return NoSpaceError(
            f"{self._folder}: {free / 1e6:,.0f} MB are free on the disk, {self._bytes / 1e6:,.0f} MB must stay free "
            "(--min-free); make room and run the same command again, nothing is lost"
        )
