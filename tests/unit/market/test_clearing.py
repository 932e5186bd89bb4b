"""The check that stops an invalid clearing."""

import msgspec
import pytest
from hypothesis import given
from tests.unit.market.book_case import BOOKS, Market, bid, both, market, markets, offer, person

from gridpact.errors import InvalidClearing
from gridpact.market.clearing import verify, verify_unmet
from gridpact.market.unmet import unmet
from gridpact.model.order import NONE, Tier
from gridpact.model.trade import Fill, Unmet


def check(case: Market, fills: tuple[Fill, ...]) -> None:
    verify(case.orders, fills, both(case.prices), case.buses, case.scores)


@BOOKS
@given(markets())
def test_our_own_clearings_pass(case: Market) -> None:
    fills = case.clear()
    check(case, fills)
    verify_unmet(case.orders, fills, unmet(case.book, fills))


def simple() -> tuple[Market, Fill]:
    first = bid(1, 1000, 300_000, 400_000)
    second = bid(1, 1000, 300_000, tier=Tier.ZONAL, parent=first.hash)
    case = market([first, second, offer(2, 600)], [offer(9, 600, tier=Tier.ZONAL)])
    return case, case.clear()[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"energy_wh": 601}, "is for 600 Wh, its fills for 601"),
        ({"energy_wh": 0}, "has no energy"),
        ({"price": 149_999}, "not priced at its offer"),
        ({"price": 150_001}, "not priced at its offer"),
        ({"charge": 39_999}, "charged 39999, not 40000"),
        ({"seller": person(3)}, "not between its orders' participants"),
        ({"buyer": person(2)}, "not between its orders' participants"),
        ({"interval": 3}, "another interval or region"),
        ({"region": NONE}, "another interval or region"),
        ({"tier": Tier.ZONAL}, "another tier"),
        ({"bid": NONE}, "not in the book"),
        ({"offer": NONE}, "not in the book"),
        ({"index": 1}, "not counted from 0"),
    ],
)
def test_a_changed_fill_is_found(change: dict[str, object], says: str) -> None:
    case, fill = simple()
    case.buses[person(3)], case.scores[person(3)] = 2, 500_000
    check(case, (fill,))
    with pytest.raises(InvalidClearing, match=says):
        check(case, (msgspec.structs.replace(fill, **change),))


def test_two_offers_cannot_trade_with_each_other() -> None:
    case, fill = simple()
    swapped = msgspec.structs.replace(
        fill, bid=fill.offer, offer=fill.bid, buyer=fill.seller, seller=fill.buyer
    )
    with pytest.raises(InvalidClearing, match="not between a bid and an offer"):
        check(case, (swapped,))


def test_a_trade_with_oneself_is_found() -> None:
    case = market([bid(1, 100), offer(1, 100), offer(2, 100)])
    own, mine, theirs = case.book
    (fair,) = case.clear()
    assert fair.offer == theirs.hash
    wash = msgspec.structs.replace(fair, offer=mine.hash, seller=own.order.participant)
    with pytest.raises(InvalidClearing, match="one participant on both sides"):
        check(case, (wash,))


def test_a_seller_of_too_low_reputation_is_found() -> None:
    case, fill = simple()
    case.scores[person(2)] = 399_999
    with pytest.raises(InvalidClearing, match="minimum reputation"):
        check(case, (fill,))


def test_a_fill_above_bid_or_cap_is_found() -> None:
    case = market([bid(1, 100, 140_000), bid(3, 100, 400_000), offer(2, 100, 390_000)])
    low, high, seller = case.book
    for buyer, says in ((low, "above its bid's 140000"), (high, "above the cap")):
        fill = Fill(
            region=low.order.region,
            interval=low.order.interval,
            tier=Tier.LOCAL,
            index=0,
            bid=buyer.hash,
            offer=seller.hash,
            buyer=buyer.order.participant,
            seller=person(2),
            energy_wh=10,
            price=390_000,
            charge=40_000,
        )
        with pytest.raises(InvalidClearing, match=says):
            check(case, (fill,))


def test_the_same_energy_cannot_be_bought_on_both_tiers() -> None:
    case, fill = simple()
    local, zonal = case.clear()
    assert (local.energy_wh, zonal.energy_wh) == (600, 400)
    greedy = msgspec.structs.replace(zonal, energy_wh=401)
    with pytest.raises(InvalidClearing, match="is for 1000 Wh, its fills for 1001"):
        check(case, (fill, greedy))


def test_energy_made_of_nothing_is_found() -> None:
    """Bids of 10 and 10, offers of 15 and 5: 25 traded, as a published auction clears it."""
    case = market([bid(1, 10), bid(2, 10), offer(3, 15), offer(4, 5)])
    fills = case.clear()
    check(case, fills)
    assert sum(one.energy_wh for one in fills) == 20
    invented = msgspec.structs.replace(fills[-1], energy_wh=fills[-1].energy_wh + 5)
    with pytest.raises(InvalidClearing):
        check(case, (*fills[:-1], invented))


def test_seventeen_fills_of_one_bid_are_found() -> None:
    offers = [offer(number, 10) for number in range(2, 20)]
    case = market([bid(1, 1000), *offers])
    fills = case.clear()
    taken = {fill.offer for fill in fills}
    extra = next(one for one in offers if one.hash not in taken)
    more = msgspec.structs.replace(
        fills[0], index=16, offer=extra.hash, seller=extra.order.participant
    )
    with pytest.raises(InvalidClearing, match="17 fills, above 16"):
        check(case, (*fills, more))


def test_a_clearing_that_needs_more_than_was_reserved_is_found() -> None:
    case, fill = simple()
    poor = tuple(msgspec.structs.replace(one, reserved=fill.lock - 1) for one in case.book)
    with pytest.raises(InvalidClearing, match="micro-units"):
        verify(poor, (fill,), both(case.prices), case.buses, case.scores)


def test_unmet_energy_must_add_up() -> None:
    case, fill = simple()
    verify_unmet(case.orders, (fill,), (Unmet(person(1), 400),))
    with pytest.raises(InvalidClearing, match="1000 Wh bid, but 600 Wh served and 399 Wh unmet"):
        verify_unmet(case.orders, (fill,), (Unmet(person(1), 399),))
