"""Who has how much, without a chain: the vault of `memory` (5-decisions, section 17).

The same verbs and the same refusals as `contracts/vault.vy`, on plain dicts. Every change goes
through a journal, so that a write that fails half way leaves no trace, as a reverted block does.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Generic, TypeVar

from gridpact.errors import Reverted
from gridpact.ledger.ledger import Totals
from gridpact.model.participant import Account
from gridpact.quantities import Money

MAX_SUPPLY = 2**80 - 1

K = TypeVar("K")
V = TypeVar("V")


class Journalled(Generic[K, V]):
    """A dict of immutable values that can take back what was put since the last `keep`."""

    def __init__(self) -> None:
        self.items: dict[K, V] = {}
        self._before: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        return self.items.get(key)

    def put(self, key: K, value: V) -> None:
        if key not in self._before:
            self._before[key] = self.items.get(key)
        self.items[key] = value

    def keep(self) -> None:
        self._before.clear()

    def undo(self) -> None:
        for key, value in self._before.items():
            if value is None:
                self.items.pop(key, None)
            else:
                self.items[key] = value
        self._before.clear()


class Pot(IntEnum):
    """The three numbers of an account."""

    FREE = 0
    RESERVED = 1
    LOCKED = 2


class Flow(IntEnum):
    """The three numbers of the chain beside its accounts."""

    MINTED = 0
    BURNED = 1
    TRANSIT = 2


class PlainVault:
    """Accounts of one chain. Amounts in micro-units, never below zero."""

    def __init__(self) -> None:
        self.accounts: Journalled[bytes, tuple[Money, Money, Money]] = Journalled()
        self.flows: Journalled[Flow, Money] = Journalled()
        self.references: Journalled[bytes, bool] = Journalled()
        self.entered: Journalled[bytes, tuple[bytes, Money, int]] = Journalled()
        self.days: Journalled[str, tuple[int, Money]] = Journalled()
        self.daily_cap: Money = MAX_SUPPLY

    def open(self, account: bytes) -> None:
        if self.accounts.get(account) is not None:
            raise Reverted("vault: account is open", account.hex())
        self.accounts.put(account, (0, 0, 0))

    def mint(self, account: bytes, amount: Money, reference: bytes, day: int = 0) -> None:
        """Bring money in at the door, once per reference; the same again changes nothing."""
        _not_negative(amount)
        first = self.entered.get(reference)
        if first == (account, amount, day):
            return
        if first is not None:
            raise Reverted("door: reference used", reference.hex())
        self._enter(amount, day)
        self.entered.put(reference, (account, amount, day))
        self._count(Flow.MINTED, amount)
        self._add(account, Pot.FREE, amount)

    def burn(self, account: bytes, amount: Money, reference: bytes) -> None:
        """Take free money out at the door, once per reference."""
        _not_negative(amount)
        if self.references.get(reference) is not None:
            raise Reverted("vault: reference used", reference.hex())
        self.references.put(reference, True)
        self._add(account, Pot.FREE, -amount)
        self._count(Flow.BURNED, amount)

    def shift(self, account: bytes, source: Pot, target: Pot, amount: Money) -> None:
        """Reserve, release, lock or unlock: the owner stays the same."""
        _not_negative(amount)
        self._add(account, source, -amount)
        self._add(account, target, amount)

    def pay(self, payer: bytes, source: Pot, payee: bytes, amount: Money) -> None:
        """Move money from a pot of one account to what another has free."""
        _not_negative(amount)
        self._add(payer, source, -amount)
        self._add(payee, Pot.FREE, amount)

    def change(self, account: bytes, delta: Money) -> None:
        """Let an account gain or lose free money; who calls sees that all of it sums to zero."""
        self._add(account, Pot.FREE, delta)

    def depart(self, account: bytes, amount: Money) -> None:
        """Send reserved money on its way to another chain."""
        _not_negative(amount)
        self._add(account, Pot.RESERVED, -amount)
        self._count(Flow.TRANSIT, amount)

    def arrive(self, account: bytes, amount: Money) -> None:
        """Take money back from transit."""
        _not_negative(amount)
        self._count(Flow.TRANSIT, -amount)
        self._add(account, Pot.FREE, amount)

    def free(self, account: bytes) -> Money:
        return (self.accounts.get(account) or (0, 0, 0))[Pot.FREE]

    def account(self, address: bytes) -> Account:
        return Account(*(self.accounts.get(address) or (0, 0, 0)))

    def all(self) -> Mapping[bytes, Account]:
        return {address: Account(*pots) for address, pots in self.accounts.items.items()}

    def totals(self) -> Totals:
        free, reserved, locked = (
            (sum(pot) for pot in zip(*self.accounts.items.values(), strict=True))
            if self.accounts.items
            else (0, 0, 0)
        )
        flows = self.flows.items
        return Totals(
            minted=flows.get(Flow.MINTED, 0),
            burned=flows.get(Flow.BURNED, 0),
            free=free,
            reserved=reserved,
            locked=locked,
            transit=flows.get(Flow.TRANSIT, 0),
        )

    def journals(
        self,
    ) -> tuple[
        Journalled[bytes, tuple[Money, Money, Money]],
        Journalled[Flow, Money],
        Journalled[bytes, bool],
        Journalled[bytes, tuple[bytes, Money, int]],
        Journalled[str, tuple[int, Money]],
    ]:
        return self.accounts, self.flows, self.references, self.entered, self.days

    def _add(self, account: bytes, pot: Pot, change: Money) -> None:
        pots = self.accounts.get(account)
        if pots is None:
            raise Reverted("vault: account is not open", account.hex())
        new = pots[pot] + change
        if new < 0:
            raise Reverted(
                f"vault: not enough {pot.name.lower()} ({pots[pot]} of {-change})", account.hex()
            )
        free, reserved, locked = pots
        if pot is Pot.FREE:
            free = new
        elif pot is Pot.RESERVED:
            reserved = new
        else:
            locked = new
        self.accounts.put(account, (free, reserved, locked))

    def _count(self, flow: Flow, change: Money) -> None:
        total = (self.flows.get(flow) or 0) + change
        if total < 0:
            raise Reverted(f"vault: not enough in {flow.name.lower()}")
        self.flows.put(flow, total)

    def _enter(self, amount: Money, day: int) -> None:
        last, entered = self.days.get("last") or (0, 0)
        if day < last:
            raise Reverted("door: day went back", str(day))
        entered = amount if day > last else entered + amount
        if entered > self.daily_cap:
            raise Reverted("door: daily cap", str(entered))
        if (self.flows.get(Flow.MINTED) or 0) - (self.flows.get(Flow.BURNED) or 0) + amount > (
            MAX_SUPPLY
        ):
            raise Reverted("currency: supply")
        self.days.put("last", (day, entered))


def _not_negative(amount: Money) -> None:
    if amount < 0:
        raise Reverted("vault: negative amount", str(amount))
