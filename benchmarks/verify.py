"""Time `locum verify` beside plain sha256 of the same files, in the same run.

    python benchmarks/verify.py [--archive DIR | --pages N --kilobytes N]

Without `--archive`, an archive is made of that many article pages. Files are read once before, so that they are in
memory: this measures computing, not the disk. `records` is the part of verify that reads the WARC files.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import random
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median

from locum_spider.items import Exchange, Visit
from locum_spider.preservation.fixity import check_files
from locum_spider.preservation.verify import verify
from locum_spider.recorder.messages import Close, Open
from locum_spider.recorder.recorder import Recorder
from locum_spider.recorder.writer import open_archive
from locum_spider.store.connection import connect_reading

SITE = """
name = "bench"
title = "Bench"
hosts = ["bench.example"]
start = ["http://bench.example/"]
timezone = "UTC"
language = "en"
articles.address = '^/story/'
crawl.max_listings = 10
[[layouts]]
article.title = { css = "h1" }
article.published = { css = "i" }
article.body = { css = "p" }
"""
HOME = "http://bench.example/"
AT = "2026-05-04T10:00:00Z"


def page(url: str, body: str) -> Exchange:
    return Exchange(url, "GET", (), 200, ((b"Content-Type", b"text/html; charset=utf-8"),), body.encode(), AT)


def make(folder: Path, pages: int, kilobytes: int) -> None:
    """An archive of articles; each page carries noise that does not compress, as pictures and scripts do."""
    (folder / "sites").mkdir(parents=True)
    (folder / "sites" / "bench.toml").write_text(SITE)
    chance = random.Random(1)
    words = [base64.b32encode(chance.randbytes(4)).decode().strip("=").lower() for _ in range(4000)]
    with open_archive(folder) as archive:
        recorder = Recorder(archive)
        opened = recorder.open(Open("bench"))
        links = "".join(f'<a href="/story/{n}">The story with number {n}</a>' for n in range(pages))
        todo = list(opened.requests)
        while todo:
            visits = []
            for request in todo[:16]:
                text = " ".join(chance.choices(words, k=500))
                noise = base64.b64encode(chance.randbytes(kilobytes * 1000)).decode()
                number = request.url.rpartition("/")[2]
                story = f"<h1>Story {number}</h1><i>4 May 2016</i><p>{text}</p><!--{noise}-->"
                visits.append(Visit(opened.crawl_id, request.id, (page(request.url, story if number else links),)))
            todo = todo[16:]
            for recorded in recorder.record(visits):
                todo += recorded.requests
        recorder.finish(Close(opened.crawl_id, complete=True))


def sha256(path: Path) -> None:
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")


def seconds(job: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of CPU in all threads."""
    start, cpu = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - start, time.process_time() - cpu


def measure(folder: Path, runs: int) -> None:
    """Alternate the jobs and print the medians."""
    files = sorted((folder / "warc").iterdir())
    size = sum(path.stat().st_size for path in files)

    def plain() -> None:
        for path in files:
            sha256(path)

    def threads() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(sha256, files))

    def records() -> None:
        with closing(connect_reading(folder)) as db:
            db.row_factory = None
            assert not list(check_files(db, folder, [path.name for path in files], []))

    def whole() -> None:
        assert verify(folder).sound

    jobs = {"sha256": plain, "sha256, a thread a file": threads, "records": records, "verify": whole}
    plain()
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
    for _ in range(runs):
        for name, job in jobs.items():
            times[name].append(seconds(job))
    with closing(connect_reading(folder)) as db:
        count, articles = (
            db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("records", "articles")
        )
    database = (folder / "archive.db").stat().st_size
    print(
        f"{size / 1e6:,.0f} MB in {len(files)} files, {count:,} records; {articles:,} articles, "
        f"database {database / 1e6:,.0f} MB; {os.cpu_count()} cores"
    )
    plainly = median(clock for clock, _ in times["sha256"])
    for name, taken in times.items():
        clock, cpu = (median(values) for values in zip(*taken, strict=True))
        rate = f"{size / 1e6 / clock:9,.0f} MB/s{plainly / clock:7.2f} of plain sha256"
        print(f"{name:24}{clock:8.2f} s{rate}{cpu:8.2f} s CPU")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:,.0f} MB")


def main() -> None:
    """Measure a given archive, or one made for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, help="an archive to measure on; it is not changed")
    parser.add_argument("--pages", type=int, default=5000, help="article pages of the archive that is made (5000)")
    parser.add_argument("--kilobytes", type=int, default=80, help="noise on each page (80)")
    parser.add_argument("--runs", type=int, default=5, help="rounds (5)")
    options = parser.parse_args()
    if options.archive is not None:
        measure(options.archive, options.runs)
        return
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        make(archive, options.pages, options.kilobytes)
        measure(archive, options.runs)


if __name__ == "__main__":
    main()
