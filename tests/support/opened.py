"""A recorder with the archive it writes to, as a test wants both at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from locum_spider.recorder.recorder import Recorder
from locum_spider.recorder.writer import ArchiveWriter


class OpenedRecorder(Recorder):
    """A recorder over an archive that it has opened itself; `options` as for `ArchiveWriter`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.archive = ArchiveWriter(folder, **options)
        self.db, self.close = self.archive.db, self.archive.close
        super().__init__(self.archive)

    def die(self) -> None:
        """What a kill leaves: nothing is closed, nothing renamed."""
        self.archive.abandon()
