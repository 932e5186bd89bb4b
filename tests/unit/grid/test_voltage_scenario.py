"""The shipped scenario whose voltage limit binds: the relaxation burns what must be curtailed."""

from dataclasses import replace

import numpy as np
import pytest
from tests.ac_optimum import ac_optimum
from tests.unit.simulation.days import shipped, world

from gridpact.grid.opf import solve
from gridpact.grid.problem import DeviceSets, Problem
from gridpact.simulation.day_ahead import problem
from gridpact.simulation.forecast import forecast

MIDDAY = slice(10, 15)


def day(inverter_q: bool) -> Problem:
    """Return the expected day as the market's advisor asks for it."""
    scenario = shipped("voltage")
    grid, physics = scenario.grid, world(scenario)
    outlook = forecast(physics.fleet, scenario.plants, scenario.forecast, scenario.seed)
    band = (grid.v_min_pu, grid.v_max_pu)
    return problem(
        physics, outlook, grid.file.feeder, scenario.tariff, grid.root_voltage_pu, band, inverter_q
    )


def midday(given: Problem) -> Problem:
    """Return the sunny hours alone, without what couples them."""
    pv = given.devices.pv
    return replace(
        given,
        **{
            name: getattr(given, name)[MIDDAY]
            for name in ("v_root", "load_p_mw", "load_q_mvar", "price_buy", "price_sell")
        },
        devices=DeviceSets(pv=replace(pv, available_mw=pv.available_mw[MIDDAY])),
    )


def cut_at_19(given: Problem, pv_mw: np.ndarray) -> float:
    """Return the share of the plant at bus 19 that is curtailed; it stands last."""
    pv = given.devices.pv
    assert pv.bus[-1] == 19
    available = np.minimum(pv.available_mw, pv.s_mva)[:, -1].sum()
    return float(1 - pv_mw[:, -1].sum() / available)


def test_what_the_relaxation_burns_is_curtailed_at_bus_19() -> None:
    given = day(inverter_q=False)
    answer = solve(given)
    assert answer.status == "inexact"
    assert answer.exactness is not None
    assert answer.exactness.fictitious_loss_kw > 14
    assert answer.bound < answer.objective
    assert answer.schedule is not None
    points, voltage = answer.schedule.set_points, answer.schedule.voltage
    assert voltage.max() == pytest.approx(1.05, abs=1e-6)
    assert voltage.max() <= 1.05 + 1e-6
    assert 0.15 < cut_at_19(given, points.pv_mw) < 0.35


def test_repair_of_the_sunny_hours_is_the_exact_optimum() -> None:
    given = midday(day(inverter_q=False))
    answer, exact = solve(given), ac_optimum(given, starts=1)
    assert answer.status == "inexact"
    # near bus 53 it hardly matters who is cut: each of the two is a local optimum
    assert answer.objective == pytest.approx(exact.cost, rel=1e-4)
    assert answer.schedule is not None
    np.testing.assert_allclose(answer.schedule.voltage, exact.v, atol=1e-3)
    np.testing.assert_allclose(answer.schedule.prices.active, exact.price_p, atol=0.2)


def test_reactive_power_of_inverters_removes_the_need() -> None:
    given = midday(day(inverter_q=True))
    answer, exact = solve(given), ac_optimum(given, starts=1)
    assert answer.status == "optimal"
    assert answer.objective == pytest.approx(exact.cost, rel=1e-7)
    assert answer.schedule is not None
    assert cut_at_19(given, answer.schedule.set_points.pv_mw) < 1e-6
    assert answer.schedule.set_points.pv_mvar[:, -1].min() < -0.01
