"""Assignment problems for tests: random ones, and the best answer by trying all."""

from itertools import product

import numpy as np

from gridpact.market.assignment.problem import FORBIDDEN, NOBODY, Problem, Whole, Worth


def case(seed: int, users: int, providers: int, share: float) -> Problem:
    """Return a problem whose capacity is a share of the demand; a tenth of pairs is forbidden."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(1, 30, users)
    capacity = (rng.dirichlet(np.full(providers, 3.0)) * demand.sum() * share).astype(np.int64)
    value = rng.uniform(0, 1, (users, providers))
    value[rng.uniform(size=value.shape) < 0.1] = FORBIDDEN
    return Problem(demand, capacity, value, rng.uniform(0, 1, value.shape))


def best_of_all(problem: Problem) -> Worth:
    """Return what the best assignment is worth."""
    users, providers = problem.value.shape
    best = Worth(0, 0.0, 0.0)
    for one in product(range(NOBODY, providers), repeat=users):
        if fits(problem, np.array(one)):
            best = max(best, problem.worth(np.array(one)))
    return best


def fits(problem: Problem, provider: Whole) -> bool:
    """Say whether an assignment keeps every rule."""
    user = np.flatnonzero(provider != NOBODY)
    return bool(problem.allowed[user, provider[user]].all()) and bool(
        (problem.left(provider) >= 0).all()
    )
