"""What trees promise (5-decisions, section 15), on random nodes, and how they refuse."""

import random
from itertools import permutations

import numpy as np
import pytest
from tests.unit.propagation import plain
from tests.unit.propagation.cases import draw, given

from gridpact.errors import TooFewLinks, TreeError, Unreachable
from gridpact.propagation.algorithms import ALGORITHMS
from gridpact.propagation.costs import Function, distance, matrix
from gridpact.propagation.measures import measures
from gridpact.propagation.nodes import nodes
from gridpact.propagation.rule import Rule
from gridpact.propagation.tree import Tree, breadth_first


def is_trusted(case: plain.Case, node: int) -> bool:
    return case.trust[node] >= case.min_trust


def edges(tree: Tree) -> list[tuple[int, int]]:
    return list(zip(tree.senders.tolist(), tree.receivers.tolist(), strict=True))


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_every_tree_reaches_everybody_once_within_the_links(algorithm: str) -> None:
    chance = random.Random(f"reach {algorithm}")
    for _ in range(300):
        case = draw(chance)
        taking, costs, rule = given(case)
        tree = ALGORITHMS[algorithm](taking, costs, rule)
        assert sorted(tree.sequence.tolist()) == list(range(taking.size))
        assert sorted([tree.root, *tree.receivers.tolist()]) == list(range(taking.size))
        assert (tree.children <= taking.links).all()
        stands = {tree.root}
        for sender, receiver in edges(tree):
            assert sender in stands
            stands.add(receiver)


@pytest.mark.parametrize("algorithm", ["wct", "dtt"])
def test_untrusted_nodes_serve_only_untrusted_ones(algorithm: str) -> None:
    chance = random.Random(f"trust {algorithm}")
    seen = 0
    for _ in range(400):
        case = draw(chance)
        taking, costs, rule = given(case)
        tree = ALGORITHMS[algorithm](taking, costs, rule)
        if tree.degraded:
            assert not any(is_trusted(case, i) for i in range(taking.size))
            continue
        for sender, receiver in edges(tree):
            seen += not is_trusted(case, sender)
            assert is_trusted(case, sender) or not is_trusted(case, receiver)
    assert seen > 100


def test_far_nodes_come_after_near_ones_and_untrusted_ones_last() -> None:
    chance = random.Random("far")
    for _ in range(300):
        case = draw(chance)
        tree = ALGORITHMS["wct"](*given(case))
        root = tree.root
        rank = [
            2 if not is_trusted(case, i) else int(i != root and case.cost[root][i] > case.max_cost)
            for i in tree.sequence.tolist()
        ]
        assert rank == sorted(rank)


def test_trust_first_has_the_most_trust_and_links_first_the_fewest_rounds() -> None:
    """Against every sequence of up to six nodes."""
    chance = random.Random("extremes")
    for _ in range(40):
        case = draw(chance, most=6)
        if len(case.trust) == 1:
            continue
        taking, costs, rule = given(case)
        found = {
            name: measures(ALGORITHMS[name](taking, costs, rule), taking, costs)
            for name in ("tft", "lft")
        }
        every = [
            measures(breadth_first(np.array(one), taking.links), taking, costs)
            for one in permutations(range(taking.size))
        ]
        assert found["tft"].overall_trust == max(one.overall_trust for one in every)
        assert found["lft"].rounds == min(one.rounds for one in every)


def test_ties_go_by_index() -> None:
    taking = nodes([0.9, 0.9, 0.8, 0.9], [2, 2, 3, 2])
    costs = matrix(np.zeros((4, 4)))
    assert ALGORITHMS["wct"](taking, costs, Rule(0.8)).sequence.tolist() == [2, 0, 1, 3]
    # 10 * 0.1 is one link: equal scores, though 10 * 0.9 + 2 and 10 * 0.8 + 3 differ as floats
    assert ALGORITHMS["wct"](taking, costs, Rule(0.8, weights=(10, 1))).root == 0
    assert ALGORITHMS["tft"](taking, costs, Rule()).sequence.tolist() == [0, 1, 3, 2]
    assert ALGORITHMS["lft"](taking, costs, Rule()).sequence.tolist() == [2, 0, 1, 3]


