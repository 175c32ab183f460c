"""Exports an archive for other programs."""
