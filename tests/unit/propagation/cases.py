"""Random nodes for trees: decimals with few places, so that ties are frequent and exact."""

import random
from fractions import Fraction

import numpy as np
from tests.unit.propagation.plain import Case

from gridpact.propagation.costs import Matrix, matrix
from gridpact.propagation.nodes import Nodes, nodes
from gridpact.propagation.rule import Rule


def draw(chance: random.Random, most: int = 14, unit: int = 0) -> Case:
    """Return a case; costs are multiples of 1/unit, coarse ones and zeros among them."""
    n = chance.randint(1, most)
    places = chance.choice((10, 100, 1_000_000))
    unit = unit or chance.choice((1, 2, 10, 1000))
    low = chance.choice((0, places // 2))
    symmetric = chance.random() < 0.5
    cost = [[Fraction(chance.randint(0, 5 * unit), unit) for _ in range(n)] for _ in range(n)]
    for u in range(n):
        cost[u][u] = Fraction(0)
        for v in range(u if symmetric else 0):
            cost[u][v] = cost[v][u]
    return Case(
        [Fraction(chance.randint(low, places), places) for _ in range(n)],
        [chance.choice((1, 1, 1, 2, 3, 7)) for _ in range(n)],
        cost,
        Fraction(chance.randint(0, 10), 10),
        Fraction(chance.randint(0, 5 * unit), unit),
        (Fraction(chance.randint(0, 30), 10), Fraction(chance.randint(0, 30), 10)),
        chance.random() < 0.5,
    )


def given(case: Case) -> tuple[Nodes, Matrix, Rule]:
    """Return a case as gridpact takes it: floats of the same decimals."""
    return (
        nodes([float(one) for one in case.trust], case.links),
        matrix(np.array([[float(one) for one in row] for row in case.cost])),
        Rule(
            float(case.min_trust),
            float(case.max_cost),
            (float(case.weights[0]), float(case.weights[1])),
            "minmax" if case.minmax else None,
        ),
    )
