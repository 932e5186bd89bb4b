"""The settings of a tree, and in which order it takes the nodes (5-decisions, section 15, 1 to 3).

Trust and weights are decimals and compared as such: scores are whole numbers, ties are ties.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gridpact.errors import TreeError
from gridpact.propagation.costs import Costs, require_size
from gridpact.propagation.nodes import IntArray, Nodes
from gridpact.quantities import PPM

_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Rule:
    """What a tree is built by.

    min_trust: t_thre, equal counts as trusted. max_cost: w_thre. weights: w_t, w_l.
    normalise: "minmax" brings trust and links of the trusted nodes to [0, 1] before weighing.
    forbid: no edge dearer than `max_cost`, rather than far nodes last and such edges reported.
    """

    min_trust: float = 0.8
    max_cost: float = math.inf
    weights: tuple[float, float] = (1, 1)
    normalise: Literal["minmax"] | None = None
    forbid: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.min_trust <= 1:
            raise TreeError("min_trust", f"{self.min_trust} is not between 0 and 1")
        if not self.max_cost >= 0:
            raise TreeError("max_cost", f"{self.max_cost} is no number of at least 0")
        for place, weight in enumerate(self.weights):
            if not 0 <= weight < math.inf:
                raise TreeError(f"weights[{place}]", f"{weight} is no number of at least 0")
        if self.normalise not in (None, "minmax"):
            raise TreeError("normalise", f"{self.normalise!r} is not known, expected minmax")


@dataclass(frozen=True, eq=False)
class Order:
    """The construction sequence N*: root first, then near, far and untrusted nodes.

    trusted: how many of its first nodes are trusted. degraded: none is, so all count alike.
    """

    sequence: IntArray
    trusted: int
    degraded: bool

    @property
    def root(self) -> int:
        return int(self.sequence[0])


def order(nodes: Nodes, costs: Costs, rule: Rule) -> Order:
    """Return in which order nodes are taken.

    Raises
    ------
    TreeError
        The costs are for another number of nodes, or are no costs.
    """
    require_size(costs, nodes.size)
    fits = nodes.trust >= math.ceil(_exact(rule.min_trust) * PPM)
    trusted, others = np.flatnonzero(fits), np.flatnonzero(~fits)
    if not len(trusted):
        return Order(others, 0, degraded=True)
    ranked = trusted[descending(scores(nodes, trusted, rule))]
    far = costs.between(int(ranked[0]), ranked) > rule.max_cost
    far[0] = False
    return Order(np.concatenate((ranked[~far], ranked[far], others)), len(trusted), degraded=False)


def descending(keys: npt.NDArray[Any]) -> IntArray:
    """Return the places by falling key, equal ones by rising place."""
    return np.argsort(-keys, kind="stable")


def scores(nodes: Nodes, among: IntArray, rule: Rule) -> npt.NDArray[Any]:
    """Return w_t t + w_l l of some nodes, times whatever makes all of them whole numbers."""
    by_trust, by_links = (_exact(weight) for weight in rule.weights)
    scale = math.lcm(by_trust.denominator, by_links.denominator)
    trust, links = nodes.trust[among], nodes.links[among]
    of_trust, of_links = int(by_trust * scale), int(by_links * scale) * PPM
    if rule.normalise:
        trust, links = trust - trust.min(), links - links.min()
        # over the common denominator of both shares; a range of zero weighs nothing
        of_trust, of_links = of_trust * max(1, int(links.max())), of_links // PPM
        of_links *= max(1, int(trust.max()))
    if (
        max(of_trust, of_links, of_trust * int(trust.max()) + of_links * int(links.max()))
        > _LARGEST
    ):
        trust, links = trust.astype(object), links.astype(object)
    return of_trust * trust + of_links * links


def _exact(value: float) -> Fraction:
    """Return the decimal that a float was written as."""
    return Fraction(str(value))
