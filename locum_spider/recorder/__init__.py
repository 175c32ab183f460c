"""The recorder: a process beside the crawl that keeps captures, reads them and stores what they say.

It owns the archive's WARC file and SQLite connection, so no read or write ever blocks the reactor, and reading runs
on a second core. It answers in the order it is asked; nothing it has not answered counts as done.
"""
