"""What gridpact asks of a ledger. The port: it imports no adapter.

A ledger is one chain of one region or zone. Every write has a key and is made once: a second
identical write changes nothing and returns the first receipt, another content is `WriteConflict`.
That is what lets a cycle resume after a crash. When `write` returns, the block is on disk.
"""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from gridpact.crypto.eip712 import Domain
from gridpact.model.interval import Key
from gridpact.model.participant import Account
from gridpact.model.rating import Standing
from gridpact.model.record import R, Record
from gridpact.quantities import Money, Score


class Head(msgspec.Struct, frozen=True):
    """A block: its number and the hash of its header."""

    number: int
    hash: bytes


class Totals(msgspec.Struct, frozen=True):
    """All money of a chain: free + reserved + locked + transit = minted - burned, always."""

    minted: Money
    burned: Money
    free: Money
    reserved: Money
    locked: Money
    transit: Money

    @property
    def holds(self) -> bool:
        """Say whether nothing was lost and nothing appeared."""
        return self.free + self.reserved + self.locked + self.transit == self.minted - self.burned


class Ledger(Protocol):
    """One chain."""

    @property
    def name(self) -> str: ...

    @property
    def domain(self) -> Domain:
        """Where signatures for this chain count."""
        ...

    @property
    def currency(self) -> Domain:
        """Where the door keepers' signatures for this chain count: its currency."""
        ...

    def write(self, key: Key, record: Record) -> Head:
        """Write a record and execute what it decides, atomically and durably.

        Raises
        ------
        WriteConflict
            The key holds other content.
        Reverted
            A contract refused it; nothing was written.
        Unavailable
            The chain takes no writes now; nothing was written.
        Disagreement
            The contracts computed other amounts than the record says; nothing was written.
        """
        ...

    def read(self, key: Key, kind: type[R]) -> R | None:
        """Return what stands under a key, or None."""
        ...

    def written_at(self, key: Key) -> Head | None:
        """Return the block in which a key was written, or None."""
        ...

    def account(self, address: bytes) -> Account: ...

    def accounts(self) -> Mapping[bytes, Account]:
        """Return every opened account."""
        ...

    def score(self, address: bytes) -> Score:
        """Return a participant's reputation; the prior for one never rated."""
        ...

    def standing(self, address: bytes) -> Standing:
        """Return what the credibility rule knows of a participant; empty by another rule."""
        ...

    def active(self, address: bytes) -> bool:
        """Say whether a participant may place orders: registered, not suspended, not leaving."""
        ...

    def deposit(self, address: bytes) -> Money:
        """Return what is held of a participant's deposit; it is part of its locked money."""
        ...

    def totals(self) -> Totals: ...

    def head(self) -> Head: ...

    def state_hash(self) -> bytes:
        """Return the hash of all contract state: equal runs have equal ones."""
        ...

    def close(self) -> None: ...
