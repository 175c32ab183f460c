"""Captures in WARC files made by others: bytes to records to what they say."""

from locum_spider.importing.captures import Found, PassedOver, Revisit, Why
from locum_spider.importing.containers import open_warcs, require_captures
from locum_spider.importing.records import LIMIT, read_foreign

__all__ = ["LIMIT", "Found", "PassedOver", "Revisit", "Why", "open_warcs", "read_foreign", "require_captures"]
