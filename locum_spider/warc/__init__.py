"""WARC files: writing, reading, codings, tombstones, addresses of web archives. Only this wing imports FastWARC."""
