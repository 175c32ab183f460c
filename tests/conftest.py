"""The short and the long form of the tests, and the order in which two workers get them."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from hypothesis import settings

pytest_plugins = ["support.conditional", "support.scenarios", "support.undisturbed"]

# Under nohup SIGINT is ignored, and so it would be in a command that a test sends Ctrl-C: children inherit that, but
# not a handler. This process goes on ignoring it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, lambda *_: None)

settings.register_profile("short", deadline=None, max_examples=150)
settings.register_profile("long", deadline=None, max_examples=5_000)
settings.load_profile("short")

HEAVIEST = """
    survival/test_kills.py crawl/test_interrupted.py crawl/test_trouble.py survival/test_disk.py cli/test_commands.py
    crawl/test_polite.py crawl/test_again.py crawl/test_declared.py exporting/test_wacz.py operate/test_schedule.py
    importing/test_zstd.py preservation/test_rebuild.py store/test_old_archives.py preservation/test_backup.py
    preservation/test_takedown.py crawl/test_conditional.py preservation/test_verify.py crawl/test_sample.py
    importing/test_states.py importing/test_damage.py importing/test_mementos.py docs/test_docs.py
    crawl/test_scrapy.py crawl/test_http.py cli/test_evidence.py
""".split()
"""Files that take seconds, the longest first: one left for the end would keep one worker busy and the other idle."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="every step, and many more examples: for a night")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--long"):
        settings.load_profile("long")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(HEAVIEST)}
    items.sort(key=lambda item: places.get("/".join(item.path.parts[-2:]), len(places)))


@pytest.fixture(scope="session")
def steps(pytestconfig: pytest.Config) -> Callable[[int], int]:
    """Turns the distance between two places that are tried into that of this form: in the long one, all are."""
    return (lambda _: 1) if pytestconfig.getoption("--long") else (lambda step: step)
