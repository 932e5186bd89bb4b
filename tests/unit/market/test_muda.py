"""Trading at the other half's price."""

import numpy as np
from tests.unit.market.column_books import book, random_book

from gridpact.market.book import OrderBook, Orders
from gridpact.market.muda import match


def test_welfare_comes_near_the_best_as_the_market_grows() -> None:
    shares = {}
    for size in (20, 2000):
        rng = np.random.default_rng(size)
        one = OrderBook.of(
            Orders.of(np.ones(size, int), rng.integers(1, 10_000, size)),
            Orders.of(np.ones(size, int), rng.integers(1, 10_000, size)),
            seed=b"lots",
        )
        cleared = match(one)
        bids, offers = np.sort(one.bids.price)[::-1], np.sort(one.asked)
        best = np.maximum(bids - offers, 0).sum()
        shares[size] = (one.bids.price[cleared.bid] - one.asked[cleared.offer]).sum() / best
    assert shares[20] < 1
    assert shares[2000] > 0.95


def test_another_seed_is_another_lot_and_the_same_seed_the_same() -> None:
    one = random_book(3)
    again = match(OrderBook.of(one.bids, one.offers, seed=one.seed))
    assert again.energy.tolist() == match(one).energy.tolist()
    others = {
        tuple(match(OrderBook.of(one.bids, one.offers, seed=bytes([seed]))).price.tolist())
        for seed in range(8)
    }
    assert len(others) > 1


def test_a_price_comes_from_people_who_do_not_trade_at_it() -> None:
    """With one bid and one offer no half can have a price and the other one both sides."""
    for seed in range(16):
        assert len(match(book([(9, 1)], [(1, 1)], seed=bytes([seed])))) == 0


def test_the_longer_side_is_served_by_lot() -> None:
    rows = [(9, 1)] * 40
    served = set()
    for seed in range(5):
        cleared = match(book(rows, [(1, 1)] * 10, seed=bytes([seed])))
        assert len(cleared) == 10
        served.add(tuple(sorted(cleared.bid.tolist())))
    assert len(served) > 1
