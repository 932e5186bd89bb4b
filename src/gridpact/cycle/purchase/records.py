"""What the operator's desk remembers between two messages: requests, offers, open purchases."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field

import msgspec

from gridpact.errors import Misplaced
from gridpact.identity.messages import Buy, Sell
from gridpact.model.voucher import Voucher
from gridpact.quantities import Money, Wh


class Request(msgspec.Struct, frozen=True):
    """A buyer's request that waits for its choice; `needs` is promised of its money."""

    buyer: bytes
    buy: Buy
    needs: Money


class Offer(msgspec.Struct, frozen=True):
    """A seller's request: what of it nobody has chosen yet."""

    seller: bytes
    sell: Sell
    left: Wh


class Purchase(msgspec.Struct, frozen=True):
    """A certified purchase, until it is settled.

    `billed`: hash of the bill that stands and what it claims; `disputed`: the buyer's
    counter-statement; `held`: the sensors stopped it, nobody is rated for it.
    """

    buyer: bytes
    seller: bytes
    voucher: Voucher
    bill: bytes = b""
    billed: Wh = 0
    confirmed: Wh = 0
    disputed: Wh | None = None
    held: bool = False


@dataclass
class DeskRecords:
    """Requests and offers by the hash of their message, purchases by their name."""

    requests: MutableMapping[bytes, Request] = field(default_factory=dict)
    offers: MutableMapping[bytes, Offer] = field(default_factory=dict)
    purchases: MutableMapping[bytes, Purchase] = field(default_factory=dict)

    def purchase(self, name: bytes) -> Purchase:
        """Return an open purchase.

        Raises
        ------
        Misplaced
            There is none of that name.
        """
        found = self.purchases.get(name)
        if found is None:
            raise Misplaced(f"purchase 0x{name.hex()}: not known, or settled before")
        return found

    def forget_late(self, interval: int) -> None:
        """Drop requests and offers that nobody may choose any more: their interval is over."""
        for name in [n for n, one in self.requests.items() if one.buy.interval < interval]:
            del self.requests[name]
        for name in [n for n, one in self.offers.items() if one.sell.interval < interval]:
            del self.offers[name]