def test_trust_at_the_threshold_counts_as_trusted() -> None:
    costs = matrix(np.zeros((2, 2)))
    tree = ALGORITHMS["wct"](nodes([0.799999, 0.8], [3, 1]), costs, Rule(0.8))
    assert tree.sequence.tolist() == [1, 0]
    # a threshold may be finer than trust is
    tree = ALGORITHMS["wct"](nodes([0.8, 0.800001], [3, 1]), costs, Rule(0.8000005))
    assert tree.sequence.tolist() == [1, 0]


def test_weights_matter_only_when_normalised_in_the_papers_set_up() -> None:
    chance = np.random.default_rng(7)
    trust = np.round(chance.uniform(0.8, 1, 50), 6)
    taking = nodes(trust, chance.choice([1, 2, 3], 50, p=[0.8, 0.15, 0.05]))
    costs = Function(lambda u, v: np.where(u == v, 0.0, 1.0))
    one, other = ((1, 1), (3, 2))
    raw = [
        ALGORITHMS["wct"](taking, costs, Rule(weights=w)).sequence.tolist() for w in (one, other)
    ]
    normalised = [
        ALGORITHMS["wct"](taking, costs, Rule(weights=w, normalise="minmax")).sequence.tolist()
        for w in (one, other)
    ]
    assert raw[0] == raw[1]
    assert normalised[0] != normalised[1]


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_one_node_is_a_tree_without_measures(algorithm: str) -> None:
    taking, costs = nodes([0.3], [1]), matrix([[0]])
    tree = ALGORITHMS[algorithm](taking, costs, Rule())
    assert (tree.sequence.tolist(), edges(tree)) == ([0], [])
    assert measures(tree, taking, costs) is None


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_forbidden_edges_are_not_used_or_the_node_is_named(algorithm: str) -> None:
    chance = random.Random(f"forbid {algorithm}")
    refused = made = 0
    for _ in range(300):
        case = draw(chance)
        taking, costs, rule = given(case)
        strict = Rule(rule.min_trust, rule.max_cost, rule.weights, rule.normalise, forbid=True)
        try:
            tree = ALGORITHMS[algorithm](taking, costs, strict)
        except Unreachable:
            refused += 1
            continue
        made += 1
        assert sorted([tree.root, *tree.receivers.tolist()]) == list(range(taking.size))
        assert (tree.children <= taking.links).all()
        for sender, receiver in edges(tree):
            assert case.cost[sender][receiver] <= case.max_cost
            if algorithm in ("wct", "dtt") and not tree.degraded:
                assert is_trusted(case, sender) or not is_trusted(case, receiver)
    assert refused > 10
    assert made > 10


def test_what_nobody_forbids_is_the_tree_as_ever() -> None:
    chance = random.Random("lenient")
    for algorithm in ALGORITHMS:
        for _ in range(50):
            taking, costs, rule = given(draw(chance))
            free = Rule(rule.min_trust, 10.0, rule.weights, rule.normalise)
            strict = Rule(rule.min_trust, 10.0, rule.weights, rule.normalise, forbid=True)
            usual, found = (ALGORITHMS[algorithm](taking, costs, one) for one in (free, strict))
            assert edges(usual) == edges(found)


