"""What a transaction costs below our own code: each part called alone, as barely as Python can.

CPU time of the benchmark's own transactions, a block at a time; the least of several blocks. The
state is read back once, after all of them, as the chain does it (after more).
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.embedded import ROUND
from bench.load import CHAIN_ID, OPERATOR, Load
from gridpact.crypto.keccak import keccak
from gridpact.crypto.recovery import recover_all
from gridpact.crypto.signers import Signers
from gridpact.ledger.embedded.assemble import Made, assemble
from gridpact.ledger.embedded.replay import Position, genesis
from gridpact.ledger.evm.admission import Admitted, admit
from gridpact.ledger.evm.engine import Moment
from gridpact.ledger.evm.revm import Revm
from gridpact.ledger.files.store import open_store
from gridpact.model.interval import public_key

BLOCKS = 6
HASHES_OF_A_BLOCK = 33, 65, 33, 250, 65
"""Bytes hashed for a transaction's leaf, its receipt's, and a node above each; and its sender."""


class Floor(NamedTuple):
    """CPU time per transaction. [us]"""

    recover: float
    execute: float
    keccak: float
    store: float
    read_back: float


def floor(load: Load) -> Floor:
    """Measure each part on its own."""
    engine, bare = _founded(load), _founded(load)
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "ledger.db") as store:
        chain = store.add_chain("floor", CHAIN_ID, OPERATOR.address, bytes(32))
        found, position = list[tuple[float, ...]](), genesis(chain)
        for number in range(1, BLOCKS + 1):
            block = _admitted(load.measured[(number - 1) * ROUND : number * ROUND])
            moment = Moment(number, 0)
            signed = [(each.transaction.digest, each.transaction.signature) for each in block]
            recovered = _microseconds(lambda signed=signed: recover_all(signed))
            called = _microseconds(lambda block=block: _call(bare, block))
            outcomes = [engine.execute(*each, moment).outcome for each in block]
            if not all(outcome.status for outcome in outcomes):
                raise RuntimeError("a measured transaction failed")
            engine.keep()
            made = Made(public_key(number), moment, [each.transaction for each in block], outcomes)
            header, rows, _ = assemble(chain, position, made)
            position = Position(number, header.hash, header.state_chain, 0, number * ROUND)
            stored = _microseconds(lambda rows=rows: store.add_block(rows))
            hashed = _microseconds(lambda block=block: _hash(block))
            found.append((recovered, called, hashed, stored))
    least = map(min, zip(*found, strict=True))
    return Floor(*least, _microseconds(engine.state) / BLOCKS)


def _founded(load: Load) -> Revm:
    engine = Revm(CHAIN_ID, {})
    for each in _admitted(load.before):
        engine.execute(*each, Moment(1, 0))
    engine.keep()
    return engine


def _admitted(raws: tuple[bytes, ...]) -> list[Admitted]:
    arrived = admit(raws, CHAIN_ID, OPERATOR.address, Signers(cores=1))
    return [each for each in arrived.admissions if isinstance(each, Admitted)]


def _call(engine: Revm, block: list[Admitted]) -> None:
    """Call pyrevm with a block's transactions and nothing around it."""
    evm = engine._evm
    if engine._checkpoint is None:
        engine._checkpoint = evm.snapshot()
    for transaction, sender in block:
        to = "0x" + transaction.to.hex()
        evm.message_call("0x" + sender.hex(), to, transaction.data, gas=transaction.gas)
        evm.reset_transient_storage()


def _hash(block: list[Admitted]) -> None:
    """Hash as much as a transaction needs: its bytes, what was signed of them, and its leaves."""
    others = [bytes(size) for size in HASHES_OF_A_BLOCK]
    for transaction, _ in block:
        keccak(transaction.raw)
        keccak(transaction.raw[: transaction.signed])
        for other in others:
            keccak(other)


def _microseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) / ROUND * 1e6
