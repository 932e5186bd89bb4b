"""Are prices what one more kWh costs, in any units, and is each of their parts what it says?"""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.grid.random_cases import random_problem

from gridpact.grid.feeder import Line, build, rebased
from gridpact.grid.opf import solve
from gridpact.grid.power_flow import PowerFlow
from gridpact.grid.problem import DeviceSets, Generator, Prices, Problem, Pv, Solution
from gridpact.grid.replay import replay

_STEP = 4e-4  # MW or Mvar
KINDS = [
    {},
    {"zip_kind": 1},
    {"v_min": 0.98, "rated": True},
    {"sun": 3.0, "v_max": 1.03},
]


def optimum(given: Problem) -> Solution:
    answer = solve(given)
    assert answer.status == "optimal"
    return answer


def in_units(given: Problem, s_base: float, dt: float) -> Problem:
    """Return the same power at other hours and another base: energies shrink with the hours."""
    devices, share = given.devices, dt / given.dt_h
    return replace(
        given,
        feeder=rebased(given.feeder, s_base),
        dt_h=dt,
        devices=replace(
            devices,
            ev=replace(devices.ev, energy_mwh=devices.ev.energy_mwh * share),
            shiftable=replace(devices.shiftable, energy_mwh=devices.shiftable.energy_mwh * share),
            storage=replace(
                devices.storage,
                e_0_mwh=devices.storage.e_0_mwh * share,
                e_max_mwh=devices.storage.e_max_mwh * share,
            ),
        ),
    )


@pytest.mark.parametrize("s_base", [1.0, 100.0])
@pytest.mark.parametrize("dt", [1.0, 0.25])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_prices_are_slopes_of_the_cost(kind: dict[str, object], s_base: float, dt: float) -> None:
    """Between the slopes to either side everywhere; where these agree, equal to them."""
    smooth = 0
    for seed in (0, 1, 3):
        given = in_units(random_problem(seed, **kind), s_base, dt)
        answer, rng = optimum(given), np.random.default_rng(seed)
        assert answer.schedule is not None
        for field in ("load_p_mw", "load_q_mvar"):
            price = answer.schedule.prices
            table = price.active if field == "load_p_mw" else price.reactive
            t, place = int(rng.integers(3)), int(rng.integers(given.feeder.size))
            cost = []
            for step in (-_STEP, 0.0, _STEP):
                load = getattr(given, field).copy()
                load[t, place] += step
                cost.append(optimum(replace(given, **{field: load})).objective)
            below, above = np.diff(cost) / (_STEP * dt)
            scale = np.abs(price.active).max()
            parts = given.zip_p if field == "load_p_mw" else given.zip_q
            v = answer.schedule.voltage[t, place]
            worth = table[t, place] * (parts[0] * v**2 + parts[1] * v + parts[2])
            assert below - 1e-4 * scale <= worth <= above + 1e-4 * scale
            if above - below < 1e-3 * scale:
                smooth += 1
                assert worth == pytest.approx((below + above) / 2, rel=1e-4, abs=1e-4 * scale)
    assert smooth >= 4


@pytest.mark.parametrize("kind", [*KINDS, {"sun": 3.0, "v_max": 1.03, "reactive": False},
                                  {"least_price": -60.0}], ids=str)  # fmt: skip
def test_parts_add_up_at_every_bus_whatever_the_status(kind: dict[str, object]) -> None:
    for seed in range(4):
        answer = solve(random_problem(seed, **kind))
        assert answer.schedule is not None
        prices = answer.schedule.prices
        parts = prices.energy + prices.loss + prices.congestion + prices.voltage
        scale = np.abs(prices.active).max()
        np.testing.assert_allclose(parts, prices.active, atol=1e-5 * scale)
        assert np.ptp(prices.energy, axis=1).max() == 0
        np.testing.assert_allclose(prices.active[:, 0], prices.energy[:, 0])


