"""Advice in whole numbers, and limits that cannot hold have no price."""

import numpy as np
import pytest
from tests.unit.grid.conftest import two_bus
from tests.unit.grid.test_opf import at_bus_2, one, problem

from gridpact.grid.day_ahead import day_ahead
from gridpact.grid.opf import solve
from gridpact.grid.power_flow import power_flow
from gridpact.grid.problem import DeviceSets, Ev, Storage


def test_loss_share_is_losses_over_the_energy_taken() -> None:
    feeder, load = at_bus_2([0.2, 1.0])
    advice = day_ahead(problem(feeder, load, DeviceSets()))
    flow = power_flow(feeder, -load, -load / 3)
    for t in range(2):
        assert advice[t].loss_share == round(flow.loss[t] / load[t].sum() * 1e6)
        assert advice[t].conflicts == ()
        assert advice[t].status == "optimal"
        assert advice[t].solver.startswith("Clarabel ")


def test_prices_are_whole_micro_units_per_kwh() -> None:
    feeder, load = at_bus_2([0.5])
    given = problem(feeder, load, DeviceSets(), v_min=0.9)
    (advice,) = day_ahead(given)
    schedule = solve(given).schedule
    assert schedule is not None
    assert advice.dlmp[1] == 300_000
    assert advice.dlmp[2] == pytest.approx(1000 * schedule.prices.active[0, 1], abs=1)
    assert advice.locational == {1: 0, 2: 0}


def test_marginal_loss_is_what_one_more_unit_injected_adds() -> None:
    feeder, load = at_bus_2([0.5])
    (advice,) = day_ahead(problem(feeder, load, DeviceSets()))
    losses = []
    for sign in (1, -1):
        moved = power_flow(feeder, -load + np.array([[0.0, sign * 1e-4]]), -load / 3)
        losses.append(moved.loss[0])
    assert advice.marginal_loss[2] == pytest.approx(1e6 * (losses[0] - losses[1]) / 2e-4, abs=2)
    assert advice.marginal_loss[2] < 0
    assert advice.marginal_loss[1] == 0


def test_binding_line_gives_its_far_end_a_locational_price() -> None:
    feeder = two_bus(0.01, 0.01, s_max=0.5)
    load = np.array([[0.0, 0.4], [0.0, 0.55]])
    battery = Storage(
        np.array([2]), one(0.3), one(0), one(0.5), one(0.2), one(0.9), one(0.9), one(5.0)
    )
    far = day_ahead(problem(feeder, load, DeviceSets(storage=battery), load_q_mvar=load * 0))
    assert far[1].locational[2] > 1000
    assert far[1].locational[1] == 0
    assert far[1].storage_w[0] > 0
    assert far[0].storage_w[0] < 0


def test_conflict_is_told_in_its_interval_only_and_has_no_price() -> None:
    feeder, load = at_bus_2([0.1, 2.0], r=0.05)
    quiet, loud = day_ahead(problem(feeder, load, DeviceSets(), v_min=0.95))
    assert quiet.conflicts == ()
    assert quiet.dlmp[2] == pytest.approx(300_000, rel=0.05)
    assert loud.conflicts == ("v_min at bus 2 in interval 1",)
    assert set(loud.locational.values()) == {0}
    assert loud.loss_share > quiet.loss_share > 0


def test_limit_that_breaks_twice_conflicts_twice_and_has_no_price_either_time() -> None:
    feeder, load = at_bus_2([2.0, 0.1, 1.9], r=0.05)
    first, quiet, last = day_ahead(problem(feeder, load, DeviceSets(), v_min=0.95))
    assert first.conflicts == ("v_min at bus 2 in interval 0",)
    assert quiet.conflicts == ()
    assert last.conflicts == ("v_min at bus 2 in interval 2",)
    assert set(first.locational.values()) == set(last.locational.values()) == {0}


def test_impossible_duty_is_met_as_far_as_can_be_and_has_no_price() -> None:
    feeder, load = at_bus_2([0.2, 0.2])
    car = Ev(np.array([2]), one(0.1), one(0.5), np.array([0]), np.array([2]), one(0.9))
    for advice in day_ahead(problem(feeder, load, DeviceSets(ev=car))):
        assert advice.status == "infeasible"
        assert advice.ev_w == (100_000,)
        assert len(advice.conflicts) == 1
        assert set(advice.locational.values()) == {0}
        assert advice.loss_share > 0


def test_load_beyond_what_lines_carry_has_no_advice() -> None:
    feeder, load = at_bus_2([0.2, 40.0])
    car = Ev(np.array([2]), one(0.1), one(0.05), np.array([0]), np.array([2]), one(0.9))
    advice, _ = day_ahead(problem(feeder, load, DeviceSets(ev=car)))
    assert advice.status == "infeasible"
    assert advice.ev_w == (0,)
    assert set(advice.dlmp.values()) == {0}
    assert advice.loss_share > 0, "that of the loads, where they have a power flow"
