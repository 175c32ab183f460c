"""WARC files: writing, reading, codings, tombstones, addresses of web archives. Alone knows the WARC library."""
