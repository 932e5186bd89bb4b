"""Backup parents: who else announces to a node that the data is there, should its sender fail.

A bare tree loses everybody below a node that keeps the data to itself. So each node has `count`
more nodes to hear from (5-decisions, section 15): trusted, not below it, with ways from the root
that share as little as possible with the way of its sender and of each other. No node backs many
more others than its share.
"""

from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from gridpact.propagation.costs import Costs
from gridpact.propagation.nodes import IntArray
from gridpact.propagation.tree import Tree

Flags = npt.NDArray[np.bool_]


def backups(tree: Tree, trusted: Flags, costs: Costs, count: int) -> IntArray:
    """Return the backup parents of each node, (node, count); -1 where there is nobody left.

    Parameters
    ----------
    trusted
        Who may be a backup, (node,); if nobody is, everybody may.
    count
        How many each node has, b. For some thousand nodes: memory grows with their square.
    """
    size, parent = tree.size, tree.parent
    way = ways(tree)
    may = trusted if trusted.any() else np.ones(size, dtype=bool)
    most = ceil(count * (size - 1) / int(may.sum())) + 1
    load = np.zeros(size, dtype=np.int64)
    chosen = np.full((size, count), -1, dtype=np.int64)
    for node in tree.sequence[1:].tolist():
        open_to = may & ~way[:, node]
        open_to[[node, parent[node]]] = False
        used = way[parent[node]].astype(np.int64)
        price = costs.between(np.arange(size), node)
        for turn in range(count):
            among = np.flatnonzero(open_to & (load < most))
            if not len(among):
                among = np.flatnonzero(open_to)
            if not len(among):
                break
            keys: tuple[npt.NDArray[Any], ...] = (price[among], load[among], way[among] @ used)
            best = int(among[np.lexsort(keys)[0]])
            chosen[node, turn] = best
            load[best] += 1
            open_to[best] = False
            used |= way[best]
    return chosen


def ways(tree: Tree) -> Flags:
    """Return which nodes, besides the root, data passes on its way to each, itself included."""
    way = np.eye(tree.size, dtype=bool)
    way[tree.root] = False
    for sender, receiver in zip(tree.senders.tolist(), tree.receivers.tolist(), strict=True):
        way[receiver] |= way[sender]
    return way


def shared(tree: Tree, chosen: IntArray) -> Flags:
    """Return which nodes have a sender and backups whose ways meet before the root, (node,)."""
    way, parent = ways(tree), tree.parent
    meet = np.zeros(tree.size, dtype=bool)
    for node in tree.receivers.tolist():
        heard = [parent[node], *chosen[node][chosen[node] >= 0]]
        meet[node] = bool((way[heard].sum(axis=0) > 1).any())
    return meet
