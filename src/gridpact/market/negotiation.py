"""Negotiation: prices are found by counter-offers ([Cui22], [Zeng23]; 5-decisions, section 12).

As a mechanism: every bid, in the order of the book, is a request to all offers that it may trade
with. Each pair negotiates as `concession` says, for at most k rounds; pairs that do not meet do not
trade. The bid then takes the agreed prices from the cheapest, network charge included, until it is
served. An order's signature allows every price within its limit; in a signed run the devices behind
a fill say word by word how they met (`talks`), and people who answer by hand use `exchange`.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.market.book import OrderBook, Whole
from gridpact.market.concession import Concession
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.serving import serve
from gridpact.quantities import Score

CLAIMS = Claims(fair=False)
"""Bids negotiate in the order of the draw: who comes late finds less."""


@dataclass(frozen=True)
class Negotiation:
    """rounds: most that a pair exchanges, k. buyer, seller: share of the gap conceded in each."""

    rounds: int = 8
    buyer: Score = 100_000
    seller: Score = 100_000

    def __call__(self, book: OrderBook) -> Clearing:
        """Return the fills at the agreed prices."""
        left, rows = book.offers.energy.copy(), list[tuple[int, int, int, int]]()
        terms = Concession(self.rounds, self.buyer, self.seller)
        for bid in range(len(book.bids)):
            agreed = _agreed(book, bid, book.merit[left[book.merit] > 0], terms)
            offers = np.array(list(agreed), np.int64)
            cost = np.array(list(agreed.values()), np.int64) + book.charge(bid, offers)
            ranked = offers[np.argsort(cost, kind="stable")]
            rows += [
                (bid, offer, wh, agreed[offer]) for offer, wh in serve(book, bid, ranked, left)
            ]
        return Clearing.of(rows)


def _agreed(book: OrderBook, bid: int, offers: Whole, terms: Concession) -> dict[int, int]:
    """Return the price of each offer that a bid comes to terms with, in merit order."""
    ceiling = book.ceiling(bid, offers)
    fits = book.may_trade(bid, offers) & (book.asked[offers] <= ceiling)
    agreed = dict[int, int]()
    for offer, highest in zip(offers[fits].tolist(), ceiling[fits].tolist(), strict=True):
        if met := terms.meeting(int(book.asked[offer]), highest):
            agreed[offer] = met[1]
    return agreed


match = Negotiation()
