"""Paper C's market: each user goes to the provider that suits it best, one provider a user.

[Cui22] eqs. 3 to 5 as read in 5-decisions, section 10: first the most energy is served, then the
sum of matching degrees is as large as it can be. Users are bids, providers are offers; a fill is
priced at the offer, lifted to the floor. Whom no single offer can serve waits for the next tier.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.errors import BadInput
from gridpact.market.assignment.problem import NOBODY, Problem, Whole
from gridpact.market.assignment.solver import Effort, solve
from gridpact.market.book import Flags, OrderBook
from gridpact.market.degree import Mode, degrees
from gridpact.market.mechanism import Claims, Clearing
from gridpact.quantities import MICRO, PPM

CLAIMS = Claims(fair=False)
"""Not fair: where a case is too large to prove the best, what is found may hang on the order."""

_PROVED = 150
"""Most pairs of a book for which the best is looked for until it is proved."""


@dataclass(frozen=True)
class MatchingDegree:
    """The mechanism with its settings. No clock: the same book has the same clearing.

    Attributes
    ----------
    mode
        What counts as a pair's gain: `balanced`, `scaled` or `paper`, see `degree.Mode`.
    kicks, nodes, rounds
        How much work a clearing may cost, see `assignment.solver.Effort`.
    """

    mode: str = Mode.BALANCED.value
    kicks: int = 5
    nodes: int = 20
    rounds: int = 0

    def __call__(self, book: OrderBook) -> Clearing:
        """Return one fill for each bid that is served."""
        provider = np.full(len(book.bids), NOBODY)
        open_ = np.ones(len(book.offers), np.bool_)
        while len(book.bids) and open_.any() and book.max_fills > 0:
            provider = self._assigned(book, open_)
            broken = _broken(book, provider)
            if not broken.any():
                break
            # an all-or-nothing offer that is not used up: the last in merit order leaves
            open_[book.merit[broken[book.merit]][-1]] = False
            provider[:] = NOBODY
        rows = np.flatnonzero(provider != NOBODY)
        asked, energy = book.asked[provider[rows]], book.bids.energy[rows]
        return Clearing.of(
            zip(
                rows.tolist(), provider[rows].tolist(), energy.tolist(), asked.tolist(), strict=True
            )
        )

    def _assigned(self, book: OrderBook, open_: Flags) -> Whole:
        """Return each bid's offer, a row of the book, or `NOBODY`."""
        # ties: the lower price, then the earlier offer
        rows = np.lexsort((np.arange(len(open_)), book.asked))
        rows = rows[open_[rows]]
        effort = Effort(self.kicks, self.nodes, _PROVED, self.rounds)
        solved = solve(_problem(book, rows, _mode(self.mode)), effort).provider
        return np.where(solved == NOBODY, NOBODY, rows[solved])


def _mode(name: str) -> Mode:
    if name not in tuple(Mode):
        raise BadInput(f"mode {name!r} is not known, expected {', '.join(Mode)}")
    return Mode(name)


def _problem(book: OrderBook, offers: Whole, mode: Mode) -> Problem:
    """Return the pairs of a book as an assignment problem.

    Notes
    -----
    A bid's price is without network charge, the cap of the gain includes it: it is the bid's price
    and the least charge that any offer makes it pay.
    """
    bid, offer = np.arange(len(book.bids))[:, None], offers[None, :]
    charge = book.charge(bid, offer)
    may = book.may_trade(bid, offer) & (book.asked[offer] <= book.ceiling(bid, offer))
    kwh = book.bids.energy / 1000
    found = degrees(
        mode,
        kwh,
        book.asked[offers] / MICRO,
        kwh[:, None] * charge / MICRO,
        book.reputation[book.offers.owner[offers]] / PPM,
        (book.bids.price + charge.min(axis=1)) / MICRO,
        may,
    )
    return Problem(book.bids.energy, book.offers.energy[offers], found.degree, found.gain)


def _broken(book: OrderBook, provider: Whole) -> Flags:
    """Return which all-or-nothing offers sell a part only."""
    served = provider != NOBODY
    sold = np.zeros(len(book.offers), np.int64)
    np.add.at(sold, provider[served], book.bids.energy[served])
    return book.offers.whole & (sold > 0) & (sold < book.offers.energy)


match = MatchingDegree()
