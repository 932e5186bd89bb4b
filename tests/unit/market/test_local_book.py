"""Accepted orders as columns, and clearings as fills."""

from collections.abc import Sequence

from hypothesis import given
from tests.unit.market.book_case import BOOKS, SEED, Market, markets

from gridpact.market import merit_order
from gridpact.market.caps import Pairs
from gridpact.market.draw import drawn
from gridpact.market.local_book import local_book
from gridpact.market.walk import bids_of, offers_of, standing, take
from gridpact.model.order import Tier
from gridpact.model.trade import Fill


def by_walking(case: Market) -> Sequence[Fill]:
    """Clear order by order, without columns: the step that the zonal tier takes."""
    pairs = Pairs.of(case.prices, Tier.LOCAL)
    stand = standing(offers_of(case.book, Tier.LOCAL), pairs, case.buses, case.scores)
    fills: list[Fill] = []
    for bid in drawn(bids_of(case.book, Tier.LOCAL), SEED):
        bus, wanted = case.buses[bid.order.participant], bid.order.energy_wh
        fills += take(bid, bus, wanted, stand, pairs, len(fills))
    return fills


@BOOKS
@given(markets())
def test_columns_clear_as_orders_do_one_by_one(case: Market) -> None:
    assert list(case.local()) == by_walking(case)


@BOOKS
@given(markets())
def test_rows_stand_in_the_order_that_breaks_ties(case: Market) -> None:
    local = local_book(case.book, Pairs.of(case.prices, Tier.LOCAL), case.buses, case.scores, SEED)
    assert list(local.bids) == drawn(local.bids, SEED)
    assert [one.hash for one in local.offers] == sorted(one.hash for one in local.offers)
    assert len(merit_order.match(local.book)) == len(case.local())
