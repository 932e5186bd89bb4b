"""In which order generation is cut, and how the wires' verdict comes back to participants."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.market.book_case import BOOKS, FEED_IN, Market, bid, market, offer, person

from gridpact.market.rank import Span, merged, own_use, owner, ranked, surplus_power
from gridpact.model.grid_check import Curtailment, GridVerdict, Injector
from gridpact.model.order import Tier

HOUR, QUARTER = Span(60), Span(15)


def injector(who: int, watts: int, rating: int = 0, bus: int = 2) -> Injector:
    return Injector(person(who), bus, watts, 0, rating or watts)


def cutting_order(
    case: Market, injectors: list[Injector], exports: dict[int, int] | None = None
) -> list[tuple[int, int, bool]]:
    """Return (participant, power, surplus?) in order of cutting: the first is cut first."""
    out = {person(who): energy for who, energy in (exports or {}).items()}
    rows = ranked(injectors, case.clear(), case.orders, case.scores, out, HOUR, FEED_IN)
    assert [one.rank for one in rows] == list(range(len(rows)))
    return [
        (
            int.from_bytes(owner(one.participant), "big"),
            one.generation_w,
            owner(one.participant) != one.participant,
        )
        for one in reversed(rows)
    ]


def test_unsold_energy_is_cut_before_sold() -> None:
    case = market([bid(1, 600), offer(2, 1000, 200_000), offer(3, 100, 100_000)])
    assert cutting_order(case, [injector(2, 1000), injector(3, 100)]) == [
        (2, 500, True),
        (2, 500, False),
        (3, 100, False),
    ]


def test_the_last_in_merit_order_is_cut_first() -> None:
    sellers = [offer(2, 100, 100_000), offer(3, 100, 300_000), offer(4, 100, 200_000)]
    case = market([bid(1, 300), *sellers])
    order = cutting_order(case, [injector(who, 100) for who in (2, 3, 4)])
    assert [who for who, _, _ in order] == [3, 4, 2]


def test_plants_are_cut_before_neighbours_as_their_tier_comes_later() -> None:
    first = bid(1, 300)
    child = bid(1, 300, tier=Tier.ZONAL, parent=first.hash)
    case = market([first, child, offer(2, 100, 300_000)], [offer(9, 200, 100_000, Tier.ZONAL)])
    order = cutting_order(case, [injector(2, 100), injector(9, 200)])
    assert [who for who, _, _ in order] == [9, 2]


def test_a_neighbours_surplus_is_cut_before_what_a_plant_has_sold() -> None:
    first = bid(1, 300)
    child = bid(1, 300, tier=Tier.ZONAL, parent=first.hash)
    other = bid(3, 50, reputation=600_000)
    case = market([first, child, other, offer(2, 200)], [offer(9, 200, 100_000, Tier.ZONAL)])
    order = cutting_order(case, [injector(2, 250), injector(9, 100)])
    assert order == [(2, 50, True), (9, 100, False), (2, 200, False)]


def test_at_equal_price_lower_reputation_is_cut_first() -> None:
    case = market([bid(1, 200), offer(2, 100), offer(3, 100)], scores={2: 800_000, 3: 300_000})
    order = cutting_order(case, [injector(2, 100), injector(3, 100)])
    assert [who for who, _, _ in order] == [3, 2]


def test_offers_below_the_floor_are_equal_in_merit() -> None:
    case = market(
        [bid(1, 200), offer(2, 100, 1), offer(3, 100, 70_000)], scores={2: 300_000, 3: 800_000}
    )
    order = cutting_order(case, [injector(2, 100), injector(3, 100)])
    assert [who for who, _, _ in order] == [2, 3]


def test_who_offered_nothing_is_cut_first_of_all() -> None:
    case = market([bid(1, 50), offer(2, 100, 300_000)])
    order = cutting_order(case, [injector(2, 100), injector(7, 400)])
    assert order == [(7, 400, True), (2, 50, True), (2, 50, False)]


def test_what_the_house_uses_itself_is_kept_with_what_it_sold() -> None:
    case = market([bid(1, 300), offer(2, 500)])
    assert cutting_order(case, [injector(2, 900)], exports={2: 500}) == [
        (2, 200, True),
        (2, 700, False),
    ]


def test_the_power_of_an_interval_is_its_mean() -> None:
    assert (HOUR.power_up(700), HOUR.energy_down(700)) == (700, 700)
    assert (QUARTER.power_up(100), QUARTER.energy_down(403)) == (400, 100)
    assert Span(7).energy_down(Span(7).power_up(1000)) == 1000


@BOOKS
@given(st.integers(0, 10**7), st.integers(0, 10**7), st.none() | st.integers(0, 10**7))
def test_power_is_own_use_sold_or_surplus(watts: int, sold: int, export: int | None) -> None:
    one = injector(2, watts)
    own, extra = own_use(one, export, HOUR), surplus_power(one, sold, export, HOUR)
    assert own >= 0
    assert extra >= 0
    assert own + extra <= watts
    if export is not None and sold <= export <= watts:
        assert own + sold + extra == watts


@BOOKS
@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(0, 1000), st.integers(0, 2000))
def test_two_rows_of_an_inverter_can_do_what_it_can(
    energy: int, watts: int, more: int, sold: int
) -> None:
    case = market([bid(1, sold + 1), offer(2, energy)])
    whole = injector(2, watts, watts + more)
    rows = ranked([whole], case.clear(), case.orders, case.scores, {}, HOUR, FEED_IN)
    assert sum(one.generation_w for one in rows) == watts
    assert sum(one.inverter_va for one in rows) == watts + more
    assert all(one.inverter_va >= one.generation_w > 0 for one in rows)
    assert {owner(one.participant) for one in rows} == {person(2)}
    assert len({one.participant for one in rows}) == len(rows)


def verdict(*cuts: Curtailment, reactive: dict[bytes, int] | None = None) -> GridVerdict:
    return GridVerdict(tuple(cuts), reactive or {}, 5, 0.98, 1.05, ("v_max at bus 19",))


def test_limits_and_reactive_power_of_two_rows_are_added_up() -> None:
    case = market([bid(1, 300), offer(2, 1000)])
    rows = ranked(
        [injector(2, 1000), injector(3, 50)], case.clear(), case.orders, case.scores, {}, HOUR, 0
    )
    sold, surplus = (next(one for one in rows if one.generation_w == watts) for watts in (300, 700))
    found = merged(
        verdict(
            Curtailment(surplus.participant, 0, "v_max at bus 19", 4),
            Curtailment(sold.participant, 250, "v_max at bus 18", 9),
            reactive={sold.participant: -20, surplus.participant: -30},
        ),
        rows,
    )
    assert found.curtailments == (Curtailment(person(2), 250, "v_max at bus 18", 9),)
    assert found.reactive_var == {person(2): -50}
    assert (found.binding, found.loss_w) == (("v_max at bus 19",), 5)


def test_a_limit_on_the_surplus_alone_leaves_the_sold_part() -> None:
    case = market([bid(1, 300), offer(2, 1000)])
    rows = ranked([injector(2, 1000)], case.clear(), case.orders, case.scores, {}, HOUR, 0)
    surplus = next(one for one in rows if one.generation_w == 700)
    found = merged(verdict(Curtailment(surplus.participant, 650, "v_max", 1)), rows)
    assert found.curtailments == (Curtailment(person(2), 950, "v_max", 1),)
