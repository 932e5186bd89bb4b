"""Where demand and supply cross: the largest volume that can trade, and at which prices.

Both sides are one kind of curve once offers are counted by their negative price: energy by falling
key, the keenest orders first. Nothing is sorted but what lies near the crossing: a sample of the
rows says where that is, the exact sums on both sides of the window say whether it was right, and
if it was not the window becomes everything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np

from gridpact.market.book import OrderBook, Whole
from gridpact.quantities import MAX_PRICE, Price, Wh

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
    highest, price = book.pairs.of_difference(0).ceiling, book.bids.price
    return Values(price if highest >= MAX_PRICE else np.minimum(price, highest), book.asked)


@dataclass(frozen=True, eq=False)
class Curve:
    """Energy by falling key: the price of bids (`sign` 1), the negative price of offers (-1).

    Only the rows whose keys lie within [low, high] are sorted. Keys of all rows are never written
    down: of a million orders the time goes into memory.
    """

    price: Whole
    energy: Whole
    sign: int
    low: int
    high: int

    def _rows_above(self, key: int) -> Whole:
        over = self.price > key if self.sign > 0 else self.price < -key
        return np.flatnonzero(over)

    @cached_property
    def _above(self) -> "Served":
        """Return the rows above the window."""
        rows = self._rows_above(self.high)
        return Served(rows, self.energy[rows])

    @cached_property
    def before(self) -> Wh:
        """Return the energy above the window. [Wh]"""
        return int(self._above.energy.sum())

    @cached_property
    def _inside(self) -> Whole:
        """Return the rows within the window."""
        low, high = sorted((self.sign * self.low, self.sign * self.high))
        within = self.price >= low
        within &= self.price <= high
        return np.flatnonzero(within)

    @cached_property
    def _sorted(self) -> tuple[Whole, Whole]:
        """Return the negative keys within the window, rising, and the energy up to each."""
        negative = -self.sign * self.price[self._inside]
        order = np.argsort(negative)
        energy = self.energy[self._inside[order]]
        return negative[order], self.before + np.cumsum(energy)

    @property
    def until(self) -> Whole:
        """Return the energy up to each row within the window, the highest key first."""
        return self._sorted[1]

    def at(self, place: int) -> int:
        """Return the key of a row within the window, the highest first."""
        return -int(self._sorted[0][place])

    def at_least(self, key: int) -> Wh:
        """Return the energy of all rows of this key or a higher one; `low` <= key <= `high`."""
        place = int(self._sorted[0].searchsorted(-key, side="right"))
        return int(self.until[place - 1]) if place else self.before

    def reached(self, volume: Wh) -> int:
        """Return the key at which the energy reaches a volume > 0."""
        if volume <= self.before:
            return int((self.sign * self.price[self._above.rows]).min())
        return self.at(int(self.until.searchsorted(volume)))

    def beyond(self, volume: Wh) -> int | None:
        """Return the key of the first energy after a volume, None if there is none."""
        if volume < self.before:
            return self.reached(volume + 1)
        place = int(self.until.searchsorted(volume, side="right"))
        if place < len(self.until):
            return self.at(place)
        keys = self.sign * self.price
        below = keys[keys < self.low]
        return int(below.max()) if len(below) else None

    def first(self, volume: Wh, last: int, merit: Callable[[Whole], Whole]) -> "Served":
        """Return the orders within a volume: the keenest in full, the last in part.

        Parameters
        ----------
        last
            Key of the last order within the volume, `reached`.
        merit
            Of rows, who is served first among those of that key: the lowest, then the earlier row.
        """
        better, equal = self._better(last)
        equal = equal[np.argsort(merit(equal), kind="stable")]
        energy = self.energy[equal]
        before = sum(int(one.energy.sum()) for one in better) + np.cumsum(energy) - energy
        rest = np.clip(volume - before, 0, energy)
        parts = [*better, Served(equal[rest > 0], rest[rest > 0])]
        return Served(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _better(self, last: int) -> tuple[list["Served"], Whole]:
        """Return the orders of a higher key than the last, and the rows of its own."""
        if last > self.high:
            rows = self._rows_above(last)
            equal = np.flatnonzero(self.price == self.sign * last)
            return [Served(rows, self.energy[rows])], equal
        keys = self.sign * self.price[self._inside]
        rows, equal = self._inside[keys > last], self._inside[keys == last]
        return [self._above, Served(rows, self.energy[rows])], equal


class Served(NamedTuple):
    """Orders that trade: rows of the book, each once, and how much. [Wh]"""

    rows: Whole
    energy: Whole


class Curves(NamedTuple):
    """Both sides, seen through one window that holds their crossing."""

    demand: Curve
    supply: Curve

    def crossing(self) -> Crossing | None:
        """Return where the sides cross; None where nothing can trade.

        Zero-gain trades, bid equal to offer, are part of the volume.
        """
        demand, supply = self
        volume = _volume(demand, supply)
        if volume <= 0:
            return None
        bid, offer = demand.reached(volume), -supply.reached(volume)
        next_bid, next_offer = demand.beyond(volume), supply.beyond(volume)
        low = offer if next_bid is None else max(offer, next_bid)
        high = bid if next_offer is None else min(bid, -next_offer)
        return Crossing(volume, bid, offer, low, high)


Side: TypeAlias = tuple[Whole, Whole]
"""Prices and energies."""


def curves(bids: Side, offers: Side) -> Curves:
    """Return the curves of two sides."""
    window = _window(bids, offers)
    found = _within(bids, offers, window)
    return found if window == EVERYTHING or _holds(*found) else _within(bids, offers, EVERYTHING)


def book_curves(book: OrderBook, values: Values) -> Curves:
    """Return the curves of a book at these prices."""
    return curves((values.bid, book.bids.energy), (values.offer, book.offers.energy))


def crossed(book: OrderBook, values: Values) -> Crossing | None:
    """Return where the sides of a book cross at these prices."""
    return book_curves(book, values).crossing()


EVERYTHING = (-NEVER, NEVER)


def _within(bids: Side, offers: Side, window: tuple[int, int]) -> Curves:
    low, high = window
    return Curves(Curve(*bids, 1, low, high), Curve(*offers, -1, -high, -low))


def _window(bids: Side, offers: Side) -> tuple[int, int]:
    """Return prices between which the crossing should lie."""
    if min(len(bids[0]), len(offers[0])) <= 2 * SAMPLE:
        return EVERYTHING
    some_bids, some_offers = _every(bids), _every(offers)
    found = curves(some_bids, some_offers).crossing()
    if found is None:
        return EVERYTHING
    prices = np.sort(np.concatenate([some_bids[0], some_offers[0]]))
    reach = int(SPREAD * len(prices))
    first = max(int(np.searchsorted(prices, found.low)) - reach, 0)
    last = min(int(np.searchsorted(prices, found.high, side="right")) + reach, len(prices) - 1)
    return int(prices[first]), int(prices[last])


def _every(side: Side) -> Side:
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
    first, last = 0, len(demand.until)
    while first < last:
        middle = (first + last) // 2
        price = demand.at(middle)
        if demand.at_least(price) >= supply.at_least(-price):
            last = middle
        else:
            first = middle + 1
    here = supply.at_least(-demand.at(first)) if first < len(demand.until) else 0
    above = int(demand.until[first - 1]) if first else demand.before
    return max(above, here)


def served(book: OrderBook, found: Curves, at: Crossing) -> tuple[Served, Served]:
    """Return the bids and the offers within the volume of a crossing.

    Of bids equal under the cap the one that would pay more is first, of equal offers the one of
    higher reputation; then the earlier row.
    """

    def keenness(rows: Whole) -> Whole:
        return -book.bids.price[rows]

    def standing(rows: Whole) -> Whole:
        return -book.reputation[book.offers.owner[rows]]

    return (
        found.demand.first(at.volume, at.bid, keenness),
        found.supply.first(at.volume, -at.offer, standing),
    )


def volumes(book: OrderBook, found: Curves, at: Crossing) -> tuple[Whole, Whole]:
    """Return what `served` does as the energy of every bid and every offer. [Wh]"""
    bought, sold = np.zeros_like(book.bids.energy), np.zeros_like(book.offers.energy)
    bids, offers = served(book, found, at)
    bought[bids.rows], sold[offers.rows] = bids.energy, offers.energy
    return bought, sold
