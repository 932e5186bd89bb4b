"""Honest orders follow from what is expected and stay within their allowance."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.prosumer.fleets import site

from gridpact.prosumer.bidding import allowed, wanted
from gridpact.prosumer.control import Schedule, follow, self_consume, start
from gridpact.prosumer.devices import Battery, Ev
from gridpact.prosumer.fleet import stack

power = st.floats(0, 30_000)
watts = st.floats(-20_000, 20_000)


@settings(deadline=None)
@given(power, power, st.floats(0, 1), watts, watts, st.booleans())
def test_honest_order_never_exceeds_its_allowance(load, sun, share, plan, meter, planned):
    battery = Battery(20_000, 10_000, start_wh=share * 20_000)
    fleet = stack([site(battery=battery, ev=Ev(7_000, 3_700, 0, 4))])
    state, inputs = start(fleet), (np.array([load]), np.array([sun]))
    if planned:
        wish = Schedule(np.array([plan]), np.array([meter]))
        run, _ = follow(fleet, state, *inputs, 0, 1.0, wish)
    else:
        run, _ = self_consume(fleet, state, *inputs, 0, 1.0)
    want, limit = wanted(run, 1.0), allowed(fleet, state, run, 1.0)
    assert want.bid_wh[0] <= limit.bid_wh[0]
    assert want.offer_wh[0] <= limit.offer_wh[0]
    assert min(want.bid_wh[0], want.offer_wh[0]) == 0


def test_nobody_is_allowed_to_offer_the_energy_its_own_load_will_use():
    fleet = stack([site(battery=Battery(10_000, 5_000, 1.0, 1.0, 4_000))])
    state = start(fleet)
    run, _ = self_consume(fleet, state, np.array([3000.0]), np.array([1000.0]), 0, 1.0)
    assert allowed(fleet, state, run, 1.0).offer_wh[0] == 2_000


def test_empty_battery_and_no_sun_leave_nothing_to_offer():
    fleet = stack([site(battery=Battery(10_000, 5_000))])
    state = start(fleet)
    run, _ = self_consume(fleet, state, np.array([500.0]), np.zeros(1), 0, 1.0)
    limit = allowed(fleet, state, run, 1.0)
    assert limit.offer_wh[0] == 0
    assert limit.bid_wh[0] == 500 + 5_000
