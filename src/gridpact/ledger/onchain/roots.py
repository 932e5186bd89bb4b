"""The Merkle roots under which a record's rows stand on chain, and what the leaves are.

A posted clearing has two trees, the same bytes as `contracts/leaves.vy`. The book's: every order
with what became of it, sorted by hash between two sentinels, so that a gap proves an order left
out. The fills': in the order of the clearing, each naming the fill of the same bid and of the same
offer before it, so that two leaves prove a sum that does not follow.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import astuple

from gridpact.crypto import merkle
from gridpact.crypto.keccak import keccak
from gridpact.errors import InvalidClearing
from gridpact.ledger.onchain.abi import pack
from gridpact.model.delivery import SignedReading
from gridpact.model.order import NONE, Code
from gridpact.model.record import Book, BusCharge, Cleared, Prices
from gridpact.model.trade import Fill
from gridpact.quantities import Score, Wh

CODES = {code: number for number, code in enumerate(Code, 1)}
"""Refusal codes as the chain knows them; 0 is none."""
NO_SEQUENCE = 2**32 - 1
"""Of a refused order, which has no receipt."""


class OrderLeaf(NamedTuple):
    """What a clearing says of one order. `last` is 1 + the index of its last fill, 0 for none."""

    order: bytes
    participant: bytes
    sequence: int
    reputation: Score
    filled: Wh
    refusal: int
    last: int

    @property
    def content(self) -> bytes:
        """order | participant 160, sequence 32, reputation 32, refusal 32 | filled, last 128."""
        small = (self.sequence, self.reputation, self.refusal)
        said = self.participant + b"".join(number.to_bytes(4, "big") for number in small)
        return self.order + said + self.filled.to_bytes(16, "big") + self.last.to_bytes(16, "big")


class FillLeaf(NamedTuple):
    """A fill with what the earlier fills of its bid and of its offer took.

    `bid_previous` and `offer_previous` are 1 + the index of the one before, 0 for none.
    """

    fill: Fill
    bid_before: Wh
    offer_before: Wh
    bid_previous: int
    offer_previous: int

    @property
    def links(self) -> bytes:
        """bid before 64 | offer before 64 | bid previous 64 | offer previous 64."""
        return b"".join(number.to_bytes(8, "big") for number in self[1:])

    @property
    def content(self) -> bytes:
        return self.fill.hash + self.links


LOWEST = OrderLeaf(NONE, bytes(20), 0, 0, 0, 0, 0)
HIGHEST = LOWEST._replace(order=b"\xff" * 32)


class Posting(NamedTuple):
    """A clearing as it is posted: `posting.vy: Clearing`."""

    content: bytes
    order_root: bytes
    fill_root: bytes
    seed: bytes
    fills: int
    volume: Wh

    def name(self, region: bytes, interval: int) -> bytes:
        """Return the hash that the chain keeps of it."""
        return keccak(pack(region, interval, *self))


def posting(books: Sequence[Book], cleared: Cleared, content: bytes) -> Posting:
    """Return what is posted of a clearing whose record hashes to `content`."""
    return Posting(
        content,
        order_root(order_leaves(books, cleared)),
        fill_root(cleared.fills),
        books[0].seed if books else NONE,
        len(cleared.fills),
        sum(fill.energy_wh for fill in cleared.fills),
    )


def fill_leaves(fills: Sequence[Fill]) -> list[FillLeaf]:
    """Return the leaves of a clearing's fills, in its order."""
    taken: dict[bytes, tuple[Wh, int]] = {}
    leaves = []
    for index, fill in enumerate(fills):
        bid, offer = taken.get(fill.bid, (0, 0)), taken.get(fill.offer, (0, 0))
        leaves.append(FillLeaf(fill, bid[0], offer[0], bid[1], offer[1]))
        taken[fill.bid] = bid[0] + fill.energy_wh, index + 1
        taken[fill.offer] = offer[0] + fill.energy_wh, index + 1
    return leaves


def order_leaves(books: Sequence[Book], cleared: Cleared) -> list[OrderLeaf]:
    """Return the leaves of a chain's sealed book after a clearing, sentinels included.

    Refused orders that have a name stand in it too, with the first reason; an order that the wires
    cut keeps its place and has the code `grid`.

    Raises
    ------
    InvalidClearing
        The clearing does not say by which reputation each order was cleared.
    """
    orders = [accepted for book in books for accepted in book.orders]
    if len(orders) != len(cleared.scores):
        raise InvalidClearing(f"{len(cleared.scores)} reputations for {len(orders)} orders")
    cut = {one.hash: CODES[one.code] for one in reversed(cleared.refusals)}
    filled = _filled(cleared.fills)
    leaves = {
        one.hash: OrderLeaf(
            one.hash,
            one.order.participant,
            one.sequence,
            score,
            filled.get(one.hash, (0, 0))[0],
            cut.get(one.hash, 0),
            filled.get(one.hash, (0, 0))[1],
        )
        for one, score in zip(orders, cleared.scores, strict=True)
    }
    for refusal in (one for book in books for one in book.refusals if one.hash != NONE):
        leaf = OrderLeaf(
            refusal.hash, refusal.participant, NO_SEQUENCE, 0, 0, CODES[refusal.code], 0
        )
        leaves.setdefault(refusal.hash, leaf)
    return [LOWEST, *(leaves[name] for name in sorted(leaves)), HIGHEST]


def _filled(fills: Iterable[Fill]) -> dict[bytes, tuple[Wh, int]]:
    """Return per order what it got, and 1 + the index of its last fill."""
    found: dict[bytes, tuple[Wh, int]] = {}
    for index, fill in enumerate(fills):
        for order in (fill.bid, fill.offer):
            found[order] = found.get(order, (0, 0))[0] + fill.energy_wh, index + 1
    return found


def order_root(leaves: Sequence[OrderLeaf]) -> bytes:
    """Return the root of a book's leaves."""
    return merkle.root([leaf.content for leaf in leaves])


def fill_root(fills: Sequence[Fill]) -> bytes:
    """Return the root of a clearing's fills."""
    return merkle.root([leaf.content for leaf in fill_leaves(fills)])


def reading_root(readings: Sequence[SignedReading]) -> bytes:
    """Leaves: the six fields of the reading, a word each, and its signature."""
    return merkle.root(list(map(reading_content, readings)))


def reading_content(one: SignedReading) -> bytes:
    """Return what a reading's leaf is made of."""
    return pack(*astuple(one.reading)) + one.signature


def bus_content(row: BusCharge) -> bytes:
    """Return bus and locational charge, a word each, negative ones in two's complement."""
    return pack(row.bus, row.locational % 2**256)


def charge_root(buses: Sequence[BusCharge]) -> bytes:
    """Leaves: one per bus."""
    return merkle.root([bus_content(row) for row in buses])


def costs(prices: Prices) -> bytes:
    """Return `clearing.Costs`: margin, charges of the two tiers, root of the locational prices."""
    charges = (prices.margin, prices.local_charge, prices.zonal_charge)
    return pack(*charges, charge_root(prices.buses))
