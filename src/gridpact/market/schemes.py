"""From an order book to a trading case, and from a scheme in floats back to fills in whole Wh.

Suppliers are the offers, users the bids. What a user does not get here it is taken to buy elsewhere
at the most that it would pay here (its bid, or the cap, with the network charge): a pair's cost is
what it saves against that, below zero, so trading less never looks cheaper.

Floats decide who trades, whole numbers how much: savings and energies below a billionth of the
book's largest are rounding.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np

from gridpact.market.book import OrderBook, Orders, Whole
from gridpact.market.pareto_case import Case, Floats

Fills = dict[tuple[int, int], int]
"""Energy of each pair of rows (bid, offer). [Wh]"""
Choice = Callable[[Case], Floats]
"""Which scheme is traded: a table (supplier, user)."""


def traded(book: OrderBook, choice: Choice, renewable: int = 0) -> Fills:
    """Return the fills of a scheme, all-or-nothing orders in full or not at all.

    Where a scheme would split such orders they stand back and another scheme is chosen.

    Parameters
    ----------
    renewable
        Source bits that count as sales; 0: all do.
    """
    bids, offers = _tradable(book)
    while True:
        fills = _scheme(book, bids, offers, choice, renewable)
        partial = _partial(book, fills)
        if not any(map(len, partial)):
            return fills
        bids, offers = np.setdiff1d(bids, partial[0]), np.setdiff1d(offers, partial[1])


def _scheme(book: OrderBook, bids: Whole, offers: Whole, choice: Choice, renewable: int) -> Fills:
    # the keenest first, so that the order of the rows decides only where prices are equal
    bids = bids[np.argsort(-book.bids.price[bids], kind="stable")]
    offers = book.merit[np.isin(book.merit, offers)]
    if not (len(bids) and len(offers)):
        return {}
    case = trading_case(book, bids, offers, renewable)
    if case.barred.size == case.unit_cost.size:
        return {}
    return _whole(book, choice(case), bids, offers)


def trading_case(book: OrderBook, bids: Whole, offers: Whole, renewable: int = 0) -> Case:
    """Return the trading case of some rows; a cost is what a pair saves, below 0."""
    bid, offer = np.meshgrid(bids, offers)
    asked, charge, ceiling = (
        book.asked[offer],
        book.charge(bid, offer),
        book.ceiling(bid, offer),
    )
    fits = book.may_trade(bid, offer) & (asked <= ceiling)
    elsewhere = np.where(fits, ceiling + charge, 0).max(axis=0)
    saved = np.where(fits, elsewhere - asked - charge, 0)
    counts = (book.offers.source[offers] & renewable) != 0
    weight = np.ones(len(offers)) if not renewable else counts.astype(np.float64)
    return Case(
        unit_cost=-saved.astype(np.float64),
        capacity=book.offers.energy[offers].astype(np.float64),
        demand_min=np.zeros(len(bids)),
        demand_max=book.bids.energy[bids].astype(np.float64),
        weight=weight,
        barred=np.flatnonzero(~fits),
    )


def _tradable(book: OrderBook) -> tuple[Whole, Whole]:
    """Return the rows of bids and offers that could trade with anybody, price alone."""
    if not (len(book.bids) and len(book.offers)):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    bids = np.flatnonzero(book.bids.price >= book.asked.min())
    return bids, np.flatnonzero(book.asked <= book.bids.price.max())


def _whole(book: OrderBook, table: Floats, bids: Whole, offers: Whole) -> Fills:
    """Return a scheme in whole Wh that no order's energy is exceeded by.

    Corners of a front are whole already, up to rounding; any other scheme loses less than a Wh for
    each pair. Of a bid's fills the largest `max_fills` stay; they take up what the others had, as
    far as their offers have it.
    """
    left, open_ = book.offers.energy.copy(), book.bids.energy.copy()
    rounded, fills = np.rint(table).astype(np.int64), Fills()
    for column, bid in enumerate(bids.tolist()):
        supply = rounded[:, column]
        largest = np.argsort(-supply, kind="stable")[: book.max_fills]
        for row in largest[supply[largest] > 0].tolist():
            offer = int(offers[row])
            energy = min(int(supply[row]), int(left[offer]), int(open_[bid]))
            if energy > 0:
                fills[bid, offer] = energy
                left[offer] -= energy
                open_[bid] -= energy
    wanted = dict(zip(bids.tolist(), rounded.sum(axis=0).tolist(), strict=True))
    _top_up(fills, wanted, left, open_)
    return fills


def _top_up(fills: Fills, wanted: dict[int, int], left: Whole, open_: Whole) -> None:
    """Let a bid's fills grow to what the scheme gave it, where something is left."""
    had = Counter[int]()
    for (bid, _), energy in fills.items():
        had[bid] += energy
    for bid, offer in fills:
        more = min(wanted[bid] - had[bid], int(left[offer]), int(open_[bid]))
        if more > 0:
            fills[bid, offer] += more
            had[bid] += more
            left[offer] -= more
            open_[bid] -= more


def _partial(book: OrderBook, fills: Fills) -> tuple[list[int], list[int]]:
    """Return the all-or-nothing bids and offers that got a part."""
    bought, sold = Counter[int](), Counter[int]()
    for (bid, offer), energy in fills.items():
        bought[bid] += energy
        sold[offer] += energy
    return _split(book.bids, bought), _split(book.offers, sold)


def _split(orders: Orders, traded: Counter[int]) -> list[int]:
    return [
        row for row, energy in traded.items() if orders.whole[row] and energy < orders.energy[row]
    ]
