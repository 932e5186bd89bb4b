"""Two implementations of every tree and measure agree: NumPy, and plain loops over fractions."""

import random
from dataclasses import replace
from fractions import Fraction

import pytest
from tests.unit.propagation import plain
from tests.unit.propagation.cases import draw, given

from gridpact.propagation.algorithms import ALGORITHMS
from gridpact.propagation.measures import arrivals, measures
from gridpact.propagation.tree import Tree

CASES = 1_200
WHOLE = ("rounds", "node_concurrency", "inflight_concurrency")


def edges(tree: Tree) -> plain.Edges:
    return list(zip(tree.senders.tolist(), tree.receivers.tolist(), strict=True))


@pytest.mark.parametrize("algorithm", ["wct", "lft", "tft"])
def test_sequences_edges_and_measures_agree(algorithm: str) -> None:
    chance = random.Random(f"agreement {algorithm}")
    for _ in range(CASES):
        case = draw(chance)
        taking, costs, rule = given(case)
        tree = ALGORITHMS[algorithm](taking, costs, rule)
        expected = plain.sequence(algorithm, case)
        assert tree.sequence.tolist() == expected
        assert edges(tree) == plain.breadth_first(expected, case.links)
        assert tree.degraded == (algorithm == "wct" and plain.weighted_sequence(case)[1])
        agree(case, tree)


def agree(case: plain.Case, tree: Tree) -> None:
    taking, costs, rule = given(case)
    found = measures(tree, taking, costs, rule.max_cost)
    if len(case.trust) == 1:
        assert found is None
        return
    assert found is not None
    for name, expected in plain.measures(case, tree.root, edges(tree)).items():
        if name in WHOLE:
            assert getattr(found, name) == expected, name
        else:
            assert getattr(found, name) == float(expected), name
    assert [edges(tree)[place] for place in found.violating] == [
        (u, v) for u, v in edges(tree) if case.cost[u][v] > case.max_cost
    ]


def test_trees_of_least_delay_agree() -> None:
    # costs in halves: sums of floats are exact, so that ties are ties in the greedy choice, too
    chance = random.Random("least delay")
    for _ in range(CASES):
        case = draw(chance, most=9, unit=2)
        taking, costs, rule = given(case)
        tree = ALGORITHMS["dtt"](taking, costs, rule)
        assert edges(tree) == plain.least_delay(case)
        assert tree.sequence.tolist() == [tree.root, *(v for _, v in edges(tree))]
        agree(case, tree)


def test_arrivals_are_those_of_each_node() -> None:
    chance = random.Random("arrivals")
    for _ in range(200):
        case = draw(chance, unit=4)
        taking, costs, rule = given(case)
        tree = ALGORITHMS["dtt"](taking, costs, rule)
        expected = {tree.root: Fraction(0)}
        for u, v in edges(tree):
            expected[v] = expected[u] + case.cost[u][v]
        assert arrivals(tree, costs).tolist() == [expected[i] for i in range(taking.size)]


def test_large_weights_and_ties_are_exact() -> None:
    # in floats 0.3 + 1e17 * 1 would swallow the trust
    chance = random.Random("large")
    for _ in range(100):
        case = replace(draw(chance), weights=(Fraction(3, 10), Fraction(10**17)))
        taking, costs, rule = given(case)
        tree = ALGORITHMS["wct"](taking, costs, rule)
        assert tree.sequence.tolist() == plain.sequence("wct", case)
