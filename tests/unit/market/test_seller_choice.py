"""Buyers pick by price and credibility, within what a seller's standing bears."""

import numpy as np
import pytest

from gridpact.errors import FieldError
from gridpact.market.book import OrderBook, Orders
from gridpact.market.mechanism import Clearing
from gridpact.market.seller_choice import SellerChoice, exposure, saving
from gridpact.quantities import MAX_PRICE


def book(
    asked: list[int],
    credit: list[int],
    energy: int = 1000,
    wanted: int = 1000,
    bid: int = 200_000,
) -> OrderBook:
    """Return one bid, owner 0, and offers of one energy."""
    return OrderBook.of(
        Orders.of([wanted], [bid], owner=[0]),
        Orders.of([energy] * len(asked), asked, owner=range(1, 1 + len(asked))),
        [0, *credit],
    )


def sellers(clearing: Clearing) -> list[tuple[int, int]]:
    return list(zip(clearing.offer.tolist(), clearing.energy.tolist(), strict=True))


def test_credibility_outweighs_a_small_saving_and_no_large_one() -> None:
    choose = SellerChoice()
    # 0.3 x 0.9 + 0.7 x 0.4 = 0.55 against 0.3 x 0.5 + 0.7 x 0.5 = 0.50
    close = book([100_000, 120_000], [500_000, 900_000])
    assert sellers(choose(close)) == [(1, 1000)]
    # against 0.3 x 0.5 + 0.7 x 0.7 = 0.64
    far = book([60_000, 120_000], [500_000, 900_000])
    assert sellers(choose(far)) == [(0, 1000)]


@pytest.mark.parametrize(("trust", "first"), [(0.0, 0), (1.0, 1)])
def test_the_weight_decides_between_price_and_credibility(trust: float, first: int) -> None:
    chosen = SellerChoice(trust_share=trust)(book([60_000, 120_000], [500_000, 900_000]))
    assert sellers(chosen) == [(first, 1000)]


def test_at_equal_worth_the_lower_price_then_the_row_decides() -> None:
    even = SellerChoice(trust_share=1.0)(book([90_000, 80_000, 80_000], [500_000] * 3))
    assert sellers(even) == [(1, 1000)]


def test_each_fill_is_priced_at_its_offer() -> None:
    clearing = SellerChoice()(book([90_000, 80_000], [500_000] * 2, energy=600))
    assert clearing.price.tolist() == [80_000, 90_000]
    assert not clearing.levy.any()


def test_a_sellers_standing_bounds_what_it_sells() -> None:
    credits = [0, 10_000, 47_618, 47_620, 1_000_000]
    bounds = exposure(book([90_000] * 5, credits, energy=1_000_000), 50_000)
    # S = 100 C / (1 - C) of 5: all; below that in proportion, rounded down
    assert bounds.tolist() == [50_000, 202_020, 999_976, 1_000_000, 1_000_000]


def test_a_newcomer_sells_its_share_and_the_rest_goes_to_others() -> None:
    clearing = SellerChoice()(book([50_000, 100_000], [0, 500_000]))
    assert sellers(clearing) == [(0, 200), (1, 800)]


def test_the_largest_prices_are_compared_without_overflow() -> None:
    huge = book([MAX_PRICE // 2, MAX_PRICE - 1], [0, 0], bid=MAX_PRICE)
    assert saving(huge, 0, np.array([0, 1])).tolist() == [500_000, 0]


@pytest.mark.parametrize("setting", [{"trust_share": 1.5}, {"newcomer_share": -0.1}])
def test_a_setting_that_is_no_share_is_refused(setting: dict[str, float]) -> None:
    with pytest.raises(FieldError, match="expected a share from 0 to 1"):
        SellerChoice(**setting)
