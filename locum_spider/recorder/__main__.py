"""`python -m locum_spider.recorder FOLDER DESCRIPTOR`: serve one crawl process over an inherited socket."""

from __future__ import annotations

import json
import select
import socket
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from locum_spider.errors import LocumError
from locum_spider.items import Visit
from locum_spider.recorder.messages import LENGTH, Close, Failed, Open, pack, unpack
from locum_spider.recorder.recorder import Recorder
from locum_spider.recorder.writer import open_archive
from locum_spider.store.files import disk_error

_BATCH = 16
_CHUNK = 1 << 20


class _Channel:
    """Whole messages over a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()
        self._held: Any = None

    def receive(self) -> Any:
        """The next message, None at the end."""
        while (message := self._next()) is None:
            data = self._connection.recv(_CHUNK)
            if not data:
                return None
            self._buffer += data
        return message

    def arrived(self, limit: int) -> list[Visit]:
        """The visits that have come in meanwhile, at most `limit`; waits for nothing."""
        if select.select([self._connection], [], [], 0)[0]:
            self._buffer += self._connection.recv(_CHUNK)
        visits: list[Visit] = []
        while len(visits) < limit and (message := self._next()) is not None:
            if not isinstance(message, Visit):
                self._held = message
                break
            visits.append(message)
        return visits

    def send(self, *messages: object) -> None:
        self._connection.sendall(b"".join(pack(message) for message in messages))

    def fail(self, error: LocumError) -> None:
        """Tell the other end why nothing more is stored, and read on until it lets go.

        With the socket closed at once, what it is just sending would fail, and it would not come to read the reason.
        """
        with suppress(OSError):
            self.send(Failed(error))
            while self._connection.recv(_CHUNK):
                pass

    def _next(self) -> Any:
        if self._held is not None:
            message, self._held = self._held, None
            return message
        if len(self._buffer) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._buffer)[0]
        if len(self._buffer) < end:
            return None
        data = bytes(self._buffer[LENGTH.size : end])
        del self._buffer[:end]
        return unpack(data)


def _serve(channel: _Channel, recorder: Recorder) -> None:
    while (message := channel.receive()) is not None:
        if isinstance(message, Visit):
            channel.send(*recorder.record([message, *channel.arrived(_BATCH - 1)]))
        elif isinstance(message, Open):
            channel.send(recorder.open(message))
        elif isinstance(message, Close):
            channel.send(recorder.finish(message))


def main(arguments: list[str]) -> int:
    """Serve until the other end closes; whatever cannot be stored is told to it as an error."""
    folder = Path(arguments[0])
    channel = _Channel(socket.socket(fileno=int(arguments[1])))
    options = json.loads(arguments[2]) if len(arguments) > 2 else {}
    try:
        with open_archive(folder, **options) as archive:
            _serve(channel, Recorder(archive))
    except LocumError as error:
        channel.fail(error)
        return error.exit_code
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, (BrokenPipeError, ConnectionResetError)):
            return 1
        known = disk_error(error, folder) or LocumError(f"{folder}: cannot be written: {error}")
        channel.fail(known)
        return known.exit_code
    except Exception as error:  # noqa: BLE001 - the other end tells it; a traceback would tell nobody
        channel.fail(LocumError(f"the recorder failed: {type(error).__name__}: {error}; please report it"))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
