"""The day before: same devices, retail and feed-in only, and every micro-unit has a place."""

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.prosumer.fleets import site
from tests.unit.simulation.days import field, of_sites, shipped, world

from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import amount
from gridpact.simulation.baseline import before


def test_bill_is_import_at_retail_less_export_at_feed_in():
    scenario = of_sites("day", site("a", [1000, 0, 0, 2000], [0, 3000, 0, 0]))
    tariff = Tariff((200_000, 300_000, 300_000, 400_000), 90_000, 80_000, 0, 0, 0)
    day = before(world(scenario), tariff)
    assert day.import_wh.tolist() == [[1000, 0, 0, 2000]]
    assert day.export_wh.tolist() == [[0, 3000, 0, 0]]
    assert day.bill == (200_000 - 240_000 + 800_000,)


def test_meters_err_before_as_they_do_with_a_market():
    scenario = of_sites("day", site("a", [1000, 0, 0, 2000], [0, 3000, 0, 0]))
    tariff = Tariff((200_000,) * 4, 90_000, 80_000, 0, 0, 0)
    gain = np.array([0.99, 1.0])
    day = before(world(scenario), tariff, gain)
    assert day.import_wh.tolist() == [[990, 0, 0, 1980]]
    assert day.export_wh.tolist() == [[0, 2970, 0, 0]]
    shown = day.substation_wh + day.export_wh.sum(axis=0) - day.import_wh.sum(axis=0)
    assert (day.loss_wh == shown).all()
    assert (day.loss_wh >= 0).all()


def test_what_everybody_pays_is_what_grid_supply_and_network_operator_are_left_with():
    scenario = shipped("day")
    day = before(world(scenario), scenario.tariff)
    assert day.grid_supply + day.network_operator == sum(day.bill)
    assert sum(sum(row) for row in day.bill_by_interval) == sum(day.bill)


def test_network_operator_earns_its_share_of_retail_and_pays_for_losses():
    scenario = shipped("day")
    day, tariff = before(world(scenario), scenario.tariff), scenario.tariff
    share = sum(amount(tariff.network_share, int(wh)) for wh in day.import_wh.ravel())
    losses = sum(
        amount(retail - tariff.network_share, int(wh))
        for retail, wh in zip(tariff.retail, day.loss_wh, strict=True)
    )
    assert day.network_operator == share - losses
    assert losses > 0


def test_schedules_are_those_of_the_day_with_a_market():
    scenario = shipped("day")
    simulated = field(scenario)
    for interval in range(24):
        simulated.deliver(interval, (), {})
    day = before(simulated.world, scenario.tariff)
    for with_market, without in zip(simulated.flows, day.flows, strict=True):
        assert (with_market.net_w == without.net_w).all()
        assert with_market.substation_w == without.substation_w


def test_owners_plans_do_not_touch_the_day_before():
    scenario = shipped("day")
    planned = field(replace(scenario, strategy="market"))
    for interval in range(24):
        planned.deliver(interval, (), {})
    after = before(planned.world, scenario.tariff)
    assert after.bill == before(world(scenario), scenario.tariff).bill
    assert any(
        (one.net_w != other.net_w).any()
        for one, other in zip(planned.flows, after.flows, strict=True)
    )


def test_market_schedules_raise_no_new_peak_at_the_substation():
    scenario = replace(shipped("day"), strategy="market")
    simulated = field(scenario)
    for interval in range(24):
        simulated.deliver(interval, (), {})
    highest = max(flow.substation_w for flow in simulated.flows)
    assert highest <= 1.05 * before(simulated.world, scenario.tariff).substation_wh.max()


def test_day_has_the_shape_of_the_published_one():
    scenario = shipped("day")
    day = before(world(scenario), scenario.tariff)
    load = np.array([(flow.load_w + flow.ev_w).sum() for flow in day.flows])
    assert (int(load[:12].argmax()), 12 + int(load[12:].argmax())) == (8, 19)
    assert (day.substation_wh[10:15] < 0).all()
    assert (day.substation_wh[np.r_[0:10, 15:24]] > 0).all()
    stored = np.array([flow.stored_wh.sum() for flow in day.flows])
    assert stored[22] < 0.05 * stored.max()
    peak = sum(one.pv.peak_w for one in scenario.sites if one.pv)
    assert peak == pytest.approx(4.0e6, rel=0.03)
