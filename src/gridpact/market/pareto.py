"""Paper D's trading scheme as a mechanism: least cost of the users against most sales.

[Zeng23] section 4; 5-decisions, section 12. Of the front between the two the knee is traded unless
weights are given. Each fill is priced at its offer, lifted to the floor. How a book becomes a
trading case, and a scheme fills in whole Wh, is `schemes`.

The paper bounds the mean price of all trades; here the ceiling of each pair bounds every one.
A preferred partner counts for nothing: schemes are compared by cost and sales alone.
"""

from dataclasses import dataclass

from gridpact.market.book import OrderBook
from gridpact.market.mechanism import Claims, Clearing
from gridpact.market.pareto_case import Case, Floats
from gridpact.market.pareto_exact import exact
from gridpact.market.pareto_front import knee, weighted
from gridpact.market.pareto_swarm import search
from gridpact.market.schemes import traded

CLAIMS = Claims()
"""Welfare is not among them: the knee gives up some for sales."""


@dataclass(frozen=True)
class Pareto:
    """The mechanism with its settings.

    weights: (on a unit of cost, on a unit of sales); None: the knee.
    renewable: source bits that count as sales; 0: all do.
    evaluations: of the particle swarm; 0: the exact front.
    """

    weights: tuple[float, float] | None = None
    renewable: int = 0
    evaluations: int = 0

    def __call__(self, book: OrderBook) -> Clearing:
        """Return the fills of the chosen scheme, whole Wh."""
        seed = int.from_bytes(book.seed[:8], "big")
        fills = traded(book, lambda case: self.chosen(case, seed), self.renewable)
        return Clearing.of(
            (bid, offer, energy, int(book.asked[offer]))
            for (bid, offer), energy in sorted(fills.items())
        )

    def chosen(self, case: Case, seed: int) -> Floats:
        """Return the scheme of the front's knee, or the one that the weights make best."""
        front = search(case, self.evaluations, seed) if self.evaluations else exact(case)
        points = front.points
        return front.table(knee(points) if self.weights is None else weighted(points, self.weights))


match = Pareto()
