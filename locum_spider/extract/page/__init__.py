"""A page as a browser has it: decoded, parsed, its metadata and lines of visible text."""
