"""A purchase by voucher: its wallet and sale as the ledger has them, and the buyer's record.

Source: [Yu23], token and record; `contracts/wallets.vy` holds wallet and sale.
"""

from enum import IntEnum

import msgspec

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.model.order import NONE
from gridpact.model.typed import PURCHASE_RECORD
from gridpact.quantities import Money, Wh

KEPT = 16
"""Payments that a record lists; the earlier ones are in `before`."""


class WalletState(IntEnum):
    """How far a purchase is."""

    NONE = 0
    FUNDED = 1
    NAMED = 2
    CLOSED = 3


class Wallet(msgspec.Struct, frozen=True):
    """A purchase wallet: whose it is, whose signatures it hears, its money, its last serial."""

    buyer: bytes
    key: bytes
    balance: Money
    serial: int
    state: WalletState


class Sale(msgspec.Struct, frozen=True):
    """What a named seller is to deliver, how far claim and confirmation are; the network charge."""

    seller: bytes
    due_by: int
    volume_wh: Wh
    claimed_wh: Wh
    confirmed_wh: Wh
    charge: Money


class How(IntEnum):
    """Whose word settled a wallet, in whole or in part; `returned`: nobody's, in time."""

    CONFIRMED = 1
    METERED = 2
    RETURNED = 3


class Done(msgspec.Struct, frozen=True):
    """What a transaction did with a wallet: energy delivered in all by now, and what seller and
    network got by it. [Wh, micro-units]"""

    transaction: bytes
    account: bytes
    how: How
    delivered_wh: Wh = 0
    paid: Money = 0
    charge: Money = 0


class Proven(msgspec.Struct, frozen=True):
    """What the ledger knows of a participant's purchases in an interval, and nobody was fined for.

    `promised` and `kept`: of what it sold; `withheld` and `confirmed`: of what it bought. [Wh]
    """

    promised_wh: Wh
    kept_wh: Wh
    withheld_wh: Wh
    confirmed_wh: Wh


class PurchaseRecord(msgspec.Struct, frozen=True):
    """What the operator certifies of a buyer's past: how often it paid in time, how often late.

    `payments` are the transactions that paid its last purchases, the newest last; `before` is the
    chained hash of all earlier ones. `serial` rises with every renewal.
    """

    buyer: bytes
    serial: int = 0
    timely: int = 0
    late: int = 0
    before: bytes = NONE
    payments: tuple[bytes, ...] = ()

    @property
    def chained(self) -> bytes:
        """The hash of all payments there ever were, in order."""
        return _chained(self.before, self.payments)

    @property
    def root(self) -> bytes:
        """What a voucher commits to."""
        values = (self.buyer, self.serial, self.timely, self.late, self.chained)
        return PURCHASE_RECORD.struct_hash(values)

    def digest(self, domain: Domain) -> bytes:
        """Return what the operator signs."""
        return domain.digest(self.root)

    def renewed(self, timely: bool, payment: bytes) -> "PurchaseRecord":
        """Return the record after one more purchase; `payment` is the transaction's hash."""
        payments = (*self.payments, payment)
        drop = max(0, len(payments) - KEPT)
        return PurchaseRecord(
            self.buyer,
            self.serial + 1,
            self.timely + timely,
            self.late + (not timely),
            _chained(self.before, payments[:drop]),
            payments[drop:],
        )


def _chained(before: bytes, payments: tuple[bytes, ...]) -> bytes:
    for payment in payments:
        before = keccak(before + payment)
    return before
