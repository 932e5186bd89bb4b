"""The field as the cycle meets it: honest orders by forecast, meters that read what happened."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tests.unit.simulation.days import VENUE, field, shipped

from gridpact.crypto.recovery import recover, signed_by
from gridpact.model.delivery import SignedReading
from gridpact.model.order import NONE, Side, Tier
from gridpact.model.record import Limit
from gridpact.prosumer.bidding import Conduct
from gridpact.prosumer.outlook import ForecastSettings, Model
from gridpact.simulation.field import SimulatedField


def day_of(simulated: SimulatedField, limits: tuple[Limit, ...] = ()) -> list[object]:
    """Return all that a field says over its day."""
    said: list[object] = []
    for interval in range(simulated.world.fleet.intervals):
        said.append(simulated.expected(interval))
        said.append(simulated.orders(interval))
        said.append(simulated.deliver(interval, limits, {}))
    return said


@pytest.mark.parametrize("strategy", ["own", "market"])
@pytest.mark.parametrize("name", ["day", "cloudy"])
def test_honest_orders_never_exceed_allowances(name, strategy):
    simulated = field(replace(shipped(name), strategy=strategy))
    for interval in range(24):
        allowance = simulated.expected(interval).allowance
        submitted = simulated.orders(interval)
        offered: Counter[bytes] = Counter()
        for signed in (*submitted.local, *submitted.zonal):
            order = signed.order
            limit = allowance[order.participant]
            if order.side is Side.BID:
                assert order.energy_wh <= limit.bid_wh
            else:
                offered[order.participant] += order.energy_wh
                assert offered[order.participant] <= limit.offer_wh
        simulated.deliver(interval, (), {})


def test_zonal_bid_names_its_local_parent_and_stands_behind_it():
    simulated = field(shipped("day"))
    for interval in range(9):
        simulated.deliver(interval, (), {})
    local = simulated.orders(9).local
    parents = {signed.order.digest(VENUE.local): signed.order for signed in local}
    zonal = [signed.order for signed in local if signed.order.tier is Tier.ZONAL]
    assert zonal
    seen: set[bytes] = set()
    for signed in local:
        order = signed.order
        if order.tier is Tier.LOCAL:
            assert order.parent == NONE
            seen.add(order.digest(VENUE.local))
            continue
        assert order.parent in seen
        parent = parents[order.parent]
        assert (parent.participant, parent.energy_wh) == (order.participant, order.energy_wh)
        assert order.price < parent.price


def test_zonal_bids_and_plants_offers_keep_to_the_announced_window():
    simulated = field(shipped("day"))
    window = range(*shipped("day").plants[0].window)
    for interval in range(24):
        submitted = simulated.orders(interval)
        bids = [one for one in submitted.local if one.order.tier is Tier.ZONAL]
        assert bool(bids) == (interval in window)
        assert len(submitted.zonal) == (2 if interval in window else 0)
        simulated.deliver(interval, (), {})


def test_orders_and_readings_are_signed_by_their_own_devices():
    simulated = field(shipped("day"), signed=True)
    for interval in range(9):
        simulated.deliver(interval, (), {})
    submitted = simulated.orders(9)
    for signed in submitted.local:
        digest = signed.order.digest(VENUE.local)
        assert signed_by(signed.order.participant, digest, signed.signature)
    for signed in submitted.zonal:
        assert signed.order.region == VENUE.zone
        digest = signed.order.digest(VENUE.zonal)
        assert recover(digest, signed.signature) == signed.order.participant
    delivered = simulated.deliver(9, (), {})
    for one, domain in ((delivered.local[0], VENUE.local), (delivered.zonal[0], VENUE.zonal)):
        assert signed_by(one.reading.meter, one.reading.digest(domain), one.signature)
    assert delivered.local[-1].reading.meter == simulated.desk.people.substation.address
    assert len(delivered.local) == 121


def test_a_field_made_anew_answers_a_resumed_run_as_the_first_did():
    scenario = shipped("voltage")
    limits = (Limit(field(scenario).world.ids[-1], 300_000),)
    assert day_of(field(scenario), limits) == day_of(field(scenario), limits)


def test_asking_twice_changes_nothing():
    scenario = shipped("day")
    once, twice = field(scenario), field(scenario)
    for interval in range(3):
        assert twice.orders(interval) == twice.orders(interval) == once.orders(interval)
        assert twice.expected(interval) == twice.expected(interval)
        assert twice.deliver(interval, (), {}) == once.deliver(interval, (), {})


def test_intervals_are_delivered_in_order_and_once():
    simulated = field(shipped("day"))
    simulated.deliver(0, (), {})
    with pytest.raises(ValueError, match="the field stands at 1"):
        simulated.deliver(0, (), {})


@pytest.mark.parametrize("error", [0.0, 0.002])
def test_meters_sum_up_to_what_flowed(error):
    simulated = field(replace(shipped("day"), meter_error=error))
    for interval in range(24):
        delivered = simulated.deliver(interval, (), {})
    hours, flows = simulated.world.hours, simulated.flows
    net = np.array([flow.net_w for flow in flows]) * hours
    imports = np.array([one.reading.import_wh for one in delivered.local[:-1]])
    exports = np.array([one.reading.export_wh for one in delivered.local[:-1]])
    assert np.abs(imports - np.maximum(net, 0).sum(axis=0)).max() <= 12 + 0.01 * net.max() * 24
    if not error:
        assert np.abs(imports - np.maximum(net, 0).sum(axis=0)).max() <= 12
        assert np.abs(exports - np.maximum(-net, 0).sum(axis=0)).max() <= 12
    plants = sum(float(flow.plant_w.sum()) for flow in flows) * hours
    read = sum(one.reading.export_wh for one in delivered.zonal)
    assert read == pytest.approx(plants, rel=0.01 if error else 1e-5)


def test_loss_by_readings_is_close_to_the_true_loss_and_never_negative():
    simulated = field(shipped("day"))
    before: dict[bytes, int] = {}
    lost = 0
    for interval in range(24):
        delivered = simulated.deliver(interval, (), {})
        rows = [*delivered.local, *delivered.zonal]
        now = {one.reading.meter: one.reading.import_wh - one.reading.export_wh for one in rows}
        substation = simulated.desk.people.substation.address
        moved = {meter: value - before.get(meter, 0) for meter, value in now.items()}
        loss = moved.pop(substation) - sum(moved.values())
        assert loss >= 0
        lost, before = lost + loss, now
    true = sum(flow.loss_w for flow in simulated.flows)
    assert lost == pytest.approx(true, rel=0.1)


def test_curtailed_energy_is_told_apart_from_limits_known_before():
    free, bound = field(shipped("voltage")), field(shipped("voltage"))
    plant = free.world.ids[-1]
    for interval in range(12):
        free.deliver(interval, (), {})
        bound.deliver(interval, (), {})
    cut = {row.participant: row.energy_wh for row in free.deliver(12, (), {}).curtailed}
    assert cut[plant] > 100_000
    allowed = round(float(free.flows[12].plant_w[1]))
    limited = bound.deliver(12, (Limit(plant, allowed - 500),), {})
    assert not limited.curtailed
    assert bound.flows[12].limited_wh[-1] == pytest.approx(cut[plant] + 500, abs=2)


def test_expected_day_with_perfect_foresight_is_the_day():
    scenario = replace(shipped("day"), forecast=ForecastSettings(Model.PERFECT), meter_error=0.0)
    simulated = field(scenario)
    readings: dict[bytes, SignedReading] = {}
    for interval in range(24):
        bids = {
            one.order.participant: one.order.energy_wh
            for one in simulated.orders(interval).local
            if one.order.tier is Tier.LOCAL and one.order.side is Side.BID
        }
        delivered = simulated.deliver(interval, (), {})
        for one in delivered.local[:-1]:
            who, was = one.reading.meter, readings.get(one.reading.meter)
            bought = one.reading.import_wh - (was.reading.import_wh if was else 0)
            assert abs(bought - bids.get(who, 0)) <= 1
            readings[who] = one


def test_over_offering_is_visible_against_the_allowance_unless_it_is_declared():
    scenario = shipped("day")
    seller = next(site for site in scenario.sites if site.pv and not site.battery)
    for conduct, over in ((Conduct(offer=1.5), True), (Conduct(offer=1.5, declared=1.5), False)):
        simulated = field(scenario, conduct={seller.name: conduct})
        for interval in range(12):
            simulated.deliver(interval, (), {})
        address = simulated.world.ids[scenario.sites.index(seller)]
        offer = next(
            one.order for one in simulated.orders(12).local if one.order.participant == address
        )
        allowance = simulated.expected(12).allowance[address]
        assert (offer.energy_wh > allowance.offer_wh) is over


def test_bids_of_a_day_are_about_as_many_as_the_table_says():
    simulated = field(shipped("day"))
    count: Counter[tuple[Side, Tier]] = Counter()
    for interval in range(24):
        for one in simulated.orders(interval).local:
            count[one.order.side, one.order.tier] += 1
        simulated.deliver(interval, (), {})
    assert 2_200 < count[Side.BID, Tier.LOCAL] < 2_800
    assert 200 < count[Side.OFFER, Tier.LOCAL] < 350
