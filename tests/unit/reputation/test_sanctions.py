"""Sanctions and the way back: what cheating comes to, net of deposit and charges."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.delivery import Delivery
from gridpact.model.order import Tier
from gridpact.model.participant import ReviewTerms
from gridpact.model.rating import ONE, CredibilityTerms, Standing, decay
from gridpact.model.statement import SettlementTerms
from gridpact.model.trade import Fill
from gridpact.quantities import amount
from gridpact.reputation.credibility import update
from gridpact.reputation.sanctions import (
    SanctionTerms,
    deposit_due,
    exposure,
    may_return,
    returned,
    shut_out,
    suspended,
)
from gridpact.settlement.split import split

TERMS, SANCTIONS = CredibilityTerms(), SanctionTerms()
V0, HOUR = 4_000, decay(30, 3600)


def test_exposure_is_what_breaking_it_would_take_from_the_standing() -> None:
    standing = Standing(25 * ONE)
    allowed = exposure(standing, V0, TERMS)
    assert allowed == 5 * V0
    assert update(standing, 0, 0, allowed, V0, HOUR, TERMS).points == 0
    assert update(standing, 0, 0, allowed - V0, V0, HOUR, TERMS).points == 5 * ONE


def test_a_newcomer_trades_on_a_deposit_and_is_not_suspended() -> None:
    new = Standing()
    assert exposure(new, V0, TERMS) == 0
    assert deposit_due(V0, 0, 300_000) == amount(300_000, V0)
    assert not suspended(new, update(new, 1, V0, 0, V0, HOUR, TERMS), SANCTIONS)
    assert suspended(new, update(new, 1, 0, V0, V0, HOUR, TERMS), SANCTIONS)


def test_who_broke_its_word_is_shut_out_below_the_floor_until_its_time_is_over() -> None:
    terms = CredibilityTerms(floor=20_000, away=24)
    fallen = Standing(ONE, 100, 40, 1)
    assert [shut_out(fallen, 100 + later, terms) for later in (1, 23, 24)] == [True, True, False]
    assert not shut_out(Standing(ONE, 100, 40, 0), 101, terms)
    assert not shut_out(Standing(3 * ONE, 100, 40, 1), 101, terms)
    assert not shut_out(fallen, 101, TERMS)


def test_the_way_back_keeps_the_record_and_no_points() -> None:
    fallen = Standing(3 * ONE, 100, 40, 2)
    assert not may_return(fallen, 101, SANCTIONS)
    assert may_return(fallen, 100 + SANCTIONS.away, SANCTIONS)
    assert returned(fallen, 300) == Standing(0, 300, 40, 2)


@given(st.integers(1, 2_000), st.integers(1, 400_000))
def test_sham_trades_cost_five_charges_for_each_kwh_that_may_be_broken(
    times: int, charge: int
) -> None:
    """A shell buyer of one's own raises the standing at the price of network charges.

    On the 56-bus day that is at least 5 x 0.04 for a kWh, and the next test says what it buys:
    nothing, against not having offered the kWh. As an option it is worth more where one's own use
    saves more than that: at 0.42 retail up to 0.42 - 0.08 = 0.34 (19 to 22 h).
    """
    standing = Standing()
    for interval in range(times):
        standing = update(standing, interval, V0, 0, V0, HOUR, TERMS)
    assert 5 * amount(charge, exposure(standing, V0, TERMS)) <= times * amount(charge, V0) + 5


@given(st.integers(1_000, 10**6), st.integers(0, 10**6), st.integers(1, 400_000))
def test_what_is_broken_earns_nothing(agreed: int, sent: int, price: int) -> None:
    """Who promises and breaks is paid no more than who had promised what it sent."""
    sent = sent % agreed
    name = b"n" * 32
    fill = Fill(name, 1, Tier.LOCAL, 0, name, name, name[:20], name[:20], agreed, price, 0)
    terms = SettlementTerms(eps=0, eps_floor_wh=0)
    broken = split(fill, Delivery(fill.hash, agreed, sent, sent, 0, 0, 0), terms, 0)
    assert broken.paid <= amount(price, sent) + 1


@given(st.integers(1, 300), st.integers(1, 50), st.integers(1, 400_000))
def test_a_new_name_never_pays(kept: int, broken: int, cap: int) -> None:
    """Whoever breaks and comes back under a new name pays a deposit for what it broke openly.

    Beyond what honest intervals had earned (and the breach took away), each kWh broken stood on a
    deposit at the cap price, of which a fine at that price takes all; nothing is left to be gained:
    the new name starts where the old one ended, at exposure 0.
    """
    old = Standing()
    for interval in range(kept):
        old = update(old, interval, V0, 0, V0, HOUR, TERMS)
    volume, allowed = broken * V0, exposure(old, V0, TERMS)
    held = deposit_due(volume, allowed, cap)
    assert ReviewTerms(fine=cap).owed(volume, 0) >= held
    fresh = exposure(Standing(), V0, TERMS)
    kept_name = exposure(update(old, kept, 0, volume, V0, HOUR, TERMS), V0, TERMS)
    assert fresh <= kept_name
