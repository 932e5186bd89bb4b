"""Prices and the bound that they prove."""

import numpy as np
import pytest
from tests.unit.market.assignment.cases import best_of_all, case, fits

from gridpact.market.assignment.greedy import by_regret
from gridpact.market.assignment.prices import (
    by_linear_program,
    by_subgradient,
    certified,
    net_values,
)
from gridpact.market.assignment.subsets import best_subset


@pytest.mark.parametrize("share", [0.5, 1.0, 1.3])
@pytest.mark.parametrize("seed", range(4))
def test_any_prices_prove_a_bound(seed: int, share: float) -> None:
    problem = case(seed, 6, 3, share)
    best = best_of_all(problem)
    for price in (np.zeros(3), np.full(3, 0.01), np.array([0.05, 0.0, 0.2])):
        for served in (0.0, 0.02):
            assert certified(problem, best.energy, price, served).bound >= best.value


def test_the_subgradient_comes_near_to_the_linear_program() -> None:
    problem = case(5, 3_000, 12, 1.1)
    exact = by_linear_program(problem, problem.reachable)
    assert exact is not None
    near = by_subgradient(problem, problem.reachable)
    assert exact.bound * (1 - 1e-9) <= near.bound <= exact.bound * 1.001
    seated = by_regret(problem, net_values(problem, near.provider, near.served))
    assert fits(problem, seated)
    assert problem.worth(seated).value <= near.bound


@pytest.mark.parametrize("seed", range(5))
def test_the_best_subset_is_that_of_all_subsets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weight, gain = rng.integers(-9, 10, 9), rng.normal(size=9)
    low, high = sorted(rng.integers(-15, 15, 2).tolist())
    bits = (np.arange(512)[:, None] >> np.arange(9)) & 1 == 1
    sums = bits @ weight
    fitting = (low <= sums) & (sums <= high)
    taken = best_subset(weight, gain, low, high)
    assert low <= weight[taken].sum() <= high or not fitting.any()
    if fitting.any():
        assert gain[taken].sum() == pytest.approx((bits @ gain)[fitting].max())
