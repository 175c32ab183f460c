"""An archive opened for writing: records go into the WARC file first, then ledger and rows are committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from locum_spider.checkpoints import checkpoint
from locum_spider.items import Exchange, Location, RevisitOf
from locum_spider.recorder.recovery import finish_takedowns, recover
from locum_spider.recorder.reserve import Reserve
from locum_spider.store import captures, ledger
from locum_spider.store.connection import Connection, begin_writing, close_writing, commit, connect_writing, roll_back
from locum_spider.store.files import WARCS
from locum_spider.store.lock import writer_lock
from locum_spider.warc.writer import MAX_BYTES, WarcWriter


class ArchiveWriter:
    """The one writer of an archive. What a `transaction` has committed is on disk.

    Opening repairs what a kill left, and finishes a takedown that was interrupted. The caller holds the lock, which
    `open_archive` takes. Raises ArchiveError and IntegrityError as `connect_writing` and `recover` do.
    """

    def __init__(self, folder: Path, *, durable: bool = False, warc_bytes: int = MAX_BYTES, min_free: int = 0) -> None:
        self.folder, self.warcs = folder, folder / WARCS
        self.db = connect_writing(folder, durable=durable)
        self._reserve = Reserve(folder, min_free)
        recover(folder, self.db)
        finish_takedowns(self.warcs, self.db)
        self._head = ledger.head(self.db)
        # Names sort in the order of writing, even if the clock was set back: a rebuild reads in that order.
        newest = captures.newest_warc(self.db) or ""
        stamp = max(datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ"), newest.partition("-")[0])
        self._warc = WarcWriter(self.warcs, stamp, max_bytes=warc_bytes, durable=durable)
        self._warc.head = ledger.written(*self._head)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Store all rows and records written inside it, or none."""
        begin_writing(self.db)
        try:
            yield self.db
            checkpoint("warc-written")
            self._warc.flush()
            checkpoint("warc-flushed")
            if self._warc.name is not None:
                self._head = ledger.append(self.db, self._warc.take_written(), *self._head)
                captures.save_warc_position(self.db, self._warc.name, self._warc.position)
            checkpoint("before-commit")
            commit(self.db)
            self._warc.head = ledger.written(*self._head)
            checkpoint("after-commit")
        except BaseException:
            roll_back(self.db)
            raise

    def write(self, visit: str, exchange: Exchange, revisit_of: RevisitOf | None = None) -> Location:
        """Write the records of one exchange, inside a transaction. Arguments as for `WarcWriter.write`."""
        return self._warc.write(visit, exchange, revisit_of)

    def write_event(self, event: Mapping[str, object], at: str) -> None:
        """Write an event as a record of its own, inside a transaction."""
        self._warc.write_event(event, at)

    def require_room(self) -> None:
        """Close the archive and raise NoSpaceError if the disk is nearly full."""
        if (error := self._reserve.lacking()) is not None:
            self.close()
            raise error

    def rotate(self) -> None:
        """Close the WARC file if it is full; the next record begins another."""
        if self._warc.is_full:
            self._close_warc()

    def close(self) -> None:
        """Close WARC file and database."""
        checkpoint("before-close")
        self._close_warc()
        close_writing(self.db)
        checkpoint("closed")

    def abandon(self) -> None:
        """Close the database after an error; the next to open the archive repairs the WARC file."""
        self._warc.abandon()
        self.db.close()

    def _close_warc(self) -> None:
        position = self._warc.position
        checkpoint("before-rotation")
        if (name := self._warc.close()) is not None:
            checkpoint("warc-renamed")
            captures.save_warc_position(self.db, name, position, closed=True)
            checkpoint("after-rotation")


@contextmanager
def open_archive(
    folder: Path, *, durable: bool = False, warc_bytes: int = MAX_BYTES, min_free: int = 0
) -> Iterator[ArchiveWriter]:
    """Hold an archive for writing; closed at the end, abandoned after an error.

    Raises ArchiveError if the folder is something else or if another process writes there.
    """
    with writer_lock(folder):
        writer = ArchiveWriter(folder, durable=durable, warc_bytes=warc_bytes, min_free=min_free)
        try:
            yield writer
        except BaseException:
            writer.abandon()
            raise
        writer.close()
