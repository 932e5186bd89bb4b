"""Paper C's comprehensive reputation."""

from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.rating import ComprehensiveTerms
from gridpact.quantities import PPM
from gridpact.reputation.comprehensive import PAPER, delivered, rated, update

TERMS = ComprehensiveTerms()
trades = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 2 * 10**6)), max_size=6)


def test_two_intervals_by_hand() -> None:
    """alpha = 0.4 from 0: 0.4, then 0.4 * 0.5 + 0.6 * 0.4 = 0.44 ([Cui22] eq. 2)."""
    first = rated(0, [(10, 10)], TERMS)
    assert (first, rated(first, [(10, 5)], TERMS)) == (400_000, 440_000)


def test_the_paper_counts_trades_alike_and_more_than_agreed_as_more() -> None:
    made = [(10, 15), (30, 15)]
    assert delivered(made, PAPER) == 1_000_000
    assert delivered(made, TERMS) == 750_000
    assert delivered([(10, 12)], TERMS) == PPM
    assert delivered([(10, 12)], ComprehensiveTerms(most=1_100_000)) == 1_100_000


def test_no_trade_no_change() -> None:
    assert rated(640_000, [], TERMS) == rated(640_000, [(0, 0)], TERMS) == 640_000


@given(st.integers(0, PPM), trades, st.integers(0, PPM))
def test_it_stays_between_zero_and_one(before: int, made: list[tuple[int, int]], a: int) -> None:
    assert 0 <= rated(before, made, ComprehensiveTerms(weight=a)) <= PPM


@given(st.integers(0, PPM), trades, st.integers(2, 9))
def test_neither_size_nor_splitting_counts(
    before: int, made: list[tuple[int, int]], times: int
) -> None:
    scaled = [(agreed * times, sent * times) for agreed, sent in made]
    assert rated(before, scaled, TERMS) == rated(before, made, TERMS)
    if made and min(made[0]) > 1:
        (agreed, sent), *rest = made
        split = [(1, 1), (agreed - 1, sent - 1), *rest]
        assert rated(before, split, TERMS) == rated(before, made, TERMS)


@given(st.integers(0, PPM), st.integers(0, PPM), st.integers(0, PPM), st.integers(0, PPM))
def test_delivering_more_never_lowers_it(before: int, less: int, more: int, a: int) -> None:
    less, more = sorted((less, more))
    assert update(before, less, a) <= update(before, more, a)
