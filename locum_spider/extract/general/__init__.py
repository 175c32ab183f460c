"""The general reader: it reads articles of undeclared sites by their metadata and visible text."""
