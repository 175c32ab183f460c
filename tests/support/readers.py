"""Folders that a test may only read, as a backup on another disk or another user's archive."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65_534


@contextmanager
def only_readable(source: Path) -> Iterator[Path]:
    """A copy of a folder that this process may not write inside the block, though it is the superuser's."""
    top = Path(tempfile.mkdtemp())
    folder = top / "archive"
    shutil.copytree(source, folder)
    for path in (top, folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(_NOBODY)
    try:
        yield folder
    finally:
        if superuser:
            os.seteuid(0)
        for path in (top, folder, *(path for path in folder.rglob("*") if path.is_dir())):
            path.chmod(0o755)
        shutil.rmtree(top)
