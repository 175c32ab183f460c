"""Imports captures made by others: from bytes to records, to captures, into the archive."""
