"""What the operator's desk remembers between two messages: requests, offers, open purchases."""

import msgspec

from gridpact.cycle.purchase.store import DeskStore
from gridpact.errors import Misplaced
from gridpact.identity.messages import Body, Buy, Sell
from gridpact.model.voucher import Voucher
from gridpact.quantities import Money, Wh

_NONCE, _NOTICE = b"transactions", b"notices"


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


class Answer(msgspec.Struct, frozen=True):
    """What was answered to a message."""

    body: Body | None


class DeskRecords:
    """Requests and offers by the hash of their message, purchases by their name.

    Also what was answered lately, so that a message that comes again after a crash has the same
    answer and changes nothing; and the transaction that was signed last, until its effect is noted.
    """

    def __init__(self, store: DeskStore, remember_s: int = 600) -> None:
        self.store, self._remember = store, remember_s
        self.together = store.together
        self.requests = store.shelf("request", Request)
        self.offers = store.shelf("offer", Offer)
        self.purchases = store.shelf("purchase", Purchase)
        self._answers = store.shelf("answer", Answer)
        self._numbers = store.shelf("number", int)
        self._pending = store.shelf("transaction", bytes)

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

    def change(self, purchase: Purchase) -> None:
        """Keep an open purchase as it is now."""
        self.purchases[purchase.voucher.purchase] = purchase

    def forget_late(self, interval: int) -> None:
        """Drop requests and offers that nobody may choose any more: their interval is over."""
        for name in [n for n, one in self.requests.items() if one.buy.interval < interval]:
            del self.requests[name]
        for name in [n for n, one in self.offers.items() if one.sell.interval < interval]:
            del self.offers[name]

    def next_notice(self) -> int:
        """Return the serial of the next notice; no two have the same."""
        number = self._numbers.get(_NOTICE, 0) + 1
        self._numbers[_NOTICE] = number
        return number

    # messages that come again

    def answer(self, message: bytes, now: int) -> Answer | None:
        """Return what was answered to a message as long as it could come again. [s]"""
        at = now // self._remember
        return self._answers.get(_at(at, message)) or self._answers.get(_at(at - 1, message))

    def answered(self, message: bytes, now: int, body: Body | None) -> None:
        """Remember what was answered."""
        at = now // self._remember
        self._answers.drop_below(_at(at - 1, b""))
        self._answers[_at(at, message)] = Answer(body)

    # the journal of `ledger.onchain.purchases`

    @property
    def nonce(self) -> int:
        """How many transactions were signed."""
        return self._numbers.get(_NONCE, 0)

    def keep(self, raw: bytes) -> None:
        """Keep a transaction before it is sent."""
        with self.together():
            self._pending[b""] = raw
            self._numbers[_NONCE] = self.nonce + 1

    def forget(self) -> None:
        """Its effect is noted."""
        self._pending.pop(b"", None)

    @property
    def pending(self) -> bytes | None:
        """The transaction whose effect is not noted yet."""
        return self._pending.get(b"")


def _at(time: int, message: bytes) -> bytes:
    return max(0, time).to_bytes(8, "big") + message
