"""What the embedded chain does with the ledger benchmark's transactions, durable on disk."""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.load import CHAIN_ID, OPERATOR, REGION, Load
from bench.peers import Raws, Timed, cpu_seconds
from gridpact.crypto.signers import Signers
from gridpact.errors import LedgerError
from gridpact.ledger.audit.audit import audit
from gridpact.ledger.chain import Call, Receipt
from gridpact.ledger.embedded.chain import EmbeddedChain
from gridpact.ledger.files.store import open_store
from gridpact.model.interval import Key, Phase

ROUND = 1024
"""Transactions handed over at once: the size of a block."""
SLOTS = 100_000
"""Storage slots of the state that is restarted from a snapshot."""


@contextmanager
def opened(path: Path, signers: Signers | None = None) -> Iterator[EmbeddedChain]:
    """Open the benchmark's chain in a file."""
    own = signers or Signers()
    with open_store(path) as store:
        try:
            yield EmbeddedChain(
                *(store, "benchmark", CHAIN_ID, OPERATOR, lambda _: 0),
                snapshot_every=1_000_000,
                signers=own,
            )
        finally:
            own.close()


def embedded(_: int, before: Raws, measured: Raws) -> Timed:
    """Submit transactions in blocks of `ROUND`; each block is on disk when it is acknowledged.

    The CPU time is that of this process and of the helper that recovers signatures beside it.
    """
    return _run(Signers(), before, measured)


def embedded_alone(_: int, before: Raws, measured: Raws) -> Timed:
    """Do the same without a helper: one process, one thread."""
    return _run(Signers(cores=1), before, measured)


def _run(signers: Signers, before: Raws, measured: Raws) -> Timed:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder) / "l.db", signers) as chain:
        submit(chain, before)
        cpu, start = time.process_time(), time.perf_counter()
        submit(chain, measured)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        helper = signers.helper
        if helper and chain.recovering != "beside this process":
            raise RuntimeError(f"signatures were recovered {chain.recovering}")
        return Timed(len(measured), seconds, cpu + (cpu_seconds(helper) if helper else 0.0))


def submit(chain: EmbeddedChain, raws: Raws, size: int = ROUND) -> None:
    """Submit transactions; raises `RuntimeError` when one was refused or failed."""
    for first in range(0, len(raws), size):
        for answer in chain.submit_many(raws[first : first + size]):
            _require_done(answer)


def _require_done(answer: Receipt | LedgerError) -> None:
    if isinstance(answer, LedgerError):
        raise answer
    if answer.outcome.status != 1:
        raise RuntimeError(f"a measured transaction failed: {answer}")


class Disk(NamedTuple):
    """What a file holds and how fast it can be read back. [bytes, transactions/s]"""

    raw_each: float
    stored_each: float
    replay_rate: float
    durable_rate: float


def disk(load: Load) -> Disk:
    """Fill a file, measure its growth with its log written back, and audit it from genesis."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        with opened(path) as chain:
            submit(chain, load.before)
        small = path.stat().st_size  # closing writes the log back into the file
        with opened(path) as chain:
            start = time.perf_counter()
            submit(chain, load.measured)
            seconds = time.perf_counter() - start
        grown = path.stat().st_size - small
        start = time.perf_counter()
        audit(path)
        replayed = time.perf_counter() - start
        count, everything = len(load.measured), len(load.measured) + len(load.before)
        raw = sum(map(len, load.measured)) / count
        return Disk(raw, grown / count, everything / replayed, count / seconds)


class Acknowledged(NamedTuple):
    """Median time of one acknowledged transaction, and of a bare commit of the same rows. [s]"""

    submitted: float
    bare: float


def acknowledged(load: Load, count: int) -> Acknowledged:
    """Submit one transaction at a time, then commit the very rows it wrote with bare SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        with opened(path) as chain:
            submit(chain, load.before)
            first = chain.head().number
            ours = []
            for raw in load.measured[:count]:
                start = time.perf_counter()
                _require_done(chain.submit(raw))
                ours.append(time.perf_counter() - start)
        bare = _bare_commits(path, Path(folder) / "bare.db", first, count)
        return Acknowledged(median(ours), median(bare))


def _bare_commits(ledger: Path, target: Path, after: int, count: int) -> list[float]:
    """Commit the rows of each block into a file of the same tables; return the seconds of each."""
    source, bare = sqlite3.connect(ledger), sqlite3.connect(target, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        bare.execute(f"PRAGMA {pragma}")
    for (statement,) in source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"):
        bare.execute(statement)
    number = {"block": "number"}
    tables = [
        (table, number.get(table, "block"))
        for (table,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if table not in ("meta", "chain", "snapshot")
    ]
    seconds = []
    for block in range(after + 1, after + 1 + count):
        rows = [
            (table, source.execute(f"SELECT * FROM {table} WHERE {at} = ?", (block,)).fetchall())
            for table, at in tables
        ]
        start = time.perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        for table, found in rows:
            if found:
                marks = ", ".join("?" * len(found[0]))
                bare.executemany(f"INSERT INTO {table} VALUES ({marks})", found)
        bare.execute("COMMIT")
        seconds.append(time.perf_counter() - start)
    source.close()
    bare.close()
    return seconds


class Restart(NamedTuple):
    """Opening a chain whose state is large. [s]"""

    slots: int
    seconds: float


def restart() -> Restart:
    """Open a chain from a snapshot of `SLOTS` storage slots and read one of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        at = b""
        with opened(path) as chain:
            for place in range(SLOTS // _FILLED):
                key = Key(REGION, place, Phase.FOUND)
                _, outcomes = chain.execute(key, b"", [Call(b"", _filler(), "filler")])
                at = outcomes[0].output
            chain.close()
        start = time.perf_counter()
        with opened(path) as chain:
            word = chain.view(Call(at, b"", "read"))
            seconds = time.perf_counter() - start
        if int.from_bytes(word, "big") != 1:
            raise RuntimeError(f"slot 1 holds {word.hex()} after the restart, not 1")
        return Restart(SLOTS, seconds)


_FILLED = 2_500
"""Slots that one deployment fills: 55 M of the 60 M gas that a transaction of ours has."""


def _filler() -> bytes:
    """Return code that stores n in slot n for n = _FILLED..1 and then creates a reader of slot 1.

    Written by hand, so that a large state needs no large contract.
    """
    reader = bytes.fromhex("60015460005260206000f3")
    fill = b"\x61" + _FILLED.to_bytes(2, "big") + bytes.fromhex("5b 808055 60019003 80600357")
    size, start = len(reader), len(fill) + 12
    create = bytes((0x60, size, 0x60, start, 0x60, 0, 0x39, 0x60, size, 0x60, 0, 0xF3))
    return fill + create + reader
