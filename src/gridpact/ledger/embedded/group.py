"""Group commit: callers that wait at the same time share one disk commit.

The first who waits writes for all who wait; whoever comes while it writes is served by the next.
A lone caller never waits for company: the writer lingers only while others are on their way in.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gridpact.errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")

_LINGER = 0.002
"""How long a writer waits for callers that are on their way, at most. [s]"""


class _Ticket(Generic[T, R]):
    """What one caller wants written, and what came of it: nothing when its writer failed."""

    def __init__(self, wanted: T) -> None:
        self.wanted = wanted
        self.results: list[R] = []
        self.done = False


class GroupCommit(Generic[T, R]):
    """Brings callers of several threads together.

    Parameters
    ----------
    write
        Writes what several callers want, in order, and returns one result each. What it raises
        reaches the caller whose thread wrote; the others are told to ask again.
    """

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        self._write = write
        self._gate = threading.Condition()
        self._waiting: list[_Ticket[T, R]] = []
        self._coming = 0
        self._writing = False

    def submit(self, prepare: Callable[[], T]) -> R:
        """Prepare in the caller's own thread, then be written together with others."""
        with self._gate:
            self._coming += 1
        prepared: list[_Ticket[T, R]] = []
        try:
            prepared.append(_Ticket(prepare()))
        finally:
            with self._gate:
                self._coming -= 1
                self._waiting += prepared
                self._gate.notify_all()
        return self._written(*prepared)

    def _written(self, ticket: _Ticket[T, R]) -> R:
        with self._gate:
            self._gate.wait_for(lambda: ticket.done or not self._writing)
            if not ticket.done:
                self._lead()
        if not ticket.results:
            raise Unavailable("the write failed in another thread before it reached the disk")
        return ticket.results[0]

    def _lead(self) -> None:
        """Write for all who wait; called and left with the gate held."""
        self._writing = True
        self._gate.wait_for(lambda: not self._coming, timeout=_LINGER)
        group, self._waiting = self._waiting, []
        self._gate.release()
        try:
            results = self._write([ticket.wanted for ticket in group])
            for ticket, result in zip(group, results, strict=True):
                ticket.results.append(result)
        finally:
            self._gate.acquire()
            for ticket in group:
                ticket.done = True
            self._writing = False
            self._gate.notify_all()
