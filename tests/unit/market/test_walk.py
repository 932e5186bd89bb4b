"""How one bid is served from offers in merit order."""

from tests.unit.market.book_case import FEED_IN, bid, offer, person, prices

from gridpact.market.caps import Pairs
from gridpact.market.walk import bids_of, offers_of, standing, take, willing
from gridpact.model.order import Tier

PAIRS = Pairs.of(prices(), Tier.LOCAL)
BUSES = {person(number): 2 for number in range(10)}
SCORES = {person(number): 100_000 * number for number in range(10)}


def test_offers_stand_by_lifted_price_then_reputation_then_hash() -> None:
    cheap, under, at, dear = offer(2, 5, 90_000), offer(3, 5, 1), offer(4, 5, FEED_IN), offer(5, 5)
    twins = [offer(4, 5, FEED_IN, salt=salt) for salt in (1, 2, 3)]
    stand = standing([dear, cheap, under, at, *twins], PAIRS, BUSES, SCORES)
    equal = sorted([at, *twins], key=lambda one: one.hash)
    assert [one.accepted for one in stand] == [*equal, under, cheap, dear]


def test_both_sides_accept_each_other_or_there_is_no_trade() -> None:
    (one,) = standing([offer(4, 5, 200_000)], PAIRS, BUSES, SCORES)
    assert willing(bid(1, 5, 200_000, 400_000).order, one)
    assert not willing(bid(1, 5, 199_999, 400_000).order, one)
    assert not willing(bid(1, 5, 200_000, 400_001).order, one)
    assert not willing(bid(4, 5, 200_000, 400_000).order, one)


def test_what_is_taken_is_gone() -> None:
    stand = standing([offer(2, 100), offer(3, 100, 160_000)], PAIRS, BUSES, SCORES)
    first = take(bid(1, 500), 2, 130, stand, PAIRS, 0)
    second = take(bid(4, 500), 2, 500, stand, PAIRS, len(first))
    assert [(one.index, one.energy_wh) for one in (*first, *second)] == [(0, 100), (1, 30), (2, 70)]
    assert take(bid(5, 500), 2, 500, stand, PAIRS, 3) == []


def test_a_bid_with_no_fills_left_takes_nothing() -> None:
    stand = standing([offer(2, 100)], PAIRS, BUSES, SCORES)
    assert take(bid(1, 500), 2, 500, stand, PAIRS, 0, most=0) == []
    assert stand[0].left == 100


def test_a_book_is_told_apart_by_side_and_tier() -> None:
    first = bid(1, 5)
    child = bid(1, 5, tier=Tier.ZONAL, parent=first.hash)
    book = [child, offer(2, 5), first, offer(9, 5, tier=Tier.ZONAL)]
    assert bids_of(book, Tier.LOCAL) == [first]
    assert bids_of(book, Tier.ZONAL) == [child]
    assert offers_of(book, Tier.LOCAL) == [book[1]]
    assert offers_of(book, Tier.ZONAL) == [book[3]]
