"""How far a participant is believed by what it kept and broke ([Yu23]; sign structure is ours).

The rule is 5-decisions, section 9 (A). Volumes count in units of the participant's own reference
volume, so size does not matter; a broken promise takes five times what a kept one gives; what is
long ago fades with the clock. All numbers are whole: standing S and decay d have `ONE` for 1.

    S <- max(0, d S + w (kept - 5 broken) / V0)        Credit = S / (S + 100)
"""

from collections.abc import Sequence
from functools import cache

import msgspec

from gridpact.quantities import PPM, Score, Wh

ONE = 2**32
"""1 in the fixed point of standing and decay."""
BREACH = 5
_HALF = 100
"""The standing at which half is believed."""
_DAY_S = 86_400


class CredibilityTerms(msgspec.Struct, frozen=True):
    """The numbers of the rule.

    Attributes
    ----------
    weight
        What one reference volume kept adds to the standing, w. [ppm]
    half_life_days
        After which the past counts half. [d]
    tolerance
        Missing share that is no breach: 250,000 for prosumers, 100,000 for plants. [ppm]
    """

    weight: Score = PPM
    half_life_days: int = 30
    tolerance: Score = 250_000


class Standing(msgspec.Struct, frozen=True):
    """What is known of one participant.

    Attributes
    ----------
    points
        S [ONE]
    interval
        Of its last change.
    kept, broken
        How many intervals it kept or broke its word in: s, f.
    """

    points: int = 0
    interval: int = 0
    kept: int = 0
    broken: int = 0

    @property
    def credit(self) -> Score:
        """Return Credit, rounded down; a newcomer's is 0. [ppm]"""
        return PPM * self.points // (self.points + _HALF * ONE)


@cache
def decay(half_life_days: int, seconds: int) -> int:
    """Return what one interval leaves of the past, 2^(-seconds / half-life), rounded down. [ONE]

    Found by bisection over whole numbers, so that every machine and the contract's founding have
    the same: the largest d with d^n <= ONE^n / 2, n intervals to a half-life.
    """
    intervals = max(1, half_life_days * _DAY_S // seconds)
    low, high = 0, ONE
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _power(middle, intervals) <= ONE // 2 else (low, middle - 1)
    return low


def _power(base: int, exponent: int) -> int:
    """Return base^exponent by squaring, each product rounded down. [ONE]"""
    result = ONE
    while exponent:
        if exponent & 1:
            result = result * base // ONE
        base = base * base // ONE
        exponent >>= 1
    return result


def faded(standing: Standing, interval: int, per_interval: int) -> int:
    """Return what the clock has left of the points by an interval. [ONE]"""
    passed = max(0, interval - standing.interval)
    return standing.points * _power(per_interval, passed) // ONE


def reference(registered: Wh, trailing: Sequence[Wh]) -> Wh:
    """Return V0: the registered interval volume or the median of the trailing 30 days, if larger.

    At least 1 Wh; of an even number of volumes the lower middle one is the median.
    """
    ordered = sorted(trailing)
    middle = ordered[(len(ordered) - 1) // 2] if ordered else 0
    return max(registered, middle, 1)


def judged(agreed: Wh, sent: Wh, terms: CredibilityTerms) -> tuple[Wh, Wh]:
    """Return (kept, broken) of a seller's interval: what is missing is a breach beyond tolerance.

    Within the tolerance of its class a shortfall is neither kept nor broken.
    """
    missing = max(0, agreed - sent)
    breach = missing * PPM > agreed * terms.tolerance
    return min(agreed, sent), missing if breach else 0


def update(
    before: Standing,
    interval: int,
    kept: Wh,
    broken: Wh,
    volume: Wh,
    per_interval: int,
    terms: CredibilityTerms,
) -> Standing:
    """Return the standing after an interval in which so much was kept and broken.

    Parameters
    ----------
    kept, broken
        Sums over the interval, so that splitting changes nothing. [Wh]
    volume
        V0, see `reference`. [Wh]
    per_interval
        d, see `decay`. [ONE]

    Notes
    -----
    What is gained is rounded down, what is lost up.
    """
    if kept == 0 and broken == 0:
        return before
    points = faded(before, interval, per_interval)
    gain = terms.weight * kept * ONE // (PPM * volume)
    loss = -(-terms.weight * BREACH * broken * ONE // (PPM * volume))
    return Standing(
        max(0, points + gain - loss),
        interval,
        before.kept + (broken == 0),
        before.broken + (broken > 0),
    )


def paper(credit: int, kept: Wh, broken: Wh, weight: Score) -> int:
    """Return the paper's literal credit, Credit +- w volume: no bound, no clock. [10^-6]"""
    return credit + weight * (kept - broken)
