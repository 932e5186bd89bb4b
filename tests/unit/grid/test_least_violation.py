"""Where limits cannot hold: is what conflicts named, and is the schedule really least violating?"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.ac_optimum import ac_optimum, best_directions
from tests.unit.grid.random_cases import random_problem

from gridpact.grid.feeder import rebased
from gridpact.grid.net_limits import net_limits
from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem
from gridpact.grid.replay import replay


def heavy(seed: int) -> Problem:
    """Four times the load: voltage falls below its band."""
    given = random_problem(seed, v_min=0.97, zip_kind=seed % 3)
    return replace(given, load_p_mw=4 * given.load_p_mw, load_q_mvar=4 * given.load_q_mvar)


def thin(seed: int) -> Problem:
    """Lines rated at a seventh."""
    given = random_problem(seed, rated=True)
    return replace(given, feeder=replace(given.feeder, s_max=0.15 * given.feeder.s_max))


def short(seed: int) -> Problem:
    """A substation that passes too little."""
    return replace(heavy(seed), v_min=0.8, import_max_mw=0.8)


def must_take(seed: int) -> Problem:
    """Sun that nobody may curtail: voltage rises above its band."""
    given = random_problem(seed, sun=0.2, v_max=1.02, reactive=seed % 2 == 0)
    load = given.load_p_mw.copy()
    load[:, -1] -= 3.0
    return replace(given, load_p_mw=load)


def must_run(seed: int) -> Problem:
    """A generator that may not run lower."""
    given = random_problem(seed, sun=0.2, v_max=1.02, reactive=False)
    two, none = np.full(1, 2.0), np.zeros(1)
    unit = replace(
        given.devices.generator, p_min_mw=two, p_max_mw=two, q_min_mvar=none, q_max_mvar=none
    )
    return replace(given, devices=replace(given.devices, generator=unit))


@pytest.mark.parametrize(
    ("made", "limit", "seeds"),
    [
        (heavy, "v_min", (0, 1)),
        (thin, "s_max", (2, 3)),
        (short, "import_max", (0,)),
        (must_take, "v_max", (1, 2)),
        (must_run, "v_max", (0,)),
    ],
)
def test_conflict_is_named_and_nothing_violates_less(
    made: Callable[[int], Problem], limit: str, seeds: tuple[int, ...]
) -> None:
    for seed in seeds:
        given = made(seed)
        answer = solve(given)
        assert answer.status == "infeasible"
        assert any(limit in conflict.limit for conflict in answer.conflicts)
        assert answer.schedule is not None
        points, feeder = answer.schedule.set_points, rebased(given.feeder, 1.0)
        flow = replay(given, feeder, points)
        np.testing.assert_allclose(flow.v, answer.schedule.voltage, atol=1e-9)
        least = best_directions(given, excess_price=np.inf).excess
        assert least > 1e-3, "the case is meant to be infeasible"
        assert net_limits(given, feeder).excess(flow) == pytest.approx(least, rel=1e-3)
        with pytest.raises(RuntimeError, match="no optimum"):
            ac_optimum(given, starts=2)


@pytest.mark.parametrize(("seed", "sun"), [(1, 0.6), (2, 0.8), (5, 0.8), (0, 1.0)])
def test_must_take_sun_at_the_voltage_limit_is_absorbed_by_whoever_can(
    seed: int, sun: float
) -> None:
    """The relaxation burns it on paper; in truth a battery and moving loads have to take it."""
    given = must_take(seed)
    load = given.load_p_mw.copy()
    load[:, -1] += 3.0 - sun
    given = replace(given, load_p_mw=load)
    answer = solve(given)
    assert answer.status == "inexact"
    assert answer.exactness is not None
    assert answer.exactness.fictitious_loss_kw > 10
    assert answer.objective == pytest.approx(best_directions(given).cost, rel=1e-5)
