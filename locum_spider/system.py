"""Where machines differ: cores, memory, when bytes are on the disk, where the documentation is."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


def cores() -> int:
    """How many cores this process may use, or those of the machine if the system does not say."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def address_space(name: str) -> int:
    """Bytes of address space that this process has (`VmSize`) or had at most (`VmPeak`); 0 if nothing says so."""
    with suppress(OSError):  # not Linux
        for line in Path("/proc/self/status").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0


def end_first() -> None:
    """If the machine runs out of memory, let this process be the one to end; only Linux can be told."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def sync(file: Path | int) -> None:
    """Bring a file's bytes, or the names in a folder, to the disk; by path or open descriptor."""
    if isinstance(file, Path):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)
        return
    full = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: its fsync leaves the bytes in the drive's memory
    if full is not None:
        with suppress(OSError):  # a network drive cannot do it
            fcntl.fcntl(file, full)
            return
    os.fsync(file)


def manual(page: str) -> Path:
    """The file of a page of the documentation on this machine: in the source tree, or where pip has put it."""
    source = Path(__file__).parents[1] / "docs" / page
    if not source.is_file():
        with suppress(PackageNotFoundError):
            installed = [file for file in distribution("locum-spider").files or () if file.match(f"doc/*/{page}")]
            return next((Path(str(file.locate())).resolve() for file in installed), source)
    return source
