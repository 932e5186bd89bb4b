"""The books that `conformance` tries a mechanism on: corners of the rules, and random ones.

Prices of random books are small whole numbers, so that ties and equalities are frequent; the rules
know no scale.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gridpact.market.book import OrderBook, Orders
from gridpact.market.caps import NO_CHARGE, Pairs
from gridpact.quantities import MAX_ENERGY, MAX_PRICE, PPM

Rows: TypeAlias = Sequence[tuple[int, int]]
Attributes: TypeAlias = Callable[[int], dict[str, ArrayLike]]
"""Of a number of orders, the columns of their attributes."""
WIRES = Pairs(retail=60, margin=2, floor=8, base=5, keep=980_000, locational={})
"""Caps, a floor and charges in the range of the random prices."""
MOST = 14
"""Most orders on a side of a random book."""


class Named(NamedTuple):
    """A book and what it is there for."""

    name: str
    book: OrderBook


def of_rows(bids: Rows, offers: Rows, max_fills: int = 16, pairs: Pairs = NO_CHARGE) -> OrderBook:
    """Return a book of rows (price, energy)."""
    wanted, given = (
        Orders.of([energy for _, energy in side], [price for price, _ in side])
        for side in (bids, offers)
    )
    return OrderBook.of(wanted, given, pairs=pairs, max_fills=max_fills, seed=b"corner")


def corners() -> Iterator[Named]:
    """Yield the books in which market code breaks, its peers' among them."""
    tie = [(20, 3)] * 5
    much = (MAX_PRICE, MAX_ENERGY)
    nearly = (MAX_PRICE - 1, MAX_ENERGY - 1)
    yield Named("empty", of_rows([], []))
    yield Named("bids only", of_rows([(9, 5), (7, 2)], []))
    yield Named("offers only", of_rows([], [(9, 5), (7, 2)]))
    yield Named("no crossing", of_rows([(9, 5), (7, 2)], [(10, 5), (12, 1)]))
    yield Named("all at one price", of_rows(tie, tie[:4]))
    yield Named("one pair", of_rows([(9, 5)], [(4, 5)]))
    yield Named("one pair of equal price", of_rows([(9, 5)], [(9, 5)]))
    yield Named("prices of 0", of_rows([(0, 5)], [(0, 5)]))
    yield Named("20 Wh bid and 20 Wh offered", of_rows([(30, 10), (30, 10)], [(10, 15), (10, 5)]))
    yield Named("the largest numbers", of_rows([much] * 8, [nearly] * 8))
    yield Named("the smallest next to the largest", of_rows([much, (5, 1)], [(0, 1), nearly]))
    yield Named("a bid over more offers than it may have", of_rows([(9, 40)], [(1, 1)] * 40))
    yield Named("an offer over many bids", of_rows([(9, 1)] * 40, [(1, 40)]))
    yield Named("offers under the floor", of_rows([(30, 4)], [(1, 3), (7, 3)], pairs=WIRES))
    yield Named("bids above the cap", of_rows([(90, 4), (80, 4)], [(50, 5)], pairs=WIRES))
    shut = Pairs(retail=60, margin=2, floor=58, base=9, keep=PPM, locational={})
    yield Named("wires that no pair can pay", of_rows([(90, 4)], [(1, 5)], pairs=shut))
    one = Orders.of([5], [9], owner=[0])
    yield Named("nobody but oneself", OrderBook.of(one, Orders.of([5], [1], owner=[0])))
    bids = Orders.of([5, 5], [9, 9], owner=[0, 1])
    offers = Orders.of([5, 5], [1, 1], owner=[0, 1])
    yield Named("two who both buy and sell", OrderBook.of(bids, offers))
    good = Orders.of([5], [9], owner=[0], min_reputation=[500_000])
    yield Named("reputations of 0", OrderBook.of(good, Orders.of([5], [1], owner=[1]), [0, 0]))


def random_books(seeds: Sequence[int]) -> Iterator[Named]:
    """Yield one book of each kind for every seed."""
    for seed in seeds:
        for kind, make in KINDS.items():
            rng = np.random.default_rng([seed, *kind.encode()])
            yield Named(f"{kind}, seed {seed}", make(rng))


