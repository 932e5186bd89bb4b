"""The incentive of plants: the logarithm, the bounds, and that nobody games them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.errors import SettlementError
from gridpact.model.order import Tier
from gridpact.model.trade import Fill
from gridpact.quantities import PPM, amount
from gridpact.settlement.incentive import (
    Supply,
    bonus_rate,
    grant,
    log2_fixed,
    log_ppm,
    reference_price,
)

PLANT = b"P" * 20


def supply(energy: int, charge: int, x: int) -> Supply:
    return Supply(PLANT, energy, charge, x)


def test_powers_of_two_have_exact_logarithms():
    assert [log2_fixed(1 << 64 + n) for n in (0, 1, 7, 90)] == [n << 40 for n in (0, 1, 7, 90)]


def test_one_megawatt_for_a_day_with_full_steadiness():
    # x = 1 MW * 24 h + 1 = 25: log_10000(26) = 0.353743
    assert log_ppm(25 * PPM, 10_000) == 353_743
    # C_REG 0.12: 0.12 * 0.353743 = 0.04244916
    assert bonus_rate(120_000, 25 * PPM, 10_000) == 42_449


def test_plant_that_has_shown_nothing_earns_nothing():
    assert log_ppm(0, 10_000) == 0
    assert grant([supply(1000, 60_000, 0)], 120_000, 10_000, 10**9)[0].paid == 0


def test_rate_never_exceeds_the_price_itself():
    assert bonus_rate(120_000, 9_999 * PPM, 10_000) == 120_000
    assert bonus_rate(120_000, 10**15, 10_000) == 120_000


@given(st.integers(0, 2**100) | st.integers(0, 10**9), st.integers(2, 10**9))
def test_logarithm_is_within_one_ppm_of_the_float(x, difficulty):
    exact = math.log1p(x / PPM) / math.log(difficulty) * PPM
    assert exact - 1 - exact * 1e-9 <= log_ppm(x, difficulty) <= exact + 1e-3 + exact * 1e-9


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(2, 10**6))
def test_steadier_never_earns_less(x, more, difficulty):
    assert log_ppm(x, difficulty) <= log_ppm(x + more, difficulty)


@pytest.mark.parametrize(("x", "difficulty"), [(-1, 10), (5, 1), (5, 0)])
def test_impossible_logarithm_is_refused(x, difficulty):
    with pytest.raises(SettlementError, match=f"no logarithm of {x} ppm"):
        log_ppm(x, difficulty)


def test_network_charge_bounds_what_is_paid():
    # 0.042449 per kWh * 2 kWh = 84898; the charge paid was 50000
    rich, poor = grant(
        [supply(2000, 120_000, 25 * PPM), supply(2000, 50_000, 25 * PPM)], 120_000, 10_000, 10**9
    )
    assert (rich.paid, poor.paid) == (84_898, 50_000)


def test_short_budget_is_shared_in_proportion():
    rows = grant(
        [supply(1000, 10**6, 25 * PPM), supply(3000, 10**6, 25 * PPM)], 120_000, 10_000, 100_001
    )
    assert [row.paid for row in rows] == [25_000, 75_000]


supplies = st.builds(
    Supply, st.just(PLANT), st.integers(0, 10**7), st.integers(0, 10**9), st.integers(0, 10**12)
)


@given(st.lists(supplies, max_size=8), st.integers(0, 500_000), st.integers(0, 10**9))
def test_trading_with_a_shell_buyer_costs_the_plant_at_least_what_it_earns(rows, price, available):
    """Fill by fill the incentive is at most the network charge that the pair paid."""
    granted = grant(rows, price, 10_000, available)
    assert sum(row.paid for row in granted) <= available
    for row, given_row in zip(rows, granted, strict=True):
        assert 0 <= given_row.paid <= row.charge
        assert given_row.paid <= amount(price, row.energy_wh)


@given(st.lists(supplies, max_size=8), st.integers(0, 500_000), st.integers(0, 10**9))
def test_budget_is_used_up_when_it_is_short(rows, price, available):
    wanted = sum(row.paid for row in grant(rows, price, 10_000, 2**95))
    paid = sum(row.paid for row in grant(rows, price, 10_000, available))
    assert paid == wanted if wanted <= available else available - len(rows) < paid <= available


def zonal(price: int, energy: int) -> Fill:
    return Fill(
        b"z" * 32, 1, Tier.ZONAL, 0, b"b" * 32, b"o" * 32, b"R" * 20, PLANT, energy, price, 60_000
    )


def test_reference_is_the_energy_weighted_zonal_price():
    assert reference_price([zonal(100_000, 3000), zonal(140_000, 1000)], 80_000) == 110_000


def test_reference_stays_when_nothing_was_cleared():
    assert reference_price([], 80_000) == 80_000
