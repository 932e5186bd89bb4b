"""The swarm: never a scheme that is not allowed, and near the exact front."""

import numpy as np
import pytest
from hypothesis import given, settings
from tests.unit.market.pareto_cases import cases, paper_case

from gridpact.market.pareto_case import Case
from gridpact.market.pareto_exact import exact
from gridpact.market.pareto_front import hypervolume
from gridpact.market.pareto_swarm import Encoding, Swarm, search


@settings(max_examples=30, deadline=None)
@given(cases())
def test_every_scheme_is_allowed_and_none_beats_the_exact_front(case: Case) -> None:
    best = exact(case)
    for encoding in Encoding:
        front = search(case, 300, 1, Swarm(particles=30, encoding=encoding))
        assert bool(len(front)) == bool(len(best))
        for point in range(len(front)):
            assert float(case.violation(front.table(point))) <= 1e-8
            assert not front.table(point).ravel()[case.barred].any()
        if len(best):
            beyond = 1e-6 * case.scale
            assert front.points[0, 0] >= best.points[0, 0] - beyond
            assert front.points[-1, 1] <= best.points[-1, 1] + beyond


@pytest.mark.parametrize("case_seed", range(2))
def test_twenty_thousand_evaluations_reach_the_volume_promised(case_seed: int) -> None:
    """Median of three seeds; `bench/market_pareto.py` takes thirty."""
    case = paper_case(case_seed)
    best = exact(case).points
    whole = hypervolume(best, best, mixed=True)
    shares = [hypervolume(search(case, 20_000, seed).points, best) / whole for seed in range(3)]
    assert np.median(shares) >= 0.95


def test_the_same_seed_finds_the_same_and_another_does_not() -> None:
    case = paper_case(4)
    one, again, other = (search(case, 2_000, seed).points for seed in (7, 7, 8))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_with_anchors_the_ends_of_the_exact_front_are_there_from_the_start() -> None:
    case = paper_case(2)
    best, found = exact(case).points, search(case, 100, 0, Swarm(anchors=True)).points
    assert found[[0, -1]] == pytest.approx(best[[0, -1]], rel=1e-9)


def test_a_small_archive_keeps_both_ends_of_what_was_found() -> None:
    case = paper_case(3)
    few, many = (search(case, 3_000, 0, Swarm(archive=size)) for size in (10, 300))
    assert len(few) <= 11
    assert few.points[-1, 1] == pytest.approx(many.points[-1, 1], rel=0.02)
