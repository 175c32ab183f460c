"""Captures in WARC files made by others: bytes to records to what they say, and into the archive."""
