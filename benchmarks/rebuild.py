"""A rebuild beside the mere reading of the same pages, in turn in one run.

Prints pages for each CPU second (all processes together) and for each second of the clock, and what a rebuild costs
over the reading alone: parsing WARC, storing, indexing, handing pages to other processes.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from locum_spider.preservation.rebuild import rebuild
from locum_spider.recorder import ingest
from locum_spider.recorder.reading import read
from locum_spider.recorder.visits import Steps, Stored
from locum_spider.sites import find_site
from locum_spider.warc.reader import Record, read_records, warc_files

SITE = "locum-today"


@dataclass(frozen=True)
class Run:
    """One run, measured."""

    pages: int
    seconds: float
    cpu: float


def cpu() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def measure(pages: int, work: Callable[[], object]) -> Run:
    """Seconds of the clock and of the CPU that some work takes."""
    start, used = time.perf_counter(), cpu()
    work()
    return Run(pages, time.perf_counter() - start, cpu() - used)


def crawl(archive: Path, articles: int) -> None:
    """An archive of a synthetic site, crawled from a server on loopback."""
    server = subprocess.Popen(
        [sys.executable, "-m", "locum_spider.demo.server", "--articles", str(articles)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    assert server.stdin is not None
    environment = {**os.environ, "http_proxy": f"http://127.0.0.1:{server.stdout.readline().strip()}"}
    try:
        subprocess.run(
            [sys.executable, "-m", "locum_spider", "crawl", SITE, "--archive", archive, "--delay", "0",
             "--concurrency", "8", "--min-free", "0"],
            env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        server.stdin.close()
        server.wait()


def pages_of(archive: Path) -> list[Stored]:
    """Every visit of an archive with a page to read."""
    visits: list[Stored] = []
    for path in warc_files(archive / "warc"):
        steps = Steps()
        for record in read_records(path):
            if isinstance(record, Record):
                visits += (step for step in steps.take(record) if isinstance(step, Stored))
        visits += (step for step in steps.rest() if isinstance(step, Stored))
    return [stored for stored in visits if ingest.settled(stored.visit) is None]


def main() -> None:
    """Alternate reading and rebuilding, and print each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1000, help="articles on the site (1000)")
    parser.add_argument("--runs", type=int, default=3, help="how often (3)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes of the second rebuild (one a core)")
    options = parser.parse_args()
    site = find_site(SITE)
    print(f"{'':16}{'pages':>7}{'pages/CPU s':>13}{'pages/s':>9}")
    ratios: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive"
        crawl(archive, options.articles)
        pages = pages_of(archive)
        last = [stored.parts[-1].exchange for stored in pages]
        for _ in range(options.runs):
            runs = {
                "interpret": measure(len(last), lambda: [read(site, exchange) for exchange in last]),
                "rebuild, 1 job": measure(len(last), lambda: rebuild(archive, jobs=1)),
                f"rebuild, {options.jobs} jobs": measure(len(last), lambda: rebuild(archive, jobs=options.jobs)),
            }
            for name, run in runs.items():
                print(f"{name:16}{run.pages:7}{run.pages / run.cpu:13.1f}{run.pages / run.seconds:9.1f}", flush=True)
                ratios.setdefault(name, []).append(run.cpu / runs["interpret"].cpu)
    for name, values in list(ratios.items())[1:]:
        print(f"{name}: {statistics.median(values):.2f} times the CPU of reading alone (median of runs)")


if __name__ == "__main__":
    main()
