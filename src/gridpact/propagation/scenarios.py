"""The set-up of [Yu23] and the scenarios of trust in which spreading is measured.

50 nodes; 5 / 15 / 80 % of them have 3, 2, 1 links (largest remainder); 80 % are honest with trust
from 0.8 on, the others' is below (assumed where the paper is silent: 5-decisions, section 15).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gridpact.propagation.costs import Costs, distance, matrix
from gridpact.propagation.dissemination import Conduct
from gridpact.propagation.nodes import IntArray, Nodes
from gridpact.propagation.rule import Rule
from gridpact.quantities import PPM

Trusting = Literal["correct", "sleepers", "uninformative", "crashes", "liars"]
SCENARIOS: Sequence[Trusting] = ("correct", "sleepers", "uninformative", "crashes")
"""Trust correct; half of the droppers trusted; trust that says nothing; 5 % of the honest crash."""

MALICIOUS, CRASHED = 0.2, 0.05
MIN_TRUST, MAX_COST = 0.8, 8.2
LEAST_COST, MOST_COST = 1.0, 10.0
LINKS = ((3, 5), (2, 15), (1, 80))
"""Links of a node, and the share of the nodes that have them. [%]"""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Nodes of one seed: what they are, how they behave."""

    nodes: Nodes
    costs: Costs
    conduct: tuple[Conduct, ...]


def rule(weights: tuple[float, float] = (1, 1), minmax: bool = False) -> Rule:
    """Return the paper's thresholds with some weights."""
    return Rule(MIN_TRUST, MAX_COST, weights, "minmax" if minmax else None)


def drawn(size: int, seed: int, trusting: Trusting = "correct", euclidean: bool = False) -> Drawn:
    """Return the nodes of a seed.

    liars: the droppers lie, half of them are trusted. euclidean: costs are distances between
    points, scaled to the same mean as U[1, 10] has, else independent and symmetric.
    """
    chance = np.random.default_rng((size, seed))
    bad = np.zeros(size, dtype=bool)
    bad[chance.permutation(size)[: round(MALICIOUS * size)]] = True
    trust = np.where(bad, _below(chance, size), _above(chance, size))
    if trusting in ("sleepers", "liars"):
        sleeping = np.flatnonzero(bad)[: int(bad.sum()) // 2]
        trust[sleeping] = _above(chance, len(sleeping))
    if trusting == "uninformative":
        trust = trust[chance.permutation(size)]
    how = np.where(bad, Conduct.LIAR if trusting == "liars" else Conduct.DROPPER, Conduct.HONEST)
    if trusting == "crashes":
        honest = chance.permutation(np.flatnonzero(~bad))
        how[honest[: max(1, round(CRASHED * len(honest)))]] = Conduct.CRASHED
    links = chance.permutation(np.repeat([kind for kind, _ in LINKS], _counts(size)))
    return Drawn(
        Nodes(trust, links), _costs(chance, size, euclidean), tuple(Conduct(one) for one in how)
    )


def _above(chance: np.random.Generator, count: int) -> IntArray:
    return chance.integers(round(MIN_TRUST * PPM), PPM + 1, count)


def _below(chance: np.random.Generator, count: int) -> IntArray:
    return chance.integers(0, round(MIN_TRUST * PPM), count)


def _counts(size: int) -> npt.NDArray[np.int64]:
    """Return how many nodes have each number of links, by largest remainder."""
    exact = np.array([share for _, share in LINKS]) * size
    whole = exact // 100
    for kind in np.argsort(-(exact % 100), kind="stable")[: size - int(whole.sum())]:
        whole[kind] += 1
    return whole


def _costs(chance: np.random.Generator, size: int, euclidean: bool) -> Costs:
    if euclidean:
        # two points of a unit square are 0.5214 apart in the mean
        side = (LEAST_COST + MOST_COST) / 2 / 0.5214
        return distance(chance.uniform(0, side, (size, 2)))
    table = np.triu(np.round(chance.uniform(LEAST_COST, MOST_COST, (size, size)), 6), 1)
    return matrix(table + table.T)
