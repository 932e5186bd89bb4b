"""Small markets for the tests of `market`: orders without keys, and random books."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gridpact.crypto.keccak import keccak
from gridpact.market import merit_order, unmet, zonal
from gridpact.market.admission import reservation
from gridpact.market.caps import Pairs
from gridpact.market.local_book import cleared
from gridpact.model.order import NONE, Accepted, Order, Side, Tier
from gridpact.model.record import BusCharge, Prices
from gridpact.model.trade import Fill
from gridpact.quantities import PPM

REGION = b"\x01" * 32
ZONE = b"\x02" * 32
SEED = b"\x03" * 32
BOOKS = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""No property here is about time, and a busy machine is slow at times."""
INTERVAL = 19
RETAIL, FEED_IN = 420_000, 80_000


def person(number: int) -> bytes:
    return number.to_bytes(20, "big")


def prices(**changes: object) -> Prices:
    numbers: dict[str, object] = {
        "retail": RETAIL,
        "network_share": 90_000,
        "feed_in": FEED_IN,
        "margin": 5_000,
        "local_charge": 40_000,
        "zonal_charge": 60_000,
        "loss_share": 20_000,
        "buses": (),
        "solver": "test",
    }
    return Prices(**{**numbers, **changes})  # type: ignore[arg-type]


def located(*rows: tuple[int, int]) -> tuple[BusCharge, ...]:
    return tuple(BusCharge(bus, price) for bus, price in rows)


def both(of: Prices) -> dict[Tier, Pairs]:
    return {tier: Pairs.of(of, tier) for tier in (Tier.LOCAL, Tier.ZONAL)}


def accepted(order: Order, charge: int = RETAIL) -> Accepted:
    """Return an order as the book holds it; its hash is that of its text."""
    charge = charge if order.side is Side.BID else 0
    name = keccak(repr(order).encode())
    return Accepted(name, order, b"", 0, reservation(order, charge), b"", charge)


def bid(
    who: int,
    energy: int,
    price: int = 300_000,
    reputation: int = 0,
    tier: Tier = Tier.LOCAL,
    parent: bytes = NONE,
) -> Accepted:
    return accepted(
        Order(
            person(who), Side.BID, tier, REGION, INTERVAL, energy, price, reputation, parent=parent
        )
    )


def offer(
    who: int, energy: int, price: int = 150_000, tier: Tier = Tier.LOCAL, salt: int = 0
) -> Accepted:
    region = REGION if tier is Tier.LOCAL else ZONE
    return accepted(
        Order(person(who), Side.OFFER, tier, region, INTERVAL, energy, price, salt=salt)
    )


@dataclass(frozen=True)
class Market:
    """A closed book of region and zone with all that clearing needs."""

    book: tuple[Accepted, ...]
    plants: tuple[Accepted, ...]
    prices: Prices
    buses: dict[bytes, int]
    scores: dict[bytes, int]
    terms: zonal.ZonalTerms

    @property
    def orders(self) -> tuple[Accepted, ...]:
        return self.book + self.plants

    def local(self, seed: bytes = SEED) -> tuple[Fill, ...]:
        return cleared(
            merit_order.match,
            self.book,
            Pairs.of(self.prices, Tier.LOCAL),
            self.buses,
            self.scores,
            seed,
        )

    def zonal(self, local: tuple[Fill, ...], seed: bytes = SEED) -> tuple[Fill, ...]:
        return zonal.clear(
            self.book,
            self.plants,
            unmet.zonal_wanted(self.book, local),
            Pairs.of(self.prices, Tier.ZONAL),
            self.buses,
            self.scores,
            seed,
            self.terms,
        )

    def zonal_again(self, kept: Sequence[Fill], without: bytes) -> tuple[Fill, ...]:
        """Return further zonal fills, not of the seller `without`."""
        return zonal.clear(
            self.book,
            [one for one in self.plants if one.order.participant != without],
            unmet.zonal_wanted(self.book, kept),
            Pairs.of(self.prices, Tier.ZONAL),
            self.buses,
            self.scores,
            SEED,
            self.terms,
            [fill for fill in kept if fill.tier is Tier.ZONAL],
        )

    def clear(self, seed: bytes = SEED) -> tuple[Fill, ...]:
        local = self.local(seed)
        return local + self.zonal(local, seed)


def always(*plants: int) -> dict[bytes, zonal.Window]:
    return {person(one): zonal.Window(0, 24) for one in plants}


def market(
    book: tuple[Accepted, ...] | list[Accepted],
    plants: tuple[Accepted, ...] | list[Accepted] = (),
    buses: dict[int, int] | None = None,
    scores: dict[int, int] | None = None,
    terms: zonal.ZonalTerms | None = None,
    prices_at: tuple[BusCharge, ...] = (),
    **changes: object,
) -> Market:
    """Return a market; everybody is at bus 2 with reputation 0.5 unless told."""
    orders = (*book, *plants)
    people = {one.order.participant for one in orders}
    where = {person(one): bus for one, bus in (buses or {}).items()}
    known = {person(one): score for one, score in (scores or {}).items()}
    windows = {one.order.participant: zonal.Window(0, 24) for one in plants}
    return Market(
        tuple(book),
        tuple(plants),
        prices(buses=prices_at, **changes),
        {one: where.get(one, 2) for one in people},
        {one: known.get(one, 500_000) for one in people},
        terms or zonal.ZonalTerms(windows, RETAIL - 90_000),
    )


_ENERGIES = st.integers(1, 3000)
_PRICES = st.sampled_from([1, 70_000, 80_000, 150_000, 150_001, 200_000, 330_000, 361_000, 500_000])
_SCORES = st.sampled_from([0, 100_000, 500_000, 500_001, 900_000])
_BUSES = st.sampled_from([2, 3, 4])


@st.composite
def markets(draw: st.DrawFn) -> Market:
    """Books with ties in price, reputation and place, and with locational prices."""
    buyers = draw(st.integers(0, 8))
    sellers = draw(st.integers(0, 20))
    farms = draw(st.integers(0, 4))
    book: list[Accepted] = []
    for who in range(buyers):
        reputation = draw(_SCORES)
        first = bid(100 + who, draw(_ENERGIES), draw(_PRICES), reputation)
        book.append(first)
        if draw(st.booleans()):
            energy = draw(st.integers(1, first.order.energy_wh))
            book.append(bid(100 + who, energy, draw(_PRICES), reputation, Tier.ZONAL, first.hash))
    book += [offer(200 + who, draw(_ENERGIES) // 4 + 1, draw(_PRICES)) for who in range(sellers)]
    plants = [offer(300 + who, draw(_ENERGIES), draw(_PRICES), Tier.ZONAL) for who in range(farms)]
    people = sorted({one.order.participant for one in (*book, *plants)})
    windows = {
        person(300 + who): zonal.Window(draw(st.integers(17, 20)), 24) for who in range(farms)
    }
    loss = {bus: draw(st.integers(-80_000, 80_000)) for bus in (2, 3, 4)}
    return Market(
        tuple(book),
        tuple(plants),
        prices(
            buses=located(*((bus, draw(st.integers(-150_000, 150_000))) for bus in (2, 3))),
            loss_share=draw(st.sampled_from([0, 20_000, PPM])),
        ),
        {one: draw(_BUSES) for one in people},
        {one: draw(_SCORES) for one in people},
        zonal.ZonalTerms(windows, RETAIL - 90_000, loss, draw(st.booleans())),
    )
