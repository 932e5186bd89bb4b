"""A chain for experiments: contracts on py-evm, each transaction with the gas Ethereum charges.

revm through pyrevm keeps slots warm from one transaction to the next, also on a fresh machine whose
state was put in, so it cannot tell gas. py-evm can; it is as exact as a node's receipt
(`bench equality` compares the two to the unit) and slow, which a study can bear.
"""

import importlib.util
from collections.abc import Iterable
from typing import NamedTuple

from gridpact.crypto.keys import Key as PrivateKey
from gridpact.errors import BadInput, Reverted
from gridpact.ledger.chain import Call
from gridpact.ledger.evm.engine import Moment
from gridpact.ledger.evm.transactions import GAS, sign
from gridpact.ledger.onchain.suite import Suite

CHAIN_ID = 2_023
FIRST_SECOND = 1
"""Block n has the time n + this, and what the clock was put forward. [s]"""


class Sent(NamedTuple):
    """A raw transaction, the gas that it used, and the time of its block. [s]"""

    raw: bytes
    gas: int
    time: int


class Ground:
    """One chain with one operator; transactions are signed, one block each."""

    def __init__(self, operator: PrivateKey) -> None:
        if importlib.util.find_spec("eth") is None:
            raise BadInput("a study of gas needs py-evm: install gridpact[studies]")
        from gridpact.ledger.evm.pyevm import PyEvm

        self._engine = PyEvm(CHAIN_ID, {})
        self._operator, self._blocks = operator, 0
        self.output = b""
        """What the last call returned."""
        self.later = 0
        """By how much the clock was put forward. [s]"""
        self.sent: list[Sent] = []
        """What a node can be asked to confirm."""
        self.suite = Suite(operator.address)

    def run(self, call: Call, sender: PrivateKey | None = None) -> int:
        """Execute a call and return the gas it used. Raises `Reverted` with the reason."""
        key = sender or self._operator
        nonce = self._engine.nonce(key.address)
        transaction = sign(key, CHAIN_ID, nonce, call.to, call.data, GAS)
        self._blocks += 1
        moment = Moment(self._blocks, FIRST_SECOND + self._blocks + self.later)
        done = self._engine.execute(transaction, key.address, moment)
        if done.failure:
            raise Reverted(done.failure, call.label)
        self._engine.keep()
        self.output = done.outcome.output
        self.sent.append(Sent(transaction.raw, self._engine.gas_used, moment.time))
        return self._engine.gas_used

    def deploy(self, code: bytes, label: str) -> bytes:
        """Create a contract and return its address."""
        self.run(Call(b"", code, f"deploy {label}"))
        return self.output

    def run_all(self, calls: Iterable[Call]) -> int:
        """Execute calls in order and return the gas of all."""
        return sum(self.run(call) for call in calls)