def test_loss_part_is_the_price_of_the_losses_that_a_load_adds() -> None:
    given = random_problem(3, zip_kind=1)
    answer = optimum(given)
    assert answer.schedule is not None
    points = answer.schedule.set_points

    def flow(step: float, place: int) -> PowerFlow:
        held = random_problem(3, zip_kind=1)
        load = Generator(np.array([given.feeder.ids[place]]), *(np.zeros(1),) * 6)
        devices = replace(held.devices, generator=_both(held.devices.generator, load))
        more = replace(
            points,
            generator_mw=np.hstack([points.generator_mw, np.full((3, 1), -step)]),
            generator_mvar=np.hstack([points.generator_mvar, np.zeros((3, 1))]),
        )
        return replay(replace(held, devices=devices), given.feeder, more)

    prices, step = answer.schedule.prices, 1e-4
    for place in range(1, given.feeder.size):
        more, less = flow(step, place), flow(-step, place)
        slope = (more.supply.real - less.supply.real) / (2 * step)
        np.testing.assert_allclose(
            prices.loss[:, place], prices.energy[:, 0] * (slope - 1), rtol=1e-5
        )


def _both(one: Generator, other: Generator) -> Generator:
    names = ("bus", "p_min_mw", "p_max_mw", "q_min_mvar", "q_max_mvar", "c2", "c1")
    return Generator(*(np.r_[getattr(one, name), getattr(other, name)] for name in names))


def made(load: float, sun: float, s_max: float | None = None, **more: object) -> Prices:
    """Return the prices of bus 1 - bus 2 - bus 3 with a load, sun and a generator at bus 3."""
    feeder = build(1, [Line(1, 2, 0.03, 0.03), Line(2, 3, 0.03, 0.03, s_max)], {}, 1.0, 1.0)
    bus = np.array([3])
    devices = DeviceSets(
        pv=Pv(bus, np.array([1.2 * sun]), np.array([[sun]]), np.zeros(1)),
        generator=Generator(bus, np.zeros(1), np.ones(1), np.zeros(1), np.zeros(1),
                            np.array([100.0]), np.array([400.0])),
    )  # fmt: skip
    fields = {"v_min": 0.8, "v_max": 1.2, **more}
    given = Problem(
        feeder=feeder, dt_h=1.0, v_root=np.ones(1), load_p_mw=np.array([[0, 0.05, load]]),
        load_q_mvar=np.zeros((1, 3)), price_buy=np.array([300.0]), price_sell=np.array([80.0]),
        devices=devices, **fields,
    )  # fmt: skip
    answer = optimum(given)
    assert answer.schedule is not None
    return answer.schedule.prices


def test_losses_make_energy_dearer_where_it_is_taken_and_cheaper_where_it_is_made() -> None:
    taken, exported = made(0.8, 0.0), made(0.0, 0.8)
    assert taken.energy[0, 0] == pytest.approx(300)
    assert 0 < taken.loss[0, 1] < taken.loss[0, 2]
    assert exported.energy[0, 0] == pytest.approx(80)
    assert 0 > exported.loss[0, 1] > exported.loss[0, 2]
    for prices in (taken, exported):
        np.testing.assert_allclose(prices.congestion, 0, atol=1e-3)
        np.testing.assert_allclose(prices.voltage, 0, atol=1e-3)


def test_full_line_makes_energy_dearer_behind_it_or_cheaper_when_it_exports() -> None:
    importing, exporting = made(0.8, 0.0, s_max=0.5), made(0.0, 0.8, s_max=0.5)
    assert importing.congestion[0, 2] > 50
    assert exporting.congestion[0, 2] < -50
    for prices in (importing, exporting):
        # what is drawn above the line changes its losses a little
        np.testing.assert_allclose(prices.congestion[0, :2], 0, atol=0.2)
        np.testing.assert_allclose(prices.voltage, 0, atol=1e-3)


def test_voltage_limit_makes_energy_dearer_where_it_is_low_and_cheaper_where_it_is_high() -> None:
    low, high = made(0.8, 0.0, v_min=0.97), made(0.0, 1.6, v_max=1.03)
    assert 0 < low.voltage[0, 1] < low.voltage[0, 2]
    assert 0 > high.voltage[0, 1] > high.voltage[0, 2]
    for prices in (low, high):
        np.testing.assert_allclose(prices.congestion, 0, atol=1e-3)
