"""Limits of the network operator that vary in time, and loads that move or are shed for them."""

from dataclasses import replace

import numpy as np
import pytest
from bench.grid_cases import day_of_sce56
from tests.unit.grid.conftest import two_bus

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder, Line, build
from gridpact.grid.flexible import Curtailable, Shiftable
from gridpact.grid.opf import solve
from gridpact.grid.power_flow import power_flow
from gridpact.grid.problem import DeviceSets, Generator, Problem, Pv, Schedule, Storage
from gridpact.grid.replay import replay


def one(*values: float) -> np.ndarray:
    return np.array(values)


def problem(feeder: Feeder, load_p: np.ndarray, devices: DeviceSets, **more: object) -> Problem:
    T = len(load_p)
    given = {
        "dt_h": 1.0,
        "v_min": 0.9,
        "v_max": 1.1,
        "v_root": np.ones(T),
        "load_q_mvar": load_p / 3,
        "price_buy": np.full(T, 300.0),
        "price_sell": np.full(T, 80.0),
    }
    return Problem(feeder=feeder, load_p_mw=load_p, devices=devices, **{**given, **more})


def at_bus_2(load: list[float], r: float = 0.02) -> tuple[Feeder, np.ndarray]:
    load_p = np.zeros((len(load), 2))
    load_p[:, 1] = load
    return two_bus(r, r), load_p


def plan(given: Problem) -> tuple[Schedule, float]:
    answer = solve(given)
    assert answer.status == "optimal", answer.conflicts
    assert answer.schedule is not None
    return answer.schedule, answer.objective


def slope(given: Problem, t: int, bus: int, step: float = 1e-3) -> float:
    """Return what a little more load costs, by central differences. [per MWh]"""
    found = []
    for sign in (1, -1):
        load = given.load_p_mw.copy()
        load[t, given.feeder.at(bus)] += sign * step
        found.append(plan(replace(given, load_p_mw=load))[1])
    return (found[0] - found[1]) / (2 * step * given.dt_h)


def shiftable(energy: float, low: np.ndarray, high: np.ndarray, start: int, end: int) -> Shiftable:
    return Shiftable(
        np.array([2]), one(energy), low[:, None], high[:, None],
        np.array([start]), np.array([end]), one(0.5),
    )  # fmt: skip


def test_shiftable_load_moves_to_its_cheapest_hours_within_bounds() -> None:
    feeder, load = at_bus_2([0.1] * 5)
    low, high = one(0.05, 0.05, 0.05, 0.05, 9), one(0.2, 0.3, 0.2, 0.1, 9)
    moving = shiftable(0.5, low, high, 0, 4)
    prices = one(250.0, 100.0, 300.0, 110.0, 10.0)
    given = problem(feeder, load, DeviceSets(shiftable=moving), price_buy=prices,
                    price_sell=np.zeros(5))  # fmt: skip
    schedule, money = plan(given)
    # 0.3 where it is cheapest, 0.1 where it is second, the floor else, nothing outside its window
    np.testing.assert_allclose(
        schedule.set_points.shift_mw[:, 0], [0.05, 0.3, 0.05, 0.1, 0], atol=1e-6
    )
    flow = power_flow(
        feeder,
        -load - np.outer(schedule.set_points.shift_mw[:, 0], [0, 1]),
        -load / 3 - 0.5 * np.outer(schedule.set_points.shift_mw[:, 0], [0, 1]),
    )
    np.testing.assert_allclose(schedule.voltage, flow.v, atol=1e-9)
    assert money == pytest.approx(float(prices @ flow.supply.real), rel=1e-6)


@pytest.mark.parametrize("energy", [0.1, 0.8])
def test_energy_that_does_not_fit_is_named(energy: float) -> None:
    feeder, load = at_bus_2([0.1, 0.1])
    moving = shiftable(energy, one(0.1, 0.1), one(0.3, 0.3), 0, 2)
    answer = solve(problem(feeder, load, DeviceSets(shiftable=moving)))
    assert answer.status == "infeasible"
    assert "shiftable load 0 at bus 2" in str(answer.conflicts[0])
    assert "[0.2, 0.6] MWh" in str(answer.conflicts[0])


def test_load_is_shed_where_energy_costs_more_than_its_price() -> None:
    feeder, load = at_bus_2([0.4, 0.4, 0.0])
    shed = Curtailable(np.array([2]), one(0.25), one(250.0))
    given = problem(feeder, load, DeviceSets(curtailable=shed), price_buy=one(400.0, 200.0, 400.0))
    schedule, money = plan(given)
    np.testing.assert_allclose(schedule.set_points.shed_mw[:, 0], [0.1, 0, 0], atol=1e-6)
    kept = np.outer([0.3, 0.4, 0.0], [0, 1])
    flow = power_flow(feeder, -kept, -kept / 3)
    np.testing.assert_allclose(schedule.voltage, flow.v, atol=1e-7)
    expected = float(given.price_buy @ flow.supply.real) + 250 * 0.1
    assert money == pytest.approx(expected, rel=1e-6)


