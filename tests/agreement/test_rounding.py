"""`quantities.py` and `rounding.vy` round alike, to the last unit."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement.conftest import Ask

from gridpact.quantities import MAX_ENERGY, MAX_PRICE, amount, divide_half_even, part


@settings(deadline=None)
@given(numerator=st.integers(0, 2**128), denominator=st.integers(1, 2**96))
def test_division(rule: Ask, numerator: int, denominator: int) -> None:
    for exact in (numerator, numerator * denominator, (2 * numerator + 1) * denominator):
        expected = divide_half_even(exact, 2 * denominator)
        assert rule("divide_half_even", exact, 2 * denominator) == (expected,)


@settings(deadline=None)
@given(price=st.integers(0, MAX_PRICE), energy=st.integers(0, MAX_ENERGY))
def test_amount(rule: Ask, price: int, energy: int) -> None:
    assert rule("amount", price, energy) == (amount(price, energy),)


@settings(deadline=None)
@given(whole=st.integers(0, 2**96), share=st.integers(0, 2**32 - 1))
def test_part(rule: Ask, whole: int, share: int) -> None:
    assert rule("part", whole, share) == (part(whole, share),)


@settings(deadline=None)
@given(halves=st.integers(0, 2**40), energy=st.integers(0, 2**20))
def test_ties_of_an_amount_go_to_the_even_micro_unit(rule: Ask, halves: int, energy: int) -> None:
    assert rule("amount", 500 * halves, energy) == (amount(500 * halves, energy),)
    assert rule("amount", 500 * halves + 1, 1) == (amount(500 * halves + 1, 1),)


@settings(deadline=None)
@given(halves=st.integers(0, 2**70), share=st.integers(0, 2**20))
def test_ties_of_a_part_go_to_the_even_micro_unit(rule: Ask, halves: int, share: int) -> None:
    assert rule("part", 500_000 * halves, share) == (part(500_000 * halves, share),)
    assert rule("part", 500_000 * halves + 1, 1) == (part(500_000 * halves + 1, 1),)
