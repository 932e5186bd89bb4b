"""The zonal tier: plants, and the region that buys from them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.market.book_case import (
    BOOKS,
    INTERVAL,
    ZONE,
    Market,
    always,
    bid,
    both,
    located,
    market,
    markets,
    offer,
    person,
)

from gridpact.errors import InvalidClearing
from gridpact.market.caps import Pairs
from gridpact.market.clearing import verify
from gridpact.market.unmet import filled, left, zonal_wanted
from gridpact.market.zonal import Window, ZonalTerms, region_fills
from gridpact.model.order import MAX_FILLS, Accepted, Tier
from gridpact.model.trade import Fill

ENERGY_PRICE = 330_000


def wish(who: int, energy: int, zonal: int | None = None) -> list[Accepted]:
    """Return a local bid and its zonal child."""
    first = bid(who, energy)
    return [first, bid(who, zonal or energy, tier=Tier.ZONAL, parent=first.hash)]


def plant(who: int, energy: int, price: int = 150_000) -> Accepted:
    return offer(who, energy, price, Tier.ZONAL)


def test_a_zonal_bid_takes_only_what_the_neighbours_left() -> None:
    case = market([*wish(1, 1000), offer(2, 700)], [plant(9, 5000)])
    fills = case.clear()
    assert [(one.tier, one.index, one.energy_wh) for one in fills] == [
        (Tier.LOCAL, 0, 700),
        (Tier.ZONAL, 0, 300),
    ]
    assert fills[1].charge == 60_000


def test_a_bid_served_by_neighbours_takes_nothing_from_plants() -> None:
    assert len(market([*wish(1, 700), offer(2, 700)], [plant(9, 5000)]).clear()) == 1


def test_a_plant_sells_only_within_its_steady_window() -> None:
    for window, sold in (
        (Window(INTERVAL, INTERVAL + 1), 1),
        (Window(INTERVAL + 1, 24), 0),
        (Window(0, INTERVAL), 0),
    ):
        terms = ZonalTerms({person(9): window}, ENERGY_PRICE)
        assert len(market(wish(1, 100), [plant(9, 500)], terms=terms).clear()) == sold
    nowhere = ZonalTerms({}, ENERGY_PRICE)
    assert market(wish(1, 100), [plant(9, 500)], terms=nowhere).clear() == ()


def test_a_bid_is_split_over_plants_and_in_the_papers_form_is_not() -> None:
    plants = [plant(8, 300, 100_000), plant(9, 900, 200_000)]
    split = market(wish(1, 1000), plants).clear()
    assert [(one.seller, one.energy_wh) for one in split] == [(person(8), 300), (person(9), 700)]
    whole = ZonalTerms(always(8, 9), ENERGY_PRICE, splitting=False)
    assert market(wish(1, 1000), plants, terms=whole).clear() == ()
    single = market(wish(1, 800), plants, terms=whole).clear()
    assert [(one.seller, one.energy_wh) for one in single] == [(person(9), 800)]
    exact = market(wish(1, 900), plants, terms=whole).clear()
    assert [(one.seller, one.energy_wh) for one in exact] == [(person(9), 900)]


def test_a_plant_whose_energy_is_lost_on_the_way_comes_after_a_dearer_one_nearby() -> None:
    far, near = plant(8, 500, 150_000), plant(9, 500, 160_000)
    losses = {3: 50_000, 4: 0}
    for price, first in ((ENERGY_PRICE, near), (100_000, far)):
        terms = ZonalTerms(always(8, 9), price, losses)
        case = market(wish(1, 400), [far, near], buses={8: 3, 9: 4}, terms=terms)
        assert [one.offer for one in case.clear()] == [first.hash]


def test_a_network_charge_counts_in_the_choice() -> None:
    across, here = plant(8, 500, 150_000), plant(9, 500, 160_000)
    case = market(
        wish(1, 400),
        [across, here],
        buses={1: 2, 8: 3, 9: 2},
        prices_at=located((2, 20_000)),
    )
    assert [one.offer for one in case.clear()] == [here.hash]


def test_ties_between_plants_go_to_the_higher_reputation() -> None:
    case = market(wish(1, 400), [plant(8, 500), plant(9, 500)], scores={8: 400_000, 9: 600_000})
    assert [one.seller for one in case.clear()] == [person(9)]


def test_the_region_buys_what_its_participants_bought() -> None:
    case = market([*wish(1, 400), *wish(2, 300)], [plant(9, 600)])
    fills, bought = case.clear(), b"\x07" * 32
    shown = region_fills(fills, person(77), bought, case.plants)
    assert len(shown) == len(fills) == 2
    for mine, theirs in zip(fills, shown, strict=True):
        assert (theirs.region, theirs.buyer, theirs.bid) == (ZONE, person(77), bought)
        assert (theirs.index, theirs.energy_wh, theirs.price, theirs.charge) == (
            mine.index,
            mine.energy_wh,
            mine.price,
            mine.charge,
        )
        assert (theirs.offer, theirs.seller, theirs.tier) == (mine.offer, mine.seller, mine.tier)
        assert theirs.lock == mine.lock


def test_a_region_cannot_buy_an_offer_its_zone_does_not_know() -> None:
    case = market(wish(1, 400), [plant(9, 600)])
    with pytest.raises(InvalidClearing, match="zonal fill 0"):
        region_fills(case.clear(), person(77), b"\x07" * 32, ())


@BOOKS
@given(markets())
def test_bids_take_no_more_than_their_parents_left_and_plants_give_no_more_than_they_have(
    case: Market,
) -> None:
    local = case.local()
    fills = case.zonal(local)
    used, open_ = filled(fills), left(case.book, local)
    for one in case.book:
        if one.order.tier is Tier.ZONAL:
            taken = used.get(one.hash, 0)
            assert taken <= min(one.order.energy_wh, open_[one.order.parent])
    for one in case.plants:
        assert used.get(one.hash, 0) <= one.order.energy_wh
    assert [one.index for one in fills] == list(range(len(fills)))


@BOOKS
@given(markets())
def test_zonal_fills_keep_cap_window_price_and_reputation(case: Market) -> None:
    pairs = Pairs.of(case.prices, Tier.ZONAL)
    orders = {one.hash: one.order for one in case.orders}
    wanted = zonal_wanted(case.book, case.local())
    fills = case.zonal(case.local())
    for fill in fills:
        bus, other = case.buses[fill.buyer], case.buses[fill.seller]
        assert fill.price <= min(orders[fill.bid].price, pairs.ceiling(bus, other))
        assert fill.price == pairs.lifted(orders[fill.offer].price)
        assert case.scores[fill.seller] >= orders[fill.bid].min_reputation
        assert case.terms.windows[fill.seller].holds(INTERVAL)
        if not case.terms.splitting:
            assert fill.energy_wh == wanted[fill.bid]
    if not case.terms.splitting:
        assert len({fill.bid for fill in fills}) == len(fills)


def test_energy_that_the_wires_cut_is_offered_again_to_plants_with_room() -> None:
    """Plant 8 was cut by 300 Wh; plant 9 takes them, behind the fills that stand."""
    case = market(wish(1, 1000), [plant(8, 1000, 100_000), plant(9, 500, 200_000)])
    (cut,) = case.clear()
    kept = (msgspec.structs.replace(cut, energy_wh=700),)
    assert zonal_wanted(case.book, kept) == {cut.bid: 300}
    again = case.zonal_again(kept, without=person(8))
    assert [(one.index, one.seller, one.energy_wh) for one in again] == [(1, person(9), 300)]


def test_a_bid_offered_again_still_has_at_most_sixteen_fills() -> None:
    plants = [plant(number, 10) for number in range(10, 40)]
    case = market(wish(1, 1000), plants)
    kept = case.clear()
    assert len(kept) == MAX_FILLS
    assert case.zonal_again(kept[:-2], without=b"")[-1].index == MAX_FILLS - 1
    assert case.zonal_again(kept, without=b"") == ()


@BOOKS
@given(markets(), st.data())
def test_a_second_round_oversells_nothing(case: Market, data: st.DataObject) -> None:
    fills = case.clear()
    kept: list[Fill] = []
    for fill in fills:
        energy = data.draw(st.integers(0, fill.energy_wh))
        if energy:
            index = sum(one.tier is fill.tier for one in kept)
            kept.append(msgspec.structs.replace(fill, energy_wh=energy, index=index))
    again = (*kept, *case.zonal_again(kept, without=b""))
    if case.terms.splitting:
        assert sum(one.energy_wh for one in again) >= sum(one.energy_wh for one in kept)
    verify(case.orders, again, both(case.prices), case.buses, case.scores)
