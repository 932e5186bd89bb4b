"""The order book as columns."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import FieldError
from gridpact.market.book import ALWAYS, OrderBook, Orders
from gridpact.market.caps import NO_TRADE, Pairs
from gridpact.quantities import MAX_ENERGY, MAX_PRICE, PPM


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ({"energy": [1, 0]}, r"energy\[1\]: is 0, not within 1"),
        ({"energy": [1, -5]}, r"energy\[1\]: is -5"),
        ({"energy": [1, MAX_ENERGY + 1]}, r"energy\[1\]"),
        ({"energy": [1, 2.5]}, r"energy\[1\]: is 2.5, expected a whole number"),
        ({"energy": [[1, 2]]}, r"energy: has the shape \(1, 2\)"),
        ({"price": [math.nan, 1]}, r"price\[0\]: is nan, expected a whole number"),
        ({"price": [1, math.inf]}, r"price\[1\]: is inf"),
        ({"price": [1, 10**18]}, r"price\[1\]: is 1000000000000000000, not within"),
        ({"price": [1, 10**30]}, r"price\[1\]"),
        ({"price": [1, "2"]}, r"price\[0\]: is '1', expected a whole number"),
        ({"price": [1]}, r"price: has the shape \(1,\), expected 2 values"),
        ({"colour": [1, 2]}, r"colour: is no attribute of an order: owner, whole"),
        ({"whole": [2, 0]}, r"whole\[0\]: is 2, not within 0 and 1"),
        ({"start": [3, 3], "end": [4, 3]}, r"end\[1\]: is not after the window's start"),
    ],
)
def test_columns_that_no_order_may_have_are_refused_with_their_row(
    column: dict[str, list[object]], problem: str
) -> None:
    given_columns = {"energy": [1, 2], "price": [5, 5], **column}
    with pytest.raises(FieldError, match=problem):
        Orders.of(**given_columns)  # type: ignore[arg-type]


def test_whole_floats_are_taken_as_whole_numbers() -> None:
    orders = Orders.of([1.0, 2.0], [MAX_PRICE, 1])
    assert orders.energy.tolist() == [1, 2]
    assert orders.energy.dtype == np.int64


def test_an_empty_side_is_a_side() -> None:
    book = OrderBook.of(Orders.of([], []), Orders.of([5], [3]))
    assert (len(book.bids), len(book.offers), len(book.reputation)) == (0, 1, 1)


def test_sides_without_owners_have_nobody_on_both() -> None:
    book = OrderBook.of(Orders.of([1, 1], [5, 5]), Orders.of([1, 1], [3, 3]))
    assert book.bids.owner.tolist() == [0, 1]
    assert book.offers.owner.tolist() == [2, 3]
    assert book.is_plain


def test_an_owner_without_reputation_is_refused() -> None:
    with pytest.raises(FieldError, match="reputation: has 1 values, expected 2 owners"):
        OrderBook.of(Orders.of([1], [5]), Orders.of([1], [3]), [PPM])


def test_half_named_owners_are_refused() -> None:
    with pytest.raises(FieldError, match=r"owner\[1\]: names nobody"):
        OrderBook.of(Orders.of([1, 1], [5, 5], owner=[0, -1]), Orders.of([1], [3]))


def test_wishes_decide_who_may_trade() -> None:
    bids = Orders.of(
        [1] * 6,
        [9] * 6,
        owner=[0, 1, 2, 3, 4, 5],
        min_reputation=[0, 600_000, 0, 0, 0, 0],
        start=[0, 0, 5, 0, 0, 0],
        end=[ALWAYS, ALWAYS, 7, ALWAYS, ALWAYS, ALWAYS],
        source=[0, 0, 0, 2, 0, 0],
        zone=[0, 0, 0, 0, 3, 0],
    )
    offers = Orders.of(
        [1, 1, 1], [1, 1, 1], owner=[6, 7, 5], start=[0, 4, 0], end=[ALWAYS, 8, 6],
        source=[1, 2, 3], zone=[0, 4, 3],
    )  # fmt: skip
    reputation = [PPM] * 6 + [500_000, 600_000]
    book = OrderBook.of(bids, offers, reputation)
    rows = np.arange(3)
    may = [book.may_trade(bid, rows).tolist() for bid in range(6)]
    assert may == [
        [True, True, True],
        [False, True, True],
        [True, True, False],
        [False, True, True],
        [True, False, True],
        [True, True, False],
    ]
    assert not book.is_plain


def test_the_ceiling_is_the_bid_or_the_pairs_cap() -> None:
    pairs = Pairs(420_000, 5_000, 80_000, 40_000, PPM, {})
    bids = Orders.of([1, 1, 1], [300_000, 400_000, 400_000], location=[0, 0, 400_000])
    book = OrderBook.of(bids, Orders.of([1], [1]), pairs=pairs)
    rows = np.arange(3)
    assert book.ceiling(rows, np.zeros(3, int)).tolist() == [300_000, 375_000, NO_TRADE]
    assert book.charge(rows, np.zeros(3, int)).tolist() == [40_000, 40_000, 440_000]
    assert book.asked.tolist() == [80_000]


@pytest.mark.parametrize(
    ("bid", "offer", "plain"),
    [
        ({}, {}, True),
        ({"location": [7, 7]}, {"location": [7]}, True),
        ({"location": [7, 8]}, {"location": [7]}, False),
        ({"location": [7, 7]}, {"location": [8]}, False),
        ({"min_reputation": [0, 500_000]}, {}, True),
        ({"min_reputation": [0, 500_001]}, {}, False),
        ({"partner": [-1, 0]}, {}, False),
        ({"whole": [0, 1]}, {}, False),
        ({}, {"whole": [1]}, False),
        ({}, {"zone": [3]}, True),
        ({"zone": [0, 3]}, {}, False),
        ({"end": [9, 9]}, {}, False),
    ],
)
def test_a_book_is_plain_where_every_wish_is_met(
    bid: dict[str, list[int]], offer: dict[str, list[int]], plain: bool
) -> None:
    bids = Orders.of([1, 1], [5, 5], owner=[0, 1], **bid)
    book = OrderBook.of(bids, Orders.of([1], [3], owner=[2], **offer), [0, 0, 500_000])
    assert book.is_plain == plain


@given(st.lists(st.integers(-(2**40), 2**40), max_size=20), st.integers(0, 2**40))
def test_terms_of_many_pairs_are_those_of_each(differences: list[int], base: int) -> None:
    pairs = Pairs(2**41, 5, 80_000, base, 980_000, {})
    charge, ceiling = pairs.by_difference(np.array(differences, np.int64))
    alone = [pairs.of_difference(one) for one in differences]
    assert charge.tolist() == [one.charge for one in alone]
    assert ceiling.tolist() == [one.ceiling for one in alone]


def test_a_book_of_a_million_orders_is_built_in_less_than_a_second_of_cpu() -> None:
    rng = np.random.default_rng(1)
    energy, price = rng.integers(1, 5000, 1_000_000), rng.integers(1, 400_000, 1_000_000)
    begun = time.process_time()
    book = OrderBook.of(
        Orders.of(energy[:500_000], price[:500_000]), Orders.of(energy[500_000:], price[500_000:])
    )
    assert len(book.bids) == len(book.offers) == 500_000
    assert time.process_time() - begun < 1
