"""The recorder: a process beside the crawl that stores captures, reads them and stores what they say.

It owns the archive's WARC file and SQLite connection, so no read or write ever blocks the reactor, and pages are read
on a second core. It answers messages in their order; only what it has answered counts as done.
"""
