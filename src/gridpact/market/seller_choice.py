"""The buyer picks its seller by price and credibility ([Yu23], steps 3 and 4 of its protocol).

[Yu23] shows the buyer the sellers with their prices and credibilities and leaves the choice to it.
Here the choice is stated: a seller is worth

    trust_share * credibility + (1 - trust_share) * saving,    saving = (ceiling - price) / ceiling

both between 0 and 1 and in whole ppm; ties go by the lower price, then by row. Bids choose in the
order of the book. Each fill is priced at the offer, lifted to the floor.

Trust is lent within limits (5-decisions, section 9): with Credit = S / (S + 100) a seller's open
volume is at most S V0 / (5 w). Its offer stands for the reference volume V0 here, for a mechanism
sees one interval, and w = 1: whoever has S >= 5 sells all it offers. A newcomer, S = 0, sells
`newcomer_share` of its offer: the rest would need a deposit, which a book does not show.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.errors import FieldError
from gridpact.market.book import OrderBook, Whole
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.serving import serve
from gridpact.quantities import PPM

CLAIMS = Claims(fair=False)
"""Trust goes before price, so no share of the welfare; and bids choose one after another."""

HALF = 100
"""The standing S at which Credit is one half."""
COVER = 5
"""How many breaches' worth of kept trades cover one unit of open volume."""


@dataclass(frozen=True)
class SellerChoice:
    """The choice by price and credibility, both shares between 0 and 1.

    trust_share: how much credibility counts against the saving. newcomer_share: what everybody may
    sell of an offer, whatever its standing.
    """

    trust_share: float = 0.3
    newcomer_share: float = 0.2

    def __post_init__(self) -> None:
        for name in ("trust_share", "newcomer_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise FieldError(name, f"is {getattr(self, name)}, expected a share from 0 to 1")

    def __call__(self, book: OrderBook) -> Clearing:
        """Return the fills, bid by bid."""
        left = exposure(book, round(PPM * self.newcomer_share))
        stand, rows = book.merit, list[tuple[int, int, int, int]]()
        for bid in range(len(book.bids)):
            fits = book.may_trade(bid, stand) & (book.asked[stand] <= book.ceiling(bid, stand))
            liked = self._liked(book, bid, stand[fits])
            served = serve(book, bid, liked, left)
            rows += [(bid, offer, energy, int(book.asked[offer])) for offer, energy in served]
            if served:
                stand = stand[left[stand] > 0]
        return Clearing.of(rows)

    def _liked(self, book: OrderBook, bid: int, offers: Whole) -> Whole:
        """Return offers as the bid likes them, the best first."""
        trust = round(PPM * self.trust_share)
        credit = np.minimum(book.reputation[book.offers.owner[offers]], PPM)
        worth = trust * credit + (PPM - trust) * saving(book, bid, offers)
        return offers[np.lexsort((offers, book.asked[offers], -worth))]


def saving(book: OrderBook, bid: int, offers: Whole) -> Whole:
    """Return what a bid saves on each offer against the most that it may pay. [ppm, down]

    Prices beyond 2^43 are compared without their last bits, so that the product fits its word.
    """
    highest = book.ceiling(bid, offers)
    bits = max(0, int(highest.max(initial=1)).bit_length() - 43)
    most = np.maximum(highest >> bits, 1)
    least = np.maximum(highest - book.asked[offers], 0) >> bits
    return np.asarray(PPM * least // most)


def exposure(book: OrderBook, newcomer: int) -> Whole:
    """Return the most that may be sold of each offer: its energy, if its owner's standing bears it.

    Notes
    -----
    share = min(1, S / COVER), S = HALF Credit / (1 - Credit), at least `newcomer`; energy < 2^40
    and the share <= 10^6 fit one word. An all-or-nothing offer that standing does not cover whole
    stays out.
    """
    credit = np.minimum(book.reputation[book.offers.owner], PPM)
    covered = PPM * HALF * credit >= COVER * PPM * (PPM - credit)
    share = np.where(covered, PPM, PPM * HALF * credit // (COVER * np.maximum(PPM - credit, 1)))
    return book.offers.energy * np.maximum(share, newcomer) // PPM
