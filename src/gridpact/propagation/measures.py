"""How good is a tree? The measures of [Yu23] and two of ours (5-decisions, section 15, 6).

Worked out level by level in NumPy. Times are exact where all costs are decimals of at most six
places (they are added as whole millionths), else sums of floats.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from gridpact.propagation.costs import Costs
from gridpact.propagation.nodes import FloatArray, IntArray, Nodes
from gridpact.propagation.tree import Tree
from gridpact.quantities import PPM

_EXACT = 2**52


@dataclass(frozen=True, eq=False)
class Measures:
    """What a tree comes to; times in the unit of the costs.

    overall_trust: mean trust of who sends, over all transfers. rounds: height. node_concurrency:
    largest level below the root. concurrent_time: when the last node has the data, if a sender
    serves all its children at once. inflight_concurrency: most transfers under way at once.
    serial_time: the same end if it serves them one after another. violating: edges dearer than
    the limit, as places in `Tree.senders`.
    """

    overall_trust: float
    rounds: int
    node_concurrency: int
    concurrent_time: float
    inflight_concurrency: int
    serial_time: float
    violating: IntArray


@dataclass(frozen=True, eq=False)
class Swept:
    """A tree by levels: nodes in places so that levels, and in them siblings, stand together.

    nodes: who stands where, (place,). above: place of the sender, (place - 1,). cost: of the
    transfer to each place but the first. bounds: where levels begin and the last ends.
    """

    nodes: IntArray
    above: IntArray
    cost: npt.NDArray[Any]
    bounds: list[int]


def measures(tree: Tree, nodes: Nodes, costs: Costs, max_cost: float = math.inf) -> Measures | None:
    """Return what a tree comes to; None for a single node, which sends nothing.

    Raises
    ------
    TreeError
        A function of costs that gives no costs.
    """
    if tree.size == 1:
        return None
    paid = costs.between(tree.senders, tree.receivers)
    found = swept(tree, paid)
    sooner, later = _arrivals(found)
    scale = PPM if found.cost.dtype.kind == "i" else 1
    return Measures(
        overall_trust=int(nodes.trust[tree.senders].sum()) / (PPM * (tree.size - 1)),
        rounds=len(found.bounds) - 2,
        node_concurrency=max(end - begin for begin, end in pairwise(found.bounds[1:])),
        concurrent_time=sooner.max().item() / scale,
        inflight_concurrency=_most_at_once(sooner[found.above], sooner[1:]),
        serial_time=later.max().item() / scale,
        violating=np.flatnonzero(paid > max_cost),
    )


def arrivals(tree: Tree, costs: Costs) -> FloatArray:
    """Return when each node has the data, (node,), if senders serve all their children at once."""
    found = swept(tree, costs.between(tree.senders, tree.receivers))
    sooner, _ = _arrivals(found)
    at = np.empty(tree.size)
    at[found.nodes] = sooner / PPM if found.cost.dtype.kind == "i" else sooner
    return at


def swept(tree: Tree, paid: FloatArray) -> Swept:
    """Return a tree by levels. paid: cost of each edge."""
    place = np.empty(tree.size, dtype=np.int64)
    place[tree.root] = 0
    place[tree.receivers] = np.arange(1, tree.size)
    above, cost, who = place[tree.senders], _whole(paid), tree.receivers
    if (above[1:] < above[:-1]).any():
        # not made breadth-first: by level, then by sender, then as made
        depth = _depth(above)
        resorted = np.lexsort((above, depth))
        moved = np.concatenate(([0], np.empty(tree.size - 1, dtype=np.int64)))
        moved[resorted + 1] = np.arange(1, tree.size)
        above, cost, who = moved[above[resorted]], cost[resorted], who[resorted]
        bounds = _bounds(depth[resorted])
    else:
        bounds = [0, 1]
        while bounds[-1] < tree.size:
            bounds.append(1 + int(np.searchsorted(above, bounds[-1])))
    return Swept(np.concatenate(([tree.root], who)), above, cost, bounds)


def _depth(above: IntArray) -> IntArray:
    """Return the level of each place but the first, by doubling the step towards the root."""
    at = np.concatenate(([0], above))
    depth = np.minimum(np.arange(len(at)), 1)
    while at.any():
        depth, at = depth + depth[at], at[at]
    return depth[1:]


def _bounds(levels: IntArray) -> list[int]:
    return [0, 1, *(1 + np.searchsorted(levels, np.arange(2, levels[-1] + 2))).tolist()]


def _whole(paid: FloatArray) -> npt.NDArray[Any]:
    """Return costs in whole millionths if they all are, and no sum of them gets too large."""
    millionths = np.rint(paid * PPM)
    exact = millionths.sum() < _EXACT and bool((millionths / PPM == paid).all())
    return millionths.astype(np.int64) if exact else paid


def _arrivals(found: Swept) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return when data is at each place, served at once and served one after another."""
    sooner = np.zeros(len(found.nodes), dtype=found.cost.dtype)
    later = sooner.copy()
    for begin, end in pairwise(found.bounds[1:]):
        above, cost = found.above[begin - 1 : end - 1], found.cost[begin - 1 : end - 1]
        sooner[begin:end] = sooner[above] + cost
        later[begin:end] = later[above] + _running(above, cost)
    return sooner, later


def _running(above: IntArray, cost: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return sums of costs that begin anew with every sender."""
    total = np.cumsum(cost)
    first = np.zeros(len(cost), dtype=np.int64)
    first[1:] = np.where(above[1:] != above[:-1], np.arange(1, len(cost)), 0)
    begun = np.maximum.accumulate(first)
    return total - (total - cost)[begun]  # type: ignore[no-any-return]


def _most_at_once(starts: npt.NDArray[Any], ends: npt.NDArray[Any]) -> int:
    """Return how many half-open spans [start, end) share a moment at most."""
    begun, over = np.sort(starts), np.sort(ends)
    under_way = np.searchsorted(begun, begun, "right") - np.searchsorted(over, begun, "right")
    return int(under_way.max())
