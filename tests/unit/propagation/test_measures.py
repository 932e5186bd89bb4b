"""The measures of a tree by hand, and what stays exact."""

import numpy as np
import pytest

from gridpact.propagation.costs import Function, matrix
from gridpact.propagation.measures import measures
from gridpact.propagation.nodes import nodes
from gridpact.propagation.tree import Tree, breadth_first


def test_measures_of_a_small_tree_by_hand() -> None:
    """0 sends to 1 (cost 2) and 2 (cost 5), 1 sends to 3 (cost 4)."""
    cost = np.full((4, 4), 9.0)
    np.fill_diagonal(cost, 0)
    cost[0, 1], cost[0, 2], cost[1, 3] = 2, 5, 4
    taking = nodes([0.9, 0.6, 0.1, 0.2], [2, 1, 1, 1])
    found = measures(breadth_first(np.arange(4), taking.links), taking, matrix(cost), 4)
    assert found is not None
    assert found.overall_trust == 0.8
    assert (found.rounds, found.node_concurrency) == (2, 2)
    assert found.concurrent_time == 6
    # until 2: to 1 and 2; from 2 on: to 2 and 3
    assert found.inflight_concurrency == 2
    assert found.serial_time == 7
    assert found.violating.tolist() == [1]


def test_a_transfer_that_ends_when_another_begins_is_not_beside_it() -> None:
    """Along a chain of decimals whose floats do not add up, never more than one at once."""
    steps = [0.1, 0.2, 0.3, 0.7, 1.1]
    size = len(steps) + 1
    cost = np.ones((size, size)) - np.eye(size)
    for place, step in enumerate(steps):
        cost[place, place + 1] = step
    taking = nodes([0.9] * size, [1] * size)
    found = measures(breadth_first(np.arange(size), taking.links), taking, matrix(cost))
    assert found is not None
    assert found.inflight_concurrency == 1
    assert found.concurrent_time == found.serial_time == 2.4


def test_equal_moments_by_other_ways_are_equal() -> None:
    """0.1 + 0.2 and 0.3 end together, though their floats do not."""
    cost = np.full((4, 4), 1.0) - np.eye(4)
    cost[0, 1], cost[1, 3], cost[0, 2] = 0.1, 0.2, 0.3
    edges = np.array([[0, 1], [0, 2], [1, 3]])
    tree = Tree(np.arange(4), edges[:, 0], edges[:, 1])
    found = measures(tree, nodes([1] * 4, [2] * 4), matrix(cost))
    assert found is not None
    assert found.concurrent_time == 0.3


def test_edges_in_any_order_and_deep_chains_are_measured() -> None:
    size = 3000
    senders = np.arange(size - 1)
    tree = Tree(np.arange(size), senders, senders + 1)
    taking = nodes([0.5] * size, [1] * size)
    found = measures(tree, taking, Function(lambda u, _: np.full(u.shape, 0.25)))
    assert found is not None
    assert (found.rounds, found.node_concurrency) == (size - 1, 1)
    assert found.concurrent_time == (size - 1) / 4


def test_transfers_that_cost_nothing_are_never_under_way() -> None:
    taking = nodes([0.5] * 5, [4] * 5)
    tree = breadth_first(np.arange(5), taking.links)
    found = measures(tree, taking, matrix(np.zeros((5, 5))))
    assert found is not None
    assert (found.inflight_concurrency, found.concurrent_time) == (0, 0)


def test_measures_need_costs_that_are_costs() -> None:
    taking = nodes([0.5] * 2, [1] * 2)
    tree = breadth_first(np.arange(2), taking.links)
    with pytest.raises(Exception, match="cost of 0 to 1"):
        measures(tree, taking, Function(lambda u, _: -np.ones(u.shape)))
