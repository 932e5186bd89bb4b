"""What the wires answered while a book was cleared: asked once live, replayed ever after.

`Asked` puts `grid_optimal`'s question to the cycle's grid check and keeps every answer for the
record. `Replayed` gives the recorded answers again, so that an audit, which has no feeder, computes
the same clearing from the record alone. An answer is taken as the record states it, as cuts are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gridpact.errors import InvalidClearing
from gridpact.market.book import OrderBook, Whole
from gridpact.model.order import Accepted
from gridpact.model.record import Carried
from gridpact.quantities import Wh

Ask = Callable[[Mapping[bytes, Wh]], Sequence[Carried]]
"""Of what is sold under each offer's hash: the offers that the wires do not carry in full."""


@dataclass(frozen=True, eq=False)
class Sellers:
    """The offers behind a book's rows, in their order, and the bus of each."""

    offers: Sequence[Accepted]
    buses: Mapping[bytes, int]

    def places(self, _book: OrderBook) -> Whole:
        """Return the bus of every offer."""
        return np.array([self.buses[one.order.participant] for one in self.offers], np.int64)

    def limited(self, sold: Whole, answer: Sequence[Carried]) -> Whole:
        """Return the most that each offer may sell after an answer.

        Raises
        ------
        InvalidClearing
            An answer about nothing that was sold, or that takes nothing.
        """
        row = {one.hash: place for place, one in enumerate(self.offers)}
        most = sold.copy()
        for one in answer:
            place = row.get(one.offer, -1)
            if place < 0 or not 0 <= one.energy_wh < sold[place]:
                raise InvalidClearing(
                    f"the wires carry {one.energy_wh} Wh of offer {one.offer.hex()[:8]},"
                    " which did not sell more"
                )
            most[place] = one.energy_wh
        return most


@dataclass(frozen=True, eq=False)
class Asked(Sellers):
    """Wires that are asked; `answers` holds what they said, round by round."""

    ask: Ask
    answers: list[tuple[Carried, ...]] = field(default_factory=list)

    def carried(self, _book: OrderBook, sold: Whole) -> Whole:
        """Return the most that each offer may sell."""
        rows = zip(self.offers, sold.tolist(), strict=True)
        answer = tuple(self.ask({one.hash: energy for one, energy in rows if energy}))
        self.answers.append(answer)
        return self.limited(sold, answer)


@dataclass(frozen=True, eq=False)
class Replayed(Sellers):
    """Answers of a record, given once more in their order."""

    answers: Sequence[tuple[Carried, ...]]
    _turn: list[int] = field(default_factory=lambda: [0])

    def carried(self, _book: OrderBook, sold: Whole) -> Whole:
        """Return the most that each offer may sell, by the next recorded answer."""
        turn = self._turn[0]
        if turn >= len(self.answers):
            raise InvalidClearing(f"the wires answered {turn} times on record, they are asked more")
        self._turn[0] += 1
        return self.limited(sold, self.answers[turn])

    def require_used(self) -> None:
        """Raise `InvalidClearing` unless every answer was needed."""
        if self._turn[0] != len(self.answers):
            raise InvalidClearing(
                f"the wires answered {len(self.answers)} times on record,"
                f" the mechanism asks {self._turn[0]} times"
            )
