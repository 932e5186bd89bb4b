"""The merit order: who buys from which neighbour ([Wang23] local trading; 5-decisions, section 5).

Bids are served in the order of the book. Each walks the offers by (price, higher reputation, row),
skips those that it or the rules do not accept, and takes from each until it is served or the list
ends. Each fill is priced at the offer, lifted to the floor.
"""

import numpy as np

from gridpact.market.book import OrderBook, Whole
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.serving import serve

CLAIMS = Claims(fair=False)
"""Neither welfare nor fairness of rows: bids are served in the order that the draw gave them."""


def match(book: OrderBook) -> Clearing:
    """Return the fills, bid by bid."""
    left = book.offers.energy.copy()
    stand, rows = book.merit, list[tuple[int, int, int, int]]()
    for bid in range(len(book.bids)):
        fits = book.may_trade(bid, stand) & (book.asked[stand] <= book.ceiling(bid, stand))
        served = serve(book, bid, _preferred(book, bid, stand[fits]), left)
        rows += [(bid, offer, energy, int(book.asked[offer])) for offer, energy in served]
        if served:
            stand = stand[left[stand] > 0]
    return Clearing.of(rows)


def _preferred(book: OrderBook, bid: int, offers: Whole) -> Whole:
    """Return offers with the bid's preferred partner first among those of equal price."""
    partner = book.bids.partner[bid]
    if partner < 0:
        return offers
    stranger = book.offers.owner[offers] != partner
    return offers[np.lexsort((stranger, book.asked[offers]))]
