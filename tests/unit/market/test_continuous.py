"""The price-time book."""

import numpy as np
import pytest
from tests.unit.market.column_books import book, random_book

from gridpact.errors import FieldError
from gridpact.market.book import OrderBook, Orders
from gridpact.market.continuous import Continuous, match

FIRST, LAST = np.array([0]), np.array([9])


def rows(auction: Continuous, one: OrderBook) -> list[tuple[int, int, int, int]]:
    cleared = auction(one)
    columns = (cleared.bid, cleared.offer, cleared.energy, cleared.price)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_a_trade_is_priced_at_the_order_that_stood_there_first() -> None:
    one = book([(9, 1)], [(4, 1)])
    assert rows(Continuous(FIRST, LAST), one) == [(0, 0, 1, 9)]
    assert rows(Continuous(LAST, FIRST), one) == [(0, 0, 1, 4)]


def test_the_best_price_goes_first_and_then_the_earlier_one() -> None:
    one = book([(9, 7)], [(5, 2), (4, 2), (4, 2), (3, 1)])
    auction = Continuous(LAST, np.array([0, 2, 1, 3]))
    assert rows(auction, one) == [(0, 3, 1, 3), (0, 2, 2, 4), (0, 1, 2, 4), (0, 0, 2, 5)]


def test_what_is_left_of_an_order_stands_in_the_book() -> None:
    one = book([(9, 10)], [(4, 3), (5, 4), (10, 1)])
    assert rows(match, one) == [(0, 0, 3, 9), (0, 1, 4, 9)]


def test_times_of_another_length_are_refused() -> None:
    with pytest.raises(FieldError, match="offer_times: has 1 entries, expected 2"):
        Continuous(offer_times=FIRST)(book([(9, 1)], [(4, 1), (4, 1)]))


@pytest.mark.parametrize("seed", range(40))
def test_heaps_and_pairwise_judgement_trade_alike(seed: int) -> None:
    """An offer in another zone that nobody bids in makes a book one with conditions."""
    one = random_book(seed, prices=30)
    bids, offers = one.bids, one.offers
    far = Orders.of([1], [0], zone=[7])
    near = Orders.of(bids.energy, bids.price, zone=np.ones(len(bids), int))
    both = {
        name: np.concatenate([getattr(offers, name), getattr(far, name)])
        for name in ("energy", "price", "zone")
    }
    other = OrderBook.of(near, Orders.of(**both), max_fills=one.max_fills)
    assert not len(near) or not other.is_plain
    assert rows(match, other) == rows(match, one)


def test_a_whole_order_waits_for_one_that_takes_all_of_it() -> None:
    bids = Orders.of([5, 2, 5], [9, 9, 9])
    offers = Orders.of([5], [1], whole=[1])
    auction = Continuous(np.array([1, 2, 3]), FIRST)
    assert rows(auction, OrderBook.of(bids.rows([1, 0, 2]), offers)) == [(1, 0, 5, 1)]
