"""Who signed many digests: recovered in a process beside this one, while this one goes on.

Recovery is the greatest part of a transaction's cost, and threads do not share it out: Python's
lock changes hands at each signature. So a helper process of its own takes parts of a batch and
sends addresses back; whenever this process would wait it recovers a part itself, from the end.
The helper is started with the first large batch and ends with its owner: it reads from a socket
that closes when the owner ends, however it ends. Without it (one core, no Unix sockets, it could
not be started, it died) everything is recovered here, and `Signers.standing` says so.
"""

import os
import select
import socket
import subprocess
import sys
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from struct import Struct

from gridpact.crypto.recovery import recover_all

Signed = tuple[bytes, bytes]
"""A digest and the signature over it."""

PART = 64
"""Signatures handed over at once: 3 ms of work."""
AHEAD = 2
"""Parts that the helper has at a time, so that it never waits for the next."""
WORTH = 256
"""Signatures of a batch below which the helper is not started."""

DIGEST, SIGNATURE, ADDRESS = 32, 65, 20
HEAD = Struct("!II")
"""Before each message, in both directions: the part's number and how many it holds."""

_NOBODY = bytes(ADDRESS)

_ROOM = 256 * 1024
"""Bytes on their way: a full block's, so that neither side waits for the other to read. [B]"""

_SILENCE = 20.0
"""How long the helper may be silent before it counts as dead. [s]"""
_TO_END = 5.0
_START = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from gridpact.crypto.signers_helper import main; main(int(sys.argv[1]))"
)


class _Gone(Exception):
    """The helper does not answer; the text says how that was noticed."""


class Signers:
    """Recovers batches for one owner, one batch at a time beside it; safe in several threads.

    Parameters
    ----------
    cores
        How many this process may use; by default those that the system gives it.
    """

    def __init__(self, cores: int | None = None) -> None:
        self._mutex = threading.Lock()
        self._helper: _Helper | None = None
        self._batch: weakref.ref[Batch] | None = None
        self._known: dict[bytes, bytes] = {}
        self._why = "no large batch yet"
        self._tries = (cores or _cores()) > 1 and hasattr(socket, "AF_UNIX")
        if not self._tries:
            self._why = "one core, or no Unix sockets"

    @property
    def standing(self) -> str:
        """Where signatures are recovered, in words: a fact for logs and reports."""
        if self._helper is not None and self._helper.ready and not self._helper.gone:
            return "beside this process"
        return f"in this process: {(self._helper and self._helper.gone) or self._why}"

    @property
    def helper(self) -> int | None:
        """The helper's process id, None without one."""
        return self._helper.process.pid if self._helper is not None else None

    def begin(self, signed: Iterable[Signed], count: int, ahead: int = AHEAD) -> "Batch":
        """Return who signed each of `count`, to be asked for in order; recovery has begun.

        An iterator is read to its end, a part at a time: the helper works on the first while the
        next is made. It is given at most `ahead` parts before somebody asks.
        """
        with self._mutex:
            helper = self._free(count)
            batch = Batch(helper, ahead, self._known)
            if helper is not None:
                self._batch = weakref.ref(batch)
        batch.fill(signed)
        return batch

    def _free(self, count: int) -> "_Helper | None":
        """Return the helper if it is there and no other batch has it."""
        if self._tries and self._helper is None and count >= WORTH:
            self._start()
        helper = self._helper
        if count < PART or helper is None or not helper.usable:
            if helper is not None and helper.gone:
                self._give_up(helper.gone)
            return None
        before = self._batch() if self._batch is not None else None
        return helper if before is None or before.finished else None

    def _start(self) -> None:
        self._why = "the helper is not up yet"
        try:
            self._helper = _Helper()
        except OSError as error:
            self._give_up(f"the helper could not be started: {error}")
            return
        weakref.finalize(self, self._helper.end)

    def _give_up(self, why: str) -> None:
        """Go on without a helper for good."""
        self._why, self._tries = why, False
        if self._helper is not None:
            self._helper.end()
            self._helper = None

    def close(self) -> None:
        """End the helper; a later large batch starts another."""
        with self._mutex:
            if self._helper is not None:
                self._helper.end()
                self._helper, self._why = None, "closed"


