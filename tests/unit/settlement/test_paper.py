"""The paper's own rule, [Cui22] eqs. 6 and 7, and why it is not the default."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.delivery import Delivery
from gridpact.model.order import Tier
from gridpact.model.statement import Case, SettlementTerms
from gridpact.model.trade import Fill
from gridpact.quantities import amount
from gridpact.settlement.paper import split_paper
from gridpact.settlement.split import split

TERMS = SettlementTerms()
TOKEN = 3_001
NAME = b"\1" * 32


def fill(energy: int = 1000, price: int = 150_000) -> Fill:
    return Fill(
        b"r" * 32, 1, Tier.LOCAL, 0, NAME, NAME, b"B" * 20, b"S" * 20, energy, price, 40_000
    )


def test_full_reward_only_when_all_that_was_ordered_arrives():
    result = split_paper(fill(), Delivery(NAME, 1000, 1000, 1000, 0, 0, 0), TERMS, TOKEN)
    assert (result.case, result.paid, result.reward, result.refund) == (Case.FULL, 150_000, 3001, 0)


def test_half_the_reward_within_the_reasonable_loss():
    result = split_paper(fill(), Delivery(NAME, 1000, 1000, 950, 0, 0, 0), TERMS, TOKEN)
    assert (result.case, result.paid, result.reward, result.refund) == (
        Case.HALF,
        150_000,
        1500,
        1501,
    )


def test_no_reward_when_more_is_lost():
    result = split_paper(fill(), Delivery(NAME, 1000, 1000, 949, 0, 0, 0), TERMS, TOKEN)
    assert (result.case, result.paid, result.reward, result.refund) == (
        Case.LOSSY,
        150_000,
        0,
        3001,
    )


def test_short_delivery_is_paid_for_what_arrived():
    result = split_paper(fill(), Delivery(NAME, 1000, 800, 780, 0, 0, 0), TERMS, TOKEN)
    # r R - r (R - gamma) = 0.15 * 780, charge 0.04 * 800
    assert (result.case, result.paid, result.charge) == (Case.SHORT, 117_000, 32_000)


def test_buyer_owes_what_it_did_not_use():
    result = split_paper(fill(), Delivery(NAME, 600, 600, 600, 400, 400, 0), TERMS, TOKEN)
    assert (result.case, result.paid, result.charge) == (Case.LOSSY, 150_000, 40_000)


def test_more_received_than_sent_is_disputed():
    result = split_paper(fill(), Delivery(NAME, 1000, 900, 901, 0, 0, 0), TERMS, TOKEN)
    assert (result.case, result.refund) == (Case.DISPUTE, 0)


def test_honest_seller_never_gets_the_papers_full_reward_over_a_real_line():
    made = Delivery(NAME, 1000, 1000, 980, 0, 0, 0)
    assert split_paper(fill(), made, TERMS, TOKEN).reward == 1500
    assert split(fill(), made, TERMS, 20_000).reward == 3000


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(80_000, 500_000))
def test_over_offering_is_free_in_the_paper_and_costs_by_default(has, extra, price):
    trade, made = fill(has + extra, price), Delivery(NAME, has + extra, has, has, 0, 0, 0)
    assert split_paper(trade, made, TERMS, 0).paid == amount(price, has)
    default = split(trade, made, TERMS)
    if default.case is Case.SHORT:
        assert default.paid < amount(price, has) or has == 0


@given(*[st.integers(0, 5000)] * 4)
def test_the_lock_and_the_token_are_divided_to_the_last_micro_unit(agreed, sent, received, token):
    trade = fill(agreed)
    made = Delivery(NAME, agreed, min(sent, agreed), received, 0, 0, 0)
    result = split_paper(trade, made, TERMS, token)
    if result.case is not Case.DISPUTE:
        assert result.paid + result.charge + result.reward + result.refund == trade.lock + token
        assert min(result.paid, result.charge, result.reward, result.refund) >= 0
