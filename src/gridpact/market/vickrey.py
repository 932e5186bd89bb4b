"""Prices on which one's own bid has no influence: VCG and McAfee's trade reduction.

Both are truthful for orders of one unit each [Vickrey61; McAfee92]; with several units an order
may gain by asking for less. `match` (VCG) trades the whole efficient volume and pays for it: each
buyer pays what the others lose by its presence, each seller gets what the others gain, and the
difference is a deficit. `reduced` (McAfee) gives up the least valuable trade where it must, and
keeps a surplus. Both show as `levy` of the fills.

In a book with wishes, locations or all-or-nothing orders prices come from the same curves, of the
orders that have a partner at all; who may not trade with anybody left at these prices goes without.
Then neither truthfulness nor a share of the welfare is claimed.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from gridpact.market.book import OrderBook, Whole
from gridpact.market.curves import NEVER, Values, book_curves, midpoint, volumes
from gridpact.market.mechanism import Budget, Claims, Clearing
from gridpact.market.pairing import everywhere, settled, values_of
from gridpact.quantities import PPM

CLAIMS = Claims(budget=Budget.ANY, welfare=PPM, truthful=True)
REDUCED = Claims(budget=Budget.SURPLUS, truthful=True)
"""McAfee's mechanism loses the least valuable trade: of one trade that is everything."""


def match(book: OrderBook) -> Clearing:
    """Return the fills of VCG. The price of an order is its mean over units, rounded down.

    Notes
    -----
    Supply is worth most with the S keenest of all units, those of offers counted as held at their
    cost (S: all energy offered). Without a buyer of x units the next x units in that order would
    have them, so it pays their worth; without a seller of y units the last y winners would lose
    theirs, so it gets their worth.
    """
    values = values_of(book)
    curves = book_curves(book, values)
    found = curves.crossing()
    if found is None:
        return Clearing.of([])
    bought, sold = volumes(book, curves, found)
    idle_bid, idle_offer = book.bids.energy - bought, book.offers.energy - sold
    out = _Units(values.bid, idle_bid, values.offer, sold, falling=True)
    held = _Units(values.bid, bought, values.offer, idle_offer, falling=False)
    paid = _means(out, values.bid, bought, idle_bid)
    received = _means(held, values.offer, sold, idle_offer)
    return settled(book, bought, sold, paid, received)


class _Units:
    """Units in order of worth, and what the first so many of them are worth together.

    Whole numbers of any size: price times energy does not fit into 64 bits.
    """

    def __init__(
        self, bid: Whole, bid_energy: Whole, offer: Whole, offer_energy: Whole, falling: bool
    ) -> None:
        price = np.concatenate([bid, offer])
        energy = np.concatenate([bid_energy, offer_energy])
        rows = np.flatnonzero(energy)
        order = rows[np.argsort(-price[rows] if falling else price[rows], kind="stable")]
        self.prices: Sequence[int] = price[order].tolist()
        amounts: Sequence[int] = energy[order].tolist()
        self.energy: Sequence[int] = [0, *accumulate(amounts)]
        pairs = zip(self.prices, amounts, strict=True)
        self.worth: Sequence[int] = [0, *accumulate(one * much for one, much in pairs)]
        self.sign = -1 if falling else 1

    def first(self, count: int) -> int:
        """Return the worth of the first units."""
        place = bisect_right(self.energy, count) - 1
        rest = count - self.energy[place]
        return self.worth[place] + (rest * self.prices[place] if rest else 0)

    def first_without(self, count: int, price: int, own: int) -> int:
        """Return the worth of the first units other than `own` ones of a price."""
        start = bisect_right(self.prices, self.sign * price, key=self.sign.__mul__)
        if not own or count <= self.energy[start] - own:
            return self.first(count)
        return self.first(count + own) - own * price


def _means(units: _Units, price: Whole, traded: Whole, idle: Whole) -> Whole:
    """Return each trading order's mean price of the units that would replace its own."""
    means = np.zeros(len(price), np.int64)
    for row in np.flatnonzero(traded).tolist():
        count = int(traded[row])
        means[row] = units.first_without(count, int(price[row]), int(idle[row])) // count
    return means


def reduced(book: OrderBook) -> Clearing:
    """Return the fills of McAfee's mechanism.

    Notes
    -----
    The middle of the first bid and the first offer left out is the price if everybody who trades
    accepts it. Else the last bid and the last offer do not trade but set the prices: buyers pay
    the bid, sellers get the offer, and the longer side loses its last units.
    """
    values = values_of(book)
    curves = book_curves(book, values)
    found = curves.crossing()
    if found is None:
        return Clearing.of([])
    bought, sold = volumes(book, curves, found)
    price = _outside(values, bought, sold)
    if price is not None and found.offer <= price <= found.bid:
        return settled(book, bought, sold, *everywhere(book, price, price), price)
    bought, sold = _without_last(book, values, bought, sold)
    return settled(book, bought, sold, *everywhere(book, found.bid, found.offer))


def _outside(values: Values, bought: Whole, sold: Whole) -> int | None:
    """Return the middle of the first bid and the first offer that do not trade at all."""
    bids, offers = values.bid[bought == 0], values.offer[sold == 0]
    if not len(bids) or not len(offers) or bids.max() < 0 or offers.min() == NEVER:
        return None
    return midpoint(int(bids.max()), int(offers.min()))


def _without_last(
    book: OrderBook, values: Values, bought: Whole, sold: Whole
) -> tuple[Whole, Whole]:
    """Return what is left of the volume without its last bid and its last offer."""
    bids = np.lexsort((-book.bids.price, -values.bid))
    offers = np.lexsort((-book.reputation[book.offers.owner], values.offer))
    bids, offers = bids[bought[bids] > 0][:-1], offers[sold[offers] > 0][:-1]
    volume = min(int(bought[bids].sum()), int(sold[offers].sum()))
    return _first(bought, bids, volume), _first(sold, offers, volume)


def _first(energy: Whole, rows: Whole, volume: int) -> Whole:
    """Return the first so much energy of some rows, nothing of the others."""
    kept = np.zeros_like(energy)
    before = np.cumsum(energy[rows]) - energy[rows]
    kept[rows] = np.clip(volume - before, 0, energy[rows])
    return kept
