"""Pay as clear: one price for everybody, the largest feasible volume (5-decisions, section 11).

The price is the midpoint of the prices that clear the book, rounded half to even: from the last
offer or the first bid left out, whichever is higher, to the last bid or the first offer left out,
whichever is lower. At the price itself the earlier row is served first, of offers the one of
higher reputation. Without a crossing there is no price, no trade and no error.

A book with wishes, locations or all-or-nothing orders is cleared at one price, too: that of the
orders that have a partner at all. At this price bids choose their partners, those who would pay
most first. If less is traded than at a price without such conditions, other prices out of the book
are tried, and the one that trades most is taken. Then neither the largest volume nor the best
welfare is claimed.
"""

import numpy as np

from gridpact.market.book import OrderBook
from gridpact.market.curves import Values, book_curves, crossed, plain_values, served
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.pairing import at_prices, chosen, everywhere, laid, reached_values
from gridpact.quantities import PPM, Price

CLAIMS = Claims(welfare=PPM)

TRIED = 16
"""Most prices that are tried in a book with conditions, besides the first."""


def match(book: OrderBook) -> Clearing:
    """Return the fills at the one price, which is `Clearing.uniform`."""
    return _plain(book) if book.is_plain else _conditional(book)


def _plain(book: OrderBook) -> Clearing:
    curves = book_curves(book, plain_values(book))
    found = curves.crossing()
    if found is None:
        return Clearing.of([])
    bid, offer, energy = laid(book, *served(book, curves, found))
    price, levy = (np.broadcast_to(np.int64(one), len(energy)) for one in (found.middle, 0))
    return Clearing(bid, offer, energy, price, levy, found.middle)


def _conditional(book: OrderBook) -> Clearing:
    values = reached_values(book)
    found = crossed(book, values)
    if found is None:
        return Clearing.of([])
    best = _at(book, values, found.middle)
    if int(best.energy.sum()) == found.volume:
        return best
    for price in _other_prices(values):
        other = _at(book, values, price)
        if int(other.energy.sum()) > int(best.energy.sum()):
            best = other
    return best


def _at(book: OrderBook, values: Values, price: Price) -> Clearing:
    bids = np.argsort(-book.bids.price, kind="stable")
    bids = bids[values.bid[bids] >= price]
    offers = book.merit[values.offer[book.merit] <= price]
    paid, received = everywhere(book, price, price)
    return at_prices(chosen(book, bids, offers, paid, received), paid, received, price)


def _other_prices(values: Values) -> list[Price]:
    """Return prices out of the book at which something may trade, evenly spaced by rank."""
    known = np.unique(np.concatenate([values.bid, values.offer]))
    known = known[(known >= values.offer.min()) & (known <= values.bid.max())]
    places = np.linspace(0, len(known) - 1, min(TRIED, len(known))).astype(int)
    return [int(price) for price in known[np.unique(places)]]
