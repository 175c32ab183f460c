"""Named points of writing at which the crash harness kills the process or fails a write. Otherwise they cost a look-up.

`LOCUM_KILL_AT=NAME:N` kills the process group when it reaches a point for the N-th time; `LOCUM_FAIL_AT=NAME:N:ENOSPC`
lets that write fail, with any name of an error number. Points named `…-torn` do half of the write first.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable

POINTS = (
    "migration", "migrated", "recover-cut", "recover-renamed", "recovered", "warc-started", "warc-torn", "warc-append",
    "warc-written", "warc-flushed", "before-commit", "after-commit", "before-rotation", "warc-closed", "warc-renamed",
    "after-rotation", "before-close", "closed",
)  # fmt: skip
"""Points of a crawl, in the order in which it reaches them."""

_KILL, _FAIL = "LOCUM_KILL_AT", "LOCUM_FAIL_AT"
_armed: dict[str, tuple[str, str]] = {}
_left: dict[str, int] = {}


def arm(kill: str | None = None, fail: str | None = None) -> None:
    """Set the points, in the form of the variables; without arguments, clear them."""
    _armed.clear()
    for variable, value in ((_KILL, kill), (_FAIL, fail)):
        if value:
            name, count, error = [*value.split(":"), "", ""][:3]
            _armed[name] = (variable, error)
            _left[name] = int(count or 1)


arm(os.environ.get(_KILL), os.environ.get(_FAIL))


def checkpoint(name: str, half: Callable[[], object] | None = None) -> None:
    """Kill or fail here if it is time for this point; `half` does half of the write first."""
    if name not in _armed:
        return
    _left[name] -= 1
    if _left[name]:
        return
    if half is not None:
        half()
    variable, error = _armed[name]
    if variable == _KILL:
        os.killpg(os.getpgid(0), signal.SIGKILL)
    number = getattr(errno, error)
    raise OSError(number, os.strerror(number))
