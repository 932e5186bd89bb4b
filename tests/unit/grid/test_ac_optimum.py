"""Is it right? Every answer against an exact AC optimum that knows nothing of our model."""

from dataclasses import replace

import numpy as np
import pytest
from bench.grid_cases import day_of_sce56
from tests.ac_optimum import AcOptimum, ac_optimum, best_directions
from tests.unit.grid.random_cases import random_problem

from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem, Solution

ZIP = (0.3, 0.4, 0.3)


def agree(answer: Solution, exact: AcOptimum, cost: float, price: float = 1e-5) -> None:
    """Cost, voltages and both prices at every bus in every interval."""
    assert answer.schedule is not None
    assert answer.objective == pytest.approx(exact.cost, rel=cost)
    np.testing.assert_allclose(answer.schedule.voltage, exact.v, atol=1e-5)
    prices, scale = answer.schedule.prices, np.abs(exact.price_p).max()
    np.testing.assert_allclose(prices.active, exact.price_p, atol=price * scale)
    np.testing.assert_allclose(prices.reactive, exact.price_q, atol=price * scale)


@pytest.mark.parametrize("parts", [(0.0, 0.0, 1.0), ZIP])
@pytest.mark.parametrize("stored", [True, False])
def test_day_of_the_56_bus_feeder_is_the_exact_optimum(
    parts: tuple[float, float, float], stored: bool
) -> None:
    given = replace(day_of_sce56(6), zip_p=parts, zip_q=parts)
    if not stored:
        none = replace(given.devices.storage, p_max_mw=np.zeros(3))
        given = replace(given, devices=replace(given.devices, storage=none))
    answer = solve(given)
    assert answer.status == "optimal"
    agree(answer, ac_optimum(given, starts=1), cost=1e-7)


def test_whole_day_of_the_56_bus_feeder_is_the_exact_optimum() -> None:
    given = replace(day_of_sce56(24), zip_p=ZIP, zip_q=ZIP)
    answer = solve(given)
    assert answer.status == "optimal"
    agree(answer, ac_optimum(given, starts=1), cost=1e-7)


EXACT = [
    {},
    {"zip_kind": 1},
    {"zip_kind": 2},
    {"zip_kind": 3, "storage": False},
    {"rated": True},
    {"sun": 1.5},
    {"sun": 3.0, "v_max": 1.03},
    {"v_min": 0.97, "zip_kind": 1, "rated": True},
]


@pytest.mark.parametrize("kind", EXACT, ids=str)
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_random_feeder_is_the_exact_optimum(kind: dict[str, object], seed: int) -> None:
    given = random_problem(seed, **kind)
    answer = solve(given)
    assert answer.status == "optimal"
    agree(answer, ac_optimum(given, starts=2), cost=1e-6)


def repaired(given: Problem) -> Solution:
    """Return the answer of a problem that the relaxation cannot solve."""
    answer = solve(given)
    assert answer.status == "inexact"
    assert answer.exactness is not None
    assert answer.schedule is not None
    assert answer.bound <= answer.objective
    assert not answer.conflicts
    points = answer.schedule.set_points
    most = given.devices.storage.p_max_mw
    assert (np.minimum(points.charge_mw, points.discharge_mw) <= 2e-5 * most).all()
    return answer


@pytest.mark.parametrize("seed", [0, 2, 4, 10])
def test_unity_inverters_at_the_voltage_limit_are_repaired_to_the_exact_optimum(seed: int) -> None:
    given = random_problem(seed, sun=3.0, v_max=1.03, reactive=False)
    answer = repaired(given)
    assert answer.exactness is not None
    assert answer.exactness.fictitious_loss_kw > 10
    agree(answer, best_directions(given), cost=1e-5, price=1e-4)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("reactive", [True, False])
def test_prices_below_zero_are_repaired_to_the_exact_optimum(seed: int, reactive: bool) -> None:
    """There losses are welcome, the problem is truly not convex, and batteries would burn."""
    given = random_problem(seed, least_price=-60.0, reactive=reactive)
    answer = repaired(given)
    exact = best_directions(given, starts=4)
    assert answer.objective <= exact.cost + 1e-4 * abs(exact.cost)
    assert answer.objective >= exact.cost - 0.02 * abs(exact.cost), "IPOPT missed the optimum"


def test_repair_does_not_creep_along_a_bending_limit() -> None:
    """At a price below zero import is welcome until voltage is as low as it may be."""
    given = random_problem(
        276025223, size=11, sun=0.81246, v_max=1.042, v_min=0.90787, rated=True,
        least_price=-60.0, reactive=False,
    )  # fmt: skip
    answer = repaired(given)
    assert answer.objective == pytest.approx(best_directions(given).cost, rel=1e-5)
