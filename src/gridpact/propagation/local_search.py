"""Can a tree of least delay be made quicker without trusting anybody more? By small changes.

What decides when the last node has the data is the path to it. Its nodes, and what hangs below
them, are moved to free links, or change places with others, as long as that lowers (time of the
last arrival, sum of all arrivals). Where nothing helps any more, a few nodes are shuffled and it
begins anew; the quickest tree is kept. Kept throughout: the root, the links, senders of trusted
nodes are trusted, and as many untrusted nodes as before hang on trusted ones. Meant for some
hundred nodes: a step tries each change with each other node.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gridpact.propagation.costs import Costs
from gridpact.propagation.nodes import Nodes
from gridpact.propagation.rule import Rule, order
from gridpact.propagation.tree import Tree

_BETTER = 1e-12
_SHUFFLED, _TRIES = 3, 60
_Parents = list[int]


def improved(tree: Tree, nodes: Nodes, costs: Costs, rule: Rule, kicks: int = 12) -> Tree:
    """Return a tree of the same root and rule that is at least as quick; the same every time.

    kicks: how often it begins anew from a shuffled tree.
    """
    if tree.size == 1:
        return tree
    every = np.arange(tree.size)
    table = costs.between(every[:, None], every[None, :])
    taken = order(nodes, costs, rule)
    trusted = np.zeros(tree.size, dtype=bool)
    trusted[taken.sequence[: taken.trusted or tree.size]] = True
    most = rule.max_cost if rule.forbid else np.inf
    search = _Search(table.tolist(), nodes.links.tolist(), trusted.tolist(), tree.root, most)
    parent = search.run(tree.parent.tolist(), kicks)
    return _made(tree, parent, search)


def _made(tree: Tree, parent: _Parents, search: "_Search") -> Tree:
    """Return the tree, its edges in the order in which data arrives."""
    walked = search.walk(parent)
    assert walked is not None
    rank = {node: place for place, node in enumerate(walked.downwards)}
    walk = sorted(walked.downwards, key=lambda node: (walked.arrival[node], rank[node]))
    sequence = np.array(walk, dtype=np.int64)
    senders = np.array([parent[node] for node in walk[1:]], dtype=np.int64)
    return Tree(sequence, senders, sequence[1:], tree.degraded)


@dataclass(frozen=True)
class _Walked:
    """A tree walked from its root: who comes after whom, and when data arrives."""

    downwards: list[int]
    arrival: list[float]

    @property
    def worth(self) -> tuple[float, float]:
        return max(self.arrival), sum(self.arrival)


@dataclass(frozen=True)
class _Search:
    cost: Sequence[Sequence[float]]
    links: Sequence[int]
    trusted: Sequence[bool]
    root: int
    most: float

    def run(self, parent: _Parents, kicks: int) -> _Parents:
        """Return the best tree that is found from a tree and from shuffled ones."""
        kept, chance = self._kept(parent), random.Random(kicks)
        best = self._descended(parent, kept)
        for _ in range(kicks):
            found = self._descended(self._shuffled(best[0], kept, chance), kept)
            if _is_better(found[1], best[1]):
                best = found
        return best[0]

    def _descended(self, parent: _Parents, kept: int) -> tuple[_Parents, _Walked]:
        """Make the best change of each step until none helps."""
        now = self.walk(parent)
        assert now is not None
        while True:
            best, chosen = now, parent
            for other in self._changes(parent, now):
                found = self.walk(other) if self._allowed(other, kept) else None
                if found and _is_better(found, best):
                    best, chosen = found, other
            if chosen is parent:
                return parent, now
            parent, now = chosen, best

    def _shuffled(self, parent: _Parents, kept: int, chance: random.Random) -> _Parents:
        """Let some nodes change places, or their branches senders, whatever that does to time."""
        others = [node for node in range(len(parent)) if node != self.root]
        done = 0
        for _ in range(_TRIES if len(others) > 1 else 0):
            one, other = chance.sample(others, 2)
            change = chance.choice((_exchanged, _branches_exchanged))
            changed = change(parent, one, other)
            if self._allowed(changed, kept) and self.walk(changed):
                parent, done = changed, done + 1
                if done == _SHUFFLED:
                    break
        return parent

    def walk(self, parent: _Parents) -> _Walked | None:
        """Return the tree walked; None if not everybody hangs on the root."""
        below: list[list[int]] = [[] for _ in parent]
        for node, sender in enumerate(parent):
            if sender >= 0:
                below[sender].append(node)
        downwards, arrival = [self.root], [0.0] * len(parent)
        for sender in downwards:
            for node in below[sender]:
                arrival[node] = arrival[sender] + self.cost[sender][node]
            downwards += below[sender]
        return _Walked(downwards, arrival) if len(downwards) == len(parent) else None

    def _kept(self, parent: _Parents) -> int:
        """Return how many untrusted nodes hang on trusted ones."""
        return sum(
            sender >= 0 and self.trusted[sender] and not self.trusted[node]
            for node, sender in enumerate(parent)
        )

    def _allowed(self, parent: _Parents, kept: int) -> bool:
        served = [0] * len(parent)
        for node, sender in enumerate(parent):
            if sender < 0:
                continue
            served[sender] += 1
            if served[sender] > self.links[sender] or self.cost[sender][node] > self.most:
                return False
            if self.trusted[node] and not self.trusted[sender]:
                return False
        return self._kept(parent) >= kept

    def _changes(self, parent: _Parents, now: _Walked) -> Iterator[_Parents]:
        """Yield the trees that differ by one change of a node on the path of the last arrival."""
        node = max(range(len(parent)), key=lambda one: now.arrival[one])
        while node != self.root:
            for other in range(len(parent)):
                if other not in (node, parent[node]):
                    yield _moved(parent, node, other)
                if other not in (node, self.root):
                    yield _exchanged(parent, node, other)
                    if parent[other] != parent[node]:
                        yield _branches_exchanged(parent, node, other)
            node = parent[node]


def _is_better(one: _Walked, other: _Walked) -> bool:
    (last, total), (last_now, total_now) = one.worth, other.worth
    margin = _BETTER * (1 + total_now)
    if abs(last - last_now) > margin:
        return last < last_now
    return total < total_now - margin


def _moved(parent: _Parents, node: int, sender: int) -> _Parents:
    """Hang a node with all below it on another sender."""
    return [sender if one == node else above for one, above in enumerate(parent)]


def _branches_exchanged(parent: _Parents, one: int, other: int) -> _Parents:
    """Let two nodes with all below them change senders."""
    changed = parent.copy()
    changed[one], changed[other] = parent[other], parent[one]
    return changed


def _exchanged(parent: _Parents, one: int, other: int) -> _Parents:
    """Let two nodes change places; what hangs below each place stays there."""
    names = {one: other, other: one}
    changed = parent.copy()
    for node, above in enumerate(parent):
        changed[names.get(node, node)] = names.get(above, above)
    return changed
