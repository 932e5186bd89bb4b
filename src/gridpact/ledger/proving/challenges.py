"""What anybody shows to prove a posted clearing wrong: the arguments of `challenge_book.vy` and
`challenge_fills.vy`.

Everything comes out of the clearing that the poster serves (`Served`) and of orders and receipts
that their owners keep. `ledger.proofs` does the same for a part of net settlement.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

from gridpact.crypto import merkle
from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import compact
from gridpact.errors import InvalidClearing
from gridpact.ledger.onchain import packing, roots
from gridpact.ledger.onchain.abi import Rows, pack
from gridpact.ledger.onchain.roots import FillLeaf, OrderLeaf, Posting
from gridpact.model.order import Accepted, Order
from gridpact.model.record import Book, BusCharge, Cleared, Prices

NOTHING = b"\0" * 32
NO_ORDER = NOTHING * 12
NO_SIGNATURE = NOTHING * 2

BOOK, FILLS = "challenge_book", "challenge_fills"


class Challenge(NamedTuple):
    """A call that proves something: contract, function, arguments, and in words what it proves."""

    contract: str
    function: str
    given: tuple[bytes | Rows, ...]
    what: str


class Shown(NamedTuple):
    """What a call shows of a tree: words that stand in place, and siblings, which go last."""

    words: bytes
    siblings: tuple[bytes, ...] = ()


NO_PLACED = Shown(NOTHING * 4)
NO_FILLED = Shown(NOTHING * 8)


class Served:
    """A posted clearing with all its leaves, as its poster must serve it.

    Parameters
    ----------
    orders, fills
        The leaves of both trees. An honest poster's come from `served`.
    """

    def __init__(
        self,
        region: bytes,
        interval: int,
        posting: Posting,
        orders: Sequence[OrderLeaf],
        fills: Sequence[FillLeaf],
    ) -> None:
        self.region, self.interval, self.posting = region, interval, posting
        self.orders, self.fills = tuple(orders), tuple(fills)

    @property
    def name(self) -> bytes:
        """Return the hash under which the clearing stands."""
        return self.posting.name(self.region, self.interval)

    @property
    def opening(self) -> bytes:
        """Return region, interval and `posting.Clearing`: which clearing a proof is about."""
        return pack(self.region, self.interval, *self.posting)

    @cached_property
    def _order_contents(self) -> list[bytes]:
        return [leaf.content for leaf in self.orders]

    @cached_property
    def _fill_contents(self) -> list[bytes]:
        return [leaf.content for leaf in self.fills]

    def place(self, order: bytes) -> int:
        """Return where an order's leaf stands.

        Raises
        ------
        InvalidClearing
            The book has no such order: prove it `omitted`.
        """
        for place, leaf in enumerate(self.orders):
            if leaf.order == order:
                return place
        raise InvalidClearing(f"order {order.hex()[:16]} is not in the book")

    def placed(self, place: int) -> Shown:
        """Return `leaves.Placed` of an order leaf."""
        return _shown(self._order_contents[place], self._order_contents, place)

    def of(self, order: bytes) -> Shown:
        """Return `leaves.Placed` of an order by its hash."""
        return self.placed(self.place(order))

    def filled(self, index: int) -> Shown:
        """Return `leaves.Filled` of a fill."""
        leaf = self.fills[index]
        words = leaf.fill.region + packing.fill(leaf.fill) + leaf.links
        return _shown(words, self._fill_contents, index)


def served(
    region: bytes, interval: int, books: Sequence[Book], cleared: Cleared, content: bytes
) -> Served:
    """Return the clearing that a record says, whose canonical bytes hash to `content`."""
    orders, fills = roots.order_leaves(books, cleared), roots.fill_leaves(cleared.fills)
    return Served(region, interval, roots.posting(books, cleared, content), orders, fills)


def posted(
    region: bytes,
    interval: int,
    content: bytes,
    seed: bytes,
    orders: Sequence[OrderLeaf],
    fills: Sequence[FillLeaf],
) -> Served:
    """Return a clearing of any leaves, honest or not."""
    posting = Posting(
        content,
        roots.order_root(orders),
        merkle.root([leaf.content for leaf in fills]),
        seed,
        len(fills),
        sum(leaf.fill.energy_wh for leaf in fills),
    )
    return Served(region, interval, posting, orders, fills)


# the book


def omitted(clearing: Served, accepted: Accepted) -> Challenge:
    """Prove that an accepted order is not in the book: by its receipt, and the gap.

    Raises
    ------
    InvalidClearing
        There is no gap: the order stands in the book.
    """
    pairs = zip(clearing.orders, clearing.orders[1:], strict=False)
    for place, (low, high) in enumerate(pairs):
        if low.order < accepted.hash < high.order:
            given = (
                packing.order(accepted.order),
                pack(accepted.sequence),
                compact(accepted.receipt),
                clearing.placed(place),
                clearing.placed(place + 1),
            )
            what = f"order {accepted.hash.hex()[:16]} is left out"
            return _challenge(BOOK, "omitted", clearing, given, what)
    raise InvalidClearing(f"order {accepted.hash.hex()[:16]} is in the book")


def unsorted(clearing: Served, low: int, high: int) -> Challenge:
    """Prove that two neighbours do not rise, or (one place twice) that an end is no sentinel."""
    given = clearing.placed(low), clearing.placed(high)
    return _challenge(
        BOOK, "unsorted", clearing, given, f"leaves {low} and {high} are not in order"
    )


def doubled_receipts(first: Accepted, second: Accepted) -> Challenge:
    """Prove that the collector gave one sequence number to two orders."""
    given = b"".join(
        (
            pack(first.order.region, first.order.interval, first.sequence),
            first.hash + second.hash,
            compact(first.receipt) + compact(second.receipt),
        )
    )
    return Challenge(BOOK, "doubled_receipts", (given,), f"sequence {first.sequence} twice")


def refused(
    clearing: Served, name: bytes, order: Order, sequence: int = 0, receipt: bytes = b""
) -> Challenge:
    """Prove that an order was refused without reason: for signature, expiry or funds.

    `sequence` and `receipt` are the collector's, where the order does not stand on the chain.
    """
    accepted = pack(sequence) + (compact(receipt) if receipt else NO_SIGNATURE)
    given = packing.order(order), accepted, clearing.of(name)
    what = f"order {name.hex()[:16]} is refused wrongly"
    return _challenge(BOOK, "refused", clearing, given, what)


def mislabelled(clearing: Served, name: bytes, order: Order) -> Challenge:
    """Prove that a leaf names another participant or another reputation."""
    given = packing.order(order), clearing.of(name)
    return _challenge(BOOK, "mislabelled", clearing, given, f"order {name.hex()[:16]} is another's")


def demand(clearing: Served, of_orders: bool, index: int) -> Challenge:
    """Ask for a leaf, with a stake."""
    given = clearing.opening + pack(int(of_orders), index)
    return Challenge(BOOK, "demand", (given,), f"leaf {index} is withheld")


def expire(clearing: Served, of_orders: bool, index: int) -> Challenge:
    """Condemn a clearing whose poster did not answer."""
    return demand(clearing, of_orders, index)._replace(function="expire")


def answer_order(
    clearing: Served,
    index: int,
    order: Order | None = None,
    cancelled: bytes = b"",
    epoch: int = 0,
    members: Sequence[bytes] = (),
    signatures: Sequence[bytes] = (),
) -> Challenge:
    """Answer a demand for a leaf of the book; beyond the last one any leaf answers."""
    given = (
        pack(index),
        clearing.placed(min(index, len(clearing.orders) - 1)),
        packing.order(order) if order else NO_ORDER,
        compact(cancelled) if cancelled else NO_SIGNATURE,
        pack(epoch),
    )
    lists = Rows([pack(member) for member in members]), Rows(signatures)
    return _challenge(BOOK, "answer_order", clearing, given, f"leaf {index} is shown", *lists)


def answer_fill(clearing: Served, index: int) -> Challenge:
    """Answer a demand for a fill; beyond the last one any fill answers."""
    given = pack(index), clearing.filled(min(index, len(clearing.fills) - 1))
    return _challenge(BOOK, "answer_fill", clearing, given, f"fill {index} is shown")


# the fills


def overfilled(clearing: Served, order: Order, index: int) -> Challenge:
    """Prove that a fill is not within its order."""
    given = packing.order(order), clearing.filled(index)
    what = f"fill {index} is not within its order"
    return _challenge(FILLS, "overfilled", clearing, given, what)


def forked(clearing: Served, of_bid: bool, later: int, earlier: int | None = None) -> Challenge:
    """Prove that a fill does not follow from the one it names, or follows one twice."""
    other = NO_FILLED if earlier is None else clearing.filled(earlier)
    given = pack(int(of_bid)), clearing.filled(later), other
    return _challenge(FILLS, "forked", clearing, given, f"fill {later} does not follow")


def misstated(clearing: Served, name: bytes, index: int | None = None) -> Challenge:
    """Prove that what an order's leaf says is filled is not what its fills come to."""
    fill = NO_FILLED if index is None else clearing.filled(index)
    given = clearing.of(name), fill
    return _challenge(FILLS, "misstated", clearing, given, f"order {name.hex()[:16]}: other sum")


