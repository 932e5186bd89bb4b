"""Planning owners store when energy is cheap and give when it is dear, within their cells."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.prosumer.fleets import site

from gridpact.prosumer.control import follow, start
from gridpact.prosumer.devices import Battery
from gridpact.prosumer.fleet import Fleet, stack
from gridpact.prosumer.outlook import Outlook
from gridpact.prosumer.plan import Planner, expected_prices, plan
from gridpact.prosumer.tariff import Tariff

TARIFF = Tariff((200_000, 200_000, 400_000, 400_000), 90_000, 80_000, 10_000, 40_000, 60_000)


def outlook(fleet: Fleet) -> Outlook:
    return Outlook(fleet.load_w, fleet.pv_w, np.zeros((0, fleet.intervals)))


def test_battery_charges_in_cheap_hours_and_serves_the_dear_ones():
    fleet = stack([site("a", 2000.0, battery=Battery(4_000, 2_000, 1.0, 1.0))])
    planned = plan(fleet, outlook(fleet), TARIFF, 1.0).battery_w
    assert planned[0, :2].sum() == pytest.approx(4_000)
    assert planned[0, 2:].sum() == pytest.approx(-4_000)


def test_flat_prices_leave_the_battery_alone():
    flat = replace(TARIFF, retail=(200_000,) * 4)
    fleet = stack([site("a", 2000.0, battery=Battery(4_000, 2_000))])
    assert not plan(fleet, outlook(fleet), flat, 1.0).battery_w.any()


def test_site_without_battery_has_no_plan():
    fleet = stack([site("a", 2000.0), site("b", 1000.0)])
    planned = plan(fleet, outlook(fleet), TARIFF, 1.0)
    assert not planned.battery_w.any()
    assert (planned.net_w == fleet.load_w).all()


def test_each_owner_has_the_plan_it_would_have_alone():
    sites = [
        site("a", 2000.0, [0, 3000, 0, 0], Battery(4_000, 2_000)),
        site("b", 500.0, [0, 9000, 0, 0], Battery(8_000, 4_000, start_wh=1_000)),
    ]
    both = stack(sites)
    together = plan(both, outlook(both), TARIFF, 1.0).battery_w
    for place in (0, 1):
        lone = replace(both, capacity_wh=np.where(np.arange(2) == place, both.capacity_wh, 0.0))
        alone = plan(lone, outlook(lone), TARIFF, 1.0).battery_w
        assert alone[place] == pytest.approx(together[place], abs=1.0)


def test_planning_anew_with_a_perfect_forecast_keeps_to_the_first_plan():
    fleet = stack(
        [site("a", [500, 500, 3000, 2500], [0, 6000, 0, 0], Battery(5_000, 2_500, start_wh=900))]
    )
    planner = Planner(fleet, outlook(fleet), TARIFF, 1.0)
    first = plan(fleet, outlook(fleet), TARIFF, 1.0)
    state, cost = start(fleet), 0.0
    for t in range(4):
        sun = fleet.pv_w[:, t]
        run, state = follow(fleet, state, fleet.load_w[:, t], sun, t, 1.0, planner(t, state))
        cost += float(run.net_w[0]) * TARIFF.retail[t]
    assert cost == pytest.approx(float(first.net_w[0] @ np.array(TARIFF.retail)), rel=1e-6)
    assert state.stored_wh[0] == pytest.approx(0.0, abs=1.0)


def test_expected_prices_stay_between_feed_in_and_retail():
    fleet = stack([site("a", 1000.0, [0, 9000, 0, 0]), site("b", 2000.0)])
    prices = expected_prices(fleet, outlook(fleet), TARIFF, fleet.load_w)
    assert (prices.buy <= np.array(TARIFF.retail)).all()
    assert (prices.sell >= TARIFF.feed_in).all()
    assert prices.buy[1] < TARIFF.retail[1]
    assert prices.buy[0] == TARIFF.retail[0]
