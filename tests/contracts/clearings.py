"""A cleared book of five orders with a bonded poster and a council: what challenges act on.

The honest clearing comes from the market's own rule; thieves change leaves of it before they post.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from tests.contracts.harness import (
    BUSES,
    COLLECTOR,
    COSTS,
    FEED_IN,
    INTERVAL,
    LOSS_SHARE,
    OPERATOR,
    REGION,
    RETAIL,
    SHARE,
    World,
    decoded,
)
from tests.contracts.parts import CHALLENGER, NetWorld
from tests.contracts.reading import Contract, Event, artefact

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.ledger.onchain import roots
from gridpact.ledger.onchain.abi import arguments
from gridpact.ledger.onchain.roots import FillLeaf, OrderLeaf
from gridpact.ledger.proving import challenges
from gridpact.ledger.proving.challenges import Challenge, Served, Wires
from gridpact.market import merit_order
from gridpact.market.caps import Pairs
from gridpact.market.draw import book_seed
from gridpact.market.local_book import cleared
from gridpact.model.interval import Phase
from gridpact.model.order import Accepted, Order, Refusal, Side, Tier
from gridpact.model.participant import Participant, Role
from gridpact.model.record import Book, Cleared, Prices
from gridpact.model.trade import Fill

CONTENT = keccak(b"record")
SCORE = 500_000
PRICES = Prices(
    RETAIL, SHARE, FEED_IN, COSTS[0], COSTS[1], COSTS[2], LOSS_SHARE, BUSES, "none"
)  # fmt: skip


@dataclass
class Cleared5:
    """A region's book, what the rule makes of it, and the world in which it is posted."""

    net: NetWorld
    bids: list[Accepted]
    offers: list[Accepted]
    fills: tuple[Fill, ...]
    seed: bytes
    refusals: tuple[Refusal, ...] = ()
    interval: int = INTERVAL

    @classmethod
    def of(cls, world: World, extra: int = 0) -> "Cleared5":
        """Return two bids and three offers; with `extra` orders that nobody fills beside them."""
        net = NetWorld.of(world)
        who = COLLECTOR.address
        world.register(
            [Participant("collector", who, 7, Role.CONSUMER, keccak(who), keccak(b"meter" + who))]
        )
        return cls.on(net, extra=extra)

    @classmethod
    def on(cls, net: NetWorld, interval: int = INTERVAL, extra: int = 0) -> "Cleared5":
        """Return the same book for an interval of a market that has its people and a collector."""
        world, people = net.world, net.people
        rows = [(people[0], Side.BID, 1000, 200_000), (people[1], Side.BID, 1500, 190_000)]
        rows += [(people[4 + n], Side.OFFER, 800 + 100 * n, 100_000 + 10_000 * n) for n in range(3)]
        rows += [(people[7], Side.OFFER, 10, 240_000)] * extra
        book = [signed(world, *row, n, interval=interval) for n, row in enumerate(rows)]
        seed = book_seed([one.hash for one in book])
        everyone = {one.order.participant for one in book}
        fills = cleared(
            merit_order.match,
            book,
            Pairs.of(PRICES, Tier.LOCAL),
            dict.fromkeys(everyone, 7),
            dict.fromkeys(everyone, SCORE),
            seed,
        )
        return cls(net, book[:2], book[2:], fills, seed, interval=interval)

    @property
    def book(self) -> list[Accepted]:
        return [*self.bids, *self.offers]

    @property
    def first(self) -> Accepted:
        """Return the bid that the draw serves first."""
        return min(self.bids, key=lambda one: challenges.draw(self.seed, one.hash))

    @property
    def wires(self) -> Wires:
        return Wires(PRICES, CONTENT, lambda _: 7)

    def serve(
        self,
        orders: Sequence[OrderLeaf] | None = None,
        fills: Sequence[FillLeaf] | None = None,
    ) -> Served:
        """Post a clearing of the honest leaves, or of these; return it as it is served."""
        made = self.made(orders, fills)
        self.post(made)
        return made

    def made(
        self,
        orders: Sequence[OrderLeaf] | None = None,
        fills: Sequence[FillLeaf] | None = None,
    ) -> Served:
        """Return a clearing of the honest leaves, or of these, as it would be served."""
        honest = self.leaves()
        return challenges.posted(
            REGION,
            self.interval,
            CONTENT,
            self.seed,
            honest[0] if orders is None else orders,
            honest[1] if fills is None else fills,
        )

    def leaves(self, fills: Sequence[Fill] | None = None) -> tuple[list[OrderLeaf], list[FillLeaf]]:
        """Return the leaves of the book with these fills."""
        made = self.fills if fills is None else tuple(fills)
        scores = (SCORE,) * len(self.book)
        cleared = Cleared(made, (), (), (), (), (), scores=scores)
        book = Book(self.seed, tuple(self.book), self.refusals)
        return roots.order_leaves([book], cleared), roots.fill_leaves(made)

    def post(self, made: Served) -> list[Event]:
        write = decoded(self.net.world.write(Phase.CLEAR, self.interval, content=CONTENT))
        return self.net.world.send(Contract.CLEARING, "post", write, *made.posting[1:])

    def challenge(self, one: Challenge, sender: bytes = CHALLENGER.address) -> list[Event]:
        contract = Contract(one.contract)
        selector = artefact(contract).functions[one.function].selector
        return self.net.world.raw(contract, selector + arguments(*one.given), sender)

    @property
    def condemned(self) -> bool:
        return bool(self.net.world.view(Contract.CLEARING, "condemned", REGION, self.interval))

    def bond(self, account: bytes = OPERATOR) -> int:
        pledged, _ = self.net.world.view(Contract.COUNCIL, "pledged", account)
        return int(pledged)

    def free(self, account: bytes) -> int:
        return self.net.world.account(account).free


def signed(
    world: World, device: Device, side: Side, energy: int, price: int, sequence: int, **fields: Any
) -> Accepted:
    """Return an order in the book with the collector's receipt."""
    standard: dict[str, Any] = {"region": REGION, "interval": INTERVAL, "salt": sequence}
    order = Order(
        device.address, side, Tier.LOCAL, energy_wh=energy, price=price, **standard | fields
    )
    digest = order.digest(world.domain)
    bare = Accepted(digest, order, device.sign(digest), sequence, 0, b"")
    return replace(bare, receipt=COLLECTOR.sign(bare.digest(world.domain)))
