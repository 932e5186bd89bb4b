"""What one tier leaves to the next."""

from hypothesis import given
from tests.unit.market.book_case import BOOKS, Market, bid, market, markets, offer, person

from gridpact.market.unmet import filled, left, unmet, zonal_wanted
from gridpact.model.order import Tier
from gridpact.model.trade import Unmet


def test_a_zonal_bid_wants_the_smaller_of_itself_and_what_its_parent_has_left() -> None:
    first = bid(1, 1000)
    second = bid(1, 600, tier=Tier.ZONAL, parent=first.hash)
    for sold, wanted in ((0, 600), (300, 600), (700, 300), (1000, 0)):
        book = [first, second, *([offer(2, sold)] if sold else [])]
        case = market(book)
        assert zonal_wanted(case.book, case.local()) == {second.hash: wanted}


def test_what_nobody_served_is_left_to_grid_supply() -> None:
    first, other = bid(1, 1000), bid(3, 200)
    second = bid(1, 600, tier=Tier.ZONAL, parent=first.hash)
    case = market([first, second, offer(2, 300)], [offer(9, 400, tier=Tier.ZONAL)])
    assert unmet(case.book, case.clear()) == (Unmet(person(1), 300),)
    assert unmet([first, other], ()) == (Unmet(person(1), 1000), Unmet(person(3), 200))


def test_a_bid_served_in_full_is_not_listed() -> None:
    case = market([bid(1, 100), offer(2, 100)])
    assert unmet(case.book, case.clear()) == ()


@BOOKS
@given(markets())
def test_served_and_unmet_energy_add_up_to_what_was_bid(case: Market) -> None:
    fills = case.clear()
    wanted: dict[bytes, int] = {}
    for one in case.book:
        if one.hash in left(case.book, ()) and one.order.side == 0 and one.order.tier is Tier.LOCAL:
            wanted[one.order.participant] = one.order.energy_wh
    bought: dict[bytes, int] = {}
    for fill in fills:
        bought[fill.buyer] = bought.get(fill.buyer, 0) + fill.energy_wh
    open_ = {one.participant: one.energy_wh for one in unmet(case.book, fills)}
    assert {who: bought.get(who, 0) + open_.get(who, 0) for who in wanted} == wanted
    assert sum(filled(fills).values()) == 2 * sum(one.energy_wh for one in fills)
