"""Paper D's scheme as a mechanism: whole Wh, priced at the offer, between cost and sales."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.market.book import OrderBook, Orders
from gridpact.market.mechanism import Clearing
from gridpact.market.pareto import Pareto, match


def rows(clearing: Clearing) -> list[tuple[int, int, int, int]]:
    columns = (clearing.bid, clearing.offer, clearing.energy, clearing.price)
    return list(zip(*(one.tolist() for one in columns), strict=True))


def crossing() -> OrderBook:
    """The dear bid with the cheap offer saves 7; both bids served trade 2 and save 2."""
    return OrderBook.of(Orders.of([1, 1], [10, 4]), Orders.of([1, 1], [3, 9]))


def test_weights_choose_between_what_users_save_and_what_is_sold() -> None:
    saved = Pareto(weights=(1.0, 0.0))(crossing())
    assert rows(saved) == [(0, 0, 1, 3)]
    sold = Pareto(weights=(0.0, 1.0))(crossing())
    assert rows(sold) == [(0, 1, 1, 9), (1, 0, 1, 3)]


def test_the_knee_is_the_bend_of_the_front() -> None:
    """10 Wh save 70, 15 Wh 65, 20 Wh 35: the front bends at 15."""
    bids, offers = Orders.of([10, 5, 5], [10, 5, 3]), Orders.of([10, 5, 5], [3, 6, 9])
    at_knee = match(OrderBook.of(bids, offers))
    assert at_knee.energy.sum() == 15


def test_only_renewables_count_where_it_is_said() -> None:
    """At equal price the users do not care; sales of renewables do."""
    bids, offers = Orders.of([5], [10]), Orders.of([5, 5], [4, 4], source=[1, 2])
    clearing = Pareto(weights=(1.0, 1e-6), renewable=2)(OrderBook.of(bids, offers))
    assert rows(clearing) == [(0, 1, 5, 4)]


def test_a_bid_with_too_many_small_fills_keeps_the_largest() -> None:
    offers = Orders.of([1, 2, 3, 4], [5, 5, 5, 5])
    book = OrderBook.of(Orders.of([10], [9]), offers, max_fills=2)
    assert [energy for _, _, energy, _ in rows(match(book))] == [3, 4]


def test_an_order_that_would_be_split_stands_back() -> None:
    bids, offers = Orders.of([4, 3], [9, 8], whole=[1, 0]), Orders.of([3], [5])
    assert rows(match(OrderBook.of(bids, offers))) == [(1, 0, 3, 5)]


def test_large_orders_beside_small_ones_are_cleared_to_the_unit() -> None:
    most, dearest = 10**10, 10**9
    bids, offers = Orders.of([most, 7], [dearest, 9]), Orders.of([most - 3, 10], [1, dearest])
    clearing = Pareto(weights=(0.0, 1.0))(OrderBook.of(bids, offers))
    assert clearing.energy.sum() == most + 7
    huge = OrderBook.of(Orders.of([2**40 - 1], [2**48 - 1]), Orders.of([2**40 - 1], [1]))
    assert match(huge).energy.tolist() == [2**40 - 1]
    sold = np.bincount(clearing.offer, clearing.energy, 2)
    assert (sold <= offers.energy).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_the_swarm_sells_nothing_twice_either(seed: int, whole: bool) -> None:
    chance = np.random.default_rng(seed)
    some = chance.integers(1, 9, (4, 5))
    bids = Orders.of(some[0], some[1] + 4, whole=chance.integers(0, 2, 5) * whole)
    book = OrderBook.of(bids, Orders.of(some[2], some[3]), seed=seed.to_bytes(8, "big"))
    clearing = Pareto(evaluations=100)(replace(book, max_fills=2))
    for side, orders in ((clearing.bid, book.bids), (clearing.offer, book.offers)):
        assert (np.bincount(side, clearing.energy, 5) <= orders.energy).all()
    bought = np.bincount(clearing.bid, clearing.energy, 5)[book.bids.whole]
    assert np.isin(bought, [0, *book.bids.energy[book.bids.whole]]).all()
