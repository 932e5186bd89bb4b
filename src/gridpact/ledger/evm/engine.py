"""What a chain asks of an EVM. The port: `revm` and `pyevm` are the engines behind it.

An engine executes transactions on a state and can forget everything since the last `keep`. It
knows no blocks on disk and no signatures: `embedded` and `audit` give it decoded transactions with
their sender, in the order of their nonces. All engines run London rules with base fee, difficulty
and coinbase zero. Gas bounds the work but is not accounted: revm leaves slots warm between
transactions, so gas is in no receipt.
"""

import importlib
import importlib.util
from collections.abc import Callable
from typing import NamedTuple, Protocol

from gridpact.errors import LedgerError
from gridpact.ledger.chain import Outcome
from gridpact.ledger.evm.state_hash import State
from gridpact.ledger.evm.transactions import Transaction

BLOCK_GAS = 2**40


class Moment(NamedTuple):
    """The block a transaction runs in: its number and time. [s]"""

    number: int
    time: int


class Execution(NamedTuple):
    """What a transaction did; `failure` says in words why, and is empty when it succeeded."""

    outcome: Outcome
    failure: str


class EvmEngine(Protocol):
    """An EVM with one state."""

    def execute(self, transaction: Transaction, sender: bytes, moment: Moment) -> Execution:
        """Execute a transaction and count its nonce; a failed one changes nothing else."""
        ...

    def view(self, sender: bytes, to: bytes, data: bytes, moment: Moment) -> Execution:
        """Execute a read-only call: any change of state fails it."""
        ...

    def keep(self) -> None:
        """Make what was executed since the last `keep` or `undo` final."""
        ...

    def undo(self) -> None:
        """Forget what was executed since the last `keep` or `undo`."""
        ...

    def nonce(self, address: bytes) -> int:
        """Return how many transactions of `address` were executed."""
        ...

    def state(self) -> State:
        """Return the whole state; everything executed must have been kept or undone."""
        ...


EngineFactory = Callable[[int, State], EvmEngine]
"""Opens an engine on a state: (chain id, state) -> engine."""


def has_revm() -> bool:
    """Say whether the fast engine is installed (it has no wheel on some platforms)."""
    return importlib.util.find_spec("pyrevm") is not None


def default_engine() -> EngineFactory:
    """Return the fastest engine this machine has: revm, else py-evm."""
    name = "revm" if has_revm() else "pyevm"
    module = importlib.import_module(f"gridpact.ledger.evm.{name}")
    factory: EngineFactory = module.open_engine
    return factory


_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")


def revert_reason(output: bytes) -> str:
    """Return the text of a revert: `Error(string)` decoded, anything else in hexadecimal."""
    selector, words = output[:4], output[4:]
    if selector == _PANIC and len(words) == 32:
        return f"panic {int.from_bytes(words, 'big'):#04x}"
    if selector == _ERROR and len(words) >= 64 and int.from_bytes(words[:32], "big") == 32:
        length = int.from_bytes(words[32:64], "big")
        text = words[64 : 64 + length]
        if len(text) == length and text.isascii():
            return text.decode("ascii")
    return f"0x{output.hex()}" if output else "no reason given"


def require_kept(pending: bool) -> None:
    """Refuse to read a state while executed transactions wait for `keep` or `undo`."""
    if pending:
        raise LedgerError("the engine's state was asked for in the middle of a block")