def both_tiers(clearing: Served, child: Accepted, parent: Accepted) -> Challenge:
    """Prove that a bid and its child together are filled above what the parent says."""
    given = (
        *(packing.order(child.order), clearing.of(child.hash)),
        *(packing.order(parent.order), clearing.of(parent.hash)),
    )
    what = f"order {parent.hash.hex()[:16]}: twice"
    return _challenge(FILLS, "both_tiers", clearing, given, what)


class Wires(NamedTuple):
    """An interval's posted prices, whose record hashes to `content`, and where people live."""

    prices: Prices
    content: bytes
    bus: Callable[[bytes], int]

    def between(self, buyer: bytes, seller: bytes) -> Shown:
        """Return `challenge_fills.Wires` of a pair."""
        prices = self.prices
        charges = (prices.margin, prices.local_charge, prices.zonal_charge)
        root = roots.charge_root(prices.buses)
        ends = self._at(self.bus(buyer)), self._at(self.bus(seller))
        return _joined((pack(self.content, *charges, root), *ends))

    def _at(self, bus: int) -> Shown:
        rows: Sequence[BusCharge] = self.prices.buses
        place = next(place for place, row in enumerate(rows) if row.bus == bus)
        contents = [roots.bus_content(row) for row in rows]
        return _shown(pack(rows[place].locational % 2**256), contents, place)


