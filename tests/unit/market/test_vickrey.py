"""VCG and McAfee's trade reduction."""

import numpy as np
import pytest
from tests.unit.market.column_books import book, random_book

from gridpact.market.book import OrderBook
from gridpact.market.curves import crossed, plain_values
from gridpact.market.vickrey import match, reduced


def money(one: OrderBook) -> tuple[list[int], list[int]]:
    """Return what each bid pays and each offer gets under VCG."""
    cleared = match(one)
    paid = (cleared.price + cleared.levy) * cleared.energy
    return (
        np.bincount(cleared.bid, paid, len(one.bids)).astype(int).tolist(),
        np.bincount(cleared.offer, cleared.price * cleared.energy, len(one.offers))
        .astype(int)
        .tolist(),
    )


def test_one_trade_is_paid_for_by_the_mechanism() -> None:
    """Neither has anything without the other: one pays the cost, the other gets the worth."""
    assert money(book([(10, 1)], [(4, 1)])) == ([4], [10])


def test_buyers_of_one_scarce_unit_pay_the_second_price() -> None:
    """Vickrey's auction: the winner pays the highest bid that loses."""
    assert money(book([(7, 1), (9, 1), (5, 1)], [(0, 1)])) == ([0, 7, 0], [9])


def welfare(one: OrderBook, bids: list[int], offers: list[int]) -> int:
    part = OrderBook.of(one.bids.rows(bids), one.offers.rows(offers))
    cleared = match(part)
    gain = (part.bids.price[cleared.bid] - part.asked[cleared.offer]) * cleared.energy
    return int(gain.sum())


@pytest.mark.parametrize("seed", range(30))
def test_payments_are_what_others_lose_by_each_ones_presence(seed: int) -> None:
    """Clarke's definition, order by order, also where orders have many units."""
    one = random_book(seed, prices=40, most=(1, 6)[seed % 2])
    cleared = match(one)
    bids, offers = list(range(len(one.bids))), list(range(len(one.offers)))
    total = welfare(one, bids, offers)
    paid, received = money(one)
    for bid in set(cleared.bid.tolist()):
        energy = int(cleared.energy[cleared.bid == bid].sum())
        others = total - int(one.bids.price[bid]) * energy
        lost = welfare(one, [row for row in bids if row != bid], offers) - others
        assert paid[bid] == lost // energy * energy
    for offer in set(cleared.offer.tolist()):
        energy = int(cleared.energy[cleared.offer == offer].sum())
        others = total + int(one.asked[offer]) * energy
        gained = others - welfare(one, bids, [row for row in offers if row != offer])
        assert received[offer] == gained // energy * energy


def test_mcafee_trades_everything_at_a_price_that_all_accept() -> None:
    cleared = reduced(book([(10, 1), (8, 1), (4, 1)], [(1, 1), (5, 1), (8, 1)]))
    assert (len(cleared), cleared.uniform) == (2, 6)
    assert not cleared.levy.any()


def test_mcafee_gives_up_the_last_trade_where_it_must() -> None:
    cleared = reduced(book([(10, 1), (6, 1), (1, 1)], [(1, 1), (5, 1), (30, 1)]))
    rows = (cleared.bid, cleared.offer, cleared.price, cleared.levy)
    assert [column.tolist() for column in rows] == [[0], [0], [5], [1]]


def test_one_trade_alone_is_given_up() -> None:
    assert len(reduced(book([(10, 1)], [(4, 1)]))) == 0


@pytest.mark.parametrize("seed", range(60))
def test_mcafee_loses_at_most_the_last_bid_and_the_last_offer(seed: int) -> None:
    one = random_book(seed, prices=300, most=(1, 20)[seed % 2])
    found = crossed(one, plain_values(one))
    if found is None:
        assert len(reduced(one)) == 0
        return
    volume = int(reduced(one).energy.sum())
    largest = max(int(one.bids.energy.max()), int(one.offers.energy.max()))
    assert found.volume - largest <= volume <= found.volume