def units(rng: np.random.Generator) -> OrderBook:
    """Return a book of up to five orders a side, of one Wh each."""
    bids, offers = rng.integers(1, 6, 2)
    return OrderBook.of(
        Orders.of(np.ones(bids, int), rng.integers(0, 16, bids)),
        Orders.of(np.ones(offers, int), rng.integers(0, 16, offers)),
        seed=rng.bytes(8),
    )


def _plain(rng: np.random.Generator) -> OrderBook:
    return _book(rng, 60, _nothing, _nothing)


def _ties(rng: np.random.Generator) -> OrderBook:
    return _book(rng, 3, _nothing, _nothing)


def _distinct(rng: np.random.Generator) -> OrderBook:
    """Return a plain book in which no two prices are equal."""
    bids, offers = rng.integers(0, MOST, 2)
    prices = rng.permutation(4 * MOST)[: bids + offers]
    return OrderBook.of(
        Orders.of(rng.integers(1, 30, bids), prices[:bids]),
        Orders.of(rng.integers(1, 30, offers), prices[bids:]),
        seed=rng.bytes(8),
    )


def _huge(rng: np.random.Generator) -> OrderBook:
    bids, offers = rng.integers(0, MOST, 2)
    return OrderBook.of(
        Orders.of(
            rng.integers(MAX_ENERGY // 2, MAX_ENERGY, bids),
            rng.integers(MAX_PRICE // 2, MAX_PRICE, bids),
        ),
        Orders.of(
            rng.integers(MAX_ENERGY // 4, MAX_ENERGY, offers), rng.integers(0, MAX_PRICE, offers)
        ),
        seed=rng.bytes(8),
    )


def _whole(rng: np.random.Generator) -> OrderBook:
    def flags(size: int) -> dict[str, ArrayLike]:
        return {"whole": rng.integers(0, 2, size)}

    return _book(rng, 60, flags, flags, max_fills=3)


def _located(rng: np.random.Generator) -> OrderBook:
    def places(size: int) -> dict[str, ArrayLike]:
        return {"location": rng.choice([-15, 0, 4, 30], size)}

    return _book(rng, 70, places, places, pairs=WIRES, max_fills=4)


def _wishes(rng: np.random.Generator) -> OrderBook:
    def wanted(size: int) -> dict[str, ArrayLike]:
        start = rng.integers(0, 4, size)
        return {
            "owner": rng.integers(0, 12, size),
            "min_reputation": rng.choice([0, 0, 400_000, 900_000], size),
            "start": start,
            "end": np.where(rng.integers(0, 2, size), start + 1, 2**62),
            "source": rng.integers(0, 4, size),
            "partner": rng.integers(-1, 12, size),
            "zone": rng.integers(0, 3, size),
        }

    def given(size: int) -> dict[str, ArrayLike]:
        start = rng.integers(0, 3, size)
        return {
            "owner": rng.integers(0, 12, size),
            "start": start,
            "end": start + rng.integers(1, 4, size),
            "source": rng.choice([1, 2], size),
            "zone": rng.integers(0, 3, size),
        }

    reputation = rng.choice([0, 500_000, PPM], 12)
    return _book(rng, 60, wanted, given, pairs=WIRES, reputation=reputation)


def _book(
    rng: np.random.Generator,
    prices: int,
    wanted: Attributes,
    given: Attributes,
    pairs: Pairs = NO_CHARGE,
    reputation: ArrayLike | None = None,
    max_fills: int = 2**31,
) -> OrderBook:
    bids, offers = (_orders(rng, prices, attributes) for attributes in (wanted, given))
    return OrderBook.of(bids, offers, reputation, pairs, max_fills, rng.bytes(8))


def _orders(rng: np.random.Generator, prices: int, attributes: Attributes) -> Orders:
    size = int(rng.integers(0, MOST))
    energy, price = rng.integers(1, 30, size), rng.integers(0, prices, size)
    return Orders.of(energy, price, **attributes(size))


def _nothing(_size: int) -> dict[str, ArrayLike]:
    return {}


KINDS: Mapping[str, Callable[[np.random.Generator], OrderBook]] = {
    "plain": _plain,
    "ties": _ties,
    "distinct prices": _distinct,
    "units": units,
    "huge numbers": _huge,
    "all or nothing": _whole,
    "locations": _located,
    "wishes": _wishes,
}
