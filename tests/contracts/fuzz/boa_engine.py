"""titanoboa as an `EvmEngine` that sees the calls between contracts.

For fuzzing: slower than revm, but it hands out the tree of calls of every transaction. Imported
only by the fuzz tests, for it loads a compiler.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from boa.environment import Env

from gridpact.errors import LedgerError
from gridpact.ledger.chain import Log, Outcome
from gridpact.ledger.engine import Execution, Moment, revert_reason
from gridpact.ledger.state_hash import State
from gridpact.ledger.transactions import Transaction


class Frame(NamedTuple):
    """One call: who is under way below it, who is called, and whether it may only read."""

    below: tuple[bytes, ...]
    to: bytes
    reads: bool


class Boa:
    """An `EvmEngine` on titanoboa; `frames` are the calls of the last transaction."""

    def __init__(self, chain_id: int, state: State) -> None:
        if state:
            raise LedgerError("titanoboa is opened on an empty state only")
        self._env = Env()
        self._env.evm.patch.chain_id = chain_id
        self._nonces: dict[bytes, int] = {}
        self.frames: list[Frame] = []
        self._kept: tuple[Any, dict[bytes, int]] = (self._env.evm.snapshot(), {})

    def execute(self, transaction: Transaction, sender: bytes, moment: Moment) -> Execution:
        self._enter(moment)
        nonce = self.nonce(sender)
        self._nonces[sender] = nonce + 1
        if not transaction.to:
            self._env.evm.vm.state.set_nonce(sender, nonce)
            _, done = self._env.deploy(sender="0x" + sender.hex(), bytecode=transaction.data)
            output = bytes(done.msg.storage_address)
        else:
            done = self._call(transaction.to, sender, transaction.data, reads=False)
            output = bytes(done.output)
        self.frames = list(_frames(done, (), reads=False))
        if done.is_error:
            return _failed(done)
        return Execution(Outcome(1, output, tuple(_logs(done))), "")

    def view(self, sender: bytes, to: bytes, data: bytes, moment: Moment) -> Execution:
        self._enter(moment)
        done = self._call(to, sender, data, reads=True)
        return _failed(done) if done.is_error else Execution(Outcome(1, bytes(done.output), ()), "")

    def keep(self) -> None:
        self._kept = (self._env.evm.snapshot(), dict(self._nonces))

    def undo(self) -> None:
        snapshot, nonces = self._kept
        self._env.evm.revert(snapshot)
        self._nonces = dict(nonces)
        self._kept = (self._env.evm.snapshot(), nonces)

    def nonce(self, address: bytes) -> int:
        return self._nonces.get(address, 0)

    def state(self) -> State:
        raise LedgerError("titanoboa tells no whole state")

    def _call(self, to: bytes, sender: bytes, data: bytes, reads: bool) -> Any:
        return self._env.execute_code(
            to_address="0x" + to.hex(),
            sender="0x" + sender.hex(),
            data=data,
            is_modifying=not reads,
            simulate=reads,
        )

    def _enter(self, moment: Moment) -> None:
        self._env.evm.patch.timestamp = moment.time
        self._env.evm.patch.block_number = moment.number


def open_engine(chain_id: int, state: State) -> Boa:
    """Return titanoboa on an empty state."""
    return Boa(chain_id, state)


def _frames(done: Any, below: tuple[bytes, ...], reads: bool) -> Iterator[Frame]:
    to, only = bytes(done.msg.storage_address), reads or bool(done.msg.is_static)
    yield Frame(below, to, only)
    for child in done.children:
        yield from _frames(child, (*below, to), only)


def _logs(done: Any) -> Iterator[Log]:
    for address, topics, data in done.get_log_entries():
        yield Log(bytes(address), tuple(t.to_bytes(32, "big") for t in topics), bytes(data))


def _failed(done: Any) -> Execution:
    output = bytes(done.output)
    reverted = type(done.error).__name__ == "Revert"
    text = revert_reason(output) if reverted else f"halted: {type(done.error).__name__}"
    return Execution(Outcome(0, output if reverted else b"", ()), text)
