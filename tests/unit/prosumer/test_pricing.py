"""What owners write as a price."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import BadInput
from gridpact.model.order import Side, Tier
from gridpact.prosumer.pricing import STRATEGIES, MarkUp, Situation, pricing
from gridpact.prosumer.tariff import Tariff
from gridpact.quantities import PPM

TARIFF = Tariff((280_000, 100_000), 90_000, 80_000, 10_000, 40_000, 60_000)
NOW = Situation(TARIFF, 0, Side.OFFER, Tier.LOCAL, 0.5, 3, 7)
BIDDING = replace(NOW, side=Side.BID)
LIMIT, FEED_IN = 230_000, 80_000


def test_the_usual_owner_bids_the_truth_and_asks_its_share_of_the_spread() -> None:
    usual = pricing("spread")
    assert (usual(BIDDING), usual(NOW)) == (LIMIT, FEED_IN + 75_000)
    assert usual(replace(NOW, share=1.0)) == LIMIT


def test_the_truthful_owner_asks_what_grid_supply_would_pay() -> None:
    assert (pricing("truthful")(BIDDING), pricing("truthful")(NOW)) == (LIMIT, FEED_IN)


def test_a_mark_up_is_a_share_of_the_spread_on_either_side() -> None:
    strategic = pricing("mark_up", 100_000)
    assert (strategic(BIDDING), strategic(NOW)) == (LIMIT - 15_000, FEED_IN + 15_000)
    assert MarkUp(PPM)(NOW) == LIMIT


def test_zero_intelligence_draws_by_owner_interval_and_side_and_the_same_again() -> None:
    draw = pricing("zero_intelligence")
    many = [draw(replace(NOW, owner=owner)) for owner in range(200)]
    assert many == [draw(replace(NOW, owner=owner)) for owner in range(200)]
    assert len(set(many)) > 190
    assert min(many) < FEED_IN + 15_000
    assert max(many) > LIMIT - 15_000
    assert draw(NOW) != draw(BIDDING)


@given(
    st.sampled_from(sorted(STRATEGIES)),
    st.sampled_from(Side),
    st.sampled_from([Tier.LOCAL, Tier.ZONAL]),
    st.integers(0, 1),
    st.floats(0, 1),
    st.integers(0, 1000),
)
def test_no_strategy_asks_below_feed_in_or_bids_above_the_limit(
    name: str, side: Side, tier: Tier, interval: int, share: float, owner: int
) -> None:
    now = Situation(TARIFF, interval, side, tier, share, owner, 1)
    price = STRATEGIES[name](now)
    assert price <= now.limit if side is Side.BID else price >= FEED_IN
    if now.limit >= FEED_IN:
        assert FEED_IN <= price <= now.limit


@pytest.mark.parametrize(
    ("name", "mark_up", "problem"),
    [("greedy", None, "'greedy' is not known, expected spread"), ("truthful", 5, "no mark-up")],
)
def test_what_is_no_strategy_is_refused(name: str, mark_up: int | None, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        pricing(name, mark_up)
