"""How a provider's reputation follows the share that it delivers ([Cui22] eqs. 1, 2).

The rule is 5-decisions, section 9 (C): RC(T) = alpha C(T) + (1 - alpha) RC(T - 1), where C is the
delivered share of the interval. A newcomer starts at 0; without trade nothing changes. In the
paper every trade of a cycle counts the same and more than agreed counts as more than kept; by
default energy counts and the share stops at 1, so that neither many small trades nor over-delivery
buy standing. `contracts/comprehensive.vy` repeats `rated` for the sums of an interval.
"""

from collections.abc import Sequence

from gridpact.model.rating import ComprehensiveTerms
from gridpact.quantities import PPM, Score, Wh

PAPER = ComprehensiveTerms(most=0, by_energy=False)
"""The paper to the letter."""


def update(before: Score, current: Score, weight: Score) -> Score:
    """Return the reputation after one more interval, rounded down.

    Parameters
    ----------
    before
        Reputation until now. [ppm]
    current
        Delivered share of the interval, C. [ppm]
    weight
        alpha [ppm]
    """
    return (weight * current + (PPM - weight) * before) // PPM


def delivered(trades: Sequence[tuple[Wh, Wh]], terms: ComprehensiveTerms) -> Score | None:
    """Return the delivered share of an interval's trades (agreed, sent), rounded down.

    None where nothing was agreed. By energy the share of the sums is what counts, so that splitting
    a trade changes nothing.
    """
    real = [(agreed, sent) for agreed, sent in trades if agreed > 0]
    if not real:
        return None
    if terms.by_energy:
        real = [(sum(agreed for agreed, _ in real), sum(sent for _, sent in real))]
    shares = [PPM * sent // agreed for agreed, sent in real]
    if terms.most:
        shares = [min(share, terms.most) for share in shares]
    return sum(shares) // len(shares)


def rated(before: Score, trades: Sequence[tuple[Wh, Wh]], terms: ComprehensiveTerms) -> Score:
    """Return a provider's reputation after one interval's trades (agreed, sent)."""
    current = delivered(trades, terms)
    return before if current is None else update(before, current, terms.weight)
