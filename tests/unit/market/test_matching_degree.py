"""Paper C's market as a mechanism of the cycle."""

import numpy as np
import pytest
from tests.unit.market.column_books import book, random_book

from gridpact.errors import BadInput
from gridpact.market.book import OrderBook, Orders
from gridpact.market.degree import Mode
from gridpact.market.matching_degree import MatchingDegree, match

QUICK = MatchingDegree(kicks=2, nodes=2)


@pytest.mark.parametrize("seed", range(20))
def test_each_bid_is_served_whole_by_one_offer_that_has_enough(seed: int) -> None:
    one = random_book(seed)
    found = QUICK(one)
    assert len(set(found.bid.tolist())) == len(found)
    assert (found.energy == one.bids.energy[found.bid]).all()
    sold = np.bincount(found.offer, found.energy, len(one.offers))
    assert (sold <= one.offers.energy).all()
    assert (found.price == one.asked[found.offer]).all()
    assert (found.price <= one.ceiling(found.bid, found.offer)).all()


def test_a_mode_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadInput, match="mode 'fair' is not known, expected balanced, scaled"):
        MatchingDegree("fair")(book([(5, 1)], [(4, 1)]))


@pytest.mark.parametrize("mode", Mode)
def test_books_without_a_trade_are_no_error(mode: Mode) -> None:
    for bids, offers in (([], []), ([(5, 1)], []), ([], [(5, 1)]), ([(5, 1)], [(6, 1)])):
        assert len(MatchingDegree(mode)(book(bids, offers))) == 0


def test_nobody_trades_with_itself_and_all_or_nothing_offers_sell_all() -> None:
    bids = Orders.of([4, 3], [9, 9], owner=[0, 1])
    offers = Orders.of([4, 5], [2, 3], owner=[0, 2], whole=[0, 1])
    found = match(OrderBook.of(bids, offers))
    # bid 0 may not buy its owner's offer, and offer 1 is not used up by either bid
    assert (found.bid.tolist(), found.offer.tolist()) == ([1], [0])


def test_a_believed_neighbour_is_preferred_and_a_newcomer_is_not_left_out() -> None:
    bids, offers = Orders.of([4, 4], [9, 9]), Orders.of([4, 4], [5, 5])
    scores = [1_000_000, 1_000_000, 0, 900_000]
    alone = match(OrderBook.of(bids.rows([0]), offers, [1_000_000, 0, 900_000]))
    assert alone.offer.tolist() == [1]
    assert len(match(OrderBook.of(bids, offers, scores))) == 2
    assert len(match(OrderBook.of(bids, offers, [0, 0, 0, 0]))) == 2


def test_rounds_serve_no_less() -> None:
    one = random_book(3, most=40)
    assert MatchingDegree(rounds=20)(one).energy.sum() >= QUICK(one).energy.sum() > 0
