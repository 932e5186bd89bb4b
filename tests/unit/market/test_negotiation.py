"""Devices that give way until they meet."""

import pytest

from gridpact.market.book import OrderBook, Orders
from gridpact.market.concession import Concession
from gridpact.market.negotiation import Negotiation, match


def test_who_concedes_alike_meets_half_way() -> None:
    """Both concede 10 % a round: 100 and 200 meet at 150 in round 5."""
    assert Concession().meeting(100, 200) == (5, 150)


def test_who_concedes_faster_pays_for_more_of_the_gap() -> None:
    assert Concession(buyer=200_000).meeting(100, 190) == (3, 163)
    assert Concession(seller=200_000).meeting(100, 190) == (3, 136)


def test_without_enough_rounds_nobody_meets() -> None:
    assert Concession(rounds=5).meeting(100, 200) == (5, 150)
    assert Concession(rounds=4).meeting(100, 200) is None
    assert Concession(rounds=8, buyer=0, seller=100_000).meeting(100, 200) is None


@pytest.mark.parametrize(("low", "high"), [(5, 5), (0, 1), (7, 10**14), (0, 0)])
def test_a_meeting_lies_between_the_limits(low: int, high: int) -> None:
    met = Concession().meeting(low, high)
    assert met is not None
    assert low <= met[1] <= high


def test_the_cheapest_agreement_is_taken_first() -> None:
    book = OrderBook.of(Orders.of([10], [200]), Orders.of([6, 6], [120, 100]))
    fills = match(book)
    assert (fills.offer.tolist(), fills.energy.tolist()) == ([1, 0], [6, 4])
    assert fills.price.tolist() == [150, 160]


def test_pairs_that_do_not_meet_do_not_trade() -> None:
    book = OrderBook.of(Orders.of([10], [200]), Orders.of([6], [100]))
    assert len(Negotiation(rounds=2)(book)) == 0
