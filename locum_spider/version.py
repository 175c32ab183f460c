"""The version, alone, so that nothing else must be imported for it."""

__version__ = "0.1.0"
