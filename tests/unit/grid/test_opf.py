"""The optimal power flow: what it calls optimal is physics, what is not is said and repaired."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.grid.conftest import radial_feeders, two_bus

from gridpact.errors import FeederError
from gridpact.grid.feeder import Feeder, Line, build, rebased
from gridpact.grid.opf import solve
from gridpact.grid.power_flow import ZipLoad, power_flow
from gridpact.grid.problem import DeviceSets, Ev, Generator, Problem, Pv, Schedule, Storage


def problem(feeder: Feeder, load_p: np.ndarray, devices: DeviceSets, **more: object) -> Problem:
    """Return a problem with prices 300 / 80 per MWh and a third of the load reactive."""
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


def one(*values: float) -> np.ndarray:
    return np.array(values)


def plan(problem: Problem) -> tuple[Schedule, float]:
    """Return the schedule and cost of a problem that must have an optimum."""
    answer = solve(problem)
    assert answer.status == "optimal"
    assert answer.schedule is not None
    assert answer.bound == pytest.approx(answer.objective, rel=1e-5, abs=1e-5)
    return answer.schedule, answer.objective


@pytest.fixture
def small_day(sce56, peak) -> Problem:
    """Three intervals on the 56-bus feeder with every kind of device."""
    load = np.array([0.4, 1.0, 0.7])[:, None] * peak.real
    devices = DeviceSets(
        Pv(np.array([53, 19]), one(1.1, 0.9), np.outer([1.0, 0.1, 0.5], [1.0, 0.8]), one(5.0, 0)),
        Storage(
            np.array([37, 52]), one(0.2, 0.1), one(0.0, 0.0), one(0.5, 0.3), one(0.1, 0.1),
            one(0.95, 0.9), one(0.95, 0.9), one(10.0, 20.0),
        ),
        Ev(np.array([32]), one(0.1), one(0.12), np.array([0]), np.array([2]), one(0.9)),
        Generator(np.array([48]), one(0), one(0.3), one(-0.1), one(0.1), one(200.0), one(180.0)),
    )  # fmt: skip
    return problem(sce56.feeder, load, devices, price_buy=one(250.0, 420.0, 280.0))


def test_optimum_of_every_device_is_an_ac_operating_point(small_day: Problem) -> None:
    schedule, _ = plan(small_day)
    points, feeder = schedule.set_points, small_day.feeder
    p, q = -small_day.load_p_mw, -small_day.load_q_mvar
    for unit, bus in enumerate((53, 19)):
        p[:, feeder.at(bus)] += points.pv_mw[:, unit]
        q[:, feeder.at(bus)] += points.pv_mvar[:, unit]
    for unit, bus in enumerate((37, 52)):
        p[:, feeder.at(bus)] += points.discharge_mw[:, unit] - points.charge_mw[:, unit]
    p[:, feeder.at(32)] -= points.ev_mw[:, 0]
    p[:, feeder.at(48)] += points.generator_mw[:, 0]
    q[:, feeder.at(48)] += points.generator_mvar[:, 0]
    flow = power_flow(feeder, p, q, small_day.v_root)
    np.testing.assert_allclose(schedule.voltage, flow.v, atol=1e-9)
    np.testing.assert_allclose(schedule.import_mw, flow.supply.real, atol=1e-9)
    np.testing.assert_allclose(schedule.loss_mwh, flow.loss, atol=1e-9)
    assert (np.hypot(points.pv_mw, points.pv_mvar) <= one(1.1, 0.9) + 1e-7).all()
    np.testing.assert_allclose(points.energy_mwh[-1], one(0.1, 0.1), atol=1e-7)
    assert points.ev_mw[:, 0].sum() * 0.9 == pytest.approx(0.12, abs=1e-7)
    assert points.ev_mw[2, 0] == 0


def _cost_slope(given: Problem, t: int, place: int, reactive: bool) -> float:
    """Return the cost of a little more load, by central differences. [per MWh]"""
    step, found = 2e-3, []
    for sign in (1, -1):
        field = "load_q_mvar" if reactive else "load_p_mw"
        load = getattr(given, field).copy()
        load[t, place] += sign * step
        _, money = plan(replace(given, **{field: load}))
        found.append(money)
    return (found[0] - found[1]) / (2 * step * given.dt_h)


@pytest.mark.parametrize("s_base", [1.0, 100.0])
@pytest.mark.parametrize("dt", [1.0, 0.25])
def test_nodal_prices_are_finite_differences_of_the_cost(
    small_day: Problem, s_base: float, dt: float
) -> None:
    s_max = small_day.feeder.s_max.copy()
    s_max[small_day.feeder.at(52)] = 0.22
    feeder = rebased(replace(small_day.feeder, s_max=s_max), s_base)
    given = replace(small_day, feeder=feeder, dt_h=dt, v_min=0.985)
    cars = replace(given.devices.ev, energy_mwh=0.12 * dt * np.ones(1))
    given = replace(given, devices=replace(given.devices, ev=cars))
    schedule, _ = plan(given)
    prices = schedule.prices
    assert np.abs(prices.voltage[1]).max() > 1, "the lower voltage limit is meant to bind"
    assert np.abs(prices.congestion[2, feeder.at(52)]) > 1, "so is the line to bus 52"
    for t, bus in ((1, 37), (1, 53), (2, 52)):
        place = given.feeder.at(bus)
        slope = _cost_slope(given, t, place, reactive=False)
        assert prices.active[t, place] == pytest.approx(slope, rel=1e-4)
    place = given.feeder.at(52)
    slope = _cost_slope(given, 2, place, reactive=True)
    assert prices.reactive[2, place] == pytest.approx(slope, rel=1e-4)


def test_parts_of_the_price_add_up(small_day: Problem) -> None:
    feeder = small_day.feeder
    s_max = feeder.s_max.copy()
    s_max[feeder.at(4)] = 2.75
    given = replace(small_day, v_min=0.985, feeder=replace(feeder, s_max=s_max))
    schedule, _ = plan(given)
    prices = schedule.prices
    parts = prices.energy + prices.loss + prices.congestion + prices.voltage
    np.testing.assert_allclose(parts, prices.active, atol=1e-3)
    assert prices.congestion[1, feeder.at(37)] > 1
    assert prices.congestion[1, feeder.at(3)] == pytest.approx(0, abs=0.05)
    assert prices.voltage[1, feeder.at(37)] > 1
    assert (prices.loss[1, 1:] > 0).any()
    np.testing.assert_allclose(prices.energy[:, 0], prices.active[:, 0])


def test_zip_loads_are_priced_at_their_true_root() -> None:
    feeder, load = at_bus_2([1.0], r=0.05)
    parts = (0.3, 0.4, 0.3)
    given = problem(feeder, load, DeviceSets(), zip_p=parts, zip_q=parts)
    schedule, money = plan(given)
    nothing = np.zeros((1, 2))
    flow = power_flow(feeder, nothing, nothing, 1.0, ZipLoad(load, load / 3, parts, parts))
    assert money == pytest.approx(300 * flow.supply[0].real, rel=1e-8)
    assert schedule.voltage[0, 1] == pytest.approx(flow.v[0, 1], abs=1e-9)
    prices = schedule.prices
    total = prices.energy + prices.loss + prices.congestion + prices.voltage
    np.testing.assert_allclose(total, prices.active, rtol=1e-6)
    step = 1e-4
    slopes = []
    for sign in (1, -1):
        extra = np.array([[0.0, -sign * step]])
        moved = power_flow(feeder, extra, nothing, 1.0, ZipLoad(load, load / 3, parts, parts))
        slopes.append(300 * moved.supply[0].real)
    assert prices.active[0, 1] == pytest.approx((slopes[0] - slopes[1]) / (2 * step), rel=1e-5)


def test_battery_loses_what_its_efficiencies_say() -> None:
    """Energy leaves the cell divided by the efficiency, not multiplied as the paper writes."""
    feeder, load = at_bus_2([0.1, 0.5], r=1e-3)
    battery = Storage(np.array([2]), one(0.3), one(0), one(0.2), one(0), one(0.9), one(0.8), one(0))
    given = problem(feeder, load, DeviceSets(storage=battery), price_buy=one(100.0, 400.0))
    schedule, _ = plan(given)
    points = schedule.set_points
    assert points.energy_mwh[0, 0] == pytest.approx(0.2, abs=1e-7)
    assert points.charge_mw[0, 0] == pytest.approx(0.2 / 0.9, abs=1e-7)
    assert points.discharge_mw[1, 0] == pytest.approx(0.2 * 0.8, abs=1e-7)


def test_car_charges_in_its_cheapest_hours_within_its_window() -> None:
    feeder, load = at_bus_2([0.1, 0.1, 0.1, 0.1], r=1e-3)
    car = Ev(np.array([2]), one(0.1), one(0.09), np.array([1]), np.array([3]), one(0.9))
    given = problem(feeder, load, DeviceSets(ev=car), price_buy=one(90, 300, 100, 90))
    schedule, _ = plan(given)
    np.testing.assert_allclose(schedule.set_points.ev_mw[:, 0], [0, 0, 0.1, 0], atol=1e-6)


def _sunny(**more: object) -> Problem:
    """One bus with far more sun than the line can take at v_max, at unity power factor."""
    feeder, load = at_bus_2([0.05], r=0.05)
    pv = Pv(np.array([2]), one(3.0), np.array([[3.0]]), one(0.0), reactive=False)
    return problem(feeder, load, DeviceSets(pv=pv), **{"v_max": 1.05, **more})


def test_fictitious_losses_at_the_upper_voltage_limit_are_flagged_and_repaired() -> None:
    given = _sunny()
    answer = solve(given)
    assert answer.status == "inexact"
    assert answer.exactness is not None
    assert answer.exactness.fictitious_loss_kw > 1
    assert answer.schedule is not None
    assert answer.bound < answer.objective
    schedule = answer.schedule
    assert schedule.voltage[0, 1] == pytest.approx(1.05, abs=1e-6)
    assert schedule.voltage[0, 1] <= 1.05 + 1e-6

    def cost(power: float) -> tuple[float, float]:
        p = np.array([[0.0, power]]) - given.load_p_mw
        flow = power_flow(given.feeder, p, -given.load_q_mvar)
        return 80 * float(flow.supply[0].real), float(flow.v[0, 1])

    low, high = 0.0, 3.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if cost(middle)[1] < 1.05 else (low, middle)
    assert schedule.set_points.pv_mw[0, 0] == pytest.approx(low, rel=1e-4)
    assert answer.objective == pytest.approx(cost(low)[0], rel=1e-4)
    # where sun is thrown away one more kWh is worth its offer, nothing
    assert schedule.prices.active[0, 1] == pytest.approx(0, abs=0.1)


def test_inverter_reactive_power_makes_the_same_case_exact() -> None:
    given = _sunny()
    pv = replace(given.devices.pv, reactive=True, s_mva=one(3.4))
    schedule, _ = plan(replace(given, devices=DeviceSets(pv=pv)))
    assert schedule.set_points.pv_mvar[0, 0] < 0
    assert schedule.voltage[0, 1] <= 1.05 + 1e-7


def test_burning_energy_in_a_battery_is_flagged_and_repaired() -> None:
    """At a negative price the relaxation charges and discharges at once; a battery cannot."""
    feeder, load = at_bus_2([0.1, 0.1], r=1e-3)
    battery = Storage(
        np.array([2]), one(0.3), one(0), one(0.5), one(0.2), one(0.9), one(0.9), one(0)
    )
    given = problem(
        feeder,
        load,
        DeviceSets(storage=battery),
        price_buy=one(-50.0, 300.0),
        price_sell=one(-60.0, 80.0),
    )
    answer = solve(given)
    assert answer.status == "inexact"
    assert answer.schedule is not None
    points = answer.schedule.set_points
    assert np.minimum(points.charge_mw, points.discharge_mw).max() <= 1e-5
    assert answer.bound <= answer.objective
    # the best a real battery can do: charge at -50, sell the energy at 300 within its own load
    kept = points.energy_mwh[0, 0]
    assert kept > 0.2


def test_low_voltage_that_nothing_can_lift_is_named() -> None:
    feeder, load = at_bus_2([0.1, 2.0], r=0.05)
    answer = solve(problem(feeder, load, DeviceSets(), v_min=0.95))
    assert answer.status == "infeasible"
    assert [str(conflict) for conflict in answer.conflicts] == ["v_min at bus 2 in interval 1"]


def test_overloaded_line_is_named() -> None:
    feeder = build(1, [Line(1, 2, 0.01, 0.01, 0.5), Line(2, 3, 0.01, 0.01)], {}, 1.0, 1.0)
    load = np.array([[0.0, 0.1, 0.6]])
    answer = solve(problem(feeder, load, DeviceSets()))
    assert answer.status == "infeasible"
    assert {conflict.limit for conflict in answer.conflicts} == {"s_max of line 1-2"}
    assert answer.schedule is not None, "the least violating schedule is still of use"


def test_load_beyond_the_nose_is_infeasible() -> None:
    feeder, load = at_bus_2([40.0])
    answer = solve(problem(feeder, load, DeviceSets()))
    assert answer.status == "infeasible"
    assert answer.conflicts


def test_duties_that_no_grid_can_meet_are_named() -> None:
    feeder, load = at_bus_2([0.1, 0.1])
    car = Ev(np.array([2]), one(0.1), one(0.5), np.array([0]), np.array([2]), one(0.9))
    battery = Storage(
        np.array([2]), one(0.3), one(0.1), one(0.5), one(0.7), one(0.9), one(0.9), one(0)
    )
    answer = solve(problem(feeder, load, DeviceSets(storage=battery, ev=car)))
    assert answer.status == "infeasible"
    text = "; ".join(map(str, answer.conflicts))
    assert "storage 0 at bus 2: start 0.7 MWh is not in [0.1, 0.5]" in text
    assert "ev 0 at bus 2: 0.5 MWh do not fit" in text


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"v_root": np.ones(3)}, "v_root"),
        ({"price_buy": one(np.nan)}, "price_buy"),
        ({"price_buy": one(50.0)}, "price_sell"),
        ({"v_min": 1.2}, "v_min"),
        ({"dt_h": 0.0}, "dt_h"),
        ({"zip_p": (0.5, 0.0, 0.0)}, "zip_p"),
    ],
)
def test_unusable_problem_is_refused_by_field(change: dict[str, object], place: str) -> None:
    feeder, load = at_bus_2([0.1])
    with pytest.raises(FeederError) as caught:
        solve(problem(feeder, load, DeviceSets(), **change))
    assert caught.value.place.startswith(place)


def test_device_at_an_unknown_bus_is_refused() -> None:
    feeder, load = at_bus_2([0.1])
    pv = Pv(np.array([7]), one(1.0), np.array([[1.0]]), one(0.0))
    with pytest.raises(FeederError, match="bus 7"):
        solve(problem(feeder, load, DeviceSets(pv=pv)))


@given(radial_feeders(most=8), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_optimal_means_balanced_within_limits_and_dearer_with_more_load(
    feeder: Feeder, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    load = rng.uniform(0, 0.1, (2, feeder.size))
    bus = np.array([feeder.ids[-1]])
    pv = Pv(bus, one(0.3), rng.uniform(0.05, 0.3, (2, 1)), one(10.0))
    battery = Storage(bus, one(0.1), one(0), one(0.2), one(0.1), one(0.9), one(0.9), one(15.0))
    given_ = problem(feeder, load, DeviceSets(pv=pv, storage=battery), v_min=0.9, v_max=1.1)
    answer = solve(given_)
    assert answer.status in ("optimal", "inexact")
    assert answer.schedule is not None
    schedule, points = answer.schedule, answer.schedule.set_points
    assert (schedule.voltage[:, 1:] >= 0.9 - 1e-6).all()
    assert (schedule.voltage[:, 1:] <= 1.1 + 1e-6).all()
    supplied = schedule.import_mw + (points.pv_mw + points.discharge_mw)[:, 0]
    used = load.sum(axis=1) + points.charge_mw[:, 0] + schedule.loss_mwh
    np.testing.assert_allclose(supplied, used, atol=1e-9)
    more = solve(replace(given_, load_p_mw=load + 0.01))
    assert more.objective > answer.objective


@given(radial_feeders(most=7), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=25, deadline=None)
def test_wherever_sun_meets_the_voltage_limit_the_answer_is_physical(
    feeder: Feeder, seed: int, reactive: bool
) -> None:
    """The upper limit is where the relaxation fails: what comes back is checked by AC flow."""
    rng = np.random.default_rng(seed)
    load = rng.uniform(0, 0.05, (1, feeder.size))
    sun = rng.uniform(0.5, 4.0, 2)
    pv = Pv(feeder.ids[[-1, feeder.size // 2]], 1.1 * sun, sun[None], one(0.0, 5.0), reactive)
    given_ = problem(feeder, load, DeviceSets(pv=pv), v_max=1.02)
    answer = solve(given_)
    assert answer.schedule is not None
    points = answer.schedule.set_points
    p, q = -load, -load / 3
    for unit, bus in enumerate(pv.bus):
        p[:, feeder.at(int(bus))] += points.pv_mw[:, unit]
        q[:, feeder.at(int(bus))] += points.pv_mvar[:, unit]
    flow = power_flow(feeder, p, q)
    np.testing.assert_allclose(answer.schedule.voltage, flow.v, atol=1e-9)
    assert answer.bound <= answer.objective + 1e-6
    if answer.status == "infeasible":
        assert flow.v.max() > 1.02
        assert points.pv_mw.max() < 1e-3 or reactive
    else:
        assert flow.v[:, 1:].max() <= 1.02 + 1e-6
        imported = flow.supply.real
        money = np.where(imported > 0, 300 * imported, 80 * imported) + points.pv_mw @ pv.offer
        assert answer.objective == pytest.approx(float(money[0]), abs=1e-4)


def test_losses_of_shunts_are_paid_for_wherever_they_are() -> None:
    lossy = replace(two_bus(0.05, 0.05), conductance=np.array([0.02, 0.03]))
    schedule, money = plan(problem(lossy, np.array([[0.0, 0.2]]), DeviceSets()))
    flow = power_flow(lossy, np.array([[0.0, -0.2]]), np.array([[0.0, -0.2 / 3]]))
    assert schedule.voltage[0, 1] == pytest.approx(flow.v[0, 1], abs=1e-9)
    assert flow.supply[0].real == pytest.approx(0.2 + flow.loss[0], abs=1e-12)
    assert money == pytest.approx(300 * flow.supply[0].real, rel=1e-8)
