"""titanoboa as an `EvmEngine`: the tests' market on an EVM that tells every call within a call.

London rules, as the contracts are compiled for. `calls` are those of the last transaction, the
outermost first.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import boa.vm.py_evm
from boa.environment import Env
from eth.chains.mainnet import MainnetChain
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert
from eth.tools.builder import chain

from gridpact.ledger.chain import Log, Outcome
from gridpact.ledger.evm.engine import Execution, Moment, require_kept, revert_reason
from gridpact.ledger.evm.state_hash import State
from gridpact.ledger.evm.transactions import GAS, Transaction


class Frame(NamedTuple):
    """One call: who called whom with what, whether it may write, how deep, and what it ran."""

    sender: bytes
    to: bytes
    data: bytes
    static: bool
    depth: int
    failed: bool
    trace: tuple[int, ...]


class BoaChain:
    """An `EvmEngine` on titanoboa."""

    def __init__(self, chain_id: int, state: State) -> None:
        if state:
            raise ValueError("titanoboa starts on an empty chain")
        self.env = _london()
        self._evm = self.env.evm
        self._evm.patch.chain_id = chain_id
        self._nonces: dict[bytes, int] = {}
        self._kept = self._evm.snapshot(), dict(self._nonces)
        self._last: Any = None

    def execute(self, transaction: Transaction, sender: bytes, moment: Moment) -> Execution:
        self._enter(moment)
        self._nonces[sender] = self.nonce(sender) + 1
        if not transaction.to:
            at, self._last = self.env.deploy(sender=sender, gas=GAS, bytecode=transaction.data)
            return self._outcome(at.canonical_address)
        self._last = self.env.execute_code(
            to_address=transaction.to, sender=sender, gas=GAS, data=transaction.data
        )
        return self._outcome(self._last.output)

    def view(self, sender: bytes, to: bytes, data: bytes, moment: Moment) -> Execution:
        self._enter(moment)
        found = self.env.execute_code(
            to_address=to, sender=sender, gas=GAS, data=data, is_modifying=False, simulate=True
        )
        return _execution(found, found.output)

    def keep(self) -> None:
        self._kept = self._evm.snapshot(), dict(self._nonces)

    def undo(self) -> None:
        kept, nonces = self._kept
        self._evm.revert(kept)
        self._kept = self._evm.snapshot(), nonces
        self._nonces = dict(nonces)

    def nonce(self, address: bytes) -> int:
        return self._nonces.get(address, 0)

    def state(self) -> State:
        require_kept(pending=True)
        raise NotImplementedError

    # what only this engine tells

    def put_code(self, address: bytes, code: bytes) -> None:
        """Let an address have code, as if a contract had been deployed there."""
        self.env.set_code(address, code)

    @property
    def calls(self) -> list[Frame]:
        """Return the last transaction's calls, the outermost first."""
        return list(_frames(self._last, 0))

    def _enter(self, moment: Moment) -> None:
        self._evm.patch.timestamp = moment.time
        self._evm.patch.block_number = moment.number

    def _outcome(self, output: bytes) -> Execution:
        return _execution(self._last, output)


def _frames(computation: Any, depth: int) -> Iterator[Frame]:
    message = computation.msg
    yield Frame(
        bytes(message.sender),
        bytes(message.to),
        bytes(message.data),
        bool(message.is_static),
        depth,
        bool(computation.is_error),
        tuple(computation.code._trace),
    )
    for child in computation.children:
        yield from _frames(child, depth + 1)


def _execution(computation: Any, output: bytes) -> Execution:
    if computation.is_error:
        # the port's words for a failure: see `ledger.pyevm`
        if isinstance(computation.error, Revert):
            reason = revert_reason(computation.output)
        else:
            reason = f"halted: {type(computation.error).__name__}"
        return Execution(Outcome(0, computation.output, ()), reason)
    logs = (
        Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data)
        for address, topics, data in computation.get_log_entries()
    )
    return Execution(Outcome(1, output, tuple(logs)), "")


def _london() -> Env:
    # titanoboa offers no choice of fork: it builds its chain of mainnet's latest rules
    newest = boa.vm.py_evm._make_chain
    boa.vm.py_evm._make_chain = _make_london
    try:
        return Env()
    finally:
        boa.vm.py_evm._make_chain = newest


def _make_london() -> Any:
    rules = chain.build(MainnetChain, chain.london_at(1))
    return rules.from_genesis(AtomicDB(), boa.vm.py_evm.GENESIS_PARAMS)
