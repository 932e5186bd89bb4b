"""A tree over which data is passed on, and the breadth-first way to make one of a sequence."""

from dataclasses import dataclass

import numpy as np

from gridpact.errors import TooFewLinks, Unreachable
from gridpact.propagation.costs import Costs
from gridpact.propagation.nodes import IntArray, Nodes
from gridpact.propagation.rule import Order


@dataclass(frozen=True, eq=False)
class Tree:
    """Edges in the order in which they were made, (edge,): a sender has the data before it sends.

    sequence: the nodes as the algorithm took them, root first. degraded: nobody is trusted.
    """

    sequence: IntArray
    senders: IntArray
    receivers: IntArray
    degraded: bool = False

    @property
    def size(self) -> int:
        return len(self.sequence)

    @property
    def root(self) -> int:
        return int(self.sequence[0])

    @property
    def parent(self) -> IntArray:
        """Return who sends to each node, (node,); -1 for the root."""
        above = np.full(self.size, -1, dtype=np.int64)
        above[self.receivers] = self.senders
        return above

    @property
    def children(self) -> IntArray:
        """Return to how many each node sends, (node,)."""
        return np.bincount(self.senders, minlength=self.size)


def breadth_first(sequence: IntArray, links: IntArray, degraded: bool = False) -> Tree:
    """Return the tree in which the p-th node of a sequence serves the next ones it has links for.

    Raises
    ------
    TooFewLinks
        The walk catches up with the end of the queue: somebody is left whom nobody can serve.
    """
    size = len(sequence)
    served = np.minimum(links[sequence], size)
    last = np.cumsum(served)
    # the root takes a place itself: the node at place p is served before it serves
    stuck = np.flatnonzero(last[:-1] < np.arange(1, size))
    if len(stuck):
        raise TooFewLinks(int(stuck[0]) + 1, size)
    enough = int(np.searchsorted(last, size - 1)) + 1
    above = np.repeat(np.arange(enough), served[:enough])[: size - 1]
    return Tree(sequence, sequence[above], sequence[1:], degraded)


def within(order: Order, nodes: Nodes, costs: Costs, max_cost: float) -> Tree:
    """Return a tree without any edge dearer than `max_cost`.

    As `breadth_first`, but each takes the next ones that it may send to; untrusted nodes wait
    until all trusted ones stand. A tree there may be that this walk does not find.

    Raises
    ------
    Unreachable
        Nobody with a free link may send to some node.
    """
    free = nodes.links.copy()
    queue, edges = [order.root], list[tuple[int, int]]()
    split = order.trusted or len(order.sequence)
    for group in (order.sequence[1:split], order.sequence[split:]):
        waiting, turn = group, 0
        while len(waiting) and turn < len(queue):
            sender = queue[turn]
            turn += 1
            near = np.flatnonzero(costs.between(sender, waiting) <= max_cost)[: free[sender]]
            edges += [(sender, int(node)) for node in waiting[near]]
            queue += waiting[near].tolist()
            free[sender] -= len(near)
            waiting = np.delete(waiting, near)
        if len(waiting):
            raise Unreachable(int(waiting[0]), max_cost)
    made = np.array(edges, dtype=np.int64).reshape(-1, 2)
    return Tree(order.sequence, made[:, 0], made[:, 1], order.degraded)
