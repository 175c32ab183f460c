"""Removing an article for good."""
