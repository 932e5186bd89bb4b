"""What one bid takes from offers that stand in an order of its own: all or nothing, limits, splits.

A bid has at most `max_fills` fills. An all-or-nothing bid gets everything or nothing; an
all-or-nothing offer goes to one bid as a whole.
"""

from typing import NamedTuple

from gridpact.market.book import OrderBook, Whole
from gridpact.quantities import Wh


class Part(NamedTuple):
    """What a bid takes from one offer."""

    offer: int
    energy: Wh


def serve(book: OrderBook, bid: int, offers: Whole, left: Whole) -> list[Part]:
    """Return what a bid takes from the offers, in their order, out of what is `left` of each.

    `left` is lowered by it. Pairs are not judged here: `offers` holds those that the bid accepts.
    """
    parts: list[Part] = []
    rest = int(book.bids.energy[bid])
    for offer in offers.tolist():
        if rest <= 0 or len(parts) >= book.max_fills:
            break
        energy = min(rest, int(left[offer]))
        if energy <= 0 or (book.offers.whole[offer] and energy < book.offers.energy[offer]):
            continue
        parts.append(Part(offer, energy))
        rest -= energy
    if book.bids.whole[bid] and rest:
        return []
    for offer, energy in parts:
        left[offer] -= energy
    return parts
