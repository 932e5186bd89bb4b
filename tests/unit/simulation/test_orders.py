"""Orders carry the right numbers to the right chain."""

import numpy as np
import pytest
from tests.unit.prosumer.fleets import site
from tests.unit.simulation.days import VENUE, shipped

from gridpact.crypto.recovery import signed_by
from gridpact.model.order import Order, Side, SignedOrder, Tier
from gridpact.prosumer.bidding import Conduct, Wanted
from gridpact.prosumer.pricing import STRATEGIES
from gridpact.prosumer.tariff import Tariff
from gridpact.simulation.orders import Desk, local_orders, plant_orders
from gridpact.simulation.people import enlist

TARIFF = Tariff((280_000, 420_000), 90_000, 80_000, 10_000, 40_000, 60_000)
SITES = (site("buyer"), site("seller", pv_w=5000.0, ask_share=0.5))
WANTED = Wanted(np.array([1234, 0]), np.array([0, 4000]))


def desk(**changes: object) -> Desk:
    settings: dict[str, object] = {"conduct": {}, "signed": True, "name": None, **changes}
    people = enlist(SITES, shipped("day").plants, 1, 7)
    return Desk(VENUE, people, TARIFF, 7, **settings)  # type: ignore[arg-type]


def by_side(orders: list[SignedOrder]) -> dict[tuple[Side, Tier], Order]:
    return {(one.order.side, one.order.tier): one.order for one in orders}


def test_bids_carry_the_truthful_limit_of_their_tier_and_offers_their_ask():
    orders = by_side(local_orders(desk(), SITES, WANTED, 1, plants_run=True))
    assert orders[Side.BID, Tier.LOCAL].price == 420_000 - 40_000 - 10_000
    assert orders[Side.BID, Tier.ZONAL].price == 420_000 - 60_000 - 10_000
    assert orders[Side.OFFER, Tier.LOCAL].price == 80_000 + (370_000 - 80_000) // 2
    assert {order.energy_wh for order in orders.values()} == {1234, 4000}
    assert {order.interval for order in orders.values()} == {1}
    assert {order.expires for order in orders.values()} == {2}


def test_without_plants_nobody_bids_for_their_energy():
    orders = local_orders(desk(), SITES, WANTED, 0, plants_run=False)
    assert {one.order.tier for one in orders} == {Tier.LOCAL}


def test_arrival_is_drawn_anew_each_interval_but_the_same_each_time():
    sites = tuple(site(f"s{i}") for i in range(20))
    people = enlist(sites, (), 1, 7)
    many = Desk(VENUE, people, TARIFF, 7, {}, signed=False)
    energy = Wanted(np.full(20, 100), np.zeros(20, dtype=np.int64))
    arrived = [
        [one.order.participant for one in local_orders(many, sites, energy, t, plants_run=False)]
        for t in (0, 0, 1)
    ]
    assert arrived[0] == arrived[1] != arrived[2]
    assert sorted(arrived[0]) == sorted(arrived[2])


def test_conduct_scales_energy_and_price():
    gamer = desk(conduct={"seller": Conduct(offer=1.5, price=2.0)})
    orders = by_side(local_orders(gamer, SITES, WANTED, 0, plants_run=False))
    assert orders[Side.OFFER, Tier.LOCAL].energy_wh == 6000
    assert orders[Side.OFFER, Tier.LOCAL].price == 2 * (80_000 + (230_000 - 80_000) // 2)
    assert orders[Side.BID, Tier.LOCAL].energy_wh == 1234


def test_a_users_own_function_prices_every_order():
    asked = []

    def mine(now):
        asked.append((now.side, now.tier, now.owner, now.share))
        return 123_456

    orders = local_orders(desk(pricing=mine), SITES, WANTED, 1, plants_run=True)
    orders += plant_orders(desk(pricing=mine), shipped("day").plants, np.array([5e5, 3e5]), 1, 0.5)
    assert {one.order.price for one in orders} == {123_456}
    assert set(asked) == {
        (Side.BID, Tier.LOCAL, 0, SITES[0].ask_share),
        (Side.BID, Tier.ZONAL, 0, SITES[0].ask_share),
        (Side.OFFER, Tier.LOCAL, 1, 0.5),
    }


def test_a_strategy_by_name_changes_what_is_asked():
    zero = by_side(local_orders(desk(pricing=STRATEGIES["mark_up"]), SITES, WANTED, 1, False))
    assert zero[Side.OFFER, Tier.LOCAL].price == 80_000 + (370_000 - 80_000) // 5
    assert zero[Side.BID, Tier.LOCAL].price == 370_000 - (370_000 - 80_000) // 5


@pytest.mark.parametrize("interval", [7, 8, 17, 18])
def test_plants_offer_within_their_window_on_the_zonal_chain(interval):
    tariff = Tariff((280_000,) * 24, 90_000, 80_000, 10_000, 40_000, 60_000)
    people = enlist((), shipped("day").plants, 1, 7)
    stall = Desk(VENUE, people, tariff, 7, {})
    orders = plant_orders(stall, shipped("day").plants, np.array([5e5, 3e5]), interval, 0.5)
    assert [one.order.energy_wh for one in orders] == (
        [250_000, 150_000] if 8 <= interval < 18 else []
    )
    for one in orders:
        assert one.order.price == 80_000 + round(0.45 * (210_000 - 80_000))
        digest = one.order.digest(VENUE.zonal)
        assert signed_by(one.order.participant, digest, one.signature)


def test_unsigned_orders_of_a_study_are_named_as_it_says():
    named = desk(signed=False, name=lambda order: bytes([7 + order.tier]) * 32)
    orders = local_orders(named, SITES, WANTED, 0, plants_run=True)
    zonal = next(one for one in orders if one.order.tier is Tier.ZONAL)
    assert zonal.signature == b""
    assert zonal.order.parent == b"\7" * 32
