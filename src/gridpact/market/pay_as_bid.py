"""Pay as bid: the volume of the uniform price, each fill at what its buyer bids.

Those who bid most meet those who ask least. The seller gets what the buyer pays, so the mechanism
keeps nothing. In a book with wishes,
locations or all-or-nothing orders those who bid most choose first, among the offers they may trade
with the cheapest, network charge included; a fill is priced at the pair's ceiling if the bid is
above it. The best welfare is then not claimed.
"""

import numpy as np

from gridpact.market.book import OrderBook
from gridpact.market.curves import Served, book_curves, plain_values, volumes
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.pairing import laid
from gridpact.market.serving import serve
from gridpact.quantities import PPM

CLAIMS = Claims(welfare=PPM)


def match(book: OrderBook) -> Clearing:
    """Return the fills, each priced at its bid."""
    return _plain(book) if book.is_plain else _conditional(book)


def _plain(book: OrderBook) -> Clearing:
    values = plain_values(book)
    curves = book_curves(book, values)
    found = curves.crossing()
    if found is None:
        return Clearing.of([])
    bought, sold = volumes(book, curves, found)
    bids, offers = np.argsort(-book.bids.price, kind="stable"), book.merit
    bids, offers = bids[bought[bids] > 0], offers[sold[offers] > 0]
    bid, offer, energy = laid(book, Served(bids, bought[bids]), Served(offers, sold[offers]))
    return Clearing(bid, offer, energy, values.bid[bid], np.zeros_like(bid))


def _conditional(book: OrderBook) -> Clearing:
    left, rows = book.offers.energy.copy(), list[tuple[int, int, int, int]]()
    for bid in np.argsort(-book.bids.price, kind="stable").tolist():
        stand = book.merit[left[book.merit] > 0]
        ceiling = book.ceiling(bid, stand)
        fits = book.may_trade(bid, stand) & (book.asked[stand] <= ceiling)
        offers, price = stand[fits], dict(zip(stand.tolist(), ceiling.tolist(), strict=True))
        cost = book.asked[offers] + book.charge(bid, offers)
        served = serve(book, bid, offers[np.argsort(cost, kind="stable")], left)
        rows += [(bid, offer, energy, price[offer]) for offer, energy in served]
    return Clearing.of(rows)
