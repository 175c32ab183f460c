"""Answers questions in processes of their own, which are ended if a question overruns or nobody waits for it.

SQLite cannot be stopped within one step: a pattern or a snippet may take minutes. A process can be.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe, forkserver, get_context
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any

from locum_spider.errors import LocumError
from locum_spider.store.bounded import Question, StoppedError

Answerer = Callable[[Question], Any]

_MEMORY_BYTES = 1024**3  # of a process: SQLite's own limit, the answer, its copy for the way, and Python
_FILE_BYTES = 2 * 1024**3  # of a temporary file that SQLite sorts in
_GRACE = 1.0  # seconds until a question that was stopped must have ended
_START = 120.0  # seconds that a process may take to begin, on a busy machine
_PATIENCE = 30.0  # seconds that a question waits for its turn

_starting = threading.Lock()
_context = get_context("forkserver")
_context.set_forkserver_preload(["datasette.app", "locum_spider.browse.database", "locum_spider.browse.plugin"])


def prepare() -> None:
    """Let the process that all others come from load what they need, while this one does other things."""
    forkserver.ensure_running()


class BusyError(LocumError):
    """Raised when a question waited too long for its turn."""


class LostError(LocumError):
    """Raised when a process ended while it answered: it needed too much memory, or it was killed."""


@dataclass
class _Job:
    question: Question
    abandoned: bool = False
    process: _Process | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def abandon(self) -> None:
        """Nobody waits any more: the process that works on it ends."""
        with self.lock:
            self.abandoned = True
            if self.process is not None:
                self.process.kill()


class Lane:
    """So many processes for questions of one kind, each started when it is first needed.

    `make` is called in the process and gives the function that answers; it must be of a module. Processes of a lane
    that is not `urgent` give way to all others.
    """

    def __init__(self, size: int, make: Callable[..., Answerer], *arguments: object, urgent: bool = True) -> None:
        self._begin = (make, arguments, urgent)
        self._threads = ThreadPoolExecutor(size, "question")
        self._processes: set[_Process] = set()
        self._idle: list[_Process] = []

    def begin(self) -> None:
        """Start the first process now, so that the first question does not wait for it."""
        self._threads.submit(lambda: self._idle.append(self._start()))

    async def ask(self, question: Question) -> Any:
        """The answer, or the error that the question raised.

        Raises StoppedError after the question's limit, BusyError if its turn did not come, LostError if its process
        ended. If the caller is cancelled, the question is too.
        """
        job = _Job(question)
        try:
            turn = self._threads.submit(self._answer, job)
        except RuntimeError:
            raise LostError("The archive is not served any more") from None
        answer = asyncio.wrap_future(turn)
        try:
            await asyncio.wait({answer}, timeout=_PATIENCE)
            if not answer.done() and turn.cancel():
                raise BusyError("Other questions are being answered; ask again in a minute")
            return await answer
        except asyncio.CancelledError:
            answer.cancel()
            job.abandon()
            raise

    def close(self) -> None:
        """End all processes; questions that are being answered raise LostError."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in list(self._processes):
            process.kill()

    def _answer(self, job: _Job) -> Any:
        process = self._idle.pop() if self._idle else self._start()
        with job.lock:
            job.process = None if job.abandoned else process
        told = None
        try:
            told = None if job.abandoned else process.ask(job.question)
        except _OverrunError:
            raise StoppedError(job.question.seconds) from None
        except (EOFError, OSError):
            raise LostError("The question needed too much memory and was stopped; ask for less") from None
        finally:
            with job.lock:
                job.process = None
            if told is not None and not job.abandoned:
                self._idle.append(process)
            else:  # it may still be at work
                process.end()
                self._processes.discard(process)
        if told is not None and told.error is not None:
            raise told.error
        return told and told.value

    def _start(self) -> _Process:
        process = _Process(*self._begin)
        self._processes.add(process)
        return process


@dataclass(frozen=True, slots=True)
class _Told:
    """What a process sends: the answer, or the error that the question raised."""

    value: Any = None
    error: Exception | None = None


class _OverrunError(Exception):
    """A process did not answer in time."""


class _Process:
    def __init__(self, make: Callable[..., Answerer], arguments: tuple[object, ...], urgent: bool) -> None:
        self._connection, theirs = Pipe()
        self._process = _context.Process(target=_work, args=(theirs, make, arguments, urgent), daemon=True)
        with _without_main():
            self._process.start()
        theirs.close()
        self._receive(_START)

    def ask(self, question: Question) -> _Told:
        self._connection.send(question)
        return self._receive(question.seconds + _GRACE)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _receive(self, seconds: float) -> _Told:
        if not self._connection.poll(seconds):
            raise _OverrunError
        told: _Told = self._connection.recv()
        return told


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the program: a new process would run its file, for functions that stand in it; ours do not."""
    with _starting:
        program = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = program


def _work(connection: Connection, make: Callable[..., Answerer], arguments: tuple[object, ...], urgent: bool) -> None:
    """Answer questions until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process decides
    if not urgent:
        os.nice(10)
    for limit, most in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_FSIZE, _FILE_BYTES)):
        with suppress(ValueError, OSError):  # macOS refuses the first; a lower limit of the user stays
            resource.setrlimit(limit, (most, resource.getrlimit(limit)[1]))
    with suppress(EOFError, BrokenPipeError):
        answer = make(*arguments)
        connection.send(_Told())
        while True:
            question = connection.recv()
            connection.send_bytes(_answered(answer, question))


def _answered(answer: Answerer, question: Question) -> bytes:
    try:
        return pickle.dumps(_Told(answer(question)))
    except Exception as error:  # noqa: BLE001 - the process that asked is told of it
        try:
            told = pickle.dumps(_Told(error=error))
            pickle.loads(told)  # noqa: S301 - just made; errors may be sent and yet not received
        except Exception:  # noqa: BLE001 - an error of anybody's may fail in any way to be sent
            told = pickle.dumps(_Told(error=LocumError(f"{type(error).__name__}: {error}")))
        return told
