"""The local tier."""

import random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.market.book_case import (
    BOOKS,
    FEED_IN,
    SEED,
    Market,
    bid,
    located,
    market,
    markets,
    offer,
    person,
)

from gridpact.market.caps import Pairs
from gridpact.market.draw import drawn
from gridpact.market.unmet import filled, left
from gridpact.market.walk import bids_of, offers_of
from gridpact.model.order import MAX_FILLS, Side, Tier


def test_the_cheapest_offer_is_taken_first_and_priced_as_asked() -> None:
    dear, cheap = offer(2, 500, 200_000), offer(3, 500, 100_000)
    fills = market([bid(1, 800), dear, cheap]).local()
    assert [(one.offer, one.energy_wh, one.price) for one in fills] == [
        (cheap.hash, 500, 100_000),
        (dear.hash, 300, 200_000),
    ]
    assert [one.index for one in fills] == [0, 1]
    assert {one.charge for one in fills} == {40_000}


def test_at_equal_price_the_higher_reputation_is_served_first() -> None:
    known, unknown = offer(2, 500), offer(3, 500)
    fills = market([bid(1, 600), unknown, known], scores={2: 900_000, 3: 100_000}).local()
    assert [one.offer for one in fills] == [known.hash, unknown.hash]


def test_at_equal_price_and_reputation_the_order_hash_decides() -> None:
    offers = [offer(number, 100) for number in range(2, 8)]
    fills = market([bid(1, 600), *offers]).local()
    assert [one.offer for one in fills] == sorted(one.hash for one in offers)


def test_an_offer_below_the_floor_is_lifted_and_gains_no_precedence() -> None:
    under, at = offer(2, 100, 1), offer(3, 100, FEED_IN)
    fills = market([bid(1, 200), under, at], scores={3: 600_000}).local()
    assert [(one.offer, one.price) for one in fills] == [(at.hash, FEED_IN), (under.hash, FEED_IN)]


def test_a_seller_below_the_wanted_reputation_is_passed_over() -> None:
    doubtful, good = offer(2, 500, 100_000), offer(3, 500, 200_000)
    book = [bid(1, 400, reputation=600_000), doubtful, good]
    fills = market(book, scores={2: 599_999, 3: 600_000}).local()
    assert [one.offer for one in fills] == [good.hash]


def test_no_fill_costs_more_than_the_bid_says() -> None:
    assert market([bid(1, 400, 149_999), offer(2, 400, 150_000)]).local() == ()
    assert len(market([bid(1, 400, 150_000), offer(2, 400, 150_000)]).local()) == 1


def test_the_cap_binds_the_pair_not_the_offer() -> None:
    """At a price that one pair bears, a buyer behind congestion may not buy."""
    free, behind, seller = bid(1, 100, 360_000), bid(2, 100, 360_000), offer(3, 200, 360_000)
    book, buses = [free, behind, seller], {1: 3, 2: 2, 3: 3}
    assert len(market(book, buses=buses).local()) == 2
    fills = market(book, buses=buses, prices_at=located((2, 50_000))).local()
    assert [one.buyer for one in fills] == [person(1)]


def test_nobody_trades_with_itself() -> None:
    assert market([bid(1, 400), offer(1, 400)]).local() == ()


def test_a_bid_has_at_most_sixteen_fills() -> None:
    offers = [offer(number, 10) for number in range(2, 40)]
    fills = market([bid(1, 1000), *offers]).local()
    assert len(fills) == MAX_FILLS
    assert sum(one.energy_wh for one in fills) == 160


def test_an_offer_may_be_split_over_more_buyers_than_a_bid_over_sellers() -> None:
    bids = [bid(number, 10) for number in range(2, 40)]
    assert len(market([offer(1, 1000), *bids]).local()) == 38


def test_scarce_energy_goes_by_the_draw_not_by_arrival() -> None:
    bids = [bid(number, 100) for number in range(1, 9)]
    fills = market([*bids, offer(9, 250)]).local()
    order = [one.hash for one in drawn(bids, SEED)]
    assert [(one.bid, one.energy_wh) for one in fills] == [
        (order[0], 100),
        (order[1], 100),
        (order[2], 50),
    ]


