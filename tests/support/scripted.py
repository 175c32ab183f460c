"""A crawl without a network: the recorder, asked as the crawl asks it, in a process that can be killed in no time.

`python scripted.py` is one process that has everything imported and forks for each run; `Runs` speaks to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import traceback
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import crash
from crash_site import refused, site

from locum_spider.checkpoints import arm
from locum_spider.clock import utc_now
from locum_spider.demo.sample import HOME, Sample, page_key
from locum_spider.errors import LocumError
from locum_spider.items import Exchange, Visit
from locum_spider.recorder.messages import Close, Open, Report
from locum_spider.recorder.recorder import Recorder
from locum_spider.recorder.writer import open_archive
from locum_spider.store.files import disk_error
from locum_spider.store.frontier import Request

ARTICLES, LISTINGS = 12, 2
WARC_BYTES = 6_000
_BATCH = 3
SITES = {changed: site(changed=changed, articles=ARTICLES, listings=LISTINGS) for changed in (False, True)}


# -- the crawl -----------------------------------------------------------------------------------------------------


def crawl(folder: Path, sample: Sample, *, max_pages: int | None = None, stop_after: int | None = None) -> Report:
    """Crawl a sample to its end, or to a Ctrl-C after so many batches. `max_pages` more than now is a full disk."""
    with open_archive(folder, warc_bytes=WARC_BYTES) as archive:
        recorder = Recorder(archive)
        if max_pages is not None:
            now = archive.db.execute("PRAGMA page_count").fetchone()[0]
            archive.db.execute(f"PRAGMA max_page_count = {now + max_pages}")
        opened = recorder.open(Open("locum-today"))
        recorder.record([Visit(opened.crawl_id, None, (_fetch(sample, f"{HOME}robots.txt", None),))])
        waiting, batches = deque(opened.requests), 0
        while waiting and batches != stop_after:
            batches += 1
            batch = [waiting.popleft() for _ in range(min(_BATCH, len(waiting)))]
            for recorded in recorder.record([_visit(sample, opened.crawl_id, request) for request in batch]):
                waiting.extend(recorded.requests)
        return recorder.finish(Close(opened.crawl_id, complete=not waiting))


def _visit(sample: Sample, crawl_id: int, request: Request) -> Visit:
    if request.url == refused(ARTICLES):
        return Visit(crawl_id, request.id, (), "robots.txt forbids it", refused=True)
    exchanges = [_fetch(sample, request.url, request.etag)]
    while (target := exchanges[-1].header(b"location")) is not None:
        exchanges.append(_fetch(sample, target, None))
    return Visit(crawl_id, request.id, tuple(exchanges))


def _fetch(sample: Sample, url: str, etag: str | None) -> Exchange:
    parts = urlsplit(url)
    page = sample.pages[page_key(parts.netloc, f"{parts.path}?{parts.query}" if parts.query else parts.path)]
    tag = f'"{hashlib.sha1(page.body).hexdigest()}"'
    headers = [(b"Content-Type", page.content_type.encode()), *((k.encode(), v.encode()) for k, v in page.headers)]
    status, body = page.status, page.body
    if status == 200:
        headers.append((b"ETag", tag.encode()))
        if etag == tag:
            status, body = 304, b""
    return Exchange(url, "GET", ((b"Host", b"locumtoday.co.uk"),), status, tuple(headers), body, utc_now())


# -- in a process of its own ---------------------------------------------------------------------------------------


def _run(wish: dict[str, Any]) -> tuple[int, str]:
    """Exit code and message, as `locum crawl` would have them."""
    folder = Path(wish["folder"])
    arm(wish.get("kill"), wish.get("fail"))
    if limit := wish.get("file_size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    try:
        options = {name: wish[name] for name in ("max_pages", "stop_after") if name in wish}
        report = crawl(folder, SITES[wish["changed"]], **options)
    except LocumError as error:
        return error.exit_code, str(error)
    except (OSError, sqlite3.Error) as error:
        known = disk_error(error, folder)
        return (known.exit_code, str(known)) if known else (1, traceback.format_exc())
    return report.exit_code, ""


def _serve() -> None:
    for line in sys.stdin:
        back, there = os.pipe()
        child = os.fork()
        if child == 0:
            os.setsid()
            try:
                result = json.dumps(_run(json.loads(line)))
            except BaseException:  # noqa: BLE001 - told to the test
                result = json.dumps((1, traceback.format_exc()))
            os.write(there, result.encode())
            os._exit(0)
        os.close(there)
        with os.fdopen(back, "rb") as pipe:
            said = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(said.decode() if status == 0 else json.dumps((status, "")), flush=True)


class Ended(NamedTuple):
    """How a run ended: an exit code, or minus the signal that ended it."""

    code: int
    message: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Runs:
    """The process that runs crawls, as a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(crash.__file__).parent)},
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, folder: Path, *, changed: bool = False, **wish: Any) -> Ended:
        """One crawl of the sample, before or after it changed; `kill`, `fail`, `max_pages`, `file_size` strike it."""
        print(json.dumps({"folder": str(folder), "changed": changed, **wish}), file=self._process.stdin, flush=True)
        return Ended(*json.loads(self._process.stdout.readline()))


if __name__ == "__main__":
    _serve()