def test_shed_load_prices_the_bus_behind_a_full_transformer() -> None:
    feeder = two_bus(0.02, 0.02, s_max=0.5)
    load = np.array([[0.0, 0.6]])
    shed = Curtailable(np.array([2]), one(0.5), one(700.0))
    given = problem(feeder, load, DeviceSets(curtailable=shed))
    schedule, _ = plan(given)
    assert 0.1 < schedule.set_points.shed_mw[0, 0] < 0.2
    # one more MW at the bus is shed again, with a third of a Mvar
    prices = schedule.prices
    worth = prices.active[0, 1] + prices.reactive[0, 1] / 3
    assert worth == pytest.approx(700.0, rel=1e-6)
    assert prices.congestion[0, 1] > 100
    # a little more load that cannot be shed: the floor of a load that cannot move
    money = []
    for extra in (0.002, 0.0):
        fixed = shiftable(extra, one(extra), one(extra), 0, 1)
        fixed = replace(fixed, mvar_per_mw=one(0.0))
        devices = replace(given.devices, shiftable=fixed)
        money.append(plan(replace(given, devices=devices))[1])
    assert prices.active[0, 1] == pytest.approx((money[0] - money[1]) / 0.002, rel=1e-3)


def test_import_limit_raises_the_price_of_the_whole_feeder() -> None:
    feeder, load = at_bus_2([0.4, 0.6])
    battery = Storage(np.array([2]), one(0.3), one(0), one(0.4), one(0.1), one(0.95), one(0.95),
                      one(10.0))  # fmt: skip
    unit = Generator(np.array([2]), one(0), one(0.3), one(0), one(0), one(100.0), one(400.0))
    devices = DeviceSets(storage=battery, generator=unit)
    given = problem(feeder, load, devices, import_max_mw=one(np.inf, 0.35))
    free, _ = plan(replace(given, import_max_mw=np.inf))
    assert free.import_mw[1] > 0.4
    schedule, _ = plan(given)
    assert schedule.import_mw[1] == pytest.approx(0.35, abs=1e-7)
    assert schedule.prices.active[1, 0] > 310
    prices = schedule.prices
    parts = prices.energy + prices.loss + prices.congestion + prices.voltage
    np.testing.assert_allclose(parts, prices.active, atol=1e-3)
    for t, bus in ((0, 2), (1, 1), (1, 2)):
        assert prices.active[t, feeder.at(bus)] == pytest.approx(slope(given, t, bus), rel=1e-4)


def test_export_limit_curtails_the_sun() -> None:
    feeder, load = at_bus_2([0.1])
    pv = Pv(np.array([2]), one(1.2), np.array([[1.0]]), one(5.0))
    given = problem(feeder, load, DeviceSets(pv=pv), export_max_mw=0.5)
    schedule, _ = plan(given)
    assert schedule.import_mw[0] == pytest.approx(-0.5, abs=1e-7)
    assert 0.59 < schedule.set_points.pv_mw[0, 0] < 0.65
    assert schedule.prices.active[0, 1] == pytest.approx(5, rel=1e-4)


def test_limits_that_no_device_can_keep_are_named_with_their_interval() -> None:
    feeder, load = at_bus_2([0.4, 0.6, 0.6])
    answer = solve(problem(feeder, load, DeviceSets(), import_max_mw=one(1.0, 1.0, 0.5)))
    assert answer.status == "infeasible"
    assert [str(conflict) for conflict in answer.conflicts] == ["import_max in interval 2"]
    assert answer.schedule is not None
    lines = np.full((3, 2), np.inf)
    lines[1, 1] = 0.5
    answer = solve(problem(feeder, load, DeviceSets(), s_max_mva=lines))
    assert {str(conflict) for conflict in answer.conflicts} == {"s_max of line 1-2 in interval 1"}


def _flow(day: Problem, schedule: Schedule, t: int, place: int) -> tuple[float, float]:
    """Return active and reactive power at the upper end of a branch. [MW]"""
    sent = replay(day, day.feeder, schedule.set_points).sent[t, place]
    return float(sent.real), float(sent.imag)


