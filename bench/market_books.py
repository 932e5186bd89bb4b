"""The books that mechanisms are timed on: columns drawn by one seed."""

import numpy as np

from gridpact.market.book import OrderBook, Orders, Whole
from gridpact.quantities import MAX_PRICE

TICK = 1000
"""A tenth of a cent per kWh. [micro-units per kWh]"""


def ticks(size: int) -> OrderBook:
    """Return a book of so many orders with prices between feed-in and retail, on a grid."""
    return _book(size, lambda rng, count: rng.integers(80, 420, count) * TICK)


def free(size: int) -> OrderBook:
    """Return a book of so many orders with any price there may be."""
    return _book(size, lambda rng, count: rng.integers(1, MAX_PRICE, count))


def units(size: int) -> OrderBook:
    """Return a book of so many orders of one unit each."""
    rng = np.random.default_rng(size)
    half = size // 2
    one = np.ones(half, np.int64)
    return OrderBook.of(
        Orders.of(one, rng.integers(1, 10_000, half)),
        Orders.of(one, rng.integers(1, 10_000, half)),
        seed=b"bench",
    )


def conditional(size: int) -> OrderBook:
    """Return a book in which a fifth of the bids want a better known seller, in four zones."""
    plain, rng = ticks(size), np.random.default_rng(size)
    half = size // 2
    wish = np.where(rng.integers(0, 5, half) == 0, 700_000, 0)
    people = np.arange(half)
    bids, offers = plain.bids, plain.offers
    zones = rng.integers(0, 5, (2, half))
    return OrderBook.of(
        Orders.of(bids.energy, bids.price, owner=people, min_reputation=wish, zone=zones[0]),
        Orders.of(offers.energy, offers.price, owner=half + people, zone=zones[1]),
        rng.integers(0, 1_000_000, 2 * half),
        max_fills=16,
        seed=b"bench",
    )


def _book(size: int, prices: object) -> OrderBook:
    rng = np.random.default_rng(size)
    half = size // 2
    sides: list[Orders] = []
    for _ in range(2):
        energy: Whole = rng.integers(1, 5000, half)
        sides.append(Orders.of(energy, prices(rng, half)))  # type: ignore[operator]
    return OrderBook.of(*sides, seed=b"bench")  # type: ignore[misc]
