"""One process that runs all scripted crawls, and what an undisturbed one leaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.crash_facts import Undisturbed
from support.scripted import Runs


@pytest.fixture(scope="session")
def runs() -> Iterator[Runs]:
    with Runs() as running:
        yield running


@pytest.fixture(scope="session")
def undisturbed(runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed.make(runs, tmp_path_factory.mktemp("undisturbed") / "archive")
