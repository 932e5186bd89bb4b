"""Where demand and supply cross: the largest volume that can trade, and at which prices.

Both sides are one kind of curve once offers are counted by their negative price: energy by falling
key, the keenest orders first. Nothing is sorted but what lies near the crossing: a sample of the
rows says where that is, the exact sums on both sides of the window say whether it was right, and
if it was not the window becomes everything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from gridpact.market.book import OrderBook, Whole
from gridpact.quantities import Price, Wh

NEVER = 2**62
"""The price of an offer that nobody may take; a bid that may take nothing has the price -1."""
SAMPLE = 8_192
"""Rows of a side that say where the crossing may lie; smaller sides are sorted as they are."""
SPREAD = 0.02
"""Half the width of the window, in shares of the sample: some four standard deviations."""


class Values(NamedTuple):
    """What each bid pays at most and each offer asks at least, the rules of the book counted."""

    bid: Whole
    offer: Whole


class Crossing(NamedTuple):
    """The largest volume, the prices of the last bid and offer in it, and the prices that clear it.

    From `low` to `high` nobody who trades makes a loss, and nobody who does not trade, or only in
    part, would have gained.
    """

    volume: Wh
    bid: Price
    offer: Price
    low: Price
    high: Price

    @property
    def middle(self) -> Price:
        return midpoint(self.low, self.high)


def midpoint(low: Price, high: Price) -> Price:
    """Return the middle of two prices, half to even."""
    middle = (low + high) // 2
    return middle + 1 if (low + high) % 2 and middle % 2 else middle


def plain_values(book: OrderBook) -> Values:
    """Return what orders of a plain book pay and ask: their price under cap and over floor."""
    highest = book.pairs.of_difference(0).ceiling
    return Values(np.minimum(book.bids.price, highest), book.asked)


@dataclass(frozen=True, eq=False)
class Curve:
    """Energy by falling key; only the rows within [low, high] are sorted."""

    key: Whole
    energy: Whole
    low: int
    high: int

    @cached_property
    def before(self) -> Wh:
        """Return the energy above the window. [Wh]"""
        return int(np.dot(self.energy, self.key > self.high))

    @cached_property
    def _sorted(self) -> tuple[Whole, Whole]:
        rows = np.flatnonzero((self.key >= self.low) & (self.key <= self.high))
        key = self.key[rows]
        order = np.argsort(-key)
        return key[order], self.before + np.cumsum(self.energy[rows[order]])

    @property
    def keys(self) -> Whole:
        """Return the keys within the window, falling."""
        return self._sorted[0]

    @property
    def until(self) -> Whole:
        """Return the energy from the highest key to each of `keys`, in case of ties of a part."""
        return self._sorted[1]

    def at_least(self, key: int) -> Wh:
        """Return the energy of all rows of this key or a higher one; `low` <= key <= `high`."""
        place = int(np.searchsorted(-self.keys, -key, side="right"))
        return int(self.until[place - 1]) if place else self.before

    def reached(self, volume: Wh) -> int:
        """Return the key at which the energy reaches a volume > 0."""
        if volume <= self.before:
            return int(self.key[self.key > self.high].min())
        return int(self.keys[np.searchsorted(self.until, volume)])

    def beyond(self, volume: Wh) -> int | None:
        """Return the key of the first energy after a volume, None if there is none."""
        place = int(np.searchsorted(self.until, volume, side="right"))
        if volume < self.before:
            return self.reached(volume + 1)
        if place < len(self.keys):
            return int(self.keys[place])
        below = self.key[self.key < self.low]
        return int(below.max()) if len(below) else None


def crossing(bids: tuple[Whole, Whole], offers: tuple[Whole, Whole]) -> Crossing | None:
    """Return where two sides, each (prices, energies), cross; None where nothing can trade.

    Raises nothing on empty sides. Zero-gain trades, bid equal to offer, are part of the volume.
    """
    window = _window(bids, offers)
    demand, supply = _within(bids, offers, window)
    if window != EVERYTHING and not _holds(demand, supply):
        demand, supply = _within(bids, offers, EVERYTHING)
    volume = _volume(demand, supply)
    if volume <= 0:
        return None
    bid, offer = demand.reached(volume), -supply.reached(volume)
    next_bid, next_offer = demand.beyond(volume), supply.beyond(volume)
    low = offer if next_bid is None else max(offer, next_bid)
    high = bid if next_offer is None else min(bid, -next_offer)
    return Crossing(volume, bid, offer, low, high)


EVERYTHING = (-NEVER, NEVER)


def _within(
    bids: tuple[Whole, Whole], offers: tuple[Whole, Whole], window: tuple[int, int]
) -> tuple[Curve, Curve]:
    low, high = window
    return Curve(*bids, low, high), Curve(-offers[0], offers[1], -high, -low)


def _window(bids: tuple[Whole, Whole], offers: tuple[Whole, Whole]) -> tuple[int, int]:
    """Return prices between which the crossing should lie."""
    if min(len(bids[0]), len(offers[0])) <= 2 * SAMPLE:
        return EVERYTHING
    some_bids, some_offers = _every(bids), _every(offers)
    found = crossing(some_bids, some_offers)
    if found is None:
        return EVERYTHING
    prices = np.sort(np.concatenate([some_bids[0], some_offers[0]]))
    reach = int(SPREAD * len(prices))
    first = max(int(np.searchsorted(prices, found.low)) - reach, 0)
    last = min(int(np.searchsorted(prices, found.high, side="right")) + reach, len(prices) - 1)
    return int(prices[first]), int(prices[last])


def _every(side: tuple[Whole, Whole]) -> tuple[Whole, Whole]:
    """Return every so many-th row, its energy scaled to that of the whole side."""
    step = len(side[0]) // SAMPLE
    return side[0][::step], side[1][::step] * step


def _holds(demand: Curve, supply: Curve) -> bool:
    """Say whether the curves cross within the window.

    At its lowest price demand is at least the supply below it, at its highest supply is at least
    the demand above: then no price outside trades more than some price inside.
    """
    return (
        demand.at_least(demand.low) >= supply.before
        and supply.at_least(supply.low) >= demand.before
    )


def _volume(demand: Curve, supply: Curve) -> Wh:
    """Return the largest volume over all prices: demand falls with the price, supply rises.

    Between two bids' prices the higher one trades at least as much; so it is that of the last bid
    at whose price supply exceeds demand, or of the next one.
    """
    first, last = 0, len(demand.keys)
    while first < last:
        middle = (first + last) // 2
        price = int(demand.keys[middle])
        if demand.at_least(price) >= supply.at_least(-price):
            last = middle
        else:
            first = middle + 1
    here = supply.at_least(-int(demand.keys[first])) if first < len(demand.keys) else 0
    above = int(demand.until[first - 1]) if first else demand.before
    return max(above, here)


def crossed(book: OrderBook, values: Values) -> Crossing | None:
    """Return where the sides of a book cross at these prices."""
    return crossing((values.bid, book.bids.energy), (values.offer, book.offers.energy))


def volumes(book: OrderBook, values: Values, found: Crossing) -> tuple[Whole, Whole]:
    """Return the energy of each bid and each offer within the volume of a crossing. [Wh]

    Of bids equal under the cap the one that would pay more is first, of equal offers the one of
    higher reputation; then the earlier row.
    """
    bids, offers = book.bids, book.offers
    return (
        _within_volume(
            values.bid, bids.energy, found.bid, found.volume, lambda rows: -bids.price[rows]
        ),
        _within_volume(
            -values.offer,
            offers.energy,
            -found.offer,
            found.volume,
            lambda rows: -book.reputation[offers.owner[rows]],
        ),
    )


def _within_volume(
    key: Whole, energy: Whole, last: int, volume: Wh, merit: Callable[[Whole], Whole]
) -> Whole:
    """Return the energy of each order within a volume: the keenest in full, the last in part.

    Parameters
    ----------
    key
        Price of bids, negative price of offers.
    last
        Key of the last order within the volume.
    merit
        Of rows, who is served first among those of that key: the lowest, then the earlier row.
    """
    taken = energy * (key > last)
    rows = np.flatnonzero(key == last)
    if len(rows):
        rows = rows[np.argsort(merit(rows), kind="stable")]
        before = np.cumsum(energy[rows]) - energy[rows]
        rest = volume - int(taken.sum())
        taken[rows] = np.clip(rest - before, 0, energy[rows])
    return taken
