"""Charges and caps of pairs (5-decisions, section 4)."""

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.market.book_case import BOOKS, FEED_IN, RETAIL, located, prices

from gridpact.market.caps import NO_TRADE, Pairs, tier_charge
from gridpact.model.order import Tier


def test_cap_is_retail_less_charge_and_margin_net_of_losses() -> None:
    pairs = Pairs.of(prices(), Tier.LOCAL)
    assert pairs.cap(2, 3) == round((420_000 - 40_000 - 5_000) * 0.98)


def test_cap_is_rounded_half_to_even_once() -> None:
    # (100_001 - 0 - 0) x 0.5 = 50_000.5 -> 50_000; (100_003) x 0.5 = 50_001.5 -> 50_002
    for retail, cap in ((100_001, 50_000), (100_003, 50_002)):
        of = prices(retail=retail, margin=0, local_charge=0, loss_share=500_000, feed_in=1)
        assert Pairs.of(of, Tier.LOCAL).cap(2, 3) == cap


def test_each_tier_has_its_own_charge_and_grid_supply_none() -> None:
    of = prices()
    assert [tier_charge(of, tier) for tier in Tier] == [40_000, 60_000, 0]


def test_a_pair_across_congestion_pays_the_locational_difference() -> None:
    pairs = Pairs.of(prices(buses=located((2, 30_000), (3, -20_000))), Tier.LOCAL)
    assert pairs.charge(2, 3) == 90_000
    assert pairs.charge(2, 4) == 70_000
    assert pairs.cap(2, 3) == round((420_000 - 90_000 - 5_000) * 0.98)


def test_nobody_is_paid_by_the_network_for_trading_against_congestion() -> None:
    pairs = Pairs.of(prices(buses=located((2, 30_000), (3, -20_000))), Tier.LOCAL)
    assert pairs.charge(3, 2) == 40_000


def test_an_offer_below_the_feed_in_tariff_is_lifted_to_it() -> None:
    pairs = Pairs.of(prices(), Tier.LOCAL)
    assert (pairs.lifted(1), pairs.lifted(FEED_IN + 1)) == (FEED_IN, FEED_IN + 1)


def test_a_cap_below_the_floor_is_reported_and_trades_at_the_floor() -> None:
    # retail 130_000 less charge 40_000 and margin 15_000 leaves 75_000, below the floor
    of = prices(retail=130_000, margin=15_000, loss_share=0)
    pairs = Pairs.of(of, Tier.LOCAL)
    assert pairs.cap(2, 3) == 75_000
    assert pairs.ceiling(2, 3) == FEED_IN
    assert pairs.below_floor([(2, 3), (2, 3), (4, 3)]) == ((2, 3), (4, 3))


def test_a_pair_does_not_trade_where_even_the_floor_would_cost_more_than_retail() -> None:
    pairs = Pairs.of(prices(buses=located((2, 305_000))), Tier.LOCAL)
    assert FEED_IN + pairs.charge(2, 3) > RETAIL
    assert pairs.ceiling(2, 3) == NO_TRADE
    assert pairs.ceiling(4, 3) == pairs.cap(4, 3)


def test_an_offer_is_judged_by_the_highest_ceiling_of_any_bus_with_demand() -> None:
    pairs = Pairs.of(prices(buses=located((2, 100_000), (3, 50_000))), Tier.LOCAL)
    assert pairs.highest_ceiling(4, [2, 3]) == pairs.cap(3, 4)
    assert pairs.highest_ceiling(4, []) is None


@BOOKS
@given(
    st.dictionaries(st.integers(2, 6), st.integers(-300_000, 300_000)),
    st.sets(st.integers(2, 8)),
    st.integers(2, 8),
)
def test_the_highest_ceiling_is_that_of_the_best_pair(
    locational: dict[int, int], demand: set[int], seller: int
) -> None:
    pairs = Pairs.of(prices(buses=located(*locational.items())), Tier.LOCAL)
    best = max((pairs.ceiling(bus, seller) for bus in demand), default=None)
    assert pairs.highest_ceiling(seller, demand) == best


@BOOKS
@given(
    st.integers(0, 10**6),
    st.integers(0, 10**5),
    st.integers(0, 10**5),
    st.integers(0, 300_000),
    st.integers(-(10**6), 10**6),
    st.integers(-(10**6), 10**6),
)
def test_no_buyer_ever_pays_more_than_retail(
    retail: int, charge: int, margin: int, loss: int, buyer: int, seller: int
) -> None:
    """What a delivered kWh costs, charge and loss included, stays within retail.

    The charge is on rho and the cap's (1 - loss) does not cover the charge's own loss; the
    margin has to, or the excess is at most charge x loss.
    """
    of = prices(
        retail=retail,
        local_charge=charge,
        margin=margin,
        loss_share=loss,
        buses=located((2, buyer), (3, seller)),
    )
    pairs = Pairs.of(of, Tier.LOCAL)
    terms = pairs.terms(2, 3)
    assert terms.charge >= charge
    if terms.ceiling != NO_TRADE:
        assert terms.ceiling + terms.charge <= retail
        assert terms.ceiling >= of.feed_in
        assert terms.charge <= pairs.highest_charge(2) <= retail
