"""Out of the archive, for others."""
