"""How long until a transaction is confirmed? The average of [Yu23] figure 5 (ATCT).

A transaction that comes at any moment waits for k blocks, one every tau, and for the data to spread
(D). If blocks come by chance, as in proof of work, the first is tau away whenever one looks:
k tau + D. If they come at fixed times it is tau / 2 away in the mean: (k - 1/2) tau + D
(5-decisions, section 16). The parameters that give the paper's minutes are fitted: it prints none.
"""

from dataclasses import dataclass

import numpy as np

from gridpact.propagation.nodes import FloatArray


@dataclass(frozen=True)
class Confirming:
    """A chain. blocks: k; interval: tau; spreading: D; fixed: blocks come at fixed times."""

    name: str
    blocks: int
    interval: float
    spreading: float
    fixed: bool = False

    @property
    def mean(self) -> float:
        """Return the average confirmation time, in the unit of `interval`."""
        return (self.blocks - self.fixed / 2) * self.interval + self.spreading


FITTED = (
    Confirming("public chain", 6, 10.0, 0.0),
    Confirming("scheme [8]", 1, 10.0, 0.0),
    Confirming("scheme [17]", 1, 6.0, 0.5),
    Confirming("WCT", 1, 6.0, 0.0),
)
"""What gives the minutes of [Yu23] figure 5: about 60, 10, 6 to 7, about 6. Fitted."""


def simulated(chain: Confirming, transactions: int, seed: int) -> FloatArray:
    """Return how long transactions at random moments wait, event by event, (transaction,)."""
    chance = np.random.default_rng(seed)
    horizon = chain.interval * transactions
    gaps = (
        np.full(transactions + chain.blocks, chain.interval)
        if chain.fixed
        else chance.exponential(chain.interval, transactions + 8 * chain.blocks)
    )
    blocks = np.cumsum(gaps)
    # transactions come while there are still k blocks ahead
    came = chance.uniform(0, min(horizon, float(blocks[-chain.blocks - 1])), transactions)
    confirmed = blocks[np.searchsorted(blocks, came, "right") + chain.blocks - 1]
    return np.asarray(confirmed - came + chain.spreading)
