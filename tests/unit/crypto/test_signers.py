"""Signers found beside the process: the same answers as here, whatever becomes of the helper."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import recover_all
from gridpact.crypto.signers import PART, WORTH, Batch, Signers

KEYS = [Key.derive(b"signers", str(n)) for n in range(5)]
MANY = WORTH + PART + 7


def signed(count: int = MANY, salt: bytes = b"") -> list[tuple[bytes, bytes]]:
    """Return digests and signatures; some of them nobody's."""
    made = []
    for n in range(count):
        digest = keccak(salt + n.to_bytes(2, "big"))
        signature = KEYS[n % 5].sign(digest)
        broken = {3: signature[:-1] + b"\x07", 4: signature[:64], 5: b""}.get(n % 97)
        made.append((digest, signature if broken is None else broken))
    return made


EVERYTHING = signed()
WANTED = recover_all(EVERYTHING)


@pytest.fixture
def signers() -> Iterator[Signers]:
    """A finder of signers whose helper is up."""
    found = Signers(cores=2)
    until(lambda: begun(found).beside, "a batch beside this process")
    yield found
    found.close()


def begun(signers: Signers) -> Batch:
    return signers.begin(iter(EVERYTHING), MANY)


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within 30 s"
        time.sleep(0.02)


def lives(process: int) -> bool:
    """Say whether a process is there and not only waiting to be buried."""
    if Path("/proc/self/stat").exists():
        try:
            told = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            return False
        return told.rpartition(")")[2].split()[0] != "Z"
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True).stdout
    return bool(shown.strip()) and not shown.strip().startswith(b"Z")


def test_the_helper_finds_the_same_signers_in_the_same_order(signers: Signers) -> None:
    assert WANTED.count(None) > 3
    assert signers.standing == "beside this process"
    for count in (MANY, PART, PART + 1, PART - 1, 1, 0):
        assert list(signers.begin(EVERYTHING[:count], count)) == WANTED[:count]
    for ahead in (1, 3, 50):
        assert list(signers.begin(EVERYTHING, MANY, ahead)) == WANTED


def test_before_the_helper_is_up_and_on_one_core_signers_are_found_here() -> None:
    alone = Signers(cores=1)
    assert list(begun(alone)) == WANTED
    assert (alone.helper, alone.standing) == (None, "in this process: one core, or no Unix sockets")
    early = Signers(cores=2)
    assert list(begun(early)) == WANTED
    assert early.standing == "in this process: the helper is not up yet"
    early.close()


@pytest.mark.parametrize("read", [0, 1, PART, 3 * PART])
def test_a_helper_that_is_killed_costs_no_answer_and_is_told(signers: Signers, read: int) -> None:
    batch = begun(signers)
    first = list(islice(batch, read))
    assert signers.helper is not None
    os.kill(signers.helper, signal.SIGKILL)
    assert first + list(batch) == WANTED
    assert list(begun(signers)) == WANTED
    assert signers.standing.startswith("in this process: the helper is gone")


def test_a_batch_that_nobody_reads_to_the_end_does_not_mix_with_the_next(signers: Signers) -> None:
    for read in (0, 1, PART + 1):
        batch = begun(signers)
        assert list(islice(batch, read)) == WANTED[:read]
        del batch
        other = signed(MANY, b"other")
        following = signers.begin(other, MANY)
        assert following.beside
        assert list(following) == recover_all(other)


def test_several_threads_get_each_its_own(signers: Signers) -> None:
    given = [signed(MANY, bytes([n])) for n in range(4)]
    found: dict[int, list[bytes | None]] = {}

    def find(n: int) -> None:
        found[n] = list(signers.begin(given[n], MANY))

    threads = [threading.Thread(target=find, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[n] for n in range(4)] == [recover_all(one) for one in given]


def test_closing_ends_the_helper_and_the_next_large_batch_starts_another(signers: Signers) -> None:
    helper = signers.helper
    assert helper is not None
    signers.close()
    assert not lives(helper)
    assert list(begun(signers)) == WANTED
    until(lambda: begun(signers).beside, "another helper")


def test_a_fork_leaves_its_owners_helper_alone(signers: Signers) -> None:
    child = os.fork()
    if child == 0:
        os._exit(int(begun(signers).beside or list(begun(signers)) != WANTED))
    assert os.waitpid(child, 0)[1] == 0
    batch = begun(signers)
    assert batch.beside
    assert list(batch) == WANTED


_OWNER = """
import time
from tests.unit.crypto.test_signers import begun, Signers
signers = Signers(cores=2)
while not begun(signers).beside:
    time.sleep(0.02)
batch = begun(signers)
print(signers.helper, flush=True)
time.sleep(60)
"""


def test_the_helper_ends_with_its_owner_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", _OWNER], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        helper = int(owner.stdout.readline())
        assert lives(helper)
        owner.kill()
    until(lambda: not lives(helper), "the end of the helper")
