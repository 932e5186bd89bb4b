"""Who gets a batch when some keep it, lie or crash; by hand on small trees, by number on large."""

import math

import numpy as np
import pytest

from gridpact.propagation.backups import backups
from gridpact.propagation.dissemination import Conduct, Spread, Terms, spread
from gridpact.propagation.links import Links, announced, backed, bare
from gridpact.propagation.measures import arrivals, measures
from gridpact.propagation.observed import neighbours, verdicts
from gridpact.propagation.scenarios import MIN_TRUST, SCENARIOS, drawn, rule
from gridpact.propagation.tree import breadth_first
from gridpact.propagation.weighted import weighted
from gridpact.quantities import PPM

H, D, L, C = Conduct.HONEST, Conduct.DROPPER, Conduct.LIAR, Conduct.CRASHED
CHAIN = breadth_first(np.arange(4), np.ones(4, dtype=np.int64))
ONES = [[float(u != v) for v in range(4)] for u in range(4)]
TERMS = Terms(patience=5)


def chain(conduct: list[Conduct], links: Links) -> Spread:
    return spread(links, ONES, conduct, 0, TERMS)


def test_honest_trees_take_as_long_as_their_measure_says() -> None:
    one = drawn(50, 3)
    tree = weighted(one.nodes, one.costs, rule())
    table = one.costs.between(np.arange(50)[:, None], np.arange(50)[None, :]).tolist()
    found = spread(bare(tree), table, [H] * 50, tree.root, TERMS)
    assert found.at == pytest.approx(arrivals(tree, one.costs))
    metrics = measures(tree, one.nodes, one.costs)
    assert metrics is not None
    assert found.last == pytest.approx(metrics.concurrent_time)
    assert (found.share, found.pushes, found.tells, found.pulls) == (1, 49, 0, 0)


def test_below_a_dropper_nobody_hears_in_a_bare_tree() -> None:
    found = chain([H, D, H, H], bare(CHAIN))
    assert found.at == (0, 1, math.inf, math.inf)
    assert found.share == 0
    assert chain([H, C, H, H], bare(CHAIN)).at[1] == math.inf


def test_a_backup_tells_and_is_asked_after_waiting() -> None:
    """0 tells 2 at 1; 2 waits 5, asks, is answered at 8, and passes on to 3."""
    chosen = np.array([[-1], [-1], [0], [-1]])
    found = chain([H, D, H, H], backed(CHAIN, chosen, both_ways=False))
    assert found.at == (0, 1, 8, 9)
    assert (found.share, found.pulls, found.tells) == (1, 1, 1)
    nobody_failed = chain([H, H, H, H], backed(CHAIN, chosen, both_ways=False))
    assert nobody_failed.at == (0, 1, 2, 3)
    assert nobody_failed.pulls == 0


def test_a_liar_costs_whoever_believes_it_one_patience() -> None:
    """1 tells 2 first, at 1, and never delivers; asked in vain at 6; 0 is asked at 11."""
    found = chain([H, L, H, C], announced(((1, 2), (0, 2), (0, 1), ())))
    assert found.at[2] == 13
    assert found.failed == {(2, 1)}
    assert found.share == 1
    alone = chain([H, L, H, H], bare(CHAIN))
    assert alone.share == 0
    assert alone.failed == {(2, 1)}


def test_backup_parents_are_asked_before_others_that_told_first() -> None:
    chosen = np.array([[-1], [-1], [0], [-1]])
    found = chain([H, L, H, H], backed(CHAIN, chosen))
    assert found.at[2] == 8
    # its sender lied: it told, but did not push
    assert found.failed == {(2, 1)}
    assert found.pulls == 1


def test_a_sender_that_missed_the_data_pulls_them_from_below() -> None:
    """1 drops, 2 hears from nobody, 3 from its backup 0: both ways 2 has them from 3."""
    chosen = np.array([[-1], [-1], [-1], [0]])
    downwards = chain([H, D, H, H], backed(CHAIN, chosen, both_ways=False))
    assert downwards.at[2] == math.inf
    both = chain([H, D, H, H], backed(CHAIN, chosen))
    assert both.share == 1
    assert both.at[2] > both.at[3]


def test_deadlines_end_the_spread() -> None:
    chosen = np.array([[-1], [-1], [0], [-1]])
    links = backed(CHAIN, chosen, both_ways=False)
    found = spread(links, ONES, [H, D, H, H], 0, Terms(patience=5, deadline=8))
    assert found.at == (0, 1, 8, math.inf)
    assert (found.by(7), found.by(8), found.share) == (0, 0.5, 0.5)


def test_a_ring_is_pulled_around() -> None:
    near = ((1, 3), (0, 2), (1, 3), (0, 2))
    found = chain([H, H, H, D], announced(near))
    assert found.at[:3] == (0, 8, 16)


def test_neighbours_judge_by_what_they_heard() -> None:
    chosen = np.array([[-1], [-1], [0], [0]])
    links = backed(CHAIN, chosen)
    assert neighbours(links) == [[1, 2, 3], [0, 2], [0, 1, 3], [0, 2]]
    found = chain([H, D, H, H], links)
    assert verdicts(links, found, frozenset({0, 2, 3})) == {0: True, 1: False, 2: True, 3: True}
    lied = chain([H, L, H, H], links)
    assert verdicts(links, lied, frozenset({0, 2, 3}))[1] is False
    # only witnesses are asked: 1 has links to 0 and 2 alone
    assert verdicts(links, found, frozenset({1})) == {0: True, 2: True}


@pytest.mark.parametrize("size", [50, 100])
@pytest.mark.parametrize("trusting", SCENARIOS)
def test_two_backups_reach_nearly_all_honest_nodes(trusting: str, size: int) -> None:
    """24 seeds here; the mean of 200 and its interval stand in docs/bench/propagation.md."""
    shares = []
    for seed in range(24):
        one = drawn(size, seed, trusting)  # type: ignore[arg-type]
        tree = weighted(one.nodes, one.costs, rule())
        chosen = backups(tree, one.nodes.trust >= MIN_TRUST * PPM, one.costs, 2)
        every = np.arange(size)
        table = one.costs.between(every[:, None], every[None, :]).tolist()
        how = list(one.conduct)
        how[tree.root] = H
        terms = Terms(patience=20)
        shares.append(
            [
                spread(links, table, how, tree.root, terms).share
                for links in (bare(tree), backed(tree, chosen))
            ]
        )
    alone, with_backups = np.mean(shares, axis=0)
    assert with_backups >= 0.99
    if trusting == "correct":
        assert alone == with_backups == 1
    else:
        assert alone < 0.93
