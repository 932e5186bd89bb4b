"""What the market's ledger asks of a blockchain: blocks of contract calls, durable and in order.

The lower port: `market_ledger` turns records into calls, a chain executes them (`execute`), and
anybody's signed transactions enter beside them (`submit`). The embedded chain is `embedded`; an
Ethereum client behind JSON-RPC fits the same few verbs.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Protocol

import msgspec

from gridpact.errors import LedgerError
from gridpact.ledger.ledger import Head
from gridpact.model.interval import Key
from gridpact.model.record import Crossing


class Call(NamedTuple):
    """One transaction: deploy when `to` is empty. `label` names it in errors."""

    to: bytes
    data: bytes
    label: str


class Log(msgspec.Struct, frozen=True, gc=False):
    """An event of a contract."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What a transaction did."""

    status: int
    output: bytes
    logs: tuple[Log, ...]


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Where a transaction stands and what it did.

    A failed one has status 0 in its outcome and the revert's bytes as output
    (`engine.revert_reason` reads them). No gas: the embedded chain does not account it.
    """

    transaction: bytes
    block: Head
    position: int
    outcome: Outcome


class OutboxStep(NamedTuple):
    """A step of a cross-chain effect, recorded in the same disk commit as the block.

    state: "sent" on the source, "received" or "refused" on the target, "confirmed" or "returned"
    on the source again.
    """

    crossing: Crossing
    state: str


class Ability(Enum):
    """What only a node can: tell its validators or its peers, or call a block finalized."""

    VALIDATORS = "validators"
    PEERS = "peers"
    FINALITY = "finality"


class Chain(Protocol):
    """A chain that runs our contracts."""

    @property
    def name(self) -> str: ...

    @property
    def chain_id(self) -> int: ...

    @property
    def operator(self) -> bytes:
        """The address whose key signs the transactions of `execute`."""
        ...

    @property
    def abilities(self) -> frozenset[Ability]:
        """What this chain can beyond these verbs; an embedded one nothing."""
        ...

    def execute(
        self,
        key: Key,
        body: bytes,
        calls: Sequence[Call],
        steps: Sequence[OutboxStep] = (),
    ) -> tuple[Head, tuple[Outcome, ...]]:
        """Execute calls as one block and store `body` under `key`: all of it, on disk, or nothing.

        The caller has made sure that `key` is new. Raises `Reverted` with the reason.
        """
        ...

    def propose(self, calls: Sequence[Call]) -> tuple[Outcome, ...]:
        """Execute calls on a scratch state and forget them: what would they return and log?"""
        ...

    def view(self, call: Call) -> bytes:
        """Return the output of a read-only call at the head."""
        ...

    def body(self, key: Key) -> bytes | None:
        """Return the body stored under a key, or None."""
        ...

    def written_at(self, key: Key) -> Head | None: ...

    def head(self) -> Head: ...

    def state_hash(self) -> bytes: ...

    def close(self) -> None: ...


class OpenChain(Chain, Protocol):
    """A chain that anybody's signed transactions can enter."""

    def submit(self, raw: bytes) -> Receipt:
        """Take a signed legacy transaction of anybody; its receipt, once it is final.

        A transaction that a contract refuses is recorded with status 0. The same bytes again
        return the first receipt. Safe to call from several threads.

        Raises
        ------
        InvalidTransaction
            No block can hold it: its form, chain id, signature, gas or nonce.
        Unavailable
            The chain does not take it now; it was not recorded.
        """
        ...

    def submit_many(self, raws: Sequence[bytes]) -> tuple[Receipt | LedgerError, ...]:
        """Take many transactions in order: for each its receipt, or the error of `submit`."""
        ...

    def nonce(self, sender: bytes) -> int:
        """Return how many transactions of a sender stand on the chain."""
        ...

    def receipt(self, transaction: bytes) -> Receipt | None:
        """Return the receipt of a transaction by its hash, or None."""
        ...
