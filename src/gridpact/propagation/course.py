"""A run of batches: trust follows conduct, and trees follow trust, with hysteresis.

All begin as newcomers with trust 1/2, so that the first trees trust nobody (`degraded`); after
some tasks whoever does its part is above the threshold. A tree is made anew only where somebody's
standing changed (`trust.standing`). A proposer that stays silent fails before all, and the tree of
the same rule without it takes its place.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gridpact.propagation.backups import backups
from gridpact.propagation.costs import Costs
from gridpact.propagation.dissemination import Conduct, Spread, Terms, spread
from gridpact.propagation.links import Links, backed
from gridpact.propagation.nodes import IntArray, Nodes
from gridpact.propagation.observed import verdicts
from gridpact.propagation.rule import Rule
from gridpact.propagation.tree import Tree
from gridpact.propagation.trust import Conduct as Remembered
from gridpact.propagation.trust import after, standing
from gridpact.quantities import PPM, Score

Build = Callable[[Nodes, Costs, Rule], Tree]


@dataclass(frozen=True)
class CourseTerms:
    """How trust and trees follow. backups: b. decay, margin: see `propagation.trust` [ppm]."""

    build: Build
    rule: Rule
    terms: Terms
    backups: int = 2
    decay: Score = 950_000
    margin: Score = 20_000


@dataclass(frozen=True, eq=False)
class Round:
    """One batch. replaced: proposers that stayed silent before. rebuilt: the tree is a new one."""

    tree: Tree
    spread: Spread
    replaced: tuple[int, ...]
    rebuilt: bool
    trust: tuple[Score, ...]


@dataclass(frozen=True, eq=False)
class _Made:
    tree: Tree
    links: Links


def course(
    links: IntArray,
    costs: Costs,
    conduct: Callable[[int], Sequence[Conduct]],
    rounds: int,
    terms: CourseTerms,
) -> Iterator[Round]:
    """Yield what comes of batch after batch. conduct: how each node behaves in a round."""
    every = np.arange(len(links))
    cost = costs.between(every[:, None], every[None, :]).tolist()
    known = [Remembered()] * len(links)
    trusted, made = [False] * len(links), None
    for number in range(rounds):
        how, replaced = conduct(number), list[int]()
        before = trusted
        trusted = [
            standing(one.trust, was, _least(terms.rule), terms.margin)
            for one, was in zip(known, trusted, strict=True)
        ]
        rebuilt = made is None or trusted != before
        if rebuilt:
            made = _make(known, trusted, links, costs, terms, ())
        used = made
        assert used is not None
        while how[used.tree.root] is not Conduct.HONEST:
            known[used.tree.root] = after(known[used.tree.root], 0, 1, 0, terms.decay)
            replaced.append(used.tree.root)
            used = _make(known, trusted, links, costs, terms, replaced)
        found = spread(used.links, cost, how, used.tree.root, terms.terms)
        honest = [one is Conduct.HONEST for one in how]
        witnesses = frozenset(
            node for node, at in enumerate(found.at) if at < float("inf") and honest[node]
        )
        for node, fine in verdicts(used.links, found, witnesses).items():
            if node not in replaced:
                known[node] = after(known[node], int(fine), int(not fine), 0, terms.decay)
        trust = tuple(one.trust for one in known)
        yield Round(used.tree, found, tuple(replaced), rebuilt, trust)


def _least(rule: Rule) -> Score:
    return round(rule.min_trust * PPM)


def _make(
    known: Sequence[Remembered],
    trusted: Sequence[bool],
    links: IntArray,
    costs: Costs,
    terms: CourseTerms,
    silent: Sequence[int],
) -> _Made:
    """Return the tree of what is remembered; a silent proposer counts as one nobody trusts.

    A standing is what the tree sees: while it holds, trust is never shown below the threshold, and
    without it never above. Where nobody has it all count alike but the silent ones.
    """
    least = _least(terms.rule)
    stands = np.array(trusted)
    stands[list(silent)] = False
    trust = np.array([one.trust for one in known])
    trust = np.where(stands, np.maximum(trust, least), np.minimum(trust, least - 1))
    degraded = not stands.any()
    if degraded:
        trust[:] = least
    trust[list(silent)] = 0
    tree = terms.build(Nodes(trust, links), costs, terms.rule)
    chosen = backups(tree, trust >= least, costs, terms.backups)
    return _Made(replace(tree, degraded=degraded), backed(tree, chosen))
