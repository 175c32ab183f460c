"""Scrapy logs nothing for each page: counts go to stats, reasons to the report."""

from __future__ import annotations

from typing import Any

from scrapy import logformatter


class LogFormatter(logformatter.LogFormatter):
    """Only silences the lines that Scrapy logs for every page."""

    def crawled(self, *_args: Any, **_kwargs: Any) -> None:
        return None

    scraped = crawled

    def download_error(self, failure: Any, request: Any, spider: Any, errmsg: str | None = None) -> Any:
        """The spider's errback reports it; a line at debug level is enough."""
        return {**super().download_error(failure, request, spider, errmsg), "level": 10}
