"""What a mechanism is: a function from an order book to a clearing, and what it claims of itself.

Whoever writes one writes a function of this form; `conformance` tests it, `local_book` lets it
clear a region, and a line in `mechanisms` gives it a name.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np

from gridpact.market.book import OrderBook, Whole
from gridpact.quantities import Price


@dataclass(frozen=True, eq=False)
class Clearing:
    """Bilateral fills as columns, shape (fill,): who trades with whom, how much, at what price.

    Attributes
    ----------
    bid, offer
        Rows of the book.
    energy
        [Wh], > 0
    price
        What the seller gets. [micro-units per kWh]
    levy
        What the buyer pays beyond price and network charge, to the mechanism's account; negative
        where the account pays a part of the price. Zero for most. [micro-units per kWh]
    uniform
        The one price of the interval, where there is one.
    """

    bid: Whole
    offer: Whole
    energy: Whole
    price: Whole
    levy: Whole
    uniform: Price | None = None

    def __len__(self) -> int:
        return len(self.energy)

    @classmethod
    def of(
        cls,
        rows: Iterable[tuple[int, int, int, int]],
        levy: Whole | None = None,
        uniform: Price | None = None,
    ) -> "Clearing":
        """Return a clearing from rows (bid, offer, energy, price)."""
        columns = np.array(list(rows), np.int64).reshape(-1, 4).T
        bid, offer, energy, price = columns
        return cls(bid, offer, energy, price, np.zeros_like(bid) if levy is None else levy, uniform)

    @classmethod
    def joined(cls, parts: Sequence["Clearing"], uniform: Price | None = None) -> "Clearing":
        """Return the fills of several clearings of one book."""
        if not parts:
            return cls.of([])
        columns = [(one.bid, one.offer, one.energy, one.price, one.levy) for one in parts]
        bid, offer, energy, price, levy = map(np.concatenate, zip(*columns, strict=True))
        return cls(bid, offer, energy, price, levy, uniform)


Mechanism: TypeAlias = Callable[[OrderBook], Clearing]


class Budget(StrEnum):
    """What a mechanism does to its own account."""

    BALANCED = "balanced"
    SURPLUS = "surplus"
    ANY = "any"


@dataclass(frozen=True)
class Claims:
    """What a mechanism promises, and `conformance` tests. What theory forbids nobody claims.

    budget
        Levies add up to zero, to zero or more, or to anything.
    rational
        Nobody pays more than it bid or gets less than it asked.
    welfare
        Least share of the best possible welfare in plain books of divisible orders. [ppm]
    truthful
        In books of one unit each, no bidder gains by another price than its own.
    fair
        The order in which people stand in the book changes nothing where all prices differ.
    """

    budget: Budget = Budget.BALANCED
    rational: bool = True
    welfare: int = 0
    truthful: bool = False
    fair: bool = True
