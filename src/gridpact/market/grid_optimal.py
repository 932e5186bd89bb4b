"""The most welfare that the feeder carries, each fill at the locational price of its seller.

The book is cleared at the most welfare (bids less offers less network charges); the grid check is
asked whether what is sold may flow. What it cuts of a seller becomes that offer's limit, and the
book is cleared again: buyers who lose a seller find the next best one that the wires still reach,
until nothing is cut. Without wires this is the most welfare alone.

A seller's locational price is the interval's energy price plus the location's part of the
day-ahead DLMP (congestion and voltage), which the pair's charge also goes by. In a plain book the
energy price is pay as clear's; in any other the middle of the prices that all fills allow. Where
the wires cut a seller, one more Wh at its bus is worth no more than the dearest offer that still
sells there, and that is the price. Every fill stays between its offer and its bid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Protocol

import numpy as np

from gridpact.market import nash_bargaining, uniform_price
from gridpact.market.book import Flags, OrderBook, Whole
from gridpact.market.curves import midpoint
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.rank import Span
from gridpact.market.totals import energy_of
from gridpact.model.grid_check import GridCheck, Injector
from gridpact.quantities import PPM, Price

CLAIMS = Claims(welfare=PPM)
"""Of a book without wires; with them the most that they carry is the best there is."""

PATIENCE = 30
"""Rounds in which a cut offer keeps what the wires carry; later it stands back altogether."""


class Carrier(Protocol):
    """Wires that can be asked while a book is cleared."""

    def places(self, book: OrderBook) -> Whole:
        """Return the bus of every offer."""
        ...

    def carried(self, book: OrderBook, sold: Whole) -> Whole:
        """Return the most that each offer may sell, of what is sold. (offer,) [Wh]"""
        ...


@dataclass(frozen=True)
class Wires:
    """What a grid check carries of one interval's offers.

    load: of each bus, (W, var), bought or not; bus: of each offer's owner; inverter_va: rated
    apparent power of each owner that may supply or take reactive power.
    """

    check: GridCheck
    interval: int
    load: Mapping[int, tuple[int, int]]
    bus: Mapping[int, int]
    inverter_va: Mapping[int, int]
    span: Span

    def places(self, book: OrderBook) -> Whole:
        """Return the bus of every offer."""
        return np.array([self.bus[owner] for owner in book.offers.owner.tolist()], np.int64)

    def carried(self, book: OrderBook, sold: Whole) -> Whole:
        """Return the most that each offer may sell; the last in merit order is cut first.

        Where limits cannot hold at all nothing may be sold.
        """
        rows = [row for row in book.merit.tolist() if sold[row]]
        verdict = self.check(
            self.interval, self.load, [self._injector(book, sold, *one) for one in enumerate(rows)]
        )
        if verdict.conflicts:
            return np.zeros_like(sold)
        most = book.offers.energy.copy()
        for limit in verdict.curtailments:
            row = int.from_bytes(limit.participant)
            most[row] = min(int(most[row]), self.span.energy_down(limit.power_w))
        return most

    def _injector(self, book: OrderBook, sold: Whole, rank: int, row: int) -> Injector:
        owner = int(book.offers.owner[row])
        power = self.span.power_up(int(sold[row]))
        rating = max(power, self.inverter_va.get(owner, 0))
        return Injector(row.to_bytes(8), self.bus[owner], power, rank, rating)


@dataclass(frozen=True)
class GridOptimal:
    """The mechanism, with the wires that bind it; None where they bind nobody."""

    wires: Carrier | None = None

    def __call__(self, book: OrderBook) -> Clearing:
        """Return the fills of the last round, which the wires carry."""
        most, cut = book.offers.energy, np.zeros(len(book.offers), np.bool_)
        for turn in count():
            rows = np.flatnonzero((most == book.offers.energy) | ((most > 0) & ~book.offers.whole))
            left = replace(book, offers=replace(book.offers.rows(rows), energy=most[rows]))
            fills = nash_bargaining.match(left)
            price = _energy_price(left, fills)
            fills = replace(fills, offer=rows[fills.offer])
            sold = np.array(energy_of(fills.offer, fills.energy, len(most)), np.int64)
            wires = self.wires if sold.any() else None
            carried = sold if wires is None else wires.carried(book, sold)
            over = sold > carried
            if not over.any():
                return self._priced(book, fills, price, cut)
            cut |= over
            most = np.where(over, carried if turn < PATIENCE else 0, most)
        raise AssertionError("every round takes from an offer")

    def _priced(self, book: OrderBook, fills: Clearing, energy: Price, cut: Flags) -> Clearing:
        """Return the fills at their sellers' locational prices. energy: the price of energy."""
        low, high = book.asked[fills.offer], book.ceiling(fills.bid, fills.offer)
        price = energy + book.offers.location[fills.offer]
        if self.wires is not None and cut.any():
            price = _congested(price, self.wires.places(book), fills, low, cut)
        price = np.clip(price, low, high)
        one = len(price) and (price == price[0]).all()
        return replace(fills, price=price, uniform=int(price[0]) if one else None)


match = GridOptimal()


def _energy_price(book: OrderBook, fills: Clearing) -> Price:
    """Return what energy costs where location counts for nothing; 0 without fills."""
    if not len(fills):
        return 0
    if book.is_plain and (uniform := uniform_price.match(book).uniform) is not None:
        return uniform
    location = book.offers.location[fills.offer]
    low = book.asked[fills.offer] - location
    high = book.ceiling(fills.bid, fills.offer) - location
    return midpoint(int(low.max()), int(high.min()))


def _congested(price: Whole, places: Whole, fills: Clearing, asked: Whole, cut: Flags) -> Whole:
    """Return prices that at a bus with cut offers are at most the dearest offer sold there."""
    bus, price = places[fills.offer], price.copy()
    for one in np.unique(places[cut]):
        here = bus == one
        price[here] = np.minimum(price[here], asked[here].max(initial=0))
    return price
