"""`make crash`: kill a crawl in every way and check that nothing is lost, doubled or corrupt.

A small site is crawled twice (in between it changes), again and again into fresh archives. Each crawl is killed
with SIGKILL to its whole process group, at a named point of writing (see `locum_spider.checkpoints`) or at a random
time, and run again until it is done; sometimes it gets Ctrl-C once or twice instead. After each kill the database and
the WARC files are checked. In the end the canonical dump must be that of crawls without a kill, and `locum rebuild`,
killed as well, must give the same database again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from crash_site import site
from dump import dump_archive

from locum_spider.checkpoints import POINTS
from locum_spider.demo.server import SiteServer
from locum_spider.errors import LocumError
from locum_spider.preservation.verify import verify

SITE = "locum-today"
WARC_BYTES = 12_000
REBUILD_POINTS = ("database-whole", "database-log-removed", "database-renamed")
_REACHED = {
    "migration": 40, "warc-torn": 70, "warc-append": 70, "warc-started": 3, "before-rotation": 3, "warc-closed": 3,
    "warc-renamed": 3, "after-rotation": 3, "warc-written": 9, "warc-flushed": 9, "before-commit": 9, "after-commit": 9,
}  # fmt: skip
"""About how often a crawl of the site reaches a point; it reaches the others once."""

_PER_RUN = 20
_LONGEST = 300.0
"""Seconds; a command that hangs is killed."""


# -- one command ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Blow:
    """What happens to one run: a kill at a named point, a signal after some seconds, or nothing."""

    point: str | None = None
    after: float | None = None
    interrupts: int = 0


@dataclass
class Ended:
    """How a command ended."""

    code: int
    seconds: float
    errors: str


def run(arguments: list[str], proxy: str | None, blow: Blow, also: dict[str, str] | None = None) -> Ended:
    """Run `locum` in a session of its own, with a blow. `also` goes into its environment."""
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "LOCUM_ARCHIVE"}
    environment |= {"LOCUM_WARC_BYTES": str(WARC_BYTES), **(also or {})}
    if proxy:
        environment |= {"http_proxy": proxy, "https_proxy": proxy}
    if blow.point:
        environment["LOCUM_KILL_AT"] = blow.point
    begun = time.monotonic()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "locum_spider", *arguments],
        env=environment, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    timers = []
    if blow.after is not None:
        kind = signal.SIGINT if blow.interrupts else signal.SIGKILL
        times = [blow.after + 0.1 * number for number in range(max(blow.interrupts, 1))]
        timers = [threading.Timer(seconds, _strike, (process, kind)) for seconds in times]
    for timer in timers:
        timer.start()
    try:
        _, errors = process.communicate(timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        _strike(process, signal.SIGKILL)
        _, errors = process.communicate()
        errors += f"\nnot finished after {_LONGEST} s"
    for timer in timers:
        timer.cancel()
    return Ended(process.returncode, time.monotonic() - begun, errors)


def _strike(process: subprocess.Popen[str], kind: signal.Signals) -> None:
    if process.poll() is None:
        os.killpg(process.pid, kind)


# -- looking at an archive -----------------------------------------------------------------------------------------


def faults(archive: Path) -> list[str]:
    """What is corrupt in an archive after a kill."""
    path = archive / "archive.db"
    if not path.exists():
        return []
    wrong = []
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'crawls'").fetchone() is None:
            return []
        wrong += [str(row[0]) for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
        wrong += [f"foreign key {tuple(row)}" for row in db.execute("PRAGMA foreign_key_check")]
        try:
            db.execute("INSERT INTO articles_fts(articles_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            wrong.append(f"full text index: {error}")
        for name, acknowledged in db.execute("SELECT name, bytes FROM warc_files"):
            file = next((p for p in (archive / "warc" / name, archive / "warc" / f"{name}.open") if p.exists()), None)
            if file is None or file.stat().st_size < acknowledged:
                wrong.append(f"{name}: fewer than the {acknowledged} acknowledged bytes")
    return wrong + [str(finding) for finding in verify(archive).findings]


def finished(archive: Path) -> int:
    """How many crawls are complete."""
    path = archive / "archive.db"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as db:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'crawls'").fetchone() is None:
            return 0
        return int(db.execute("SELECT count(*) FROM crawls WHERE finished_at IS NOT NULL").fetchone()[0])


def _points(archive: Path) -> list[str]:
    """The points that the next run can reach."""
    is_new = not (archive / "archive.db").exists()
    is_torn = any(archive.glob("warc/*.open"))
    return [
        point
        for point in POINTS
        if (is_new or not point.startswith("migrat")) and (is_torn or not point.startswith("recover"))
    ]


def lines(archive: Path) -> Counter[str]:
    return Counter(dump_archive(archive, comparable=True))


def _rebuildable(archive: Path) -> list[str]:
    """The dump without `warc_files`: after a kill at the very end, the next writer notes that a file is closed."""
    return [line for line in dump_archive(archive) if '"table": "warc_files"' not in line]


# -- many ----------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What happened so far."""

    wanted: int
    kills: Counter[str] = field(default_factory=Counter)
    interrupts: int = 0
    archives: int = 0
    lost: int = 0
    doubled: int = 0
    corrupt: int = 0
    notes: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> bool:
        return self.kills.total() >= self.wanted

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.corrupt)

    def note(self, text: str) -> None:
        self.notes.append(text)
        print(f"! {text}", flush=True)

    def killed(self, blow: Blow) -> None:
        with self.lock:
            self.kills[(blow.point or "at a random time").partition(":")[0]] += 1
            if self.kills.total() % 50 == 0:
                print(f"{self.kills.total():5} kills, {self.archives} archives compared", flush=True)


