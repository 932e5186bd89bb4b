"""Disputed fills after their window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import SettlementError
from gridpact.model.delivery import Delivery, Metered, Reading
from gridpact.model.order import Tier
from gridpact.model.statement import Case, SettlementTerms
from gridpact.model.trade import Fill
from gridpact.settlement.dispute import proven, resolve
from gridpact.settlement.split import split

TERMS = SettlementTerms()
METER, REGION = b"M" * 20, b"r" * 32


def fill(energy: int) -> Fill:
    return Fill(
        REGION,
        1,
        Tier.LOCAL,
        0,
        b"b" * 32,
        b"o" * 32,
        b"B" * 20,
        b"S" * 20,
        energy,
        150_000,
        40_000,
    )


def reading(interval: int, imported: int, exported: int) -> Reading:
    return Reading(METER, REGION, interval, imported, exported)


def test_two_readings_prove_their_difference():
    assert proven(reading(3, 500, 40), reading(4, 800, 40)) == Metered(METER, 300, 0)


def test_meter_that_fell_silent_proves_nothing():
    last = reading(3, 500, 40)
    assert proven(last, last) == Metered(METER, 0, 0)


def test_meter_that_runs_backwards_is_refused():
    with pytest.raises(SettlementError, match="runs backwards"):
        proven(reading(3, 500, 40), reading(4, 499, 40))


def test_readings_out_of_order_are_refused():
    with pytest.raises(SettlementError, match="do not follow"):
        proven(reading(4, 500, 40), reading(3, 600, 40))


def test_silent_seller_is_paid_nothing_and_the_buyer_gets_its_money_back():
    made = Delivery(b"f" * 32, 1000, 900, 880, 0, 0, 0, disputed=True)
    result = resolve(fill(1000), made, TERMS, 20_000, sent_wh=0, received_wh=880)
    assert (result.case, result.paid, result.refund) == (Case.SHORT, 0, 190_000)


def test_dispute_that_the_readings_settle_is_paid_as_if_there_had_been_none():
    made = Delivery(b"f" * 32, 1000, 1000, 980, 0, 0, 0)
    held = Delivery(b"f" * 32, 1000, 1000, 980, 0, 0, 0, disputed=True)
    result = resolve(fill(1000), held, TERMS, 20_000, 1000, 1000)
    assert result == split(fill(1000), made, TERMS, 20_000)


@given(*[st.integers(0, 5000)] * 5)
def test_resolution_never_disputes_again_and_divides_the_lock(agreed, sent, received, top, end):
    trade = fill(agreed)
    made = Delivery(b"f" * 32, agreed, min(sent, agreed), received, 0, 0, 0, disputed=True)
    result = resolve(trade, made, TERMS, 20_000, top, end)
    assert result.case is not Case.DISPUTE
    assert result.paid + result.charge + result.refund == trade.lock
    assert result.charge <= 40 * top
