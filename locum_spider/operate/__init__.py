"""Runs crawls regularly."""
