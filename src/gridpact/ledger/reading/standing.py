"""A ledger file as it stands, read without its keys: blocks in words, accounts at the head.

The state of the head comes from the latest snapshot and the blocks after it, executed again and
checked as on every opening. That the file is honest from genesis on is the audit's question.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from gridpact.errors import Corrupt
from gridpact.ledger.chain import Log
from gridpact.ledger.embedded.replay import Position, genesis, position_at, replay_all
from gridpact.ledger.evm.engine import EvmEngine, Moment, default_engine, revert_reason
from gridpact.ledger.evm.state_hash import unpack
from gridpact.ledger.evm.transactions import Transaction, decode
from gridpact.ledger.files.rows import BlockRow, ChainRow, StoredBlock
from gridpact.ledger.files.store import Store
from gridpact.ledger.onchain.abi import numbers
from gridpact.ledger.onchain.decode import Decoded, Decoder, record
from gridpact.model.interval import Phase
from gridpact.model.participant import Account, Named
from gridpact.model.record import Found, Rotation, decode_any


class Told(NamedTuple):
    """One transaction and what became of it. `call` is None for bytes that no contract knows."""

    block: int
    position: int
    transaction: Transaction
    call: Decoded | None
    status: int
    output: bytes
    logs: tuple[tuple[Log, Decoded | None], ...]

    @property
    def reason(self) -> str:
        """Why it failed, in the contract's words; empty when it succeeded."""
        return "" if self.status else revert_reason(self.output)


class Standing:
    """One chain of an open ledger file."""

    def __init__(self, store: Store, chain: ChainRow) -> None:
        self._store, self.chain = store, chain
        self.decoder = Decoder(chain.operator)

    def blocks(self) -> Iterator[StoredBlock]:
        """Yield all stored blocks in order."""
        return self._store.blocks(self.chain.id)

    def block(self, number: int) -> StoredBlock | None:
        """Return one stored block."""
        found = next(self._store.blocks(self.chain.id, after=number - 1), None)
        return found if found is not None and found.header.number == number else None

    def told(self, block: StoredBlock) -> Iterator[Told]:
        """Yield a block's transactions with their receipts, in words."""
        for position, (raw, done) in enumerate(zip(block.raws, block.outcomes, strict=True)):
            transaction = decode(raw)
            yield Told(
                block.header.number,
                position,
                transaction,
                self.decoder.call(transaction.to, transaction.data),
                done.status,
                done.output,
                tuple((log, self.decoder.event(log)) for log in done.logs),
            )

    @cached_property
    def names(self) -> Mapping[bytes, str]:
        """Return who is who: contracts, the market's own accounts, participants, the operator."""
        names = {self.chain.operator: "operator's key"}
        names |= {address: f"contract {name}" for address, name in self.decoder.suite.names.items()}
        names |= {one.address: one.value for one in Named}
        for block in self.blocks():
            if block.header.phase == Phase.FOUND and (said := _registering(block)):
                names |= {one.address: one.name for one in said.participants}
        return names

    def account(self, address: bytes) -> Account:
        """Return the money of an account at the head; nothing where none was opened."""
        return Account(*self._view("account", address))

    def nonce(self, address: bytes) -> int:
        """Return how many transactions an address has sent up to the head."""
        return self._at_head[0].nonce(address)

    def _view(self, function: str, *given: bytes) -> tuple[int, ...]:
        engine, position = self._at_head
        words = b"".join(one.rjust(32, b"\0") for one in given)
        call = self.decoder.suite.call("vault", function, words)
        moment = Moment(position.number, position.time)
        done = engine.view(self.chain.operator, call.to, call.data, moment)
        if done.failure or not done.outcome.output:
            raise Corrupt(f"chain {self.chain.name}", f"there is no {call.label}: {done.failure}")
        return numbers(done.outcome.output)

    @cached_property
    def _at_head(self) -> tuple[EvmEngine, Position]:
        """Return an engine that holds the state of the head, and where that is."""
        position, state = genesis(self.chain), {}
        for snapshot in self._store.snapshots(self.chain.id)[:1]:
            state = unpack(snapshot.content, f"{self.chain.name} snapshot at {snapshot.block}")
            block = self._store.block(self.chain.id, snapshot.block)
            if block is None:
                raise Corrupt(f"{self.chain.name} snapshot at {snapshot.block}", "no such block")
            position = position_at(block)
        engine = default_engine()(self.chain.chain_id, state)
        later = self._store.blocks(self.chain.id, after=position.number)
        for done in replay_all(engine, self.chain, position, later):
            position = done.position
        return engine, position


def _registering(block: StoredBlock) -> Found | Rotation | None:
    said = decode_any(block.bodies[0].content)
    return said if isinstance(said, Found | Rotation) else None


def phase_name(header: BlockRow) -> str:
    """Return a block's phase in words."""
    return Phase(header.phase).name.lower()


def said(block: StoredBlock) -> tuple[str, object]:
    """Return the kind and content of a block's record as plain data; no kind for other bytes."""
    return record(block.bodies[0].content) if block.bodies else ("", "0x")