class Harness:
    """Two servers, before and after the site changed, and the dump of an untouched crawl of both."""

    def __init__(self, tally: Tally, servers: tuple[SiteServer, SiteServer], keep: Path | None = None) -> None:
        self.tally, self._servers, self._keep = tally, servers, keep
        self.expected: Counter[str] = Counter()
        self.seconds = 0.0

    def untouched(self, folder: Path, concurrency: int) -> Counter[str]:
        """The dump of untouched crawls."""
        for server in self._servers:
            ended = run(self._crawl(folder, concurrency), server.url, Blow())
            if ended.code:
                raise SystemExit(f"an untouched crawl ended with {ended.code}: {ended.errors}")
            self.seconds = ended.seconds
        return lines(folder)

    def case(self, seed: int, folder: Path) -> None:
        """One archive: both crawls, killed and run again until they are done, compared and rebuilt."""
        chance = random.Random(seed)  # noqa: S311 - to be repeatable, not secret
        for number, server in enumerate(self._servers, 1):
            runs = 0
            while finished(folder) < number:
                runs += 1
                blow = self._blow(chance, folder) if runs < _PER_RUN and not self.tally.done else Blow()
                if not self._once(folder, self._crawl(folder, chance.choice((1, 4))), server.url, blow, seed):
                    return self._save(folder, seed)
        self._compare(folder, seed)
        if chance.random() < 0.15:
            self._rebuild(folder, seed, chance)
        self.tally.archives += 1
        return None

    def _blow(self, chance: random.Random, folder: Path) -> Blow:
        kind = chance.random()
        if kind < 0.65:
            point = chance.choice(_points(folder))
            return Blow(point=f"{point}:{chance.randint(1, _REACHED.get(point, 1))}")
        if kind < 0.94:
            return Blow(after=chance.uniform(0.35, 1.0) * self.seconds)
        return Blow(after=chance.uniform(0.4, 1.0) * self.seconds, interrupts=chance.choice((1, 2)))

    def _once(self, folder: Path, command: list[str], proxy: str | None, blow: Blow, seed: int) -> bool:
        """Run a command with a blow and check the archive; False if it is not sound."""
        ended = run(command, proxy, blow)
        if ended.code == -signal.SIGKILL:
            self.tally.killed(blow)
        elif blow.interrupts:
            self.tally.interrupts += 1
        allowed = {0, -signal.SIGKILL} | ({3, -signal.SIGINT} if blow.interrupts else set())
        wrong = faults(folder)
        if ended.code not in allowed:
            wrong.append(f"the command ended with {ended.code}: {ended.errors.strip()}")
        if wrong:
            self.tally.corrupt += 1
            self.tally.note(f"seed {seed}, {blow}: {'; '.join(wrong)}")
        return not wrong

    def _compare(self, folder: Path, seed: int) -> None:
        got = lines(folder)
        missing, more = self.expected - got, got - self.expected
        if missing or more:
            self.tally.lost += missing.total()
            self.tally.doubled += more.total()
            first = next(iter([*missing, *more]))
            self.tally.note(f"seed {seed}: {missing.total()} lines missing, {more.total()} too many; {first[:300]}")
            self._save(folder, seed)

    def _rebuild(self, folder: Path, seed: int, chance: random.Random) -> None:
        """A rebuild must give the same database, however often it is killed."""
        before = _rebuildable(folder)
        command = ["rebuild", "--archive", str(folder), "--jobs", "1"]
        self._once(folder, command, None, Blow(point=f"{chance.choice(REBUILD_POINTS)}:1"), seed)
        self._once(folder, command, None, Blow(after=chance.uniform(0.1, 0.6)), seed)
        self._once(folder, command, None, Blow(), seed)
        after = _rebuildable(folder)
        if after != before:
            self.tally.corrupt += 1
            changed = [*(Counter(before) - Counter(after)), *(Counter(after) - Counter(before))]
            self.tally.note(f"seed {seed}: a rebuild gives another database: {len(changed)} lines; {changed[0][:300]}")
            self._save(folder, seed)

    def _save(self, folder: Path, seed: int) -> None:
        if self._keep is not None and folder.exists():
            self._keep.mkdir(parents=True, exist_ok=True)
            folder.rename(self._keep / str(seed))

    def _crawl(self, folder: Path, concurrency: int) -> list[str]:
        return ["crawl", SITE, "--archive", str(folder), "--delay", "0", "--concurrency", str(concurrency)]


