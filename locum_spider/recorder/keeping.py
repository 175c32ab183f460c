"""Keeps the exchanges of a visit as records of the archive."""

from __future__ import annotations

from locum_spider.errors import IntegrityError
from locum_spider.items import Exchange, Location, RevisitOf
from locum_spider.recorder.writer import ArchiveWriter
from locum_spider.store import ledger
from locum_spider.store.captures import Original
from locum_spider.warc.reader import digest_at, read_exchange


class Writing:
    """Writes the exchanges of a visit into the archive, inside a transaction.

    `name` is the visit's, `records` how many exchanges and events it has: each record but the last says that more
    follow.
    """

    def __init__(self, archive: ArchiveWriter, name: str, records: int = 1) -> None:
        self._archive, self._name, self._left = archive, name, records

    def may_refer(self, original: Original) -> bool:
        """Whether the record of the body is still what was written."""
        entry = ledger.at(self._archive.db, original.warc_file, original.warc_offset)
        if entry is None:
            return True  # written in this transaction
        try:
            return digest_at(self._archive.warcs, entry) == entry.digest
        except IntegrityError:
            return False

    def read(self, original: Original) -> Exchange:
        """Read an exchange back."""
        return read_exchange(self._archive.warcs, original.warc_file, original.warc_offset)

    def keep(self, exchange: Exchange, revisit_of: RevisitOf | None) -> Location:
        """Write the records of an exchange."""
        self._left -= 1
        return self._archive.write(f"{self._name} more" if self._left else self._name, exchange, revisit_of)
