"""Whole numbers that everybody rounds alike."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gridpact.quantities import (
    MAX_ENERGY,
    MAX_PRICE,
    PPM,
    amount,
    divide_half_even,
    half,
    part,
    whole,
)

energies = st.integers(0, MAX_ENERGY)
prices = st.integers(0, MAX_PRICE)


@given(st.integers(0, 2**100), st.integers(1, 2**60))
def test_division_rounds_as_exact_fractions_do(numerator: int, denominator: int) -> None:
    assert divide_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


def test_a_tie_goes_to_the_even_neighbour() -> None:
    assert [divide_half_even(n, 2) for n in (1, 3, 5, 7)] == [0, 2, 2, 4]


def test_a_kilowatt_hour_costs_its_price() -> None:
    assert amount(123_457, 1_000) == 123_457


@given(prices, st.lists(energies, max_size=16))
def test_splitting_an_order_costs_at_most_a_micro_unit_per_fill_more(
    price: int, parts: list[int]
) -> None:
    apart = sum(amount(price, energy) for energy in parts)
    assert abs(apart - amount(price, sum(parts))) <= len(parts)


@given(st.integers(0, 2**90))
def test_a_part_of_everything_is_everything(money: int) -> None:
    assert part(money, PPM) == money
    assert part(money, 0) == 0


@given(st.integers(0, 2**90))
def test_two_halves_never_exceed_the_whole(money: int) -> None:
    assert 0 <= money - 2 * half(money) <= 1


def test_floats_become_whole_numbers_to_the_even_side() -> None:
    assert [whole(value) for value in (0.5, 1.5, -0.5, 2.49)] == [0, 2, 0, 2]
