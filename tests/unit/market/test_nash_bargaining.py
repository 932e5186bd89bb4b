"""Nash bargaining: most welfare, equal shares."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridpact.market.book import OrderBook, Orders
from gridpact.market.caps import Pairs
from gridpact.market.nash_bargaining import match


def test_a_pair_meets_half_way() -> None:
    fills = match(OrderBook.of(Orders.of([5], [10]), Orders.of([7], [4])))
    assert (fills.energy.tolist(), fills.price.tolist()) == ([5], [7])


def test_an_odd_gain_is_halved_to_the_even_price() -> None:
    assert match(OrderBook.of(Orders.of([1], [10]), Orders.of([1], [5]))).price.tolist() == [8]
    assert match(OrderBook.of(Orders.of([1], [10]), Orders.of([1], [7]))).price.tolist() == [8]


def test_what_would_lower_the_welfare_is_not_traded() -> None:
    book = OrderBook.of(Orders.of([1, 1], [4, 10]), Orders.of([1, 1], [9, 3]))
    fills = match(book)
    assert (fills.bid.tolist(), fills.offer.tolist(), fills.price.tolist()) == ([1], [1], [6])


def test_no_price_is_above_the_cap_or_below_the_floor() -> None:
    pairs = Pairs(retail=20, margin=0, floor=6, base=2, keep=1_000_000, locational={})
    fills = match(OrderBook.of(Orders.of([1], [50]), Orders.of([1], [1]), pairs=pairs))
    assert fills.price.tolist() == [12]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_with_conditions_the_welfare_is_that_of_a_linear_program(seed: int) -> None:
    """Network charges differ by pair, and some pairs are barred by a least reputation."""
    chance = np.random.default_rng(seed)
    pairs = Pairs(retail=40, margin=0, floor=3, base=1, keep=1_000_000, locational={})
    bids = Orders.of(
        chance.integers(1, 20, 4), chance.integers(5, 30, 4),
        location=chance.integers(0, 9, 4), min_reputation=chance.integers(0, 2, 4) * 500_000,
    )  # fmt: skip
    offers = Orders.of(
        chance.integers(1, 20, 5), chance.integers(1, 30, 5), location=chance.integers(0, 9, 5)
    )
    scores = np.concatenate([np.full(4, 10**6), chance.integers(0, 10**6, 5)])
    owned = replace(bids, owner=np.arange(4)), replace(offers, owner=np.arange(4, 9))
    book = OrderBook.of(*owned, scores, pairs)
    bid, offer = (one.ravel() for one in np.meshgrid(np.arange(4), np.arange(5), indexing="ij"))
    ceiling = book.ceiling(bid, offer)
    fits = book.may_trade(bid, offer) & (book.asked[offer] <= ceiling)
    charge = book.charge(bid, offer)
    worth = np.array([(ceiling + charge)[fits & (bid == b)].max(initial=0) for b in range(4)])
    gain = np.where(fits, worth[bid] - book.asked[offer] - charge, 0)
    rows = np.concatenate([bid == np.arange(4)[:, None], offer == np.arange(5)[:, None]])
    limits = np.concatenate([book.bids.energy, book.offers.energy])
    best = linprog(-gain, A_ub=rows, b_ub=limits, bounds=[(0, 99 * int(one)) for one in fits])
    fills = match(book)
    reached = gain[fills.bid * 5 + fills.offer] @ fills.energy
    assert reached == round(-best.fun)
