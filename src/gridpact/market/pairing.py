"""Who trades with whom once it is known how much each order trades, and at what price.

In a plain book everybody may trade with everybody: both sides are laid end to end and cut wherever
either has a border, all at once. In any other book the bids choose one after the other among the
offers they may trade with, the cheapest first, network charge included.
"""

import numpy as np

from gridpact.market.book import OrderBook, Whole
from gridpact.market.curves import NEVER, Served, Values, plain_values
from gridpact.market.mechanism import Clearing
from gridpact.market.serving import serve
from gridpact.quantities import Price


def paired(
    book: OrderBook,
    bought: Whole,
    sold: Whole,
    paid: Whole,
    received: Whole,
    uniform: Price | None = None,
) -> Clearing:
    """Return the fills of a plain book.

    Parameters
    ----------
    bought, sold
        Energy of each bid and of each offer; both add up to the same. [Wh]
    paid, received
        Price of each bid and of each offer. [micro-units per kWh]

    Notes
    -----
    Rows meet in the order of the book. If a bid would have more fills than it may, the largest
    bids meet the largest offers, and what is then still too many is left out.
    """
    bids, offers = np.flatnonzero(bought > 0), np.flatnonzero(sold > 0)
    bid, offer, energy = laid(book, Served(bids, bought[bids]), Served(offers, sold[offers]))
    price = received[offer]
    return Clearing(bid, offer, energy, price, paid[bid] - price, uniform)


def laid(book: OrderBook, bids: Served, offers: Served) -> tuple[Whole, Whole, Whole]:
    """Return columns (bid, offer, energy) of the fills of orders, which meet as they stand."""
    rows = _end_to_end(bids, offers)
    if not _crowded(book, rows[0], offers):
        return rows
    return _trimmed(*_end_to_end(_largest_first(bids), _largest_first(offers)), book.max_fills)


def _largest_first(side: Served) -> Served:
    order = np.argsort(-side.energy, kind="stable")
    return Served(side.rows[order], side.energy[order])


def everywhere(book: OrderBook, paid: Price, received: Price) -> tuple[Whole, Whole]:
    """Return one price for all bids and one for all offers."""
    return (
        np.broadcast_to(np.int64(paid), len(book.bids)),
        np.broadcast_to(np.int64(received), len(book.offers)),
    )


def _end_to_end(bids: Served, offers: Served) -> tuple[Whole, Whole, Whole]:
    """Lay both sides end to end; each stretch between two borders is a fill.

    Columns are used again where they can be: new memory costs more than the sums.
    """
    count = len(bids.rows)
    borders = np.empty(count + len(offers.rows), np.int64)
    np.cumsum(bids.energy, out=borders[:count])
    np.cumsum(offers.energy, out=borders[count:])
    order = np.argsort(borders, kind="stable")
    ends = borders[order]
    energy = borders
    energy[:1] = ends[:1]
    np.subtract(ends[1:], ends[:-1], out=energy[1:])
    is_bid = order < count
    bid_place = np.cumsum(is_bid, out=order)
    bid_place -= is_bid
    real = np.flatnonzero(energy > 0)
    energy, bid_place = energy[real], bid_place[real]
    real -= bid_place
    return bids.rows[bid_place], offers.rows[real], energy


def _crowded(book: OrderBook, bid: Whole, offers: Served) -> bool:
    """Say whether a bid has more fills than it may."""
    return len(offers.rows) > book.max_fills and bool(np.bincount(bid).max() > book.max_fills)


def _trimmed(bid: Whole, offer: Whole, energy: Whole, most: int) -> tuple[Whole, Whole, Whole]:
    """Return the fills without those that a bid has beyond its first `most`."""
    starts = np.flatnonzero(np.diff(bid, prepend=-1))
    place = np.arange(len(bid)) - np.repeat(starts, np.diff(starts, append=len(bid)))
    kept = place < most
    return bid[kept], offer[kept], energy[kept]


def values_of(book: OrderBook) -> Values:
    """Return what the orders of a book pay and ask."""
    return plain_values(book) if book.is_plain else reached_values(book)


def settled(
    book: OrderBook,
    bought: Whole,
    sold: Whole,
    paid: Whole,
    received: Whole,
    uniform: Price | None = None,
) -> Clearing:
    """Return the fills of any book whose orders have their prices; parameters of `paired`.

    Without conditions everybody trades the energy given. With conditions those to whom it gives
    any trade what they can find, those first who would pay most.
    """
    if book.is_plain:
        return paired(book, bought, sold, paid, received, uniform)
    bids = np.argsort(-book.bids.price, kind="stable")
    rows = chosen(book, bids[bought[bids] > 0], book.merit[sold[book.merit] > 0], paid, received)
    return at_prices(rows, paid, received, uniform)


def reached_values(book: OrderBook) -> Values:
    """Return what orders of any book pay and ask, counting only partners that they may have.

    A bid pays up to the highest ceiling among its possible partners, -1 without any; an offer
    asks its own price, `NEVER` where nobody may take it.
    """
    bid = np.full(len(book.bids), -1)
    wanted = np.zeros(len(book.offers), np.bool_)
    rows = np.arange(len(book.offers))
    for one in range(len(book.bids)):
        ceiling = book.ceiling(one, rows)
        fits = book.may_trade(one, rows) & (book.asked <= ceiling)
        bid[one] = ceiling[fits].max(initial=-1)
        wanted |= fits
    return Values(bid, np.where(wanted, book.asked, NEVER))


def chosen(
    book: OrderBook, bids: Whole, offers: Whole, paid: Whole, received: Whole
) -> list[tuple[int, int, int]]:
    """Return rows (bid, offer, energy) of any book at prices that stand already.

    Parameters
    ----------
    bids
        Rows of those who take part, in the order in which they choose.
    offers
        Rows of those who take part, the first to be taken first at equal charge.
    paid, received
        Price of every bid and every offer of the book. A pair may trade if the seller gets what
        it asks, and neither price is above the pair's ceiling.
    """
    left, rows = book.offers.energy.copy(), list[tuple[int, int, int]]()
    stand = offers[received[offers] >= book.asked[offers]]
    for bid in bids.tolist():
        highest = np.maximum(received[stand], paid[bid])
        fits = stand[book.may_trade(bid, stand) & (highest <= book.ceiling(bid, stand))]
        cheapest = np.argsort(book.charge(bid, fits), kind="stable")
        served = serve(book, bid, fits[cheapest], left)
        rows += [(bid, offer, energy) for offer, energy in served]
        if served:
            stand = stand[left[stand] > 0]
    return rows


def at_prices(
    rows: list[tuple[int, int, int]],
    paid: Whole,
    received: Whole,
    uniform: Price | None = None,
) -> Clearing:
    """Return a clearing of rows (bid, offer, energy) at the prices of their orders."""
    bid, offer, energy = np.array(rows, np.int64).reshape(-1, 3).T
    price = received[offer]
    return Clearing(bid, offer, energy, price, paid[bid] - price, uniform)
