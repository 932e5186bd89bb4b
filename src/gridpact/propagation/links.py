"""Over which links is data pushed, and over which only announced? Of a tree, and of a mesh."""

from dataclasses import dataclass

import numpy as np

from gridpact.propagation.nodes import IntArray
from gridpact.propagation.tree import Tree


@dataclass(frozen=True)
class Links:
    """Who sends data to whom unasked, and who tells whom that it has them, by node.

    pushed: a sender's children. announced: whom else it tells. preferred: whom a node would rather
    ask than others that told it, its backup parents, for these are trusted; empty for nobody.
    """

    pushed: tuple[tuple[int, ...], ...]
    announced: tuple[tuple[int, ...], ...]
    preferred: tuple[tuple[int, ...], ...] = ()

    @property
    def count(self) -> int:
        """Return how many pairs of nodes are linked."""
        pairs = {
            (min(u, v), max(u, v))
            for kind in (self.pushed, self.announced)
            for u, others in enumerate(kind)
            for v in others
        }
        return len(pairs)


def bare(tree: Tree) -> Links:
    """Return the links of a tree alone: data goes down, nothing else is said."""
    pushed: list[list[int]] = [[] for _ in range(tree.size)]
    for sender, receiver in zip(tree.senders.tolist(), tree.receivers.tolist(), strict=True):
        pushed[sender].append(receiver)
    return Links(_frozen(pushed), ((),) * tree.size)


def backed(tree: Tree, chosen: IntArray, both_ways: bool = True) -> Links:
    """Return the links of a tree with backup parents (`backups.backups`).

    both_ways: whoever has the data tells all its neighbours: also its sender, which may have
    missed them, and its own backup parents. Else only backup parents tell, and only downwards.
    """
    told: list[list[int]] = [[] for _ in range(tree.size)]
    for node, row in enumerate(chosen.tolist()):
        for backup in row:
            if backup >= 0:
                told[backup].append(node)
                if both_ways:
                    told[node].append(backup)
    for node, sender in enumerate(tree.parent.tolist()):
        if both_ways and sender >= 0:
            told[node].append(sender)
    asked = [[backup for backup in row if backup >= 0] for row in chosen.tolist()]
    return Links(bare(tree).pushed, _frozen(told), _frozen(asked))


def mesh(size: int, rings: int, chance: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """Return the neighbours of each node in a random mesh of degree 2 x rings at most.

    The union of random rings, so that it is connected and everybody has the same number of links
    (but for those that two rings share).
    """
    near: list[set[int]] = [set() for _ in range(size)]
    for _ in range(rings):
        ring = chance.permutation(size).tolist()
        for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
            if one != other:
                near[one].add(other)
                near[other].add(one)
    return tuple(tuple(sorted(others)) for others in near)


def announced(near: tuple[tuple[int, ...], ...]) -> Links:
    """Return a mesh in which data is announced and pulled."""
    return Links(((),) * len(near), near)


def flooded(near: tuple[tuple[int, ...], ...]) -> Links:
    """Return a mesh in which everybody pushes the data to everybody it knows."""
    return Links(near, ((),) * len(near))


def _frozen(rows: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, rows))
