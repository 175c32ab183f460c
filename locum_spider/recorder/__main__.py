"""`python -m locum_spider.recorder FOLDER DESCRIPTOR OPTIONS`: serve one crawl process over an inherited connection."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from locum_spider.errors import ExitCode, LocumError
from locum_spider.items import Visit
from locum_spider.recorder.messages import Close, Failed, Leave, Open
from locum_spider.recorder.recorder import Recorder
from locum_spider.recorder.writer import open_archive
from locum_spider.store.files import writing_errors

_BATCH = 16


def _serve(connection: Connection, recorder: Recorder) -> None:
    """Answer messages in their order, and visits that wait together. Raises EOFError if the crawl was killed."""
    postponed: object = None
    while not isinstance(message := postponed or connection.recv(), Leave):
        postponed = None
        if isinstance(message, Visit):
            visits = [message]
            while postponed is None and len(visits) < _BATCH and connection.poll():
                following = connection.recv()
                if isinstance(following, Visit):
                    visits.append(following)
                else:
                    postponed = following
            for recorded in recorder.record(visits):
                connection.send(recorded)
        elif isinstance(message, Open):
            connection.send(recorder.open(message))
        elif isinstance(message, Close):
            connection.send(recorder.finish(message))


def _fail(connection: Connection, error: LocumError) -> ExitCode:
    """Tell the other end why nothing more is stored, and read on until it closes the connection.

    If we closed it at once, a send of the other end would fail before it could read the error.
    """
    with suppress(OSError, EOFError):
        connection.send(Failed(error))
        while True:
            connection.recv_bytes()
    return error.exit_code


def main(arguments: list[str]) -> ExitCode:
    """Serve until the other end closes; errors go to it."""
    folder, connection = Path(arguments[0]), Connection(int(arguments[1]))
    try:
        options = json.loads(arguments[2])
        with writing_errors(folder, LocumError), open_archive(folder, **options) as archive, suppress(EOFError):
            _serve(connection, Recorder(archive))
    except LocumError as error:
        return _fail(connection, error)
    except Exception as error:  # noqa: BLE001 - the crawl reports it; nobody would see a traceback
        fault = f"the recorder failed: {type(error).__name__}: {error}; please report it"
        return _fail(connection, LocumError(fault))
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
