"""`make bench`: the whole job beside a bare Scrapy spider that only follows links, on one server, in turn.

Prints pages/s, CPU seconds per 1,000 pages (all processes of a crawl) and peak memory (their sum), and the ratio of
each pair: machines are noisy, ratios within one run are not.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Run:
    """One crawl, measured from outside."""

    pages: int
    seconds: float
    cpu: float
    memory: float

    @property
    def rate(self) -> float:
        return self.pages / self.seconds


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    pids = [pid]
    for parent in pids:
        try:
            tasks = Path(f"/proc/{parent}/task").iterdir()
            pids += [int(c) for task in tasks for c in (task / "children").read_text().split()]
        except OSError:
            continue
    return pids


def resident(pid: int) -> float:
    """Resident megabytes of a process and all below it."""
    total = 0
    for process in descendants(pid):
        try:
            total += int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, float, float, str]:
    """Wall seconds, CPU seconds and peak megabytes of a command with its children, and what it prints."""
    before = os.times()
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    peak = 0.0

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(0.2)

    watcher = threading.Thread(target=watch)
    watcher.start()
    output = process.communicate()[0]
    watcher.join()
    after = os.times()
    cpu = (after.children_user - before.children_user) + (after.children_system - before.children_system)
    return time.perf_counter() - start, cpu, peak, output


def bare(environment: dict[str, str], concurrency: int) -> Run:
    """The bare spider."""
    seconds, cpu, memory, output = measure(
        [sys.executable, str(HERE / "bare_spider.py"), str(concurrency)], environment
    )
    return Run(int(output.split()[-1]), seconds, cpu, memory)


def whole(environment: dict[str, str], concurrency: int) -> Run:
    """`locum crawl` into a fresh archive."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "locum_spider", "crawl", "locum-today", "--archive", folder,
            "--delay", "0", "--concurrency", str(concurrency),
        ]  # fmt: skip
        seconds, cpu, memory, _ = measure(command, environment)
        database = sqlite3.connect(Path(folder) / "archive.db")
        pages = database.execute("SELECT count(*) FROM captures").fetchone()[0]
        database.close()
    return Run(pages, seconds, cpu, memory)


def main() -> None:
    """Alternate the two and print each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=1000, help="articles on the site (1000)")
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs (3)")
    parser.add_argument("--concurrency", type=int, default=8, help="requests at one time (8)")
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "locum_spider.demo.server", "--articles", str(options.articles)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    assert server.stdin is not None
    address = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    environment = {**os.environ, "http_proxy": address}
    print(f"{'':8}{'pages':>7}{'pages/s':>9}{'CPU s/1000':>12}{'peak MB':>9}")
    pairs = []
    try:
        for _ in range(options.runs):
            pair = (bare(environment, options.concurrency), whole(environment, options.concurrency))
            for name, run in zip(("bare", "locum"), pair, strict=True):
                cpu = 1000 * run.cpu / run.pages
                print(f"{name:8}{run.pages:7}{run.rate:9.1f}{cpu:12.2f}{run.memory:9.0f}", flush=True)
            pairs.append(pair)
    finally:
        server.stdin.close()
        server.wait()
    print(f"pages/s, locum to bare: {statistics.median(w.rate / b.rate for b, w in pairs):.2f} (median of pairs)")


if __name__ == "__main__":
    main()
