"""The stronger bound: it holds, also for single pairs, and lies below that of energy's prices."""

from itertools import product

import numpy as np
import pytest
from tests.unit.market.assignment.cases import best_of_all, case, fits

from gridpact.market.assignment.descent import Descent
from gridpact.market.assignment.prices import prices_for
from gridpact.market.assignment.problem import NOBODY, Problem


def descended(problem: Problem, energy: int, hope: float, steps: int) -> Descent:
    descent = Descent(problem, energy, prices_for(problem, energy))
    for _ in range(steps):
        descent.step(hope)
    return descent


@pytest.mark.parametrize("share", [0.5, 0.9, 1.1, 2.0])
@pytest.mark.parametrize("seed", range(5))
def test_no_assignment_exceeds_the_bound_nor_one_with_a_pair_its_ceiling(
    seed: int, share: float
) -> None:
    problem = case(seed, 6, 3, share)
    best = best_of_all(problem)
    descent = descended(problem, best.energy, best.value * 0.9, 25)
    assert descent.bound >= best.value
    for one in product(range(NOBODY, 3), repeat=6):
        provider = np.array(one)
        worth = problem.worth(provider) if fits(problem, provider) else None
        if worth is None or worth.energy < best.energy:
            continue
        user = np.flatnonzero(provider != NOBODY)
        assert worth.value <= descent.ceiling[user, provider[user]].min(initial=np.inf) + 1e-12


def test_whole_users_prove_more_than_shares_of_users() -> None:
    problem = case(1, 60, 12, 1.1)
    prices = prices_for(problem, problem.reachable)
    descent = descended(problem, problem.reachable, prices.bound * 0.99, 60)
    assert descent.bound < prices.bound * 0.9995


def test_what_providers_would_like_fits_and_is_nearly_an_assignment() -> None:
    problem = case(4, 60, 8, 1.2)
    descent = descended(problem, problem.reachable, 0.0, 40)
    assert fits(problem, descent.assignment())
    assert (descent.assignment() != NOBODY).mean() > 0.6
