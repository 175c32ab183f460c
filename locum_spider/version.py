"""The version, alone: everything writes it somewhere and nothing else must be imported for it."""

__version__ = "0.1.0"
