"""Devices keep their equations whatever load, sun and plan do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.prosumer.fleets import site

from gridpact.prosumer.control import Schedule, follow, self_consume, start
from gridpact.prosumer.devices import Battery, Ev
from gridpact.prosumer.fleet import stack

power = st.floats(0, 20_000)
efficiency = st.floats(0.5, 1.0)
watts = st.floats(-20_000, 20_000)
hour = st.sampled_from([0.25, 0.5, 1.0])


@settings(deadline=None)
@given(
    st.lists(st.tuples(power, power, watts, watts), min_size=1, max_size=12),
    st.floats(0, 50_000),
    st.floats(0, 15_000),
    st.floats(0, 1),
    efficiency,
    efficiency,
    hour,
    st.booleans(),
)
def test_battery_stays_within_its_band_and_loses_what_its_efficiencies_say(
    day, capacity, rate, share, charge_eta, discharge_eta, hours, planned
):
    battery = Battery(capacity, rate, charge_eta, discharge_eta, share * capacity)
    fleet = stack([site(battery=battery, intervals=len(day))])
    state = start(fleet)
    for t, (load, sun, plan, meter) in enumerate(day):
        before = float(state.stored_wh[0])
        inputs = (np.array([load]), np.array([sun]))
        if planned:
            wish = Schedule(np.array([plan]), np.array([meter]))
            run, state = follow(fleet, state, *inputs, t, hours, wish)
        else:
            run, state = self_consume(fleet, state, *inputs, t, hours)
        into, out = float(run.charge_w[0]), float(run.discharge_w[0])
        assert 0 <= into <= rate
        assert 0 <= out <= rate
        assert min(into, out) == 0
        assert -1e-9 <= state.stored_wh[0] <= capacity + 1e-9
        moved = hours * (charge_eta * into - out / discharge_eta)
        assert state.stored_wh[0] - before == pytest.approx(moved, abs=1e-6 * (1 + capacity))


@settings(deadline=None)
@given(power, power, st.floats(0, 1))
def test_self_consumption_never_buys_to_store_and_never_sells_what_is_stored(load, sun, share):
    battery = Battery(10_000, 5_000, start_wh=share * 10_000)
    fleet = stack([site(battery=battery)])
    run, _ = self_consume(fleet, start(fleet), np.array([load]), np.array([sun]), 0, 1.0)
    surplus = max(0.0, sun - load)
    assert run.charge_w[0] <= surplus + 1e-9
    assert run.discharge_w[0] <= max(0.0, load - sun) + 1e-9


def test_discharge_efficiency_divides_what_leaves_the_cell():
    battery = Battery(10_000, 5_000, 1.0, 0.8, 10_000)
    fleet = stack([site(battery=battery)])
    run, after = self_consume(fleet, start(fleet), np.array([4000.0]), np.array([0.0]), 0, 1.0)
    assert run.discharge_w[0] == 4000
    assert after.stored_wh[0] == 10_000 - 4000 / 0.8


def test_vehicle_charges_after_arrival_at_full_power_until_it_has_its_energy():
    fleet = stack([site(ev=Ev(10_000, 4_000, arrives=1, leaves=6), intervals=6)])
    state, drawn = start(fleet), []
    for t in range(6):
        run, state = self_consume(fleet, state, np.zeros(1), np.zeros(1), t, 1.0)
        drawn.append(float(run.ev_w[0]))
    assert drawn == [0, 4000, 4000, 2000, 0, 0]


def test_vehicle_that_leaves_early_leaves_with_what_it_got():
    fleet = stack([site(ev=Ev(10_000, 4_000, arrives=0, leaves=2))])
    state = start(fleet)
    for t in range(4):
        _, state = self_consume(fleet, state, np.zeros(1), np.zeros(1), t, 1.0)
    assert state.ev_left_wh[0] == 2_000


def test_net_import_is_load_plus_charging_less_generation():
    fleet = stack([site(battery=Battery(10_000, 3_000))])
    run, _ = self_consume(fleet, start(fleet), np.array([1000.0]), np.array([6000.0]), 0, 1.0)
    assert run.charge_w[0] == 3000
    assert run.net_w[0] == -2000


@pytest.mark.parametrize(
    ("planned", "meter", "load", "sun", "moved"),
    [
        # stores all its surplus, lives off its cell: whatever surplus and load turn out to be
        (3000, 0, 1000, 2500, 1500),
        (-3000, 0, 2500, 0, -2500),
        # stores or takes a part: the plan at most, and no more than there is
        (1000, -500, 1000, 4000, 1000),
        (1000, -500, 1000, 1400, 400),
        (-1000, 500, 4000, 0, -1000),
        (-1000, 500, 400, 0, -400),
        # sells from the cell: the meter reads what was ordered
        (-3000, -2000, 1500, 0, -3500),
        # buys to store: as planned
        (2000, 3000, 5000, 0, 2000),
        # rests
        (0, 1000, 500, 900, 0),
    ],
)
def test_schedule_is_kept_sensible_when_the_forecast_was_wrong(planned, meter, load, sun, moved):
    fleet = stack([site(battery=Battery(20_000, 5_000, 1.0, 1.0, 10_000))])
    wish = Schedule(np.array([float(planned)]), np.array([float(meter)]))
    inputs = (np.array([float(load)]), np.array([float(sun)]))
    run, _ = follow(fleet, start(fleet), *inputs, 0, 1.0, wish)
    assert run.charge_w[0] - run.discharge_w[0] == moved
