"""Backup parents: trusted, not below, by other ways, none of them overloaded."""

import numpy as np

from gridpact.propagation.backups import backups, shared, ways
from gridpact.propagation.links import announced, backed, bare, flooded, mesh
from gridpact.propagation.scenarios import MIN_TRUST, drawn, rule
from gridpact.propagation.tree import breadth_first
from gridpact.propagation.weighted import weighted
from gridpact.quantities import PPM


def test_backups_are_trusted_not_below_and_not_the_sender() -> None:
    for seed in range(10):
        one = drawn(50, seed)
        tree = weighted(one.nodes, one.costs, rule())
        trusted = one.nodes.trust >= MIN_TRUST * PPM
        chosen = backups(tree, trusted, one.costs, 2)
        way, parent = ways(tree), tree.parent
        load = np.bincount(chosen[chosen >= 0], minlength=50)
        assert load.max() <= 2 * 49 // 40 + 2
        assert (chosen[tree.root] == -1).all()
        for node in tree.receivers.tolist():
            assert len({node, parent[node], *chosen[node]}) == 4
            for backup in chosen[node]:
                assert trusted[backup]
                assert not way[backup, node]


def test_ways_are_disjoint_where_the_tree_allows_it() -> None:
    """A root with three branches: each node can hear by all three."""
    tree = breadth_first(np.arange(13), np.array([3] * 13))
    one = drawn(13, 0)
    everybody = np.ones(13, dtype=bool)
    # of 12 nodes in three branches of four, two backups each need all others' full attention
    assert shared(tree, backups(tree, everybody, one.costs, 2)).sum() <= 3
    assert not shared(tree, backups(tree, everybody, one.costs, 1)).any()


def test_few_nodes_have_as_many_backups_as_there_are() -> None:
    tree = breadth_first(np.arange(3), np.array([1, 1, 1]))
    one = drawn(3, 0)
    chosen = backups(tree, np.ones(3, dtype=bool), one.costs, 2)
    # 1 hears from 0, and 2 is below it; 2 hears from 1, and 0 is left
    assert chosen.tolist() == [[-1, -1], [-1, -1], [0, -1]]
    assert backups(tree, np.zeros(3, dtype=bool), one.costs, 1)[2] == 0


def test_links_are_counted_as_pairs() -> None:
    one = drawn(50, 1)
    tree = weighted(one.nodes, one.costs, rule())
    chosen = backups(tree, one.nodes.trust >= MIN_TRUST * PPM, one.costs, 2)
    assert bare(tree).count == 49
    assert 49 < backed(tree, chosen).count == backed(tree, chosen, both_ways=False).count <= 3 * 49
    near = mesh(50, 3, np.random.default_rng(1))
    assert all(node not in others for node, others in enumerate(near))
    assert 140 < announced(near).count == flooded(near).count <= 150
    assert max(map(len, near)) <= 6
