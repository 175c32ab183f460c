"""What a frontier on disk costs: the recorder's work on one site with the frontier table and with a queue in memory.

    python benchmarks/frontier.py [--articles N] [--runs N]

Prints CPU milliseconds a page of each and, pair by pair, the ratio of the whole crawl's CPU: the recorder's own here,
the crawl process's as a whole crawl of the same site in the same run shows it (it is the same for both).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

from locum_spider.demo.sample import generate, page_key
from locum_spider.items import Exchange, Visit
from locum_spider.recorder.messages import Open
from locum_spider.recorder.recorder import Recorder
from locum_spider.recorder.writer import open_archive
from locum_spider.store import frontier

NOW = "2026-11-22T05:22:00Z"
REQUEST = ((b"Host", b"locumtoday.co.uk"), (b"Accept-Encoding", b"gzip, deflate"))


class MemoryFrontier:
    """The functions of `store.frontier` over a dictionary and a deque; a kill would lose everything."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, int | None]] = [("", "", "", None)]
        self.ids: dict[str, int] = {}
        self.open: set[int] = set()
        self.waiting: deque[int] = deque()
        self.reasons: dict[int | None, tuple[str | None, int | None]] = {}
        self.listings = 0

    def enqueue(self, _db, _crawl_id, requests, found_on):
        ids = {}
        for key, url, kind in requests:
            if key not in self.ids:
                self.ids[key] = len(self.rows)
                self.open.add(len(self.rows))
                self.waiting.append(len(self.rows))
                self.rows.append((key, url, kind, found_on))
                self.listings += kind == "listing"
            ids[key] = self.ids[key]
        return ids

    def queued(self, _db, _crawl_id, _after, limit):
        ids = [self.waiting.popleft() for _ in range(min(limit, len(self.waiting)))]
        return [frontier.Request(i, self.rows[i][1], self.rows[i][2]) for i in ids]

    def count_queued(self, *_):
        return len(self.waiting)

    def count_listings(self, *_):
        return self.listings

    def find(self, _db, request_id):
        key, _, kind, found_on = self.rows[request_id]
        return frontier.Row(request_id, key, kind, request_id in self.open, found_on)

    def chain(self, _db, _crawl_id, capture_id, limit):
        reasons = []
        while capture_id in self.reasons and len(reasons) < limit:
            reason, capture_id = self.reasons[capture_id]
            reasons.append(reason)
        return reasons

    def finish(self, _db, row, _outcome, reason=None, capture_id=None, _article_id=None):
        self.open.discard(row.id)
        self.reasons[capture_id] = (reason, row.found_on)
        row.is_queued = False


PATCHED = ("enqueue", "queued", "count_queued", "count_listings", "find", "chain", "finish")


def replay(sample, memory: bool) -> float:
    """CPU milliseconds a page that the recorder takes for the whole site."""
    with tempfile.TemporaryDirectory() as folder, open_archive(Path(folder)) as archive:
        recorder = Recorder(archive)
        patches = []
        if memory:
            instead = MemoryFrontier()
            patches = [mock.patch.object(frontier, name, getattr(instead, name)) for name in PATCHED]
            archive.db.execute("PRAGMA foreign_keys = OFF")
        for patch in patches:
            patch.start()
        opened = recorder.open(Open("locum-today"))
        pending, pages, spent = deque(opened.requests), 0, 0.0
        while pending:
            visits = [visit_of(sample, opened.crawl_id, pending.popleft()) for _ in range(min(4, len(pending)))]
            start = time.process_time()
            answers = recorder.record(visits)
            spent += time.process_time() - start
            pages += len(visits)
            for answer in answers:
                pending.extend(answer.requests)
        for patch in patches:
            patch.stop()
    return 1000 * spent / pages


def visit_of(sample, crawl_id: int, request: frontier.Request) -> Visit:
    """The exchange that the sample's server would give."""
    parts = urlsplit(request.url)
    page = sample.pages.get(page_key(parts.hostname, f"{parts.path}?{parts.query}" if parts.query else parts.path))
    status, body = (page.status, page.body) if page is not None else (404, b"nothing here")
    kind = page.content_type if page is not None else "text/plain"
    headers = ((b"Content-Type", kind.encode()),)
    return Visit(crawl_id, request.id, (Exchange(request.url, "GET", REQUEST, status, headers, body, NOW),))


def crawl_process(articles: int) -> float:
    """CPU milliseconds a page of the crawl process, without the recorder."""
    code = (
        "import sys, time, tempfile\nfrom pathlib import Path\n"
        "from locum_spider.crawl.run import CrawlOptions, run_crawls\nfrom locum_spider.sites import find_site\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    start = time.process_time()\n"
        "    result = run_crawls([find_site('locum-today')], Path(folder), CrawlOptions(delay=0, concurrency=8))[0]\n"
        "    print(1000 * (time.process_time() - start) / result.report.crawl['captures'])\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-m", "locum_spider.demo.server", "--articles", str(articles)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    assert server.stdin is not None
    environment = {**os.environ, "http_proxy": f"http://127.0.0.1:{server.stdout.readline().strip()}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    server.stdin.close()
    server.wait()
    return float(done.stdout.split()[-1])


def main() -> None:
    """Alternate table and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=600)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    sample = generate(options.articles)
    crawl = crawl_process(options.articles)
    print(f"crawl process {crawl:.2f} ms CPU a page")
    ratios = []
    for _ in range(options.runs):
        table, memory = replay(sample, memory=False), replay(sample, memory=True)
        ratios.append((crawl + table) / (crawl + memory))
        print(f"recorder with the table {table:.2f}, with a queue in memory {memory:.2f} ms CPU a page", flush=True)
    print(f"whole crawl, table to memory: {statistics.median(ratios):.3f} (median of pairs)")


if __name__ == "__main__":
    main()
