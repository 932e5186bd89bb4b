"""The merit order: who buys from which neighbour ([Wang23] local trading; 5-decisions, section 5).

Bids are served in the order of the book. Each walks the offers by (price, higher reputation, row),
skips those that it or the rules do not accept, and takes from each until it is served or the list
ends. Each fill is priced at the offer, lifted to the floor.
"""

import numpy as np

from gridpact.market.book import OrderBook, Whole
from gridpact.market.mechanism import Claims, Clearing

CLAIMS = Claims()
"""Welfare is not among them: bids are served by the draw, not by what they would pay."""


def match(book: OrderBook) -> Clearing:
    """Return the fills, bid by bid."""
    left = book.offers.energy.copy()
    stand, rows = book.merit, list[tuple[int, int, int, int]]()
    for bid in range(len(book.bids)):
        served = _serve(book, bid, stand, left)
        rows += served
        if served:
            stand = stand[left[stand] > 0]
    return Clearing.of(rows)


def _serve(book: OrderBook, bid: int, stand: Whole, left: Whole) -> list[tuple[int, int, int, int]]:
    """Return the fills of one bid and take them from what is `left` of the offers."""
    wanted, rows = int(book.bids.energy[bid]), list[tuple[int, int, int, int]]()
    fitting = stand[book.may_trade(bid, stand) & (book.asked[stand] <= book.ceiling(bid, stand))]
    chosen = _preferred(book, bid, fitting)
    if book.bids.whole[bid]:
        chosen = chosen if _can_be_served(book, bid, chosen, left) else chosen[:0]
    for offer in chosen:
        if wanted <= 0 or len(rows) >= book.max_fills:
            break
        energy = min(wanted, int(left[offer]))
        if book.offers.whole[offer] and energy < book.offers.energy[offer]:
            continue
        rows.append((bid, int(offer), energy, int(book.asked[offer])))
        wanted -= energy
    for _, offer, energy, _ in rows:
        left[offer] -= energy
    return rows


def _preferred(book: OrderBook, bid: int, offers: Whole) -> Whole:
    """Return offers with the bid's preferred partner first among those of equal price."""
    partner = book.bids.partner[bid]
    if partner < 0:
        return offers
    stranger = book.offers.owner[offers] != partner
    return offers[np.lexsort((stranger, book.asked[offers]))]


def _can_be_served(book: OrderBook, bid: int, offers: Whole, left: Whole) -> bool:
    """Say whether an all-or-nothing bid gets everything from the offers in this order."""
    wanted, count = int(book.bids.energy[bid]), 0
    for offer in offers:
        if wanted <= 0 or count >= book.max_fills:
            break
        energy = min(wanted, int(left[offer]))
        if book.offers.whole[offer] and energy < book.offers.energy[offer]:
            continue
        wanted -= energy
        count += 1
    return wanted <= 0
