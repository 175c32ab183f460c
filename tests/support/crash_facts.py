"""What tests of survival ask: whether an archive is sound, and whether it ends up like one that nothing befell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from crash import faults, finished, lines

from support.scripted import Runs


@dataclass(frozen=True)
class Undisturbed:
    """Two crawls to their end, the second after the site has changed; the lines of the dump after each."""

    archive: Path
    first: Counter[str]
    both: Counter[str]

    @classmethod
    def make(cls, runs: Runs, archive: Path) -> Undisturbed:
        finish(runs, archive, crawls=1)
        first = lines(archive)
        finish(runs, archive)
        return cls(archive, first, lines(archive))


def finish(runs: Runs, archive: Path, crawls: int = 2) -> None:
    """Crawl until the crawls have come to their end, as the user does who runs the same command again."""
    for number, changed in enumerate((False, True)[:crawls], 1):
        if finished(archive) < number:
            ended = runs.run(archive, changed=changed)
            assert ended.code in {0, 6}, ended.message


def require_same(archive: Path, undisturbed: Undisturbed, crawls: int = 2) -> None:
    """Nothing lost, nothing doubled, nothing corrupt."""
    assert faults(archive) == []
    got, expected = lines(archive), undisturbed.first if crawls == 1 else undisturbed.both
    assert (expected - got, got - expected) == (Counter(), Counter())
