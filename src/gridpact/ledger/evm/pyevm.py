"""py-evm: the exact engine, slow, for platforms without revm and as its oracle.

Transactions are executed as Ethereum does it (intrinsic gas, nonces, original storage values per
transaction). It keeps accounts and slots under their hashes, so which were ever written is noted
on the way and the state can be read back.
"""

from typing import Any

from eth.constants import BLANK_ROOT_HASH, ZERO_ADDRESS
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert
from eth.vm.execution_context import ExecutionContext
from eth.vm.forks.london.state import LondonState
from eth.vm.forks.london.transactions import LondonUnsignedLegacyTransaction
from eth.vm.message import Message
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address, BlockNumber, Hash32

from gridpact.ledger.chain import Log, Outcome
from gridpact.ledger.evm.engine import (
    BLOCK_GAS,
    EvmEngine,
    Execution,
    Moment,
    require_kept,
    revert_reason,
)
from gridpact.ledger.evm.state_hash import State, StateAccount, is_empty
from gridpact.ledger.evm.transactions import GAS, Transaction


class _NotingState(LondonState):
    """London state that notes which accounts and slots were written."""

    __slots__ = ("noted",)
    noted: dict[bytes, set[int]]

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        self.noted.setdefault(address, set()).add(slot)
        super().set_storage(address, slot, value)

    def set_code(self, address: Address, code: bytes) -> None:
        self.noted.setdefault(address, set())
        super().set_code(address, code)

    def set_nonce(self, address: Address, nonce: int) -> None:
        self.noted.setdefault(address, set())
        super().set_nonce(address, nonce)

    def increment_nonce(self, address: Address) -> None:
        self.noted.setdefault(address, set())
        super().increment_nonce(address)

    def set_balance(self, address: Address, balance: int) -> None:
        self.noted.setdefault(address, set())
        super().set_balance(address, balance)


class PyEvm:
    """An `EvmEngine` on py-evm."""

    def __init__(self, chain_id: int, state: State) -> None:
        self._chain_id = chain_id
        self._db = AtomicDB()
        self._noted: dict[bytes, set[int]] = {}
        self._root = BLANK_ROOT_HASH
        self._pending = False
        self.gas_used = 0
        """Gas of the last transaction as Ethereum charges it: for studies, in no receipt."""
        self._state = self._at_root()
        for address, account in state.items():
            self._state.set_nonce(address, account.nonce)
            self._state.set_balance(address, account.balance)
            self._state.set_code(address, account.code)
            for slot, value in account.storage.items():
                self._state.set_storage(address, slot, value)
        self.keep()

    def execute(self, transaction: Transaction, sender: bytes, moment: Moment) -> Execution:
        self._enter(moment)
        self._pending = True
        self._state.lock_changes()
        computation = self._state.apply_transaction(_spoofed(transaction, sender))
        self.gas_used = _gas_used(transaction, computation)
        if computation.is_error:
            return _failed(computation)
        output = computation.msg.storage_address if not transaction.to else computation.output
        logs = (
            Log(address, tuple(topic.to_bytes(32, "big") for topic in topics), data)
            for address, topics, data in computation.get_log_entries()
        )
        return Execution(Outcome(1, output, tuple(logs)), "")

    def view(self, sender: bytes, to: bytes, data: bytes, moment: Moment) -> Execution:
        self._enter(moment)
        call = Transaction(self._chain_id, self.nonce(sender), GAS, to, data, b"", b"")
        message = Message(
            gas=GAS,
            to=Address(to),
            sender=Address(sender),
            value=0,
            data=data,
            code=self._state.get_code(to),
            is_static=True,
        )
        context = self._state.get_transaction_context(_spoofed(call, sender))
        here = self._state.snapshot()
        computation = self._state.computation_class.apply_message(self._state, message, context)
        self._state.revert(here)
        if computation.is_error:
            return _failed(computation)
        return Execution(Outcome(1, computation.output, ()), "")

    def keep(self) -> None:
        self._state.persist()
        self._root = self._state.state_root
        self._pending = False

    def undo(self) -> None:
        if self._pending:
            self._state = self._at_root()
            self._pending = False

    def nonce(self, address: bytes) -> int:
        return int(self._state.get_nonce(address))

    def state(self) -> State:
        require_kept(self._pending)
        state = {address: self._account(address) for address in sorted(self._noted)}
        return {address: account for address, account in state.items() if not is_empty(account)}

    def _account(self, address: bytes) -> StateAccount:
        slots = ((slot, self._state.get_storage(address, slot)) for slot in self._noted[address])
        return StateAccount(
            self._state.get_nonce(address),
            self._state.get_balance(address),
            self._state.get_code(address),
            {slot: value for slot, value in slots if value},
        )

    def _at_root(self) -> Any:
        state = _NotingState(self._db, self._context(Moment(0, 0)), self._root)
        state.noted = self._noted
        return state

    def _context(self, moment: Moment) -> ExecutionContext:
        return ExecutionContext(
            coinbase=ZERO_ADDRESS,
            timestamp=moment.time,
            block_number=BlockNumber(moment.number),
            difficulty=0,
            mix_hash=Hash32(bytes(32)),
            gas_limit=BLOCK_GAS,
            prev_hashes=(),
            chain_id=self._chain_id,
            base_fee_per_gas=0,
        )

    def _enter(self, moment: Moment) -> None:
        self._state.execution_context = self._context(moment)


def open_engine(chain_id: int, state: State) -> EvmEngine:
    """Return py-evm on a state."""
    return PyEvm(chain_id, state)


def _spoofed(transaction: Transaction, sender: bytes) -> Any:
    """Return the transaction in py-evm's form, its sender already recovered."""
    unsigned = LondonUnsignedLegacyTransaction(
        nonce=transaction.nonce,
        gas_price=0,
        gas=transaction.gas,
        to=transaction.to,
        value=0,
        data=transaction.data,
    )
    return SpoofTransaction(unsigned, from_=sender)


def intrinsic_gas(transaction: Transaction) -> int:
    """Return the gas that a transaction costs before its first instruction."""
    return int(_spoofed(transaction, ZERO_ADDRESS).intrinsic_gas)


def _gas_used(transaction: Transaction, computation: Any) -> int:
    """Return what is charged after the refund, which is at most a fifth (EIP-3529)."""
    used = transaction.gas - int(computation.get_gas_remaining())
    return used - min(int(computation.get_gas_refund()), used // 5)


def _failed(computation: Any) -> Execution:
    error = computation.error
    if isinstance(error, Revert):
        output = bytes(computation.output)
        return Execution(Outcome(0, output, ()), revert_reason(output))
    return Execution(Outcome(0, b"", ()), f"halted: {type(error).__name__}")
