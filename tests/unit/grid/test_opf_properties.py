"""What holds for any feeder: balance, limits, units, names, more load never cheaper."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.grid.random_cases import random_problem

from gridpact.grid.feeder import Line, build, rebased
from gridpact.grid.flexible import Curtailable
from gridpact.grid.net_limits import net_limits
from gridpact.grid.opf import solve
from gridpact.grid.power_flow import ZipLoad, power_flow
from gridpact.grid.problem import Problem, Schedule

problems = st.builds(
    random_problem,
    st.integers(0, 2**32 - 1),
    size=st.integers(2, 9),
    intervals=st.integers(1, 3),
    sun=st.floats(0.0, 3.0),
    v_max=st.floats(1.03, 1.1),
    v_min=st.floats(0.9, 0.97),
    zip_kind=st.integers(0, 3),
    storage=st.booleans(),
    rated=st.booleans(),
    least_price=st.sampled_from([0.0, 0.0, -60.0]),
    reactive=st.booleans(),
)
solved = settings(max_examples=25, deadline=None)


def injected(given_: Problem, plan: Schedule) -> tuple[np.ndarray, np.ndarray]:
    """Return what devices feed in by bus, written out here once more. [MW, Mvar]"""
    points, devices = plan.set_points, given_.devices
    p, q = np.zeros((2, *given_.load_p_mw.shape))
    for units, active, reactive in (
        (devices.pv, points.pv_mw, points.pv_mvar),
        (devices.storage, points.discharge_mw - points.charge_mw, None),
        (devices.ev, -points.ev_mw, None),
        (devices.generator, points.generator_mw, points.generator_mvar),
        (devices.shiftable, -points.shift_mw, -points.shift_mw * devices.shiftable.mvar_per_mw),
    ):
        for k, bus in enumerate(units.bus):
            p[:, given_.feeder.at(int(bus))] += active[:, k]
            if reactive is not None:
                q[:, given_.feeder.at(int(bus))] += reactive[:, k]
    place = given_.feeder.at(int(devices.curtailable.bus[0]))
    ratio = given_.load_q_mvar[:, place] / given_.load_p_mw[:, place]
    p[:, place] += points.shed_mw[:, 0]
    q[:, place] += points.shed_mw[:, 0] * ratio
    return p, q


@given(problems)
@solved
def test_answer_is_an_ac_power_flow_within_limits_and_devices_keep_theirs(given_: Problem) -> None:
    answer = solve(given_)
    plan, feeder = answer.schedule, rebased(given_.feeder, 1.0)
    assert plan is not None
    p, q = injected(given_, plan)
    load = ZipLoad(given_.load_p_mw, given_.load_q_mvar, given_.zip_p, given_.zip_q)
    flow = power_flow(feeder, p, q, given_.v_root, load)
    np.testing.assert_allclose(plan.voltage, flow.v, atol=1e-9)
    np.testing.assert_allclose(plan.import_mw, flow.supply.real, atol=1e-9)
    np.testing.assert_allclose(plan.loss_mwh, flow.loss * given_.dt_h, atol=1e-9)
    share, v = given_.zip_p, flow.v
    drawn = given_.load_p_mw * (share[0] * v**2 + share[1] * v + share[2])
    balance = plan.import_mw + p.sum(axis=1) - drawn.sum(axis=1) - flow.loss
    np.testing.assert_allclose(balance, 0, atol=1e-9)
    if answer.status != "infeasible":
        assert net_limits(given_, feeder).excess(flow) <= 1e-5
        assert answer.bound <= answer.objective + 1e-6 * (1 + abs(answer.objective))
    points, devices = plan.set_points, given_.devices
    assert (np.hypot(points.pv_mw, points.pv_mvar) <= devices.pv.s_mva + 1e-6).all()
    assert (points.pv_mw <= devices.pv.available_mw + 1e-9).all()
    energy = given_.dt_h * devices.ev.eta * points.ev_mw.sum(axis=0)
    np.testing.assert_allclose(energy, devices.ev.energy_mwh, atol=1e-6)
    moved = given_.dt_h * points.shift_mw.sum(axis=0)
    np.testing.assert_allclose(moved, devices.shiftable.energy_mwh, atol=1e-6)
    storage = devices.storage
    assert (points.energy_mwh >= storage.e_min_mwh - 1e-6).all()
    assert (points.energy_mwh <= storage.e_max_mwh + 1e-6).all()
    np.testing.assert_allclose(points.energy_mwh[-1:], storage.e_0_mwh[None], atol=1e-6)
    both = np.minimum(points.charge_mw, points.discharge_mw)
    assert answer.status == "infeasible" or (both <= 2e-5 * storage.p_max_mw).all()


@given(problems, st.sampled_from([0.01, 3.0, 100.0]), st.sampled_from([0.01, 250.0]))
@solved
def test_units_do_not_matter(given_: Problem, s_base: float, currency: float) -> None:
    """Another per-unit base, another currency: the same schedule, the same prices."""
    devices = given_.devices
    dearer = replace(
        devices,
        pv=replace(devices.pv, offer=currency * devices.pv.offer),
        storage=replace(devices.storage, wear_per_mwh=currency * devices.storage.wear_per_mwh),
        generator=replace(
            devices.generator,
            c2=currency * devices.generator.c2,
            c1=currency * devices.generator.c1,
        ),
        curtailable=replace(devices.curtailable, price=currency * devices.curtailable.price),
    )
    other = replace(
        given_,
        feeder=rebased(given_.feeder, s_base),
        price_buy=currency * given_.price_buy,
        price_sell=currency * given_.price_sell,
        devices=dearer,
    )
    compare(given_, other, currency, np.arange(given_.feeder.size))


@given(problems, st.randoms(use_true_random=False))
@solved
def test_names_and_order_of_buses_do_not_matter(given_: Problem, random: object) -> None:
    feeder = given_.feeder
    names = list(range(100, 100 + feeder.size))
    random.shuffle(names)  # type: ignore[attr-defined]
    lines = [
        Line(
            names[feeder.parent[place]], names[place], float(feeder.r[place]),
            float(feeder.x[place]),
            float(feeder.s_max[place]) if np.isfinite(feeder.s_max[place]) else None,
        )
        for place in range(1, feeder.size)
    ]  # fmt: skip
    random.shuffle(lines)  # type: ignore[attr-defined]
    shunt, leak = (
        {names[place]: float(values[place]) for place in range(feeder.size)}
        for values in (feeder.shunt, feeder.conductance)
    )
    mixed = build(names[0], lines, shunt, 1.0, 1.0, leak)
    order = np.array([names.index(int(bus)) for bus in mixed.ids])
    devices = given_.devices
    renamed = {
        field.name: replace(
            units := getattr(devices, field.name),
            bus=np.array([names[feeder.at(int(bus))] for bus in units.bus], dtype=np.int64),
        )
        for field in fields(devices)
    }
    other = replace(
        given_,
        feeder=mixed,
        load_p_mw=given_.load_p_mw[:, order],
        load_q_mvar=given_.load_q_mvar[:, order],
        devices=replace(devices, **renamed),
    )
    compare(given_, other, 1.0, order)


def compare(one: Problem, other: Problem, currency: float, order: np.ndarray) -> None:
    """Expect the same of both: to the solver's precision, or the repair's."""
    first, second = solve(one), solve(other)
    assert first.status == second.status
    scale = abs(first.objective) + float((one.load_p_mw.sum(axis=1) * abs(one.price_buy)).sum())
    exact = 1e-6 if first.status == "optimal" else 1e-3
    assert second.objective / currency == pytest.approx(first.objective, abs=exact * scale)
    if first.status == "optimal":
        assert first.schedule is not None
        assert second.schedule is not None
        np.testing.assert_allclose(
            second.schedule.voltage, first.schedule.voltage[:, order], atol=1e-4
        )


@given(problems, st.integers(0, 2**32 - 1))
@solved
def test_more_load_never_costs_less(given_: Problem, seed: int) -> None:
    """Where energy has a price everywhere: nothing negative, no limit that load would relieve."""
    sold = np.maximum(given_.price_sell, 5.0)
    nothing = np.zeros(0, dtype=np.int64)
    wide = replace(
        given_,
        feeder=replace(given_.feeder, s_max=np.full(given_.feeder.size, np.inf)),
        price_sell=sold,
        price_buy=np.maximum(given_.price_buy, sold),
        v_max=1.5,
        v_min=0.5,
        devices=replace(given_.devices, curtailable=Curtailable(nothing, np.zeros(0), np.zeros(0))),
    )
    more = np.random.default_rng(seed).uniform(0, 0.05, wide.load_p_mw.shape)
    first, second = solve(wide), solve(replace(wide, load_p_mw=wide.load_p_mw + more))
    assert first.status == second.status == "optimal"
    assert second.objective >= first.objective - 1e-7 * abs(first.objective)