def crash(kills: int, seed: int, lanes: int, keep: Path | None = None) -> Tally:
    """Kill crawls until there are so many kills."""
    tally = Tally(kills)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = [stack.enter_context(SiteServer(site(changed=c), conditional=True)) for c in (False, True)]
        harness = Harness(tally, (servers[0], servers[1]), keep)
        harness.expected = harness.untouched(scratch / "one", 1)
        if harness.untouched(scratch / "four", 4) != harness.expected:
            raise SystemExit("two untouched crawls differ; the harness cannot tell what a kill does")
        numbers = iter(range(seed * 1_000_000, (seed + 1) * 1_000_000))

        def lane() -> None:
            while not tally.done:
                with tally.lock:
                    number = next(numbers)
                with tempfile.TemporaryDirectory(dir=scratch) as folder:
                    harness.case(number, Path(folder) / "archive")

        with ThreadPoolExecutor(lanes) as pool:
            for future in [pool.submit(lane) for _ in range(lanes)]:
                future.result()
    return tally


def main() -> int:
    """Parse, kill, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000, help="how many kills (1000)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed kills at the same places (0)")
    parser.add_argument("--lanes", type=int, default=os.cpu_count() or 2, help="archives at one time (one per core)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep archives that went wrong in this folder")
    options = parser.parse_args()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # under nohup; crawls would ignore it too
        signal.signal(signal.SIGINT, lambda *_: None)
    begun = time.monotonic()
    try:
        tally = crash(options.kills, options.seed, options.lanes, options.keep)
    except LocumError as error:
        print(f"crash: {error}", file=sys.stderr)
        return 1
    for point, number in sorted(tally.kills.items()):
        print(f"  {point:20} {number:5}")
    print(
        f"{tally.kills.total():,} kills and {tally.interrupts:,} interrupts over {tally.archives:,} archives in "
        f"{time.monotonic() - begun:,.0f} s: {tally.lost} lost, {tally.doubled} doubled, {tally.corrupt} corrupt"
    )
    return 0 if tally.clean else 1


if __name__ == "__main__":
    sys.exit(main())
