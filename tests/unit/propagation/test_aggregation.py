"""Collecting signatures: by hand on small trees, and what it saves."""

import numpy as np
import pytest

from gridpact.model.council import needed
from gridpact.propagation.aggregation import all_to_all, star, up_the_tree
from gridpact.propagation.costs import matrix
from gridpact.propagation.delay_trust import delay_trust
from gridpact.propagation.nodes import nodes
from gridpact.propagation.scenarios import drawn, rule
from gridpact.propagation.tree import breadth_first

ONES = matrix(np.ones((5, 5)) - np.eye(5))


def test_a_chain_is_collected_from_its_end() -> None:
    """Down 4 hops, verify 10, up 4 hops: the last signature decides nothing before all are in."""
    tree = breadth_first(np.arange(5), np.ones(5, dtype=np.int64))
    found = up_the_tree(tree, ONES, 10, needed(5))
    assert found.at == 4 + 10 + 4
    assert (found.messages, found.carried, found.busiest) == (8, 4 + 3 + 2 + 1, 4)


def test_a_quorum_does_not_wait_for_the_slow_branch() -> None:
    """0 has the branches 1, 2 and 3 (slow); 4 hangs on 1."""
    cost = np.ones((5, 5)) - np.eye(5)
    cost[3, 0] = 50
    tree = breadth_first(np.arange(5), np.array([3, 1, 1, 1, 1]))
    found = up_the_tree(tree, matrix(cost), 10, needed(5))
    assert found.at == 2 + 10 + 2
    assert up_the_tree(tree, matrix(cost), 10, 5).at == 1 + 10 + 50


def test_a_star_serves_as_many_at_once_as_it_has_links() -> None:
    assert star(0, ONES, 10, 5, at_once=4).at == 12
    assert star(0, ONES, 10, 5, at_once=1).at == 4 + 10 + 1
    assert star(0, ONES, 10, 4, at_once=2).at == 13
    assert star(0, ONES, 10, 5, at_once=4).busiest == 8


def test_all_to_all_sends_the_square() -> None:
    found = all_to_all(0, ONES, 10, 4)
    assert found.at == 1 + 10 + 1
    assert found.messages == 4 + 5 * 4
    assert found.carried == 20


@pytest.mark.parametrize("size", [20, 100])
def test_trees_send_fewer_messages_and_spare_the_proposer(size: int) -> None:
    one = drawn(size, 1, euclidean=True)
    tree = delay_trust(one.nodes, one.costs, rule())
    by_tree = up_the_tree(tree, one.costs, 1, needed(size))
    middle = star(tree.root, one.costs, 1, needed(size), int(one.nodes.links[tree.root]))
    everybody = all_to_all(tree.root, one.costs, 1, needed(size))
    assert by_tree.messages == middle.messages == 2 * (size - 1)
    assert everybody.messages > size * by_tree.messages / 2
    assert by_tree.busiest <= 8 < middle.busiest
    assert by_tree.bytes >= 64 * (size - 1)


def test_a_lone_proposer_is_its_own_needed() -> None:
    tree = breadth_first(np.arange(1), nodes([1], [1]).links)
    found = up_the_tree(tree, matrix([[0]]), 10, needed(1))
    assert (found.at, found.messages, found.carried) == (10, 0, 0)
