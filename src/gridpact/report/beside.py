"""Work that runs beside the main run, on another core.

A plain process with a pipe: should the main process be killed, this one ends by itself and holds
nothing of its parent's, if it is started before the parent opens its files.
"""

import signal
from collections.abc import Callable
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

from gridpact.errors import GridpactError

A = TypeVar("A")
T = TypeVar("T")


class Beside(Generic[T]):
    """`work(argument)` in a process of its own; `result` waits for it."""

    def __init__(self, work: Callable[[A], T], argument: A) -> None:
        self._receiving, sending = Pipe(duplex=False)
        self._process = Process(target=_deliver, args=(work, argument, sending), daemon=True)
        self._process.start()
        sending.close()

    def result(self) -> T:
        """Return what the work came to, or raise the expected failure that ended it."""
        try:
            found: T | GridpactError = self._receiving.recv()
        except EOFError:
            self._process.join()
            raise GridpactError(
                f"a process beside the run ended with code {self._process.exitcode}"
            ) from None
        self._process.join()
        if isinstance(found, GridpactError):
            raise found
        return found


def _deliver(work: Callable[[A], T], argument: A, sending: Connection) -> None:
    # Ctrl-C reaches every process of a terminal: only the main one has something to say about it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        sending.send(work(argument))
    except GridpactError as failure:
        sending.send(GridpactError(str(failure)))
