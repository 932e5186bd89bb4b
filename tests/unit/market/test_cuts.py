"""What the wires take from a clearing."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.market.book_case import (
    BOOKS,
    FEED_IN,
    INTERVAL,
    Market,
    bid,
    both,
    market,
    markets,
    offer,
    person,
)

from gridpact.grid.check import RadialCheck
from gridpact.grid.feeder import Line, build
from gridpact.market.clearing import verify, verify_unmet
from gridpact.market.cuts import apply
from gridpact.market.rank import Span, energy_sold, merged, ranked
from gridpact.market.unmet import unmet
from gridpact.model.grid_check import Curtailment, GridVerdict, Injector
from gridpact.model.order import Code, Tier
from gridpact.model.record import Limit
from gridpact.model.trade import Cut

HOUR = Span(60)


def injector(who: int, watts: int, bus: int = 2) -> Injector:
    return Injector(person(who), bus, watts, 0, watts)


def limited(*limits: tuple[int, int], conflicts: tuple[str, ...] = ()) -> GridVerdict:
    cuts = tuple(Curtailment(person(who), power, "v_max at bus 2", 7) for who, power in limits)
    return GridVerdict(cuts, {}, 0, 1.0, 1.05, ("v_max at bus 2",), conflicts)


def test_without_a_limit_nothing_changes() -> None:
    fills = market([bid(1, 300), offer(2, 1000)]).clear()
    after = apply(fills, limited(), [injector(2, 1000)], {}, HOUR)
    assert (after.fills, after.cuts, after.limits, after.refusals) == (fills, (), (), ())


def test_surplus_is_lost_before_sold_energy() -> None:
    fills = market([bid(1, 300), offer(2, 1000)]).clear()
    after = apply(fills, limited((2, 300)), [injector(2, 1000)], {}, HOUR)
    assert after.fills == fills
    assert after.cuts == (Cut(person(2), 700, 0, "v_max at bus 2", 7),)
    assert after.limits == (Limit(person(2), 300),)
    assert after.refusals == ()


def test_fills_are_lost_from_the_last_one_backwards() -> None:
    case = market([bid(1, 300), bid(3, 300), bid(4, 300), offer(2, 1000)])
    fills = case.clear()
    after = apply(fills, limited((2, 400)), [injector(2, 1000)], {}, HOUR)
    assert [one.energy_wh for one in after.fills] == [300, 100]
    assert [one.bid for one in after.fills] == [one.bid for one in fills[:2]]
    assert after.cuts == (Cut(person(2), 100, 500, "v_max at bus 2", 7),)
    assert [(one.code, one.hash, one.participant) for one in after.refusals] == [
        (Code.GRID, fills[1].offer, person(2)),
        (Code.GRID, fills[2].offer, person(2)),
    ]
    assert after.refusals[0].detail == "200 of 300 Wh of local fill 1: v_max at bus 2"
    lacking = {one.participant: one.energy_wh for one in unmet(case.book, after.fills)}
    assert lacking == {fills[1].buyer: 200, fills[2].buyer: 300}


def test_zonal_fills_are_lost_before_local_ones_of_the_same_seller() -> None:
    first = bid(1, 900)
    child = bid(1, 900, tier=Tier.ZONAL, parent=first.hash)
    case = market([first, child, offer(2, 500)], [offer(2, 300, tier=Tier.ZONAL)])
    after = apply(case.clear(), limited((2, 600)), [injector(2, 800)], {}, HOUR)
    assert [(one.tier, one.energy_wh) for one in after.fills] == [
        (Tier.LOCAL, 500),
        (Tier.ZONAL, 100),
    ]


def test_remaining_fills_are_counted_from_zero_again() -> None:
    case = market([bid(1, 200), offer(2, 100, 100_000), offer(3, 100, 110_000)])
    after = apply(case.clear(), limited((2, 0)), [injector(2, 100), injector(3, 100)], {}, HOUR)
    assert [(one.seller, one.index) for one in after.fills] == [(person(3), 0)]


def test_own_use_is_served_first_and_cut_last() -> None:
    """1,000 W of which 400 stay in the house: a limit of 600 W leaves 200 to sell."""
    fills = market([bid(1, 500), offer(2, 500)]).clear()
    after = apply(fills, limited((2, 600)), [injector(2, 1000)], {person(2): 600}, HOUR)
    assert after.cuts == (Cut(person(2), 100, 300, "v_max at bus 2", 7),)
    assert [one.energy_wh for one in after.fills] == [200]


def test_a_limit_in_a_quarter_hour_is_a_quarter_of_its_energy() -> None:
    fills = market([bid(1, 100), offer(2, 100)]).clear()
    after = apply(fills, limited((2, 201)), [injector(2, 400)], {}, Span(15))
    assert [one.energy_wh for one in after.fills] == [50]


def test_when_the_wires_cannot_hold_at_all_grid_supply_serves_everybody() -> None:
    case = market([bid(1, 300), bid(3, 200), offer(2, 1000)])
    fills = case.clear()
    broken = limited((2, 0), conflicts=("v_min at bus 37",))
    after = apply(fills, broken, [injector(2, 1000)], {}, HOUR)
    assert (after.fills, after.cuts) == ((), ())
    assert [(one.code, one.participant) for one in after.refusals] == [(Code.GRID, person(2))] * 2
    assert all("v_min at bus 37" in one.detail for one in after.refusals)
    assert sum(one.energy_wh for one in unmet(case.book, after.fills)) == 500


@BOOKS
@given(markets(), st.data())
def test_cuts_conserve_energy_to_the_wh(case: Market, data: st.DataObject) -> None:
    fills = case.clear()
    sold = energy_sold(fills)
    sellers = sorted({one.order.participant for one in case.orders if one.order.side == 1})
    extra = {who: data.draw(st.integers(0, 500)) for who in sellers}
    injectors = [Injector(who, 2, sold.get(who, 0) + extra[who], 0, 10**6) for who in sellers]
    limits = tuple(
        Curtailment(one.participant, data.draw(st.integers(0, one.generation_w)), "v_max", 1)
        for one in injectors
        if data.draw(st.booleans())
    )
    verdict = msgspec.structs.replace(limited(), curtailments=limits)
    after = apply(fills, verdict, injectors, {}, HOUR)
    lost = {one.participant: one for one in after.cuts}
    now = energy_sold(after.fills)
    for limit in limits:
        who = limit.participant
        cut = lost[who]
        assert sold.get(who, 0) == now.get(who, 0) + cut.from_fills_wh
        assert now.get(who, 0) <= limit.power_w
        assert cut.from_surplus_wh <= extra[who]
        assert cut.from_fills_wh == 0 or cut.from_surplus_wh == extra[who]
        total = sold.get(who, 0) + extra[who] - limit.power_w
        assert cut.from_surplus_wh + cut.from_fills_wh == total
    assert {who: now.get(who, 0) for who in sellers if who not in lost} == {
        who: sold.get(who, 0) for who in sellers if who not in lost
    }
    verify(case.orders, after.fills, both(case.prices), case.buses, case.scores)
    verify_unmet(case.orders, after.fills, unmet(case.book, after.fills))
    energy = {(one.bid, one.offer): one.energy_wh for one in after.fills}
    shrunk = [one for one in fills if energy.get((one.bid, one.offer), 0) < one.energy_wh]
    assert [one.hash for one in after.refusals] == [one.offer for one in shrunk]


def test_the_real_check_takes_surplus_before_sold_energy_at_a_bus() -> None:
    """A long line lifts the voltage: two roofs at its end, one of which sold half."""
    feeder = build(1, [Line(1, 2, 8.0, 4.0), Line(2, 3, 1.0, 0.5)], {}, 1.0, 12.0)
    check = RadialCheck(feeder, 0.95, 1.05)
    case = market(
        [bid(1, 600_000), offer(2, 1_000_000, 100_000)], buses={1: 2, 2: 3}, scores={2: 900_000}
    )
    fills = case.clear()
    injectors = [injector(2, 1_000_000, 3), injector(7, 400_000, 3)]
    rows = ranked(injectors, fills, case.orders, case.scores, {}, HOUR, FEED_IN)
    verdict = merged(check(INTERVAL, {2: (100_000, 0)}, rows), rows)
    after = apply(fills, verdict, injectors, {}, HOUR)
    by_name = {one.participant: one for one in after.cuts}
    assert verdict.conflicts == ()
    assert by_name[person(7)].from_surplus_wh == 400_000
    assert 0 < by_name[person(2)].from_surplus_wh < 400_000
    assert by_name[person(2)].from_fills_wh == 0
    assert after.fills == fills
    limits = {one.participant: one.power_w for one in after.limits}
    again = [Injector(w, 3, limits[w], 0, limits[w]) for w in (person(2), person(7))]
    assert check(INTERVAL, {2: (100_000, 0)}, again).curtailments == ()