def test_books_in_which_nothing_can_trade_give_no_fills() -> None:
    assert market([]).local() == ()
    assert market([bid(1, 100)]).local() == ()
    assert market([offer(1, 100)]).local() == ()
    assert market([bid(1, 100, 90_000), offer(2, 100, 90_001)]).local() == ()


def test_zonal_orders_are_left_alone() -> None:
    first = bid(1, 100)
    second = bid(1, 100, tier=Tier.ZONAL, parent=first.hash)
    fills = market([first, second, offer(2, 300)]).local()
    assert [one.bid for one in fills] == [first.hash]


@BOOKS
@given(markets(), st.randoms(use_true_random=False))
def test_order_of_arrival_changes_nothing(case: Market, rng: random.Random) -> None:
    shuffled = list(case.book)
    rng.shuffle(shuffled)
    again = Market(tuple(shuffled), case.plants, case.prices, case.buses, case.scores, case.terms)
    assert again.clear() == case.clear()


@BOOKS
@given(markets())
def test_what_is_sold_is_bought_and_no_order_is_overfilled(case: Market) -> None:
    fills = case.local()
    used = filled(fills)
    for one in case.book:
        assert 0 <= used.get(one.hash, 0) <= one.order.energy_wh
    by_side = {
        side: sum(used.get(one.hash, 0) for one in case.book if one.order.side is side)
        for side in Side
    }
    assert by_side[Side.BID] == by_side[Side.OFFER] == sum(one.energy_wh for one in fills)


@BOOKS
@given(markets())
def test_every_fill_keeps_price_cap_and_reputation(case: Market) -> None:
    pairs = Pairs.of(case.prices, Tier.LOCAL)
    orders = {one.hash: one.order for one in case.book}
    for fill in case.local():
        buyer, seller = orders[fill.bid], orders[fill.offer]
        assert fill.energy_wh > 0
        assert max(seller.price, FEED_IN) == fill.price <= buyer.price
        assert fill.price <= pairs.ceiling(case.buses[fill.buyer], case.buses[fill.seller])
        assert fill.charge == pairs.charge(case.buses[fill.buyer], case.buses[fill.seller])
        assert case.scores[fill.seller] >= buyer.min_reputation
        assert fill.buyer != fill.seller


@BOOKS
@given(markets())
def test_no_offer_is_passed_over_for_a_dearer_one(case: Market) -> None:
    """Whoever has energy left at the end was never skipped by a bid that could have taken it."""
    pairs = Pairs.of(case.prices, Tier.LOCAL)
    fills = case.local()
    rest = left(case.book, fills)
    offers = {one.hash: one for one in offers_of(case.book, Tier.LOCAL)}
    for one in bids_of(case.book, Tier.LOCAL):
        own = [fill for fill in fills if fill.bid == one.hash]
        bus = case.buses[one.order.participant]
        idle = [
            other.order
            for other in offers.values()
            if rest[other.hash]
            and pairs.lifted(other.order.price)
            <= min(one.order.price, pairs.ceiling(bus, case.buses[other.order.participant]))
            and case.scores[other.order.participant] >= one.order.min_reputation
        ]
        if idle:
            cheapest = min(pairs.lifted(other.price) for other in idle)
            assert all(fill.price <= cheapest for fill in own)
            assert rest[one.hash] == 0 or len(own) == MAX_FILLS


@BOOKS
@given(markets())
def test_the_fills_of_a_bid_never_need_more_than_was_reserved(case: Market) -> None:
    reserved = {one.hash: one.reserved for one in case.book}
    for fill in case.clear():
        reserved[fill.bid] -= fill.lock
    assert min(reserved.values(), default=0) >= 0


def test_sixteen_fills_that_all_round_up_stay_within_the_reservation() -> None:
    """Each fill of 1 Wh at 1,500 costs 1.5 -> 2; sixteen cost 32, the whole 24."""
    offers = [offer(number, 1, 1_500) for number in range(2, 18)]
    case = market([bid(1, 16, 1_500), *offers], feed_in=1_000, local_charge=1_500)
    fills = case.local()
    tight = case.book[0].order
    assert sum(one.lock for one in fills) == 64
    assert 64 == 24 + 24 + MAX_FILLS <= case.book[0].reserved
    assert tight.energy_wh == sum(one.energy_wh for one in fills)
    assert fills[0].buyer == person(1)