def test_limits_by_interval_and_bus_bind_where_they_are_set() -> None:
    """A day with a voltage band, ratings and import that the operator changes through the day."""
    day = day_of_sce56(6)
    T, n = day.load_p_mw.shape
    v_min, ratings = np.full((T, n), 0.94), np.full((T, n), np.inf)
    v_min[4, day.feeder.at(37)] = 0.99
    before, _ = plan(day)
    place = day.feeder.at(49)
    ratings[5, place] = 0.9 * np.hypot(*_flow(day, before, 5, place))
    given = replace(day, v_min=v_min, v_max=np.full(T, 1.06), s_max_mva=ratings)
    schedule, money = plan(given)
    assert schedule.voltage[4, day.feeder.at(37)] == pytest.approx(0.99, abs=1e-6)
    assert schedule.voltage[5, day.feeder.at(37)] < 0.984
    prices = schedule.prices
    assert prices.voltage[4, day.feeder.at(37)] > 0.5
    assert np.hypot(*_flow(given, schedule, 5, place)) == pytest.approx(ratings[5, place], rel=1e-6)
    assert np.abs(prices.congestion[5, day.feeder.at(56)]) > 1
    assert np.abs(prices.congestion[:5]).max() < 0.05
    parts = prices.energy + prices.loss + prices.congestion + prices.voltage
    np.testing.assert_allclose(parts, prices.active, atol=1e-2)
    for t, bus in ((4, 37), (5, 45), (2, 19)):
        assert prices.active[t, day.feeder.at(bus)] == pytest.approx(slope(given, t, bus), rel=1e-4)
    assert money > plan(day)[1]


def _two_feeders() -> Problem:
    """Two feeders behind transformers of 0.5 and 2 MVA at one substation bus."""
    lines = [Line(1, 2, 0.01, 0.04, 0.5), Line(2, 3, 0.02, 0.02),
             Line(1, 12, 0.01, 0.04, 2.0), Line(12, 13, 0.02, 0.02)]  # fmt: skip
    feeder = build(1, lines, {}, 1.0, 1.0)
    load = np.zeros((1, 5))
    load[0, feeder.at(3)], load[0, feeder.at(13)] = 0.6, 0.7
    units = Generator(np.array([3, 13]), one(0, 0), one(0.4, 0.4), one(-0.2, -0.2), one(0.2, 0.2),
                      one(50.0, 50.0), one(350.0, 350.0))  # fmt: skip
    return problem(feeder, load, DeviceSets(generator=units))


def test_full_transformer_concerns_its_own_feeder_alone() -> None:
    given = _two_feeders()
    schedule, _ = plan(given)
    at = given.feeder.at
    assert schedule.set_points.generator_mw[0, 0] > 0.05
    assert schedule.set_points.generator_mw[0, 1] == pytest.approx(0, abs=1e-6)
    congestion = schedule.prices.congestion[0]
    assert congestion[at(3)] > 10
    assert congestion[at(13)] == pytest.approx(0, abs=1e-3)


def test_common_import_limit_shares_the_burden_of_feeders_by_cost() -> None:
    given = replace(_two_feeders(), import_max_mw=0.9)
    schedule, _ = plan(given)
    assert schedule.import_mw[0] == pytest.approx(0.9, abs=1e-7)
    made = schedule.set_points.generator_mw[0]
    assert (made > 0.05).all()
    for bus in (3, 13):
        price = schedule.prices.active[0, given.feeder.at(bus)]
        assert price == pytest.approx(slope(given, 0, bus), rel=1e-4)
        assert price > 355
    tighter = Generator(**{**vars(given.devices.generator), "p_max_mw": one(0.4, 0.0)})
    answer = solve(replace(given, devices=DeviceSets(generator=tighter), import_max_mw=0.8))
    assert answer.status == "infeasible"
    assert "import_max in interval 0" in {str(conflict) for conflict in answer.conflicts}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"v_min": np.full(3, 0.9)}, "v_min"),
        ({"v_min": one(0.9, 1.2)}, "v_min"),
        ({"v_max": np.full((2, 2), np.nan)}, "v_max"),
        ({"s_max_mva": np.ones((2, 3))}, "s_max_mva"),
        ({"s_max_mva": np.zeros((2, 2))}, "s_max_mva"),
        ({"s_max_mva": np.full((2, 2), np.nan)}, "s_max_mva"),
        ({"import_max_mw": -1.0}, "import_max_mw"),
        ({"import_max_mw": np.ones(3)}, "import_max_mw"),
        ({"export_max_mw": np.nan}, "export_max_mw"),
        ({"devices": DeviceSets(curtailable=Curtailable(np.array([2, 2]), one(0.6, 0.6),
                                                        one(1, 1)))}, "curtailable at bus 2"),
        ({"devices": DeviceSets(curtailable=Curtailable(np.array([2]), one(0.6), one(-1)))},
         "curtailable.price"),
        ({"devices": DeviceSets(shiftable=shiftable(1, one(0.2, 0.5), one(0.3, 0.4), 0, 2))},
         "shiftable at bus 2"),
        ({"devices": DeviceSets(shiftable=shiftable(1, one(0.2), one(0.3), 0, 2))},
         "shiftable.p_min_mw"),
    ],
)  # fmt: skip
def test_unusable_limit_or_load_is_refused_by_field(change: dict[str, object], place: str) -> None:
    feeder, load = at_bus_2([0.1, 0.1])
    given = replace(problem(feeder, load, DeviceSets()), **change)
    with pytest.raises(FeederError) as caught:
        solve(given)
    assert caught.value.place.startswith(place)
