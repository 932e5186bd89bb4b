"""revm through pyrevm: the fast engine.

pyrevm is a way to make calls, not a transaction engine. What it lacks is
made up for here:

- it counts no nonces: we count them, and tell it before a contract is created;
- it clears no transient storage: done after every transaction;
- `commit` without a snapshot corrupts its depth: every kept run starts with one;
- revert data comes as the text of a RuntimeError: parsed, anything unknown is an error of ours;
- it cannot dump its state: present values are read from the text of its journal and laid over
  the state it was opened on, which also covers slots that the journal never loaded;
- it returns code with zeros appended: cut off where the code hash says so;
- an unknown name of the rules means the latest ones, and "LONDON" is unknown: it is "London";
- it deletes no contract that destroys itself, and invents block hashes: no contract of ours does or
  asks, and a state with a destroyed contract is refused;
- its journal grows with every transaction: after some thousands, and whenever the state is read, a
  fresh machine is started on what was read;
- code that is inserted rather than deployed is analysed again in every call of it (17 µs a
  transaction of ours): it is deployed once on a machine beside this one and taken from there.
"""

import re
from collections.abc import Iterator

from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env, JournalCheckpoint
from pyrevm import Log as RevmLog

from gridpact.crypto.keccak import keccak
from gridpact.errors import LedgerError
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

_FRESH_AFTER = 16_384
"""Kept transactions after which a fresh machine is started; each holds 1 to 3 kB."""

_FRESH_AT_LAST = 32_768
"""The same on a large state, which takes 7 µs a slot to read: at most about 100 MB are held."""

_DEPLOYER = "0x" + "00" * 20
_RETURN = bytes.fromhex("80600a3d393df3")
"""After PUSH2 of a size: return that many bytes of what follows."""

_PADDING = 33
"""Zero bytes that revm appends to code it has analysed."""

_REVERT = re.compile(r"Revert \{ gas_used: \d+, output: 0x([0-9a-f]*) \}")
_HALT = re.compile(r"Halt \{ reason: (.+?), gas_used: \d+ \}")
_ACCOUNT = re.compile(
    r"0x([0-9a-f]{40}): Account \{ info: AccountInfo \{ balance: (\d+), nonce: (\d+), "
)
_SLOT = re.compile(
    r"(\d+): StorageSlot \{ previous_or_original_value: \d+, present_value: (\d+) \}"
)


