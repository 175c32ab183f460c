"""The crawl's end of the recorder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any, ClassVar

from locum_spider.errors import LocumError
from locum_spider.recorder.messages import LENGTH, Failed, pack, unpack


def _ignore_interrupts() -> None:
    """Ctrl-C reaches the whole process group; the crawl decides, the recorder ends when the crawl lets go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class RecorderClient:
    """A running recorder. Answers come in the order of the questions.

    After an error of the recorder every question raises that error: it has stopped, and nothing more can be kept.
    """

    _running: ClassVar[dict[Path, asyncio.Task[RecorderClient]]] = {}

    def __init__(
        self,
        folder: Path,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.error: LocumError | None = None
        self._folder, self._process, self._reader, self._writer = folder, process, reader, writer
        self.users = 0
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._listener = asyncio.ensure_future(self._listen())

    @classmethod
    async def start(cls, folder: Path, **options: Any) -> RecorderClient:
        """A recorder process for an archive, the one that runs or a new one; `options` go to `Recorder`.

        Crawls of several sites in one process write one archive, and an archive has one writer.
        """
        if folder not in cls._running:
            cls._running[folder] = asyncio.ensure_future(cls._spawn(folder, options))
        client = await cls._running[folder]
        client.users += 1
        return client

    @classmethod
    async def _spawn(cls, folder: Path, options: dict[str, Any]) -> RecorderClient:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own interpreter; starting it takes a millisecond
                [
                    sys.executable,
                    "-m",
                    "locum_spider.recorder",
                    str(folder),
                    str(theirs.fileno()),
                    json.dumps(options),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                preexec_fn=_ignore_interrupts,  # noqa: PLW1509 - one call, before any of our threads
            )
        ours.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=ours)
        return cls(folder, process, reader, writer)

    async def ask(self, message: object) -> Any:
        """Send a message and wait for its answer. Raises the recorder's error once it has stopped."""
        if self.error is not None:
            raise self.error
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        with contextlib.suppress(ConnectionError):  # the listener learns why, and tells it through the future
            self._writer.write(pack(message))
            await self._writer.drain()
        return await future

    async def close(self) -> None:
        """Let go of the recorder; with its last user it finishes and ends."""
        self.users -= 1
        if self.users:
            return
        del self._running[self._folder]
        self._writer.close()
        await asyncio.get_running_loop().run_in_executor(None, self._process.wait)
        self._listener.cancel()

    async def _listen(self) -> None:
        error = LocumError(
            "the recorder process ended unexpectedly; run the same command again to go on, nothing is lost"
        )
        try:
            while True:
                head = await self._reader.readexactly(LENGTH.size)
                message = unpack(await self._reader.readexactly(LENGTH.unpack(head)[0]))
                if isinstance(message, Failed):
                    error = message.error
                    break
                future = self._waiting.popleft()
                if not future.done():
                    future.set_result(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.error = error
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)
