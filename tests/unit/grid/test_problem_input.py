"""Input that cannot be used: refused by field in one sentence, or infeasible with the conflict."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.grid.random_cases import random_problem

from gridpact.errors import FeederError
from gridpact.grid.opf import solve
from gridpact.grid.problem import Problem

GIVEN = random_problem(0)
T, N = GIVEN.load_p_mw.shape
CROSSED = np.where(np.arange(N) == 3, 1.2, 0.9) * np.ones((T, 1))


def one(*values: float) -> np.ndarray:
    return np.array(values)


def device(kind: str, **change: object) -> Problem:
    units = replace(getattr(GIVEN.devices, kind), **change)
    return replace(GIVEN, devices=replace(GIVEN.devices, **{kind: units}))


@pytest.mark.parametrize(
    ("given", "place", "problem"),
    [
        (replace(GIVEN, load_p_mw=GIVEN.load_p_mw[0]), "load_p_mw", "expected (interval, 8)"),
        (replace(GIVEN, load_q_mvar=GIVEN.load_q_mvar[:2]), "load_q_mvar", "expected (3, 8)"),
        (replace(GIVEN, load_p_mw=np.full((T, N), np.nan)), "load_p_mw[0, 0]", "finite"),
        (replace(GIVEN, price_buy=[300.0] * T), "price_buy", "is a list, expected an array"),
        (replace(GIVEN, price_sell=GIVEN.price_buy + 1), "price_sell, interval 0", "price_buy"),
        (replace(GIVEN, v_root=np.zeros(T)), "v_root", "is not positive"),
        (replace(GIVEN, v_min=np.nan), "v_min, v_max", "nan .. 1.1 is no band"),
        (replace(GIVEN, v_min=CROSSED), f"v_min, v_max, interval 0, bus {GIVEN.feeder.ids[3]}",
         "1.2 .. 1.1 is no band"),
        (replace(GIVEN, v_max=np.ones(T + 1)), "v_max", "expected (3,)"),
        (replace(GIVEN, s_max_mva=np.zeros((T, N))), "s_max_mva", "is not positive"),
        (replace(GIVEN, import_max_mw=-1.0), "import_max_mw", "-1.0 is not a number >= 0"),
        (replace(GIVEN, dt_h=np.nan), "dt_h", "nan is not a positive number of hours"),
        (replace(GIVEN, zip_q=(0.5, 0.5, 0.5)), "zip_q", "do not add up to 1"),
        (device("generator", c2=one(-1.0)), "generator.c2", "convex"),
        (device("generator", q_min_mvar=one(1.0)), "generator at bus", "q_min_mvar is above"),
        (device("pv", available_mw=-np.ones((T, 2))), "pv.available_mw", "-1.0 is negative"),
        (device("pv", available_mw=np.ones((2, 2))), "pv.available_mw", "expected (3, 2)"),
        (device("pv", bus=np.array([99, 1])), "bus 99", "is not on the feeder"),
        (device("ev", bus=one(2.5)), "ev.bus", "2.5 is not a bus number"),
        (device("ev", start=one(0.5)), "ev.start", "expected whole ones"),
        (device("ev", energy_mwh=one(np.inf)), "ev.energy_mwh[0]", "finite"),
        (device("storage", eta_charge=one(0.0)), "storage.eta_charge", "is not in (0, 1]"),
        (device("storage", e_min_mwh=one(1.0)), "storage at bus", "e_min_mwh is above e_max_mwh"),
        (device("curtailable", share=one(1.5)), "curtailable at bus", "shares add up to 1.5"),
    ],
)  # fmt: skip
def test_unusable_numbers_are_refused_by_field(given: Problem, place: str, problem: str) -> None:
    with pytest.raises(FeederError) as caught:
        solve(given)
    assert caught.value.place.startswith(place)
    assert problem in caught.value.problem
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("given", "conflict"),
    [
        (device("ev", end=np.array([1]), energy_mwh=one(0.3)), "0.3 MWh do not fit into its"),
        (device("ev", start=np.array([2]), end=np.array([1])), "window [2, 1) (0 MWh)"),
        (device("storage", e_0_mwh=one(0.9)), "start 0.9 MWh is not in [0, 0.3]"),
        (device("storage", e_final_mwh=one(0.9)), "end 0.9 MWh is not in [0, 0.3]"),
        (device("storage", e_final_mwh=one(0.3), p_max_mw=one(0.01)), "out of reach of start 0.1"),
        (device("shiftable", energy_mwh=one(9.0)), "9 MWh are not in the [0.06, 0.36] MWh"),
    ],
)
def test_duty_that_cannot_be_met_is_named_and_the_rest_is_scheduled(
    given: Problem, conflict: str
) -> None:
    answer = solve(given)
    assert answer.status == "infeasible"
    assert conflict in str(answer.conflicts[0])
    assert answer.schedule is not None, "a schedule without that duty is of use"
    assert (answer.schedule.voltage[:, 1:] >= 0.9 - 1e-6).all()
    points, units = answer.schedule.set_points, given.devices
    assert (points.ev_mw <= units.ev.p_max_mw + 1e-9).all()
    if "fit into" in conflict:
        assert points.ev_mw[0, 0] == pytest.approx(0.1), "what its window allows"
    if "out of reach" in conflict:
        # full power all the time
        reached = 0.1 + 3 * 0.01 * units.storage.eta_charge[0]
        assert points.energy_mwh[-1, 0] == pytest.approx(reached, abs=1e-6)
    if "9 MWh are not" in conflict:
        assert points.shift_mw.sum() == pytest.approx(0.36, abs=1e-6)


def test_numbers_may_be_whole() -> None:
    given = replace(
        GIVEN, load_p_mw=np.zeros((T, N), dtype=int), load_q_mvar=np.zeros((T, N), dtype=int)
    )
    assert solve(given).status == "optimal"


def test_load_far_beyond_what_lines_carry_has_no_power_flow_and_says_so() -> None:
    answer = solve(replace(GIVEN, load_p_mw=np.full((T, N), 1e4)))
    assert answer.status == "infeasible"
    assert answer.schedule is None
    assert str(answer.conflicts[0]) == "no set points were found that have a power flow"
