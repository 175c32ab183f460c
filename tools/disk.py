"""`make disk`: let the n-th write of a crawl fail, for every n, and check that nothing is lost or left unreported.

A small site is crawled into fresh archives with a library preloaded that lets one write to the archive fail: with
ENOSPC, and each later write too, as on a full disk; with EIO that one alone, as on a broken disk. The command must end
with exit code 5 and one sentence; the archive must be sound, and complete after the same command is run again.
Needs Linux and a C compiler (`cc`).
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from crash import SITE, Blow, Ended, faults, finished, lines, run
from crash_site import site

from locum_spider.demo.server import SiteServer

SOURCE = Path(__file__).with_name("failing_writes.c")
ERRORS = ("ENOSPC", "EIO")


def compiler() -> str | None:
    """The C compiler; None if this machine has none, or does not preload libraries."""
    return shutil.which("cc") if sys.platform == "linux" else None


@dataclass
class Sweep:
    """Crawls with failing writes, and what went wrong."""

    url: str
    folder: Path
    library: Path
    expected: Counter[str] = field(init=False)
    writes: int = field(init=False)
    reported: int = 0
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        archive, tally = self.folder / "untouched", self.folder / "writes"
        ended = self._crawl(archive, {"LOCUM_FAILING_COUNT": str(tally)})
        if ended.code or not tally.exists():
            raise SystemExit(f"disk: an untouched crawl ended with {ended.code}, or no write was seen: {ended.errors}")
        self.expected, self.writes = lines(archive), tally.stat().st_size

    def fail(self, error: str, number: int) -> None:
        """Crawl with a failing write, check the archive, and go on with the crawl without."""
        archive = self.folder / f"{error}-{number}"
        failing = {"LOCUM_FAILING_AT": str(number), "LOCUM_FAILING_ERROR": str(getattr(errno, error))}
        if error == "ENOSPC":
            failing["LOCUM_FAILING_ON"] = "1"
        ended = self._crawl(archive, failing)
        wrong = [f"not sound: {fault}" for fault in faults(archive)]
        # 0: SQLite can do without some writes, such as that of the log into the database at the end.
        if ended.code not in {0, 5} or (ended.code == 5 and ended.errors.count("\n") != 1):
            wrong.append(f"it ended with {ended.code}: {ended.errors.strip()}")
        self.reported += ended.code == 5
        if not finished(archive) and (again := self._crawl(archive, {})).code:
            wrong.append(f"the crawl after it ended with {again.code}: {again.errors.strip()}")
        elif (got := lines(archive)) != self.expected:
            wrong.append(f"{(self.expected - got).total()} lines lost, {(got - self.expected).total()} too many")
        self.wrong += [f"{error} at write {number}: {fault}" for fault in wrong]
        for fault in wrong:
            print(f"! {error} at write {number}: {fault}", flush=True)
        shutil.rmtree(archive, ignore_errors=True)

    def _crawl(self, archive: Path, failing: dict[str, str]) -> Ended:
        if failing:
            failing = {**failing, "LD_PRELOAD": str(self.library), "LOCUM_FAILING_UNDER": str(archive)}
        command = ["crawl", SITE, "--archive", str(archive), "--delay", "0", "--concurrency", "4", "--min-free", "0"]
        return run(command, self.url, Blow(), failing)


def sweep(step: int, first: int, lanes: int) -> tuple[Sweep, int]:
    """Fail every `step`-th write from `first` on, one error in between the other; also returns how many."""
    cc = compiler()
    if cc is None:
        raise SystemExit("disk: Linux and a C compiler are needed; on Debian: apt-get install gcc libc6-dev")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())).resolve()
        library = folder / "failing_writes.so"
        subprocess.run([cc, "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True)  # noqa: S603
        server = stack.enter_context(SiteServer(site(changed=False), conditional=True))
        done = Sweep(server.url, folder, library)
        starts = (first + step * number // len(ERRORS) for number in range(len(ERRORS)))
        cases = [(error, number) for error, start in zip(ERRORS, starts, strict=True)
                 for number in range(start, done.writes + 1, step)]  # fmt: skip
        with ThreadPoolExecutor(lanes) as pool:
            for future in [pool.submit(done.fail, *case) for case in cases]:
                future.result()
    return done, len(cases)


def main() -> int:
    """Parse, sweep, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", type=int, default=1, help="fail only every STEP-th write (1: each)")
    parser.add_argument("--first", type=int, default=1, help="the first write to fail (1)")
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 2, help="crawls at one time (one per core)")
    options = parser.parse_args()
    begun = time.monotonic()
    done, cases = sweep(options.step, options.first, options.lanes)
    print(
        f"{cases:,} crawls with failing writes ({' and '.join(ERRORS)}, {done.writes:,} writes in a crawl) in "
        f"{time.monotonic() - begun:,.0f} s: {done.reported:,} reported with exit code 5, {len(done.wrong)} wrong"
    )
    return 1 if done.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
