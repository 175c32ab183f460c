"""Turns a news site into an archive that can be searched, cited, verified and read again."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from locum_spider.version import __version__

if TYPE_CHECKING:
    from locum_spider.archive import Archive
    from locum_spider.dates import read_date
    from locum_spider.reader import read_article

__all__ = ["Archive", "__version__", "read_article", "read_date"]

_HOMES = {"Archive": "archive", "read_article": "reader", "read_date": "dates"}


def __getattr__(name: str) -> Any:
    """Import the public names on first use: `read_date` alone needs no HTML parser and no SQLite."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
