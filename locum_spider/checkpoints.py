"""Named points of writing at which the crash harness kills or fails us. Elsewhere they cost a look-up.

`LOCUM_KILL_AT=NAME:N` kills the process group the N-th time a point is reached; `LOCUM_FAIL_AT=NAME:N:ENOSPC` has
that write fail, with any name of an error number. Points named `…-torn` do half of the write first.
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
"""Points of a crawl, in the order in which it meets them."""


_KILL, _FAIL = "LOCUM_KILL_AT", "LOCUM_FAIL_AT"
_armed: dict[str, tuple[str, str]] = {}
_left: dict[str, int] = {}


def arm(kill: str | None = None, fail: str | None = None) -> None:
    """Set the points, in the form of the variables; without arguments there are none."""
    _armed.clear()
    for variable, value in ((_KILL, kill), (_FAIL, fail)):
        if value:
            name, count, error = [*value.split(":"), "", ""][:3]
            _armed[name] = (variable, error)
            _left[name] = int(count or 1)


arm(os.environ.get(_KILL), os.environ.get(_FAIL))


def checkpoint(name: str, half: Callable[[], object] | None = None) -> None:
    """End or fail here if this is the point and the time; `half` does half of what comes next first."""
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
