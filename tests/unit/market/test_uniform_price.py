"""Pay as clear."""

import numpy as np
import pytest
from tests.unit.market.column_books import best_welfare, book, random_book

from gridpact.market.book import OrderBook, Orders
from gridpact.market.caps import Pairs
from gridpact.market.uniform_price import match
from gridpact.quantities import MAX_ENERGY, MAX_PRICE, PPM


def test_everybody_trades_at_the_middle_of_the_prices_that_clear() -> None:
    cleared = match(book([(10, 5), (8, 5), (3, 5)], [(4, 5), (5, 5), (9, 5)]))
    assert cleared.uniform == 6
    assert set(cleared.price.tolist()) == {6}
    assert not cleared.levy.any()
    assert cleared.energy.sum() == 10


def test_energy_is_not_created() -> None:
    """Bids of 10 and 10 against offers of 15 and 5 once gave 25 in another market's code."""
    cleared = match(book([(30, 10), (30, 10)], [(10, 15), (10, 5)]))
    assert cleared.energy.sum() == 20
    assert np.bincount(cleared.bid, cleared.energy).tolist() == [10, 10]
    assert np.bincount(cleared.offer, cleared.energy).tolist() == [15, 5]


@pytest.mark.parametrize(
    ("bids", "offers"),
    [([], []), ([(5, 1)], []), ([], [(5, 1)]), ([(5, 1)], [(6, 1)])],
)
def test_where_nothing_can_trade_there_is_no_price(
    bids: list[tuple[int, int]], offers: list[tuple[int, int]]
) -> None:
    cleared = match(book(bids, offers))
    assert (len(cleared), cleared.uniform) == (0, None)


def test_of_equal_orders_the_earlier_and_the_better_reputed_trade() -> None:
    bids = Orders.of([4, 4], [9, 9], owner=[0, 1])
    offers = Orders.of([3, 3, 3], [9, 9, 9], owner=[2, 3, 4])
    cleared = match(OrderBook.of(bids, offers, [PPM, PPM, 0, PPM, PPM]))
    assert np.bincount(cleared.bid, cleared.energy).tolist() == [4, 4]
    assert np.bincount(cleared.offer, cleared.energy).tolist() == [2, 3, 3]
    scarce = match(book([(9, 4), (9, 4)], [(9, 5)]))
    assert np.bincount(scarce.bid, scarce.energy).tolist() == [4, 1]


def test_welfare_is_the_best_there_is_and_no_order_is_overfilled_in_1000_books() -> None:
    """Against HiGHS on the transport problem of all pairs."""
    traded = 0
    for seed in range(1000):
        one = random_book(seed, prices=(1000, 12)[seed % 2], most=(500, 1, 3)[seed % 3])
        cleared = match(one)
        gain = int(
            ((one.bids.price[cleared.bid] - one.asked[cleared.offer]) * cleared.energy).sum()
        )
        assert gain == pytest.approx(best_welfare(one), rel=1e-9, abs=1e-6)
        bought = np.bincount(cleared.bid, cleared.energy, len(one.bids))
        sold = np.bincount(cleared.offer, cleared.energy, len(one.offers))
        assert (bought <= one.bids.energy).all()
        assert (sold <= one.offers.energy).all()
        traded += len(cleared) > 0
    assert traded > 900


def test_the_largest_numbers_there_are_neither_overflow_nor_lose_a_watt_hour() -> None:
    one = book([(MAX_PRICE, MAX_ENERGY)] * 50, [(MAX_PRICE - 1, MAX_ENERGY - 1)] * 50)
    cleared = match(one)
    assert int(cleared.energy.sum()) == 50 * (MAX_ENERGY - 1)
    assert cleared.uniform == MAX_PRICE


def test_the_price_stays_under_the_cap_and_over_the_floor() -> None:
    pairs = Pairs(retail=420, margin=0, floor=80, base=20, keep=PPM, locational={})
    dear = match(book([(500, 2), (450, 2)], [(390, 1)], pairs=pairs))
    assert (dear.uniform, dear.bid.tolist()) == (400, [0])
    assert match(book([(500, 2)], [(401, 1)], pairs=pairs)).uniform is None
    assert match(book([(500, 2)], [(10, 5)], pairs=pairs)).uniform == 80


def test_a_bid_with_too_many_fills_meets_the_largest_offers() -> None:
    one = book([(9, 12), (9, 3)], [(1, 1)] * 7 + [(1, 4), (1, 4)], max_fills=4)
    cleared = match(one)
    assert cleared.energy.sum() == 13
    assert np.bincount(cleared.bid).max() <= 4


def test_pairs_that_may_not_trade_are_not_paired() -> None:
    bids = Orders.of([5, 5], [100, 90], owner=[0, 1], min_reputation=[PPM, 0])
    offers = Orders.of([5, 5, 5], [10, 20, 30], owner=[1, 2, 3])
    cleared = match(OrderBook.of(bids, offers, [PPM, PPM, 0, PPM]))
    assert list(zip(cleared.bid.tolist(), cleared.offer.tolist(), strict=True)) == [(0, 0), (1, 1)]
    assert cleared.uniform == 25


def test_orders_that_nobody_may_take_do_not_set_the_price() -> None:
    bids = Orders.of([5, 50], [100, 200], zone=[1, 3])
    offers = Orders.of([5, 50], [10, 1], zone=[1, 2])
    cleared = match(OrderBook.of(bids, offers))
    assert (cleared.bid.tolist(), cleared.offer.tolist(), cleared.uniform) == ([0], [0], 55)


def test_zones_whose_prices_exclude_each_other_still_trade() -> None:
    bids = Orders.of([5, 5], [10, 5], zone=[1, 2])
    offers = Orders.of([5, 5], [8, 1], zone=[1, 2])
    cleared = match(OrderBook.of(bids, offers))
    assert cleared.energy.sum() == 5
