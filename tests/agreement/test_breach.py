"""`ReviewTerms.owed` and `breach.vy` fine a broken word alike, to the last micro-unit."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.agreement.conftest import Ask

from gridpact.model.participant import ReviewTerms
from gridpact.quantities import MAX_PRICE, PPM, Wh, amount

energies = st.integers(0, 2**40 - 1) | st.integers(0, 5_000)


@st.composite
def promises(draw: st.DrawFn) -> tuple[Wh, Wh, int]:
    """Draw promised, kept and tolerance; often at the very edge of what is tolerated."""
    promised, tolerance = draw(energies), draw(st.integers(0, PPM) | st.just(250_000))
    edge = promised * (PPM - tolerance) // PPM
    kept = draw(energies | st.integers(max(0, edge - 1), edge + 1))
    return promised, kept, tolerance


@settings(max_examples=300, deadline=None)
@given(promise=promises(), rate=st.integers(0, MAX_PRICE))
def test_both_fine_every_breach_alike(rule: Ask, promise: tuple[Wh, Wh, int], rate: int) -> None:
    promised, kept, tolerance = promise
    terms = ReviewTerms(fine=rate, tolerance=tolerance)
    missing = terms.broken(promised, kept)
    there = rule("broken", promised, kept, rate, tolerance)
    assert there == (missing, terms.owed(promised, kept))
    assert missing in (0, promised - kept)
    assert missing >= 0


def test_what_is_tolerated_costs_nothing_and_one_wh_more_all_of_it() -> None:
    terms = ReviewTerms(fine=100_000, tolerance=250_000)
    assert terms.broken(1_000, 750) == 0
    assert terms.broken(1_000, 749) == 251
    assert terms.owed(1_000, 749) == amount(100_000, 251)
    assert terms.broken(1_000, 2_000) == 0
