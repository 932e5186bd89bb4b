"""The five cases of a fill's settlement, by hand and as properties."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import SettlementError
from gridpact.model.delivery import Delivery
from gridpact.model.order import Tier
from gridpact.model.statement import Case, SettlementTerms, Statement
from gridpact.model.trade import Fill
from gridpact.quantities import amount
from gridpact.settlement.split import judge, split, tolerance

TERMS = SettlementTerms()
NAME = b"\1" * 32
LOSS_SHARE = 20_000


def fill(energy: int = 1000, price: int = 150_000, charge: int = 40_000) -> Fill:
    return Fill(
        region=b"r" * 32,
        interval=7,
        tier=Tier.LOCAL,
        index=0,
        bid=b"b" * 32,
        offer=b"o" * 32,
        buyer=b"B" * 20,
        seller=b"S" * 20,
        energy_wh=energy,
        price=price,
        charge=charge,
    )


def delivery(
    agreed: int,
    sent: int,
    received: int,
    unused: int = 0,
    unused_sent: int = 0,
    held: int = 0,
    disputed: bool = False,
) -> Delivery:
    return Delivery(NAME, agreed, sent, received, unused, unused_sent, held, disputed)


def settled(given_delivery: Delivery, price: int = 150_000) -> Statement:
    return split(fill(price=price), given_delivery, TERMS, LOSS_SHARE)


def statement(case: Case, *amounts: int) -> Statement:
    return Statement(NAME, case, *amounts)


def test_seller_who_delivers_all_is_paid_all_and_rewarded():
    # R' = 980, eps = 10: 970 received suffice
    assert settled(delivery(1000, 990, 970)) == statement(
        Case.FULL, 150_000, 39_600, 0, 0, 400, 3_000, 0
    )


def test_seller_whose_energy_is_lost_within_reason_gets_half_the_reward():
    # 969 + 10 < 980, 930 + 50 = 980
    for received in (969, 930):
        assert settled(delivery(1000, 1000, received)) == statement(
            Case.HALF, 150_000, 40_000, 0, 0, 0, 1_500, 0
        )


def test_buyer_may_claim_what_was_lost_beyond_reason():
    # 900 + 20 expected + 50 reasonable leave 30 Wh, at price 0.15 + charge 0.04
    assert settled(delivery(1000, 1000, 900)) == statement(
        Case.LOSSY, 150_000, 40_000, 0, 0, 0, 0, 5_700
    )


def test_seller_who_delivers_short_is_paid_for_what_arrived_less_a_penalty():
    # 200 missing count 250: 150000 - 37500
    assert settled(delivery(1000, 800, 784)) == statement(
        Case.SHORT, 112_500, 32_000, 0, 0, 45_500, 0, 0
    )


def test_short_delivery_that_is_lost_too_leaves_a_claim_on_what_was_sent():
    # 800 - 700 - 16 - 40 = 44 Wh at 0.19
    assert settled(delivery(1000, 800, 700)) == statement(
        Case.SHORT, 112_500, 32_000, 0, 0, 45_500, 0, 8_360
    )


def test_claim_never_exceeds_what_the_buyer_paid():
    # 200 sent of 1000: the penalty takes the whole price, only the charge of 8000 was paid
    assert settled(delivery(1000, 200, 0)) == statement(
        Case.SHORT, 0, 8_000, 0, 0, 182_000, 0, 8_000
    )


def test_seller_who_delivers_nothing_is_paid_nothing():
    assert settled(delivery(1000, 0, 0)) == statement(Case.SHORT, 0, 0, 0, 0, 190_000, 0, 0)


def test_shortfall_within_the_meter_tolerance_is_no_shortfall():
    assert settled(delivery(1000, 990, 980)).case is Case.FULL
    assert settled(delivery(1000, 989, 980)).case is Case.SHORT


def test_tolerance_is_one_percent_but_at_least_ten_watt_hours():
    assert [tolerance(energy, TERMS) for energy in (0, 999, 1000, 5000)] == [10, 10, 10, 50]


@pytest.mark.parametrize(
    "disputed", [delivery(1000, 900, 890, disputed=True), delivery(1000, 900, 911)]
)
def test_disputed_fill_keeps_its_lock(disputed: Delivery):
    assert settled(disputed) == statement(Case.DISPUTE, 0, 0, 0, 0, 0, 0, 0)


def test_meters_may_differ_by_the_tolerance_without_dispute():
    assert settled(delivery(1000, 900, 910)).case is Case.SHORT
    assert settled(delivery(1000, 1000, 1010)).case is Case.FULL


def test_buyer_pays_a_fee_for_energy_it_did_not_use():
    # of 400 Wh unused the seller did produce 300: 18000 of the 24000 are its share
    assert settled(delivery(600, 600, 590, unused=400, unused_sent=300)) == statement(
        Case.FULL, 90_000, 24_000, 18_000, 6_000, 52_000, 1_800, 0
    )


def test_seller_gets_of_the_fee_no_more_than_it_lost_against_its_price():
    # sold at 0.10 instead of 0.08 feed-in: 300 Wh lose it 6000
    assert settled(delivery(600, 600, 590, unused=400, unused_sent=300), price=100_000) == (
        statement(Case.FULL, 60_000, 24_000, 6_000, 18_000, 32_000, 1_200, 0)
    )


def test_fee_is_never_more_than_what_is_left_of_the_lock():
    dear = SettlementTerms(unused_fee=500_000)
    result = split(fill(), delivery(600, 600, 590, unused=400), dear, LOSS_SHARE)
    assert (result.fee_seller, result.fee_network, result.refund) == (0, 76_000, 0)


def test_held_energy_is_refunded_and_owed_by_nobody():
    assert settled(delivery(0, 0, 0, held=1000)) == statement(Case.FULL, 0, 0, 0, 0, 190_000, 0, 0)
    assert settled(delivery(600, 600, 588, held=400)) == statement(
        Case.FULL, 90_000, 24_000, 0, 0, 76_000, 1_800, 0
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (delivery(900, 900, 880), "agreed 900"),
        (delivery(1000, 1001, 990), "sent 1001"),
        (delivery(600, 600, 590, unused=400, unused_sent=401), "401 Wh sent of 400"),
        (delivery(1100, 1100, 1000, unused=-100), "unused -100"),
        (delivery(1000, 1000, -1), "received -1"),
    ],
)
def test_delivery_that_does_not_fit_its_fill_is_refused(wrong: Delivery, words: str):
    with pytest.raises(SettlementError, match=words):
        settled(wrong)


def test_loss_share_above_one_is_refused():
    with pytest.raises(SettlementError, match="1000001 ppm"):
        split(fill(), delivery(1000, 1000, 900), TERMS, 1_000_001)


# properties

energies = st.integers(0, 2**40 - 1) | st.integers(0, 30_000)
prices = st.integers(0, 500_000) | st.integers(0, 2**47)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Fill, Delivery, SettlementTerms, int]:
    agreed, unused, held = (draw(st.integers(0, 2**38) | st.integers(0, 9999)) for _ in range(3))
    trade = fill(agreed + unused + held, draw(prices), draw(prices))
    sent = draw(st.integers(0, agreed) | st.integers(max(0, agreed - 30), agreed))
    made = delivery(
        agreed,
        sent,
        draw(st.integers(0, sent + 30) | st.integers(max(0, sent - sent // 10), sent)),
        unused,
        draw(st.integers(0, unused)),
        held,
        draw(st.integers(0, 9)) == 0,
    )
    terms = SettlementTerms(
        tau=draw(st.integers(0, 200_000)),
        eps=draw(st.integers(0, 20_000)),
        eps_floor_wh=draw(st.integers(0, 20)),
        kappa=draw(st.integers(1_000_000, 3_000_000)),
        reward=draw(st.integers(0, 50_000)),
        unused_fee=draw(prices),
        feed_in=draw(prices),
    )
    return trade, made, terms, draw(st.integers(0, 1_000_000))


@given(cases())
def test_the_lock_is_divided_to_the_last_micro_unit(case):
    trade, _made, _terms, _share = case
    result = split(*case)
    parts = (result.paid, result.charge, result.fee_seller, result.fee_network, result.refund)
    assert sum(parts) == (0 if result.case is Case.DISPUTE else trade.lock)
    assert min(*parts, result.reward, result.claim) >= 0


@given(cases())
def test_nobody_is_paid_above_the_agreed_energy_at_its_price(case):
    trade, made, _terms, _share = case
    result = split(*case)
    assert result.paid <= amount(trade.price, made.agreed)
    assert result.fee_seller <= amount(trade.price, made.unused_sent)
    assert result.claim <= result.paid + result.charge


@given(cases())
def test_every_delivery_is_exactly_one_case_and_reward_and_claim_exclude_each_other(case):
    _trade, made, terms, share = case
    result = split(*case)
    assert result.case is judge(made, terms, share)
    assert not (result.reward and result.claim)
    assert result.reward == 0 or result.case in (Case.FULL, Case.HALF)
    assert result.claim == 0 or result.case in (Case.LOSSY, Case.SHORT)


@given(cases(), st.integers(1, 2**30))
def test_more_sent_never_earns_a_seller_less(case, more):
    trade, made, terms, share = case
    sent = min(made.agreed, made.sent + more)
    better = delivery(made.agreed, sent, made.received, made.unused, 0, made.held)
    as_is = delivery(made.agreed, made.sent, made.received, made.unused, 0, made.held)
    before, after = split(trade, as_is, terms, share), split(trade, better, terms, share)
    if Case.DISPUTE not in (before.case, after.case):
        assert after.paid + after.reward >= before.paid + before.reward


@given(st.integers(1, 50_000), st.integers(0, 50_000), st.integers(80_000, 500_000))
def test_offering_energy_one_does_not_have_never_pays(has, extra, price):
    """With kappa 1.25 whoever offers more than it can deliver earns less than by the truth.

    Only the meters' own tolerance is free, and never more than it.
    """
    honest = split(fill(has, price), delivery(has, has, has), TERMS)
    greedy = split(fill(has + extra, price), delivery(has + extra, has, has), TERMS)
    gain = (greedy.paid + greedy.reward) - (honest.paid + honest.reward)
    if extra > tolerance(has + extra, TERMS):
        assert greedy.case is Case.SHORT
        assert gain < 0
        if greedy.paid:  # else the penalty took everything already
            assert gain <= -amount(price, extra) // 4 + price // 2000 + 2
    else:
        free = amount(price, extra)
        assert gain <= free + amount(TERMS.reward, free) + 2


@given(st.integers(1, 50_000), st.integers(1, 50_000), st.integers(80_000, 500_000))
def test_bidding_for_energy_one_does_not_use_only_costs(uses, extra, price):
    honest = split(fill(uses, price), delivery(uses, uses, uses), TERMS)
    greedy = split(
        fill(uses + extra, price),
        delivery(uses, uses, uses, unused=extra, unused_sent=extra),
        TERMS,
    )
    spent = [
        result.paid + result.charge + result.fee_seller + result.fee_network
        for result in (honest, greedy)
    ]
    assert spent[1] == spent[0] + amount(TERMS.unused_fee, extra)


@given(st.integers(1, 50_000), st.integers(0, 50_000), st.integers(80_000, 420_000))
def test_trading_with_a_shell_buyer_never_pays(energy, produced, price):
    """A shell buyer uses nothing; seller and shell together lose what goes to the network."""
    result = split(
        fill(energy, price),
        delivery(0, 0, 0, unused=energy, unused_sent=min(produced, energy)),
        TERMS,
    )
    assert result.reward == result.claim == result.paid == 0
    both = result.fee_seller - (result.fee_seller + result.fee_network)
    assert both <= 0


@given(st.integers(1, 50_000), st.integers(80_000, 420_000))
def test_the_reward_never_returns_what_the_network_charge_costs(energy, price):
    """Two accounts of one owner that do use the energy still pay more charge than reward."""
    result = split(fill(energy, price), delivery(energy, energy, energy), TERMS)
    assert result.reward <= result.charge
