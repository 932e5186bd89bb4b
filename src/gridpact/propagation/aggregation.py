"""How are the signatures under a batch collected? Back up the tree, to a star's middle, or by all.

Each aggregator verifies the batch before it signs. In a tree it waits for what comes from below,
adds its own and sends all of it to its sender, so that nobody handles more messages than it has
links; the proposer ends with the quorum certificate that the contract takes
(`model.council.needed`). For comparison a proposer that asks everybody itself, and consensus in
which all send to all.
"""

import heapq
from dataclasses import dataclass

import numpy as np

from gridpact.propagation.costs import Costs
from gridpact.propagation.measures import arrivals
from gridpact.propagation.nodes import FloatArray
from gridpact.propagation.tree import Tree

SIGNATURE_BYTES = 64
"""A compact secp256k1 signature."""


@dataclass(frozen=True)
class Collected:
    """What collecting a quorum takes.

    at: when the proposer (of all-to-all: the last node) has the quorum, counted from its having
    the batch. messages: sent in all, with those that spread the batch. carried: signatures in
    them, each hop counted. busiest: messages that one node sends and receives at most.
    """

    at: float
    messages: int
    carried: int
    busiest: int

    @property
    def bytes(self) -> int:
        return self.carried * SIGNATURE_BYTES


def up_the_tree(tree: Tree, costs: Costs, verifying: float, needed: int) -> Collected:
    """Return what collecting back up the tree takes; whoever serves others waits for them."""
    size = tree.size
    down = arrivals(tree, costs)
    back = costs.between(tree.receivers, tree.senders)
    ready, held = down + verifying, np.ones(size, dtype=np.int64)
    branches: list[tuple[float, int]] = []
    # an edge is made after its sender's own: backwards everybody hears from below before it sends
    for edge in reversed(range(size - 1)):
        sender, node = int(tree.senders[edge]), int(tree.receivers[edge])
        at = float(ready[node] + back[edge])
        held[sender] += held[node]
        if sender == tree.root:
            branches.append((at, int(held[node])))
        else:
            ready[sender] = max(ready[sender], at)
    carried = int(held.sum() - held[tree.root])
    busiest = 2 * int((tree.children + (np.arange(size) != tree.root)).max()) if size > 1 else 0
    at, have = verifying, 1
    for time, signatures in sorted(branches):
        if have >= needed:
            break
        at, have = max(at, time), have + signatures
    return Collected(float(at), 2 * (size - 1), carried, busiest)


def star(root: int, costs: Costs, verifying: float, needed: int, at_once: int) -> Collected:
    """Return what it takes if the proposer sends to and hears from everybody itself.

    at_once: how many it can serve at once, its links; the nearest first.
    """
    others, going, coming = _spokes(root, costs)
    free = [0.0] * max(1, at_once)
    answers = [verifying]
    for place in np.argsort(going, kind="stable").tolist():
        sent = heapq.heappop(free) + float(going[place])
        heapq.heappush(free, sent)
        answers.append(sent + verifying + float(coming[place]))
    return Collected(sorted(answers)[needed - 1], 2 * others, others, 2 * others)


def all_to_all(root: int, costs: Costs, verifying: float, needed: int) -> Collected:
    """Return what it takes if everybody tells everybody, as in practical Byzantine agreement.

    The proposer sends the batch to all at once; who has verified it signs and tells all others.
    """
    others, going, _ = _spokes(root, costs)
    size = others + 1
    every = np.arange(size)
    signed = np.zeros(size)
    signed[every != root] = going
    signed += verifying
    table = costs.between(every[:, None], every[None, :])
    heard = np.sort(signed[:, None] + table, axis=0)
    return Collected(
        float(heard[needed - 1].max()), others + size * others, size * others, 2 * others + others
    )


def _spokes(root: int, costs: Costs) -> tuple[int, FloatArray, FloatArray]:
    size = costs.size
    assert size is not None, "costs that know how many nodes there are"
    rest = np.delete(np.arange(size), root)
    return size - 1, costs.between(root, rest), costs.between(rest, root)
