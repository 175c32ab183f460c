"""One root error and its few children. A message names the subject, the fault and what to do about it.

`exit_code` is what the command line ends with when the error reaches it.
"""


class LocumError(Exception):
    """Root of all errors this package raises on purpose."""

    exit_code = 1


class UsageError(LocumError):
    """Raised by the command line and the Python interface on a wrong argument."""

    exit_code = 2


class DeclarationError(LocumError):
    """Raised while a site's TOML is read: the file, the key, what is allowed there."""

    exit_code = 2


class ArchiveError(LocumError):
    """Raised when a folder cannot be opened as an archive: none there, a newer schema, in use."""

    exit_code = 2


class PageError(LocumError):
    """Raised by the readers in `extract` when a page lacks what must be there, or cannot be parsed at all."""

    exit_code = 6


class InterruptedCrawl(LocumError):  # noqa: N818 - not a fault
    """Raised where a crawl was stopped at once; the next one goes on with it."""

    exit_code = 3


class NoSpaceError(LocumError):
    """Raised by the recorder when the disk cannot take another record."""

    exit_code = 5


class IntegrityError(LocumError):
    """Raised when the archive contradicts itself: a record or row that is damaged or missing."""

    exit_code = 7