def test_costs_of_all_three_kinds_give_the_same_tree() -> None:
    chance = np.random.default_rng(3)
    points = chance.uniform(size=(30, 2))
    table = np.sqrt(((points[:, None] - points[None, :]) ** 2).sum(axis=2))
    taking = nodes(np.round(chance.uniform(0.6, 1, 30), 6), chance.integers(1, 4, 30))
    kinds = (matrix(table), distance(points), Function(lambda u, v: table[u, v]))
    for algorithm in ALGORITHMS.values():
        trees = [algorithm(taking, costs, Rule(0.7, 0.5)) for costs in kinds]
        assert edges(trees[0]) == edges(trees[1]) == edges(trees[2])
        found = [measures(tree, taking, costs) for tree, costs in zip(trees, kinds, strict=True)]
        assert len({round(one.serial_time, 12) for one in found if one}) == 1


def test_nodes_without_links_are_too_few() -> None:
    with pytest.raises(TooFewLinks, match="linking numbers too small: 3 of 4") as caught:
        breadth_first(np.arange(4), np.array([1, 1, 0, 5]))
    assert (caught.value.placed, caught.value.nodes) == (3, 4)


@pytest.mark.parametrize(
    ("trust", "links", "message"),
    [
        ([], [], "trust: is empty"),
        ([1.2, 0.5], [1, 1], r"trust\[0\]: 1.2 is not between 0 and 1"),
        ([0.5, -0.1], [1, 1], r"trust\[1\]: -0.1 is not between 0 and 1"),
        ([0.5, float("nan")], [1, 1], r"trust\[1\]: nan is not between"),
        ([0.1234567], [1], r"trust\[0\]: 0.1234567 has more than 6 decimal places"),
        ([0.5, 0.5], [1, 0], r"links\[1\]: 0 is no whole number from 1"),
        ([0.5], [1.5], r"links\[0\]: 1.5 is no whole number"),
        ([0.5], [10**30], r"links\[0\]: 1e\+30 is no whole number"),
        ([0.5, 0.5], [1], "links: has 1 entries, expected 2"),
        ([[0.5]], [1], "trust: has 2 dimensions"),
        (["a"], [1], "trust: is no list of numbers"),
    ],
)
def test_nodes_that_cannot_be_are_refused(trust: object, links: object, message: str) -> None:
    with pytest.raises(TreeError, match=message):
        nodes(trust, links)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0, 1]], "cost: is 1 x 2, expected as many columns as rows"),
        ([[0, 1], [1]], "cost: is no table"),
        ([[0, float("nan")], [1, 0]], r"cost\[0\]\[1\]: nan is no number"),
        ([[0, 1], [float("inf"), 0]], r"cost\[1\]\[0\]: inf is no number"),
        ([[0, -1], [1, 0]], r"cost\[0\]\[1\]: -1.0 is no number of at least 0"),
        ([[0, 1], [1, 2]], r"cost\[1\]\[1\]: is 2, expected 0"),
    ],
)
def test_costs_that_cannot_be_are_refused(rows: object, message: str) -> None:
    with pytest.raises(TreeError, match=message):
        matrix(rows)  # type: ignore[arg-type]


def test_other_misfits_are_refused() -> None:
    taking = nodes([0.9, 0.9], [1, 1])
    for algorithm in ALGORITHMS.values():
        with pytest.raises(TreeError, match="is for 3 nodes, expected 2"):
            algorithm(taking, matrix(np.zeros((3, 3))), Rule())
    with pytest.raises(TreeError, match="cost of 0 to 1: is nan, expected"):
        ALGORITHMS["wct"](taking, Function(lambda u, v: np.where(u == v, 0, np.nan)), Rule())
    with pytest.raises(TreeError, match="values for"):
        ALGORITHMS["wct"](taking, Function(lambda *_: [1.0]), Rule())
    with pytest.raises(TreeError, match=r"coordinates\[1\]: holds a number that is not finite"):
        distance([[0, 0], [0, float("inf")]])
    for wrong in ({"min_trust": 1.1}, {"max_cost": float("nan")}, {"weights": (-1, 1)},
                  {"normalise": "max"}):  # fmt: skip
        with pytest.raises(TreeError):
            Rule(**wrong)  # type: ignore[arg-type]
