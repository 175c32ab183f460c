"""Captures made by others (wget, Heritrix, Browsertrix, Common Crawl, the Wayback Machine) into the archive."""

from __future__ import annotations

import zipfile
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from locum_spider.errors import UsageError
from locum_spider.recorder.interpret import Reading, interpret
from locum_spider.recorder.recorder import Recorder
from locum_spider.sites import load_sites
from locum_spider.store.connection import writer_lock
from locum_spider.warc import Broken, read_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from locum_spider.extract.site import Site
    from locum_spider.items import Exchange
    from locum_spider.recorder.ingest import Crawl

_BATCH = 64


@dataclass(slots=True)
class Imported:
    """What an import did with one file: outcomes of its captures, records of no declared site, what was broken."""

    file: str
    outcomes: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def import_files(
    archive: Path, files: list[Path], *, on_progress: Callable[[Imported], None] | None = None
) -> list[Imported]:
    """Take the responses of declared sites out of WARC, WARC.gz and WACZ files into the archive.

    Streamed: memory does not grow with a file. A capture that the archive has already is passed over, so an import
    that was cut short is simply run again. Broken records are reported and skipped. Raises UsageError for a file
    that is none of these, before anything is written.
    """
    for path in files:
        _check(path)
    sites = list(load_sites(archive).values())
    with writer_lock(archive):
        recorder = Recorder(archive)
        session = _Session(recorder, sites)
        try:
            return [session.run(path, on_progress) for path in files]
        finally:
            session.end()
            recorder.close()


class _Session:
    """One import run: a crawl row for each site that turns up."""

    def __init__(self, recorder: Recorder, sites: list[Site]) -> None:
        self._recorder, self._sites = recorder, sites
        self._crawls: dict[str, Crawl] = {}
        self._outcomes: dict[str, Counter[str]] = {}
        self._batch: list[tuple[Crawl, Exchange, Reading]] = []

    def run(self, path: Path, on_progress: Callable[[Imported], None] | None) -> Imported:
        imported = Imported(path.name)
        for name, stream in _streams(path):
            for found in read_foreign(stream):
                if isinstance(found, Broken):
                    imported.broken.append(f"{name}, byte {found.offset:,}: {found.fault}")
                    continue
                site = next((site for site in self._sites if site.owns(found.url)), None)
                if site is None:
                    imported.elsewhere[found.url.split("/")[2] if "://" in found.url else "?"] += 1
                    continue
                self._add(site, found, imported)
                if on_progress is not None:
                    on_progress(imported)
        self._flush(imported)
        return imported

    def _add(self, site: Site, exchange: Exchange, imported: Imported) -> None:
        if site.name not in self._crawls:
            self._flush(imported)
            self._crawls[site.name] = self._recorder.begin_import(site)
        self._batch.append((self._crawls[site.name], exchange, interpret(site, exchange)))
        if len(self._batch) >= _BATCH:
            self._flush(imported)

    def _flush(self, imported: Imported) -> None:
        if self._batch:
            outcomes = self._recorder.record_foreign(self._batch)
            imported.outcomes.update(outcomes)
            for (crawl, _, _), outcome in zip(self._batch, outcomes, strict=True):
                self._outcomes.setdefault(crawl.site.name, Counter())[outcome] += 1
            self._batch = []

    def end(self) -> None:
        """Write what each site got into its crawl row."""
        for name, crawl in self._crawls.items():
            self._recorder.end_import(crawl, self._outcomes.get(name, Counter()))


def _check(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise UsageError(f"{path}: cannot be opened: {error.strerror}") from None
    is_zip = start[:4] == b"PK\x03\x04"
    if not (is_zip or start[:2] == b"\x1f\x8b" or start[:5] == b"WARC/"):
        raise UsageError(f"{path}: neither WARC, WARC.gz nor WACZ")
    if is_zip and not _members(path):
        raise UsageError(f"{path}: a ZIP file without WARCs in it; a WACZ has them in archive/")


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as container:
            return [name for name in container.namelist() if name.endswith((".warc", ".warc.gz"))]
    except zipfile.BadZipFile as error:
        raise UsageError(f"{path}: not readable as a WACZ: {error}") from None


def _streams(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    """The WARCs of a file: itself, or those inside a WACZ."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as container:
            for name in _members(path):
                with container.open(name) as member:
                    yield f"{path.name}/{name}", cast("BinaryIO", member)
    else:
        with path.open("rb") as stream:
            yield path.name, stream
