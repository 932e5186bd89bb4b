"""Pay as bid."""

import pytest
from tests.unit.market.column_books import best_welfare, book, random_book

from gridpact.market.book import OrderBook, Orders
from gridpact.market.caps import Pairs
from gridpact.market.pay_as_bid import match
from gridpact.quantities import PPM


def test_every_buyer_pays_its_bid_to_its_seller() -> None:
    cleared = match(book([(10, 2), (8, 3), (3, 9)], [(4, 4), (6, 1), (9, 9)]))
    assert sorted(zip(cleared.price.tolist(), cleared.energy.tolist(), strict=True)) == [
        (8, 1),
        (8, 2),
        (10, 2),
    ]
    assert not cleared.levy.any()


@pytest.mark.parametrize("seed", range(60))
def test_all_of_the_possible_welfare_is_kept(seed: int) -> None:
    """A peer's pay-as-bid keeps 7.5 % of it: what pairs can be made must not depend on chance."""
    one = random_book(seed)
    cleared = match(one)
    gain = (one.bids.price[cleared.bid] - one.asked[cleared.offer]) * cleared.energy
    assert gain.sum() == pytest.approx(best_welfare(one))


def test_nobody_pays_more_than_the_cap() -> None:
    pairs = Pairs(retail=420, margin=0, floor=80, base=20, keep=PPM, locational={})
    assert match(book([(500, 2)], [(10, 5)], pairs=pairs)).price.tolist() == [400]


def test_the_dearest_bid_chooses_first_and_the_wires_count() -> None:
    """Offer 0 is cheaper, but the way to it costs more."""
    pairs = Pairs(retail=420, margin=0, floor=0, base=0, keep=PPM, locational={})
    bids = Orders.of([5, 5], [90, 100], location=[50, 50])
    offers = Orders.of([5, 5], [10, 20], location=[0, 45])
    cleared = match(OrderBook.of(bids, offers, pairs=pairs))
    assert list(zip(cleared.bid.tolist(), cleared.offer.tolist(), strict=True)) == [(1, 1), (0, 0)]
    assert cleared.price.tolist() == [100, 90]
