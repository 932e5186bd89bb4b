"""The best assignment: against all assignments, and what must hold where those are too many."""

import numpy as np
import pytest
from tests.unit.market.assignment.cases import best_of_all, case, fits

from gridpact.market.assignment.greedy import by_value
from gridpact.market.assignment.problem import NOBODY, Problem
from gridpact.market.assignment.solver import Effort, solve


@pytest.mark.parametrize("share", [0.3, 0.8, 1.0, 1.1, 2.0])
@pytest.mark.parametrize("seed", range(6))
def test_small_cases_are_solved_to_the_best_and_proved(seed: int, share: float) -> None:
    problem = case(seed, 6, 3, share)
    found, best = solve(problem), best_of_all(problem)
    assert fits(problem, found.provider)
    assert (found.energy, found.value) == pytest.approx((best.energy, best.value), rel=1e-9)
    assert found.optimal
    assert found.energy_bound == found.energy


@pytest.mark.parametrize("share", [0.5, 0.9, 1.02, 1.2, 3.0])
def test_an_answer_fits_beats_greedy_and_stays_below_its_bound(share: float) -> None:
    problem = case(1, 60, 6, share)
    found, greedy = solve(problem, Effort(kicks=5, nodes=3)), problem.worth(by_value(problem))
    assert fits(problem, found.provider)
    assert (found.energy, found.value) >= greedy[:2]
    assert found.value <= found.bound
    assert found.energy <= found.energy_bound


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_holds_for_the_best_also_where_little_work_is_done(seed: int) -> None:
    problem = case(seed, 7, 3, 1.1)
    found, best = solve(problem, Effort(kicks=0, nodes=0)), best_of_all(problem)
    assert found.energy_bound >= best.energy
    if found.energy == best.energy:
        assert found.bound >= best.value - 1e-12


def test_the_same_problem_has_the_same_answer() -> None:
    one, other = (solve(case(3, 50, 5, 1.05), Effort(kicks=10, nodes=5)) for _ in range(2))
    assert one.provider.tolist() == other.provider.tolist()
    assert (one.value, one.bound) == (other.value, other.bound)


def test_equal_values_go_to_the_larger_tie_then_to_the_earlier_provider() -> None:
    even = np.zeros((2, 3))
    tie = np.array([[1.0, 2.0, 1.0], [1.0, 1.0, 1.0]])
    found = solve(Problem(np.array([5, 5]), np.array([5, 5, 5]), even, tie))
    assert found.provider.tolist() == [1, 0]


@pytest.mark.parametrize(("users", "providers"), [(0, 0), (0, 3), (3, 0)])
def test_nobody_on_one_side_is_an_answer(users: int, providers: int) -> None:
    pairs = np.zeros((users, providers))
    found = solve(Problem(np.ones(users, np.int64), np.ones(providers, np.int64), pairs, pairs))
    assert found.provider.tolist() == [NOBODY] * users
    assert found.value == found.bound == 0


def test_what_fits_nowhere_waits() -> None:
    value = np.ones((3, 2))
    found = solve(Problem(np.array([9, 3, 2]), np.array([4, 2]), value, value))
    assert found.provider.tolist() == [NOBODY, 0, 1]
    assert found.optimal


def test_rounds_find_more_and_prove_more_and_always_the_same() -> None:
    problem = case(2, 60, 8, 1.1)
    plain = solve(problem, Effort(kicks=0, nodes=0, rounds=0))
    found, again = (solve(problem, Effort(kicks=5, nodes=0, rounds=40)) for _ in range(2))
    assert fits(problem, found.provider)
    assert found.energy >= plain.energy
    assert found.value >= plain.value
    assert found.bound < plain.bound
    assert found.gap < plain.gap / 2
    assert (found.provider.tolist(), found.bound) == (again.provider.tolist(), again.bound)