def capped(clearing: Served, offer: Accepted, bid: bytes, wires: Wires) -> Challenge:
    """Prove that an offer refused as above every cap is not above that of a bid in the book."""
    buyer = clearing.orders[clearing.place(bid)].participant
    given = (
        *(packing.order(offer.order), clearing.of(offer.hash), clearing.of(bid)),
        wires.between(buyer, offer.order.participant),
    )
    what = f"offer {offer.hash.hex()[:16]} is below a cap"
    return _challenge(FILLS, "capped", clearing, given, what)


def outranked(
    clearing: Served, bid: Order, worse: int, better: int, wires: Wires, tie: bool = False
) -> Challenge:
    """Prove that a bid took fill `worse` while a later drawn bid got the better offer's fill."""
    dear, cheap = clearing.fills[worse].fill, clearing.fills[better].fill
    given = (
        packing.order(bid),
        *(clearing.filled(worse), clearing.filled(better)),
        clearing.of(cheap.offer),
        clearing.of(dear.offer) if tie else NO_PLACED,
        wires.between(bid.participant, cheap.seller),
    )
    what = f"fill {worse}: a better offer went to another"
    return _challenge(FILLS, "outranked", clearing, given, what)


def skipped(
    clearing: Served, bid: Order, worse: int, offer: Accepted, wires: Wires, tie: bool = False
) -> Challenge:
    """Prove that a bid took fill `worse` while a better offer has energy left."""
    given = (
        packing.order(bid),
        clearing.filled(worse),
        *(packing.order(offer.order), clearing.of(offer.hash)),
        clearing.of(clearing.fills[worse].fill.offer) if tie else NO_PLACED,
        wires.between(bid.participant, offer.order.participant),
    )
    what = f"fill {worse}: a better offer was passed over"
    return _challenge(FILLS, "skipped", clearing, given, what)


def draw(seed: bytes, order: bytes) -> bytes:
    """Return where a bid stands in the draw: the smallest is served first."""
    return keccak(seed + order)


def _challenge(
    contract: str,
    function: str,
    clearing: Served,
    given: Sequence[bytes | Shown],
    what: str,
    *lists: Rows,
) -> Challenge:
    """Return a call about a clearing; the siblings of all that it shows are its last list."""
    words, siblings = _joined(given)
    return Challenge(contract, function, (clearing.opening + words, *lists, Rows(siblings)), what)


def _joined(parts: Sequence[bytes | Shown]) -> Shown:
    shown = [Shown(part) if isinstance(part, bytes) else part for part in parts]
    return Shown(
        b"".join(part.words for part in shown),
        tuple(sibling for part in shown for sibling in part.siblings),
    )


def _shown(words: bytes, contents: Sequence[bytes], index: int) -> Shown:
    """Return a leaf's words with its place (index 128 | count 128), and its siblings."""
    place = packing.words((index << 128 | len(contents),))
    return Shown(words + place, tuple(merkle.proof(contents, index)))
