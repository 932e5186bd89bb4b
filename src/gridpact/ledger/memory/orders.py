"""What is left of each order, without a chain: the book of `memory`.

The same refusals as `contracts/orders.vy`, but for signatures: a study may leave them out.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gridpact.errors import Reverted
from gridpact.ledger.memory.vault import Journalled, PlainVault, Pot
from gridpact.model.order import MAX_FILLS, NONE, Accepted, Order, Side
from gridpact.model.trade import Fill
from gridpact.quantities import Money, Price, Wh

MANY_FILLS = 2**16


class Left(NamedTuple):
    """What is left of an order; a closed one has nothing left."""

    order: Order
    energy_wh: Wh
    reserved: Money
    charge: Price
    fills: int


Place = tuple[bytes, int]
"""Region and interval of a book."""


class PlainOrders:
    """The books of one chain. `regions` are accounts that may have any number of fills."""

    def __init__(self, vault: PlainVault) -> None:
        self._vault = vault
        self.left: Journalled[bytes, Left] = Journalled()
        self.books: Journalled[Place, tuple[bytes, ...]] = Journalled()
        self.out: Journalled[None, frozenset[bytes]] = Journalled()
        self.regions: frozenset[bytes] = frozenset()

    @property
    def suspended(self) -> frozenset[bytes]:
        return self.out.get(None) or frozenset()

    def suspend(self, people: Iterable[bytes]) -> None:
        """Take nobody's orders but of those who are not among these."""
        self.out.put(None, frozenset(people))

    def collect(self, place: Place, orders: Sequence[Accepted]) -> None:
        """Take orders into the book and reserve the bids' money."""
        for accepted in orders:
            self._admit(place, accepted)
        hashes = tuple(accepted.hash for accepted in orders)
        self.books.put(place, (self.books.get(place) or ()) + hashes)

    def _admit(self, place: Place, accepted: Accepted) -> None:
        order = accepted.order
        if self.left.get(accepted.hash) is not None:
            raise Reverted("orders: seen before", accepted.hash.hex())
        if self._vault.accounts.get(order.participant) is None:
            raise Reverted("orders: not registered", order.participant.hex())
        if order.participant in self.suspended:
            raise Reverted("orders: suspended", order.participant.hex())
        if order.interval != place[1] or 0 < order.expires <= order.interval:
            raise Reverted("orders: of another interval", accepted.hash.hex())
        self._vault.shift(order.participant, Pot.FREE, Pot.RESERVED, accepted.reserved)
        fills = MANY_FILLS if order.participant in self.regions else MAX_FILLS
        self.left.put(
            accepted.hash,
            Left(order, order.energy_wh, accepted.reserved, accepted.charge, fills),
        )

    def _require_parent(self, order: Order) -> None:
        """A child's parent is a bid of the same participant and interval without a parent."""
        found = self.left.get(order.parent)
        fits = (
            found is not None
            and order.side is Side.BID
            and found.order.side is Side.BID
            and found.order.participant == order.participant
            and found.order.interval == order.interval
            and found.order.parent == NONE
        )
        if not fits:
            raise Reverted("orders: not one's own parent", order.parent.hex())

    def take_bid(self, fill: Fill) -> None:
        """Use up a bid by one fill."""
        bid = self._find(fill, fill.bid, fill.buyer, Side.BID)
        if fill.price > bid.order.price or fill.charge > bid.charge:
            raise Reverted(f"orders: {fill.price} and charge {fill.charge} above the bid's")
        if fill.lock > bid.reserved:
            raise Reverted(f"orders: lock of {fill.lock} above the {bid.reserved} reserved")
        if bid.fills == 0:
            raise Reverted("orders: too many fills", fill.bid.hex())
        self.left.put(
            fill.bid,
            bid._replace(
                energy_wh=bid.energy_wh - fill.energy_wh,
                reserved=bid.reserved - fill.lock,
                fills=bid.fills - 1,
            ),
        )
        if bid.order.parent != NONE:
            self._require_parent(bid.order)
            # one energy on both tiers: what the child takes, the parent has no more
            self._use_up(bid.order.parent, fill.energy_wh)

    def take_offer(self, fill: Fill) -> None:
        """Use up an offer by one fill."""
        offer = self._find(fill, fill.offer, fill.seller, Side.OFFER)
        if fill.price < offer.order.price:
            raise Reverted(f"orders: price {fill.price} below the offer's {offer.order.price}")
        self._use_up(fill.offer, fill.energy_wh)

    def close(self, place: Place) -> None:
        """Free what no fill of the interval needs; its orders can be filled no more."""
        for name in self.books.get(place) or ():
            closed = self.left.items[name]
            owner = closed.order.participant
            self._vault.shift(owner, Pot.RESERVED, Pot.FREE, closed.reserved)
            self.left.put(name, closed._replace(energy_wh=0, reserved=0))
        self.books.put(place, ())

    def _find(self, fill: Fill, name: bytes, participant: bytes, side: Side) -> Left:
        found = self.left.get(name)
        if found is None:
            raise Reverted(f"orders: no such {side.name.lower()}", name.hex())
        order = found.order
        if fill.buyer == fill.seller:
            raise Reverted("settlement: trade with oneself", name.hex())
        if (order.side, order.participant, order.interval, order.tier) != (
            side,
            participant,
            fill.interval,
            fill.tier,
        ):
            raise Reverted(f"orders: not this fill's {side.name.lower()}", name.hex())
        if not 0 < fill.energy_wh <= found.energy_wh:
            raise Reverted(f"orders: fill of {fill.energy_wh} Wh of {found.energy_wh} left")
        return found

    def _use_up(self, name: bytes, energy: Wh) -> None:
        order = self.left.get(name)
        if order is None or energy > order.energy_wh:
            raise Reverted("orders: parent is filled", name.hex())
        self.left.put(name, order._replace(energy_wh=order.energy_wh - energy))
