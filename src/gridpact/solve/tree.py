"""`gridpact solve tree`: the tree by which nodes pass data on, as JSON, and as a picture.

From Python the same: `answer(solved(request(data)))`.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import msgspec

from gridpact.errors import FieldError
from gridpact.propagation.algorithms import ALGORITHMS
from gridpact.propagation.costs import Costs, distance, matrix
from gridpact.propagation.local_search import improved
from gridpact.propagation.measures import Measures, measures
from gridpact.propagation.nodes import Nodes, nodes
from gridpact.propagation.rule import Rule
from gridpact.propagation.tree import Tree
from gridpact.quantities import PPM
from gridpact.report.tree_view import tree_view
from gridpact.solve.read import decode

_METRICS = (
    "overall_trust",
    "rounds",
    "node_concurrency",
    "concurrent_time",
    "inflight_concurrency",
    "serial_time",
)


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of docs/solve.md; `cost` or `coordinates`, not both."""

    algorithm: Literal["wct", "lft", "tft", "dtt"]
    trust: list[float]
    links: list[int]
    cost: list[list[float]] | None = None
    coordinates: list[list[float]] | None = None
    min_trust: float | None = None
    max_cost: float | None = None
    weights: tuple[float, float] = (1, 1)
    normalise: Literal["minmax"] | None = None
    forbid: bool = False
    local_search: bool = False


@dataclass(frozen=True, eq=False)
class Solved:
    """A tree with what it was made of and what it comes to."""

    nodes: Nodes
    rule: Rule
    tree: Tree
    measures: Measures | None


def request(data: object) -> Request:
    """Return what a JSON object asks for.

    Raises
    ------
    FieldError
        A key that is missing or not known, a value of another type.
    """
    return decode(data, Request)


def solved(asked: Request) -> Solved:
    """Return the tree of a request.

    Raises
    ------
    FieldError, TreeError
        Numbers that cannot be used; names the field.
    """
    taking = nodes(asked.trust, asked.links)
    costs, rule = _costs(asked), _rule(asked)
    tree = ALGORITHMS[asked.algorithm](taking, costs, rule)
    if asked.local_search:
        tree = improved(tree, taking, costs, rule)
    return Solved(taking, rule, tree, measures(tree, taking, costs, rule.max_cost))


def _costs(asked: Request) -> Costs:
    if asked.cost is None:
        if asked.coordinates is None:
            raise FieldError("cost", "is missing")
        return distance(asked.coordinates)
    if asked.coordinates is not None:
        raise FieldError("coordinates", "are given beside cost, expected one of them")
    return matrix(asked.cost)


def _rule(asked: Request) -> Rule:
    by_trust = asked.algorithm in ("wct", "dtt")
    if by_trust and asked.min_trust is None:
        raise FieldError("min_trust", f"is missing, {asked.algorithm} needs it")
    if asked.local_search and asked.algorithm != "dtt":
        raise FieldError("local_search", f"is for dtt, not for {asked.algorithm}")
    if asked.forbid and asked.max_cost is None:
        raise FieldError("forbid", "needs max_cost: edges dearer than that are forbidden")
    return Rule(
        min_trust=0 if asked.min_trust is None else asked.min_trust,
        max_cost=math.inf if asked.max_cost is None else asked.max_cost,
        weights=asked.weights,
        normalise=asked.normalise,
        forbid=asked.forbid,
    )


def answer(done: Solved) -> dict[str, Any]:
    """Return a tree in the form of docs/solve.md; a single node has no metrics."""
    tree, found = done.tree, done.measures
    edges = list(zip(tree.senders.tolist(), tree.receivers.tolist(), strict=True))
    return {
        "sequence": tree.sequence.tolist(),
        "edges": [list(edge) for edge in edges],
        "degraded": tree.degraded,
        "metrics": {name: getattr(found, name) for name in _METRICS} if found else None,
        "violating_edges": [list(edges[place]) for place in found.violating] if found else [],
    }


def picture(done: Solved) -> str:
    """Return the tree as SVG, its nodes coloured by trust."""
    least = math.ceil(Fraction(str(done.rule.min_trust)) * PPM)
    return tree_view(done.tree.parent.tolist(), done.nodes.trust.tolist(), least)
