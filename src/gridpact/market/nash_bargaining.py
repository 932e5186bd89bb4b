"""Nash bargaining: the best welfare, and each pair shares its gain equally.

An honest baseline that [Zeng23] compares with; 5-decisions, section 12. Who trades with whom is
what saves the most in all, network charges counted. Of two who trade
with each other the product of both gains is largest half way: the price is the middle between what
the seller asks and the most that the pair may trade at, half to even.

In a plain book the keenest bid meets the cheapest offer.
"""

from dataclasses import replace

import numpy as np

from gridpact.market import pay_as_bid
from gridpact.market.book import OrderBook, Whole
from gridpact.market.curves import midpoint
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.pareto_case import Case, Floats
from gridpact.market.pareto_exact import cheapest
from gridpact.market.schemes import traded
from gridpact.quantities import PPM

CLAIMS = Claims(welfare=PPM)


def match(book: OrderBook) -> Clearing:
    """Return the fills, each priced half way."""
    return _plain(book) if book.is_plain else _conditional(book)


def _plain(book: OrderBook) -> Clearing:
    """Return the fills of a book in which all may trade with all.

    Pay as bid has the pairs, the keenest bid with the cheapest offer, and the most each may pay.
    """
    fills = pay_as_bid.match(book)
    return replace(fills, price=half_way(book.asked[fills.offer], fills.price))


def _conditional(book: OrderBook) -> Clearing:
    fills = traded(book, _best)
    return Clearing.of(
        (bid, offer, energy, midpoint(int(book.asked[offer]), int(book.ceiling(bid, offer))))
        for (bid, offer), energy in sorted(fills.items())
    )


def _best(case: Case) -> Floats:
    scheme = cheapest(case)
    return np.zeros(case.shape) if scheme is None else scheme


def half_way(low: Whole, high: Whole) -> Whole:
    """Return the middles of prices, half to even."""
    middle = (low + high) // 2
    return np.asarray(middle + ((low + high) % 2) * (middle % 2))