class Batch(Iterable[bytes | None]):
    """The signers of one batch, in order, each told once: None where a signature is not valid."""

    def __init__(
        self, helper: "_Helper | None", ahead: int, known: dict[bytes, bytes] | None = None
    ) -> None:
        self._helper, self._ahead, self._known = helper, ahead, known
        self._sent: deque[tuple[int, Sequence[Signed]]] = deque()
        self._left: deque[Sequence[Signed]] = deque()
        self._own: deque[list[bytes | None]] = deque()
        self._now: Iterator[bytes | None] = iter(())
        self._filling = True

    @property
    def beside(self) -> bool:
        """Whether a helper has a part in it."""
        return self._helper is not None

    @property
    def finished(self) -> bool:
        """Whether the helper owes nothing more."""
        return not (self._filling or self._sent or self._left)

    def fill(self, signed: Iterable[Signed]) -> None:
        """Take what is to be recovered, a part at a time."""
        rest = iter(signed)
        while part := list(islice(rest, PART)):
            self._left.append(part)
            self._send()
        self._filling = False

    def __iter__(self) -> Iterator[bytes | None]:
        yield from self._now
        while self._sent or self._left or self._own:
            self._now = iter(self._part())
            yield from self._now

    def _part(self) -> list[bytes | None]:
        """Return the next part; while the helper is at it, recover the last one here."""
        while self._sent:
            if self._left and self._helper is not None and not self._helper.answered():
                self._own.appendleft(recover_all(self._left.pop(), self._known))
                continue
            answer = self._received()
            if answer is not None:
                self._sent.popleft()
                self._send()
                return answer
        if self._left:
            return recover_all(self._left.popleft(), self._known)
        return self._own.popleft()

    def _send(self) -> None:
        while self._helper is not None and self._left and len(self._sent) < self._ahead:
            try:
                number = self._helper.ask(self._left[0])
            except _Gone:
                self._alone()
            else:
                self._sent.append((number, self._left.popleft()))

    def _received(self) -> list[bytes | None] | None:
        """Return the helper's answer to the part it was sent first; None when it is gone."""
        if self._helper is None:
            return None
        try:
            return self._helper.answer(self._sent[0][0])
        except _Gone:
            self._alone()
            return None

    def _alone(self) -> None:
        """Take back what the helper has not answered."""
        self._left.extendleft(part for _, part in reversed(self._sent))
        self._sent.clear()
        self._helper = None


class _Helper:
    """The process beside this one and the socket to it."""

    def __init__(self) -> None:
        self.gone = ""
        self.ready = False
        self._owner = os.getpid()
        self._asked = 0
        self._line, theirs = socket.socketpair()
        for end in (self._line, theirs):
            for room in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                end.setsockopt(socket.SOL_SOCKET, room, _ROOM)
        try:
            # a session of its own: a terminal's Ctrl-C is for the owner alone
            self.process = subprocess.Popen(
                [sys.executable, "-c", _START, str(self._owner), *sys.path],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            self._line.close()
            raise
        finally:
            theirs.close()
        self._line.settimeout(_SILENCE)

    @property
    def usable(self) -> bool:
        """Whether it is up, and this process the one that started it (not a fork of it)."""
        if self.gone or self._owner != os.getpid():
            return False
        if not self.ready and self.answered():
            try:
                self.answer(0)
                self.ready = True
            except _Gone:
                return False
        return self.ready

    def answered(self) -> bool:
        """Whether something can be read without waiting, be it the end."""
        try:
            return bool(select.select([self._line], [], [], 0)[0])
        except (OSError, ValueError):  # closed meanwhile: reading says so
            return True

    def ask(self, part: Sequence[Signed]) -> int:
        """Send a part; return its number."""
        self._asked = self._asked % 0xFFFFFFFF + 1
        body = b"".join([_packed(digest, signature) for digest, signature in part])
        try:
            self._line.sendall(HEAD.pack(self._asked, len(part)) + body)
        except OSError as error:
            raise self._lost(f"it could not be asked: {error}") from error
        return self._asked

    def answer(self, number: int) -> list[bytes | None]:
        """Return the answer to a part, past those of batches that nobody read to the end."""
        while True:
            answered, count = HEAD.unpack(self._read(HEAD.size))
            body = self._read(count * ADDRESS)
            if answered == number:
                found = [body[at : at + ADDRESS] for at in range(0, len(body), ADDRESS)]
                return [None if address == _NOBODY else address for address in found]

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                more = self._line.recv(size - len(data))
            except OSError as error:
                raise self._lost(f"it did not answer: {error}") from error
            if not more:
                raise self._lost("it ended")
            data += more
        return data

    def _lost(self, how: str) -> _Gone:
        self.gone = f"the helper is gone: {how}"
        return _Gone(self.gone)

    def end(self) -> None:
        """End the process; a fork of its owner only lets go of the socket."""
        self._line.close()
        if self._owner != os.getpid():
            return
        try:
            self.process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _packed(digest: bytes, signature: bytes) -> bytes:
    """Return a signature and its digest in one size; of another size they are nobody's."""
    if len(digest) == DIGEST and len(signature) == SIGNATURE:
        return digest + signature
    return bytes(DIGEST + SIGNATURE)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
