"""Limits of bids and asks of offers follow from the tariff."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gridpact.model.order import Tier
from gridpact.prosumer.tariff import Tariff, ask, bid_limit

TARIFF = Tariff((280_000, 420_000), 90_000, 80_000, 10_000, 40_000, 60_000)


def test_truthful_bid_is_retail_less_charge_and_margin():
    assert bid_limit(TARIFF, 0, Tier.LOCAL) == 230_000
    assert bid_limit(TARIFF, 1, Tier.ZONAL) == 350_000


def test_bid_is_never_negative_when_charges_exceed_retail():
    dear = Tariff((50_000,), 0, 0, 10_000, 60_000, 60_000)
    assert bid_limit(dear, 0, Tier.LOCAL) == 0


@settings(deadline=None)
@given(st.floats(0, 1), st.sampled_from([0, 1]), st.sampled_from([Tier.LOCAL, Tier.ZONAL]))
def test_ask_lies_between_feed_in_and_cap(share, interval, tier):
    price = ask(TARIFF, interval, tier, share)
    assert TARIFF.feed_in <= price <= bid_limit(TARIFF, interval, tier)


def test_ask_at_half_the_spread_is_the_middle():
    assert ask(TARIFF, 0, Tier.LOCAL, 0.5) == (80_000 + 230_000) // 2


def test_ask_is_the_feed_in_tariff_when_there_is_no_spread():
    flat = Tariff((100_000,), 0, 80_000, 0, 40_000, 40_000)
    assert ask(flat, 0, Tier.LOCAL, 0.8) == 80_000
