"""The crawl's end of the recorder."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

from locum_spider.errors import LocumError
from locum_spider.recorder.messages import Failed, Leave

_ENDED = "the recorder process ended unexpectedly; run the same command again to go on, nothing is lost"


def _ignore_interrupts() -> None:
    """Ctrl-C reaches the whole process group. The crawl decides; the recorder ends when the crawl closes it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class RecorderClient:
    """A running recorder. Answers come in the order of the messages.

    After an error the recorder has stopped, and every message raises that error. Sending and receiving block, so each
    has a thread of its own, and the event loop runs on.
    """

    _running: ClassVar[dict[Path, RecorderClient]] = {}

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], connection: Connection[Any, Any]) -> None:
        self.error: LocumError | None = None
        self._folder, self._process, self._connection = folder, process, connection
        self.users = 0
        self._leaving = False
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._loop = asyncio.get_running_loop()
        self._sender = ThreadPoolExecutor(1, "recorder-send")
        self._receiver = threading.Thread(target=self._receive, name="recorder-receive", daemon=True)
        self._receiver.start()

    @classmethod
    def start(cls, folder: Path, **options: Any) -> RecorderClient:
        """The recorder process of an archive, which crawls in one process share; `options` go to `open_archive`.

        An archive has one writer.
        """
        if folder not in cls._running:
            ours, theirs = Pipe()
            arguments = [str(folder), str(theirs.fileno()), json.dumps(options)]
            with theirs:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter
                    [sys.executable, "-m", "locum_spider.recorder", *arguments],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    preexec_fn=_ignore_interrupts,  # noqa: PLW1509 - one call, before any of our threads
                )
            cls._running[folder] = cls(folder, process, ours)
        client = cls._running[folder]
        client.users += 1
        return client

    async def ask(self, message: object) -> Any:
        """Send a message and wait for its answer. Raises the recorder's error if it has stopped."""
        if self.error is not None:
            raise self.error
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(future)
        self._sender.submit(self._send, message)
        return await future

    async def close(self) -> None:
        """Close the recorder for this user; it ends with the last one. `error` is set if it could not end well."""
        self.users -= 1
        if self.users:
            return
        del self._running[self._folder]
        await self._loop.run_in_executor(self._sender, self._end)
        self._sender.shutdown()

    def _end(self) -> None:
        """Runs after everything was sent. A recorder that fails, even now, waits until we close the connection."""
        self._leaving = True
        self._send(Leave())
        self._receiver.join()  # reads on until the recorder has failed or ended
        self._connection.close()
        self._process.wait()

    def _send(self, message: object) -> None:
        with suppress(OSError):  # the receiver gets the error, and passes it to the future
            self._connection.send(message)

    def _receive(self) -> None:
        error = None
        try:
            while not isinstance(message := self._connection.recv(), Failed):
                self._loop.call_soon_threadsafe(self._answer, message)
            error = message.error
        except (EOFError, OSError):
            if not self._leaving:
                error = LocumError(_ENDED)
        with suppress(RuntimeError):  # the loop has ended, nobody waits
            self._loop.call_soon_threadsafe(self._stop, error)

    def _answer(self, message: object) -> None:
        future = self._waiting.popleft()
        if not future.done():
            future.set_result(message)

    def _stop(self, error: LocumError | None) -> None:
        self.error = error
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error or LocumError(_ENDED))
