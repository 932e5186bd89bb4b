"""DTT: the trust-constrained tree of least delay, beyond [Yu23] (5-decisions, section 15).

From WCT's root and with its link limits, always the pair is added by which data arrives soonest:
first among trusted nodes that can serve two or more, then the trusted ones that serve one, then
untrusted ones on what links of trusted ones are left. Far nodes get no rule: delay sees to them.
"""

import heapq
from collections.abc import Iterable

import numpy as np

from gridpact.errors import Unreachable
from gridpact.propagation.costs import Costs
from gridpact.propagation.nodes import IntArray, Nodes
from gridpact.propagation.rule import Rule, order
from gridpact.propagation.tree import Tree


def delay_trust(nodes: Nodes, costs: Costs, rule: Rule) -> Tree:
    """Return the trust-constrained tree of least delay, grown greedily.

    Pairs that arrive at the same time are taken by rising sender, then receiver.

    Raises
    ------
    TreeError
        Costs that do not fit the nodes; with `rule.forbid` also `Unreachable`.
    """
    taken = order(nodes, costs, rule)
    split = taken.trusted or nodes.size
    trusted, others = taken.sequence[1:split], taken.sequence[split:]
    most = rule.max_cost if rule.forbid else np.inf
    growth = _Growth(taken.root, nodes.links, costs, most)
    several = nodes.links[trusted] >= 2
    left = growth.take(trusted[several], [taken.root])
    left = growth.take(np.concatenate((left, trusted[~several])), [taken.root, *trusted])
    if len(left):
        raise Unreachable(int(left[0]), most)
    left = growth.take(others, [taken.root, *trusted], chained=False)
    left = growth.take(left, others)
    if len(left):
        raise Unreachable(int(left[0]), most)
    made = np.array(growth.edges, dtype=np.int64).reshape(-1, 2)
    sequence = np.concatenate(([taken.root], made[:, 1]))
    return Tree(sequence, made[:, 0], made[:, 1], taken.degraded)


class _Growth:
    """A tree that grows: when data arrives at each node that stands in it, and its free links."""

    def __init__(self, root: int, links: IntArray, costs: Costs, most: float) -> None:
        self.edges: list[tuple[int, int]] = []
        self._costs, self._most = costs, most
        self._free = links.tolist()
        self._arrival = {root: 0.0}

    def take(self, group: IntArray, senders: Iterable[int], chained: bool = True) -> IntArray:
        """Add the nodes of a group as soon as data can be there; return those that cannot be added.

        senders: who may send, if it stands already. chained: the group's own nodes may, too.
        """
        waiting = np.sort(group)
        # (earliest arrival, sender, receiver); receiver -1: only a bound, to be looked up
        heap = [
            (self._arrival[one], one, -1)
            for one in map(int, senders)
            if self._free[one] and one in self._arrival
        ]
        heapq.heapify(heap)
        while len(waiting) and heap:
            time, sender, receiver = heapq.heappop(heap)
            if receiver < 0 or receiver in self._arrival:
                if found := self._soonest(sender, waiting):
                    heapq.heappush(heap, found)
                continue
            self._arrival[receiver] = time
            self.edges.append((sender, receiver))
            self._free[sender] -= 1
            place = int(np.searchsorted(waiting, receiver))
            waiting[place:-1] = waiting[place + 1 :]
            waiting = waiting[:-1]
            if self._free[sender]:
                heapq.heappush(heap, (time, sender, -1))
            if chained:
                heapq.heappush(heap, (time, receiver, -1))
        return waiting

    def _soonest(self, sender: int, waiting: IntArray) -> tuple[float, int, int] | None:
        costs = self._costs.between(sender, waiting)
        nearest = int(np.argmin(costs))
        if costs[nearest] > self._most:
            return None
        return self._arrival[sender] + float(costs[nearest]), sender, int(waiting[nearest])
