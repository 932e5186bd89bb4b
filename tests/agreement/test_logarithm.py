"""`settlement/incentive.py` and `logarithm.vy` take the same logarithm, bit by bit."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement.conftest import Ask

from gridpact.settlement.incentive import log2_fixed


@settings(deadline=None)
@given(value=st.integers(2**64, 2**190) | st.integers(2**64, 2**68))
def test_logarithm(rule: Ask, value: int) -> None:
    assert rule("log2_fixed", value) == (log2_fixed(value),)


def test_powers_of_two(rule: Ask) -> None:
    for exponent in range(64, 190, 7):
        assert rule("log2_fixed", 2**exponent) == ((exponent - 64) << 40,)
        assert rule("log2_fixed", 2**exponent + 1) == (log2_fixed(2**exponent + 1),)
