"""Paper A's credibility: properties of 5-decisions, section 9."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridpact.model.rating import ONE, CredibilityTerms, Standing, decay
from gridpact.quantities import PPM
from gridpact.reputation.credibility import faded, judged, paper, reference, update

TERMS = CredibilityTerms()
HOUR = decay(30, 3600)
V0 = 4_000

energies = st.integers(0, 10**6)


def after(standing: Standing, interval: int, kept: int, broken: int = 0) -> Standing:
    return update(standing, interval, kept, broken, V0, HOUR, TERMS)


def test_by_hand() -> None:
    """One reference volume kept: S = 1, Credit = 1/101; half of one broken takes 2.5: S = 0."""
    first = after(Standing(), 1, V0)
    assert (first.points, first.credit, first.kept, first.broken) == (ONE, 9_900, 1, 0)
    rich = Standing(100 * ONE, 1)
    assert rich.credit == 500_000
    assert after(rich, 1, 0, V0 // 2).points == 100 * ONE - 5 * ONE // 2
    assert after(first, 1, 0, V0 // 2).points == 0


def test_after_thirty_days_half_is_left_whatever_the_intervals() -> None:
    for seconds in (900, 1800, 3600):
        intervals = 30 * 86_400 // seconds
        left = faded(Standing(100 * ONE, 5), 5 + intervals, decay(30, seconds))
        assert left / ONE == pytest.approx(50, rel=1e-6)


@given(st.lists(st.tuples(energies, energies), max_size=30))
def test_credit_stays_below_one_and_points_above_zero(made: list[tuple[int, int]]) -> None:
    standing = Standing()
    for interval, (kept, broken) in enumerate(made):
        standing = after(standing, interval, kept, broken)
        assert standing.points >= 0
        assert 0 <= standing.credit < PPM


@given(energies, energies, st.integers(1, 10**6), st.integers(2, 50))
def test_size_does_not_count(kept: int, broken: int, volume: int, times: int) -> None:
    one = update(Standing(50 * ONE), 1, kept, broken, volume, HOUR, TERMS)
    large = update(Standing(50 * ONE), 1, kept * times, broken * times, volume * times, HOUR, TERMS)
    assert one == large


@given(energies, energies)
def test_splitting_over_buyers_or_over_owners_gains_nothing(kept: int, broken: int) -> None:
    """Sums count within an interval; whoever splits into two names has half the volume each."""
    whole = update(Standing(), 1, 2 * kept, 2 * broken, 2 * V0, HOUR, TERMS)
    half = update(Standing(), 1, kept, broken, V0, HOUR, TERMS)
    assert half.points == whole.points


def test_one_broken_in_six_ends_at_zero() -> None:
    chance, standing, lows = Random(9), Standing(400 * ONE), []
    for interval in range(1, 6 * 24 * 365):
        broken = interval % 6 == 0
        volume = chance.randrange(V0, V0 + 2)
        standing = after(standing, interval, 0 if broken else volume, volume if broken else 0)
        if broken:
            lows.append(standing.points / ONE)
    assert max(lows[-24:]) < 0.01
    # one in twelve does not
    standing = Standing()
    for interval in range(1, 24 * 365):
        standing = after(standing, interval, *((0, V0) if interval % 12 == 0 else (V0, 0)))
    assert standing.credit > 500_000


def test_a_shortfall_within_tolerance_is_no_breach() -> None:
    assert judged(100, 75, TERMS) == (75, 0)
    assert judged(100, 74, TERMS) == (74, 26)
    assert judged(100, 89, CredibilityTerms(tolerance=100_000)) == (89, 11)
    assert judged(100, 120, TERMS) == (100, 0)


def test_the_reference_is_the_larger_of_registered_and_usual() -> None:
    assert reference(500, [900, 100, 700]) == 700
    assert reference(500, [900, 100]) == 500
    assert reference(0, []) == 1


def test_the_paper_has_no_bound_and_size_counts() -> None:
    assert paper(0, 10, 3, 2) == 14
    assert paper(0, 0, 1000, 1) == -1000