class Revm:
    """An `EvmEngine` on revm."""

    def __init__(self, chain_id: int, state: State) -> None:
        self._chain_id = chain_id
        self._checkpoint: JournalCheckpoint | None = None
        self._beside = self._machine()
        self._analysed: dict[bytes, AccountInfo] = {}
        self._open(state)

    def _open(self, state: State) -> None:
        self._moment = Moment(0, 0)
        self._evm = self._machine()
        self._base, self._changed, self._stale, self._executed = state, False, False, 0
        slots = sum(len(account.storage) for account in state.values())
        self._fresh_after = min(max(_FRESH_AFTER, slots), _FRESH_AT_LAST)
        self._nonces: dict[bytes, int] = {}
        self._kept_nonces: dict[bytes, int] = {}
        for address, account in state.items():
            name = _hex(address)
            self._evm.insert_account_info(name, self._info(account))
            if account.balance:
                self._evm.set_balance(name, account.balance)
            for slot, value in account.storage.items():
                self._evm.insert_account_storage(name, slot, value)

    def _machine(self) -> EVM:
        environment = Env(cfg=CfgEnv(chain_id=self._chain_id), block=_block(Moment(0, 0)))
        return EVM(env=environment, gas_limit=BLOCK_GAS, spec_id="London")

    def _info(self, account: StateAccount) -> AccountInfo:
        """Return what pyrevm keeps of an account; the code of a contract is analysed once."""
        code = account.code
        if not code or account.nonce != 1:
            return AccountInfo(nonce=account.nonce, code=code or None)
        if code not in self._analysed:
            start = b"\x61" + len(code).to_bytes(2, "big") + _RETURN
            try:
                place = self._beside.deploy(_DEPLOYER, start + code)
            except RuntimeError as error:
                raise LedgerError(f"revm takes no code 0x{code[:8].hex()}…: {error}") from error
            self._analysed[code] = self._beside.basic(place)
        return self._analysed[code]

    def execute(self, transaction: Transaction, sender: bytes, moment: Moment) -> Execution:
        self._enter(moment)
        evm = self._evm
        if self._checkpoint is None:
            self._checkpoint = evm.snapshot()
        nonce, name = self.nonce(sender), _hex(sender)
        self._executed += 1
        try:
            if transaction.to:
                output = evm.message_call(
                    name, _hex(transaction.to), transaction.data, gas=transaction.gas
                )
            else:
                evm.insert_account_info(name, AccountInfo(nonce=nonce))
                output = bytes.fromhex(evm.deploy(name, transaction.data, gas=transaction.gas)[2:])
        except RuntimeError as error:
            return _failed(str(error))
        finally:
            self._nonces[sender] = nonce + 1
            evm.reset_transient_storage()
        result = evm.result
        logs = tuple([_log(log) for log in result.logs]) if result else ()
        return Execution(Outcome(1, output, logs), "")

    def view(self, sender: bytes, to: bytes, data: bytes, moment: Moment) -> Execution:
        self._enter(moment)
        here = self._evm.snapshot()
        try:
            output = self._evm.message_call(_hex(sender), _hex(to), data, gas=GAS, is_static=True)
        except RuntimeError as error:
            return _failed(str(error))
        finally:
            self._evm.revert(here)
            self._evm.reset_transient_storage()
        return Execution(Outcome(1, bytes(output), ()), "")

    def keep(self) -> None:
        if self._checkpoint is not None:
            self._evm.commit()
            self._checkpoint = None
            self._changed = True
        self._kept_nonces.update(self._nonces)
        self._nonces.clear()
        if self._executed >= self._fresh_after:
            self.state()

    def undo(self) -> None:
        if self._checkpoint is not None:
            self._evm.revert(self._checkpoint)
            self._checkpoint = None
        self._nonces.clear()

    def nonce(self, address: bytes) -> int:
        counted = self._nonces.get(address)
        if counted is None:
            counted = self._kept_nonces.get(address)
        if counted is not None:
            return counted
        account = self._base.get(address)
        return account.nonce if account else 0

    def state(self) -> State:
        require_kept(self._checkpoint is not None)
        if self._changed:
            self._base = dict(sorted(self._read()))
            self._changed, self._stale = False, True
        return self._base

    def _read(self) -> Iterator[tuple[bytes, StateAccount]]:
        """Yield the present accounts: the journal's values over those the machine was opened on."""
        text = self._evm.journal_str  # five sixths of it logs and history, left uncopied
        text = text[: text.find(", transient_storage: {")]
        if "SelfDestructed" in text:
            raise LedgerError("a contract destroyed itself, which revm through pyrevm cannot close")
        seen = {}
        for part in text.split("}, status: "):
            head, _, slots = part.partition("storage: {")
            found = _ACCOUNT.search(head)
            if found is None:
                continue  # the end of the text, after the last account
            address = bytes.fromhex(found[1])
            before = self._base.get(address)
            storage = dict(before.storage) if before else {}
            storage.update((int(slot), int(value)) for slot, value in _SLOT.findall(slots))
            nonce = self._kept_nonces.get(address, int(found[3]))
            code = before.code if before and before.code else self._code(address)
            kept = {slot: value for slot, value in storage.items() if value}
            seen[address] = StateAccount(nonce, int(found[2]), code, kept)
        if len(seen) != len(self._evm.journal_state):
            raise LedgerError("revm's journal cannot be read: another version of pyrevm?")
        for address, account in (dict(self._base) | seen).items():
            if not is_empty(account):
                yield address, account

    def _code(self, address: bytes) -> bytes:
        name = _hex(address)
        padded = bytes(self._evm.get_code(name) or b"")
        for code in (padded, padded[:-_PADDING]):
            if keccak(code) == self._evm.basic(name).code_hash:
                return code
        raise LedgerError(f"the code of contract {name} that revm returns does not fit its hash")

    def _enter(self, moment: Moment) -> None:
        if self._stale:
            self._open(self._base)
        if moment != self._moment:
            self._evm.set_block_env(_block(moment))
            self._moment = moment


def open_engine(chain_id: int, state: State) -> EvmEngine:
    """Return revm on a state."""
    return Revm(chain_id, state)


def _log(log: RevmLog) -> Log:
    topics, data = log.data
    return Log(bytes.fromhex(log.address[2:]), tuple(topics), data)


def _block(moment: Moment) -> BlockEnv:
    return BlockEnv(
        number=moment.number,
        timestamp=moment.time,
        coinbase=_hex(bytes(20)),
        difficulty=0,
        basefee=0,
        gas_limit=BLOCK_GAS,
    )


def _failed(text: str) -> Execution:
    if found := _REVERT.fullmatch(text):
        output = bytes.fromhex(found[1])
        return Execution(Outcome(0, output, ()), revert_reason(output))
    if found := _HALT.fullmatch(text):
        return Execution(Outcome(0, b"", ()), f"halted: {found[1]}")
    raise LedgerError(f"revm: {text}")


def _hex(address: bytes) -> str:
    return "0x" + address.hex()
