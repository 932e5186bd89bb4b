"""The grid check: nothing is touched that may flow, nothing is left that may not, least is cut."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.unit.grid.conftest import radial_feeders, two_bus

from gridpact.errors import FeederError
from gridpact.grid.check import RadialCheck
from gridpact.grid.feeder import Feeder, Line, build
from gridpact.grid.power_flow import PowerFlow, power_flow
from gridpact.model.grid_check import GridCheck, GridVerdict, Injector

Load = Mapping[int, tuple[int, int]]
WITHIN = 1e-6


def injector(name: int, bus: int, watts: int, rank: int = 0, va: int | None = None) -> Injector:
    return Injector(bytes([name]) * 20, bus, watts, rank, watts if va is None else va)


def replay(
    feeder: Feeder,
    load: Load,
    injectors: Sequence[Injector],
    verdict: GridVerdict,
    v_root: float,
    more: Mapping[bytes, int] | None = None,
) -> PowerFlow:
    """Return the power flow of what the verdict lets flow, computed from whole W and var."""
    base = feeder.s_base_mva * 1e6
    p, q = np.zeros((2, 1, feeder.size))
    for bus, (active, reactive) in load.items():
        p[0, feeder.at(bus)] -= active / base
        q[0, feeder.at(bus)] -= reactive / base
    limited = {cut.participant: cut.power_w for cut in verdict.curtailments}
    for unit in injectors:
        power = limited.get(unit.participant, unit.generation_w)
        power += (more or {}).get(unit.participant, 0)
        p[0, feeder.at(unit.bus)] += power / base
        q[0, feeder.at(unit.bus)] += verdict.reactive_var.get(unit.participant, 0) / base
    return power_flow(feeder, p, q, v_root)


def overload(flow: PowerFlow, v_min: float, v_max: float) -> float:
    """Return by how much the worst limit is exceeded. [pu]"""
    rated = np.isfinite(flow.feeder.s_max)
    ends = np.maximum(np.abs(flow.sent), np.abs(flow.arrived))[:, rated]
    return max(
        (flow.v[:, 1:] - v_max).max(),
        (v_min - flow.v[:, 1:]).max(),
        (ends - flow.feeder.s_max[rated]).max(initial=-1.0),
    )


@pytest.fixture(scope="module")
def midday(sce56) -> Load:
    """70 % of the peak load: with the plants bus 19 is the one whose voltage is too high."""
    active, reactive = 0.7e6 * sce56.power_factor, 0.7e6 * math.sqrt(1 - sce56.power_factor**2)
    return {
        bus: (round(active * mva), round(reactive * mva))
        for bus, mva in sce56.peak_load_mva.items()
    }


PLANTS = (injector(1, 53, 1_000_000, 0, 1_100_000), injector(2, 19, 800_000, 1, 880_000))


def test_it_is_a_grid_check(sce56) -> None:
    check: GridCheck = RadialCheck(sce56.feeder, 0.95, 1.05)
    assert check(0, {}, ()).curtailments == ()


def test_nothing_is_touched_when_all_limits_hold(sce56, midday) -> None:
    verdict = RadialCheck(sce56.feeder, 0.9, 1.1, 1.0, inverter_q=True)(0, midday, PLANTS)
    assert verdict.curtailments == ()
    assert verdict.reactive_var == {}
    assert verdict.binding == verdict.conflicts == ()
    flow = replay(sce56.feeder, midday, PLANTS, verdict, 1.0)
    assert verdict.loss_w == round(flow.loss[0] * 1e6)
    assert verdict.v_min == pytest.approx(flow.v[0, 1:].min())
    assert verdict.v_max == pytest.approx(flow.v[0, 1:].max())


def test_plant_at_bus_19_is_cut_just_enough_at_a_high_root_voltage(sce56, midday) -> None:
    verdict = RadialCheck(sce56.feeder, 0.95, 1.05, 1.02)(0, midday, PLANTS)
    (cut,) = verdict.curtailments
    assert cut.participant == PLANTS[1].participant
    assert cut.limit == "v_max at bus 19"
    assert verdict.binding == ("v_max at bus 19",)
    assert cut.multiplier > 0
    assert verdict.conflicts == ()
    flow = replay(sce56.feeder, midday, PLANTS, verdict, 1.02)
    assert overload(flow, 0.95, 1.05) <= WITHIN
    more = replay(sce56.feeder, midday, PLANTS, verdict, 1.02, {cut.participant: 100})
    assert overload(more, 0.95, 1.05) > WITHIN


def test_reactive_power_of_inverters_removes_the_need_to_cut(sce56, midday) -> None:
    verdict = RadialCheck(sce56.feeder, 0.95, 1.05, 1.02, inverter_q=True)(0, midday, PLANTS)
    assert verdict.curtailments == ()
    assert verdict.reactive_var[PLANTS[1].participant] < 0
    for unit in PLANTS:
        var = verdict.reactive_var.get(unit.participant, 0)
        assert math.hypot(unit.generation_w, var) <= unit.inverter_va
    flow = replay(sce56.feeder, midday, PLANTS, verdict, 1.02)
    assert overload(flow, 0.95, 1.05) <= WITHIN


def test_no_more_reactive_power_is_taken_than_needed(sce56, midday) -> None:
    verdict = RadialCheck(sce56.feeder, 0.95, 1.05, 1.02, inverter_q=True)(0, midday, PLANTS)
    less = {name: round(var * 0.99) for name, var in verdict.reactive_var.items()}
    eased = GridVerdict((), less, 0, 0.0, 0.0, ())
    assert overload(replay(sce56.feeder, midday, PLANTS, eased, 1.02), 0.95, 1.05) > WITHIN


def test_highest_rank_is_cut_first_at_one_bus() -> None:
    feeder = two_bus(0.05, 0.02)
    units = [injector(n, 2, 500_000, rank) for n, rank in ((1, 3), (2, 7), (3, 5))]
    verdict = RadialCheck(feeder, 0.9, 1.05)(0, {}, units)
    assert [cut.participant[0] for cut in verdict.curtailments] == [2]
    assert 0 < verdict.curtailments[0].power_w < 500_000
    deeper = RadialCheck(feeder, 0.9, 1.03)(0, {}, units)
    limits = {cut.participant[0]: cut.power_w for cut in deeper.curtailments}
    assert limits.keys() == {2, 3}
    assert limits[2] == 0
    assert 0 < limits[3] < 500_000


def test_nobody_is_cut_for_a_limit_that_lies_elsewhere(sce56, midday) -> None:
    """The unit at bus 3 has the worst rank but hardly moves the voltage at bus 19."""
    units = [*PLANTS, injector(9, 3, 50_000, 99)]
    verdict = RadialCheck(sce56.feeder, 0.95, 1.05, 1.02)(0, midday, units)
    assert {cut.participant[0] for cut in verdict.curtailments} == {2}


def test_line_rating_binds_exports_and_is_named() -> None:
    feeder = two_bus(0.001, 0.001, s_max=0.3)
    units = [injector(1, 2, 500_000)]
    verdict = RadialCheck(feeder, 0.9, 1.1)(0, {}, units)
    (cut,) = verdict.curtailments
    assert cut.limit == "s_max of line 1-2"
    assert cut.power_w == pytest.approx(300_000, abs=2)
    assert overload(replay(feeder, {}, units, verdict, 1.0), 0.9, 1.1) <= WITHIN


def test_low_voltage_from_load_is_a_conflict_and_generation_stays(sce56) -> None:
    load = {bus: (round(9e5 * m), round(4.4e5 * m)) for bus, m in sce56.peak_load_mva.items()}
    units = [injector(1, 53, 100_000)]
    verdict = RadialCheck(sce56.feeder, 0.985, 1.05)(0, load, units)
    assert verdict.curtailments == ()
    assert "v_min at bus 37" in verdict.conflicts
    assert not any("v_max" in name for name in verdict.conflicts)


def test_conflict_is_named_when_there_is_nobody_to_limit() -> None:
    verdict = RadialCheck(two_bus(), 0.99, 1.05)(0, {2: (1_200_000, 0)}, ())
    assert verdict.conflicts == ("v_min at bus 2",)
    assert verdict.curtailments == ()


def test_high_voltage_at_the_root_is_a_conflict_after_everything_was_cut() -> None:
    units = [injector(1, 2, 200_000)]
    verdict = RadialCheck(two_bus(), 0.9, 1.05, 1.06)(0, {}, units)
    assert verdict.conflicts == ("v_max at bus 2",)
    assert [cut.power_w for cut in verdict.curtailments] == [0]


def test_load_that_no_voltage_can_serve_is_a_conflict_not_an_exception() -> None:
    units = [injector(1, 2, 200_000)]
    verdict = RadialCheck(two_bus(), 0.9, 1.05)(0, {2: (40_000_000, 0)}, units)
    assert len(verdict.conflicts) == 1
    assert "does not converge" in verdict.conflicts[0]
    assert [cut.power_w for cut in verdict.curtailments] == [0]


def test_generation_that_has_no_power_flow_is_cut_back_into_limits() -> None:
    feeder = two_bus(0.2, 0.2)
    units = [injector(1, 2, 9_000_000)]
    verdict = RadialCheck(feeder, 0.9, 1.05)(0, {}, units)
    assert verdict.conflicts == ()
    assert overload(replay(feeder, {}, units, verdict, 1.0), 0.9, 1.05) <= WITHIN


def test_root_voltage_may_change_with_the_interval(sce56, midday) -> None:
    check = RadialCheck(sce56.feeder, 0.95, 1.05, (1.0, 1.02))
    assert check(0, midday, PLANTS).curtailments == ()
    assert len(check(1, midday, PLANTS).curtailments) == 1


def test_injector_at_an_unknown_bus_is_named(sce56) -> None:
    with pytest.raises(FeederError, match="bus 99"):
        RadialCheck(sce56.feeder, 0.95, 1.05)(0, {}, [injector(1, 99, 1)])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Feeder, Load, list[Injector], float]:
    feeder = draw(radial_feeders(least=3))
    others = [int(bus) for bus in feeder.ids[1:]]
    load = {bus: (draw(st.integers(0, 60_000)), draw(st.integers(0, 30_000))) for bus in others}
    count = draw(st.integers(1, 6))
    units = [
        injector(
            n,
            draw(st.sampled_from(others)),
            draw(st.integers(100_000, 900_000)),
            draw(st.integers(0, 5)),
            900_000,
        )
        for n in range(count)
    ]
    return feeder, load, units, draw(st.floats(1.0, 1.03))


@given(cases(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_whatever_is_cleared_the_verdict_flows_within_limits(
    case: tuple[Feeder, Load, list[Injector], float], inverter_q: bool
) -> None:
    feeder, load, units, root = case
    verdict = RadialCheck(feeder, 0.9, 1.035, root, inverter_q)(0, load, units)
    assume(not verdict.conflicts)
    flow = replay(feeder, load, units, verdict, root)
    assert overload(flow, 0.9, 1.035) <= WITHIN
    generation = {unit.participant: unit.generation_w for unit in units}
    for cut in verdict.curtailments:
        assert 0 <= cut.power_w < generation[cut.participant]


@given(cases())
@settings(max_examples=60, deadline=None)
def test_giving_anyone_back_a_little_breaks_a_limit(
    case: tuple[Feeder, Load, list[Injector], float],
) -> None:
    feeder, load, units, root = case
    verdict = RadialCheck(feeder, 0.9, 1.035, root)(0, load, units)
    assume(not verdict.conflicts)
    for cut in verdict.curtailments:
        more = replay(feeder, load, units, verdict, root, {cut.participant: 2_000})
        assert overload(more, 0.9, 1.035) > 0


@given(radial_feeders(least=3), st.integers(100_000, 900_000))
@settings(max_examples=100, deadline=None)
def test_no_less_is_cut_than_a_single_injector_needs(feeder: Feeder, watts: int) -> None:
    """For one injector the least cut can be found by bisection alone."""
    bus = int(feeder.ids[-1])
    units = [injector(1, bus, watts)]
    verdict = RadialCheck(feeder, 0.9, 1.02)(0, {}, units)
    low, high = 0.0, float(watts)

    def breaks(power: float) -> bool:
        p = np.zeros((1, feeder.size))
        p[0, feeder.at(bus)] = power / 1e6
        return overload(power_flow(feeder, p, np.zeros_like(p)), 0.9, 1.02) > 0

    if not breaks(high):
        assert not verdict.curtailments
        return
    assume(not breaks(low))
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if breaks(middle) else (middle, high)
    (cut,) = verdict.curtailments
    assert cut.power_w == pytest.approx(low, abs=30)


def test_two_feeders_under_one_root_do_not_pay_for_each_other() -> None:
    feeder = build(1, [Line(1, 2, 0.05, 0.02), Line(1, 3, 0.05, 0.02)], {}, 1.0, 1.0)
    units = [injector(1, 2, 1_500_000, 1), injector(2, 3, 300_000, 2)]
    verdict = RadialCheck(feeder, 0.9, 1.05)(0, {}, units)
    assert [cut.participant[0] for cut in verdict.curtailments] == [1]
