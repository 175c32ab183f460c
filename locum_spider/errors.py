"""One root error and its few children. A message names the subject, the fault and what to do.

The command line ends with the `exit_code` of an error that reaches it.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit code of a command."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    INTERRUPTED = 3
    UNREACHABLE = 4
    NO_SPACE = 5
    CHECK_FAILED = 6
    INTEGRITY = 7


class LocumError(Exception):
    """Root of all errors that this package raises on purpose."""

    exit_code = ExitCode.FAULT


class UsageError(LocumError):
    """Raised by the command line and the Python interface on a wrong argument."""

    exit_code = ExitCode.USAGE


class DateFilterError(UsageError):
    """Raised by the store when `since` or `until` of a search is not a date; has name and value of the filter."""

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value
        super().__init__(self.called(name))

    def called(self, name: str) -> str:
        """The message, with the name that the filter has for the user."""
        return f"{name} {self.value!r} is not a date; write 2018-04-10, 2018-04 or 2018"


class NoSuchArticleError(UsageError):
    """Raised when an archive does not have an article."""

    def __init__(self, article: int | str, archive: object) -> None:
        super().__init__(f"{archive} has no article {article}; `locum search` prints the numbers of articles")


class DeclarationError(LocumError):
    """Raised for a fault in a site's TOML; names the file, the key, and what is allowed there."""

    exit_code = ExitCode.USAGE


class ArchiveError(LocumError):
    """Raised when a folder cannot be opened as an archive: it is not one, has a newer schema, or is in use."""

    exit_code = ExitCode.USAGE


class DamagedArchiveError(ArchiveError):
    """Raised when an archive's database cannot be read at all: `locum verify` reports it as damage."""


class LostDatabaseError(DamagedArchiveError):
    """Raised when an archive has captures, but no database."""

    exit_code = ExitCode.INTEGRITY


class PageError(LocumError):
    """Raised by the readers in `extract` when a page lacks what must be there, or cannot be parsed at all."""

    exit_code = ExitCode.CHECK_FAILED


class InterruptedCrawl(LocumError):  # noqa: N818 - not a fault
    """Raised when a crawl was stopped before it could report; the next one resumes it."""

    exit_code = ExitCode.INTERRUPTED


class NoSpaceError(LocumError):
    """Raised by the recorder when the disk has no room for another record."""

    exit_code = ExitCode.NO_SPACE


class IntegrityError(LocumError):
    """Raised when a record or row of the archive is damaged or missing."""

    exit_code = ExitCode.INTEGRITY
