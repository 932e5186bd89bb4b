"""The numbers of the three rules of reputation, and what credibility keeps of each participant.

The rules themselves are `reputation`'s; here is what the founding of a chain fixes of them.
"""

from functools import cache
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from gridpact.quantities import PPM, Score, Wh

ONE = 2**32
"""1 in the fixed point of standing and decay."""
_HALF = 100
"""The standing at which half is believed."""
_DAY_S = 86_400


class FeedbackTerms(msgspec.Struct, frozen=True, tag="feedback"):
    """The feedback rule (5-decisions, section 9, B): gain < loss <= 1."""

    gain: Score = 100_000
    loss: Score = 300_000
    prior: Score = 500_000
    floor: Score = 100_000
    reference_wh: Wh = 20_000


class ComprehensiveTerms(msgspec.Struct, frozen=True, tag="comprehensive"):
    """The comprehensive rule (5-decisions, section 9, C).

    Attributes
    ----------
    weight
        How much the last interval counts, alpha. [ppm]
    most
        Where a delivered share stops, 0 for nowhere. [ppm]
    by_energy
        Whether a trade counts by its energy; else each counts the same, which only studies can
        say: a chain knows the sums of an interval.
    """

    weight: Score = 400_000
    most: Score = PPM
    by_energy: bool = True


class CredibilityTerms(msgspec.Struct, frozen=True, tag="credibility"):
    """The credibility rule (5-decisions, section 9, A).

    Attributes
    ----------
    weight
        What one reference volume kept adds to the standing, w. [ppm]
    half_life_days
        After which the past counts half. [d]
    tolerance, plant_tolerance
        Missing share that is no breach, of a prosumer and of a plant. [ppm]
    reference_wh
        V0 of whom nothing is registered.
    floor, away
        Who broke its word and has less Credit than the floor [ppm] is suspended for so many
        intervals; 0 suspends nobody.
    """

    weight: Score = PPM
    half_life_days: int = 30
    tolerance: Score = 250_000
    plant_tolerance: Score = 100_000
    reference_wh: Wh = 20_000
    floor: Score = 0
    away: int = 24 * 7


RatingTerms: TypeAlias = FeedbackTerms | ComprehensiveTerms | CredibilityTerms
"""By which rule a chain rates sellers, with its numbers."""


def prior(terms: RatingTerms) -> Score:
    """Return the reputation of who was never rated: nothing, save by the feedback rule."""
    return terms.prior if isinstance(terms, FeedbackTerms) else 0


def of_zone(terms: RatingTerms) -> RatingTerms:
    """Return the terms of the zonal chain, where plants sell: they know better what they send."""
    if isinstance(terms, CredibilityTerms):
        return replace(terms, tolerance=terms.plant_tolerance)
    return terms


class Standing(msgspec.Struct, frozen=True):
    """What the credibility rule knows of one participant.

    Attributes
    ----------
    points
        S [ONE]
    interval
        Of its last change.
    kept, broken
        How many intervals it kept or broke its word in: s, f.
    volume
        V0, its registered reference volume; 0 for the rule's own. [Wh]
    """

    points: int = 0
    interval: int = 0
    kept: int = 0
    broken: int = 0
    volume: Wh = 0

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
        low, high = (middle, high) if power(middle, intervals) <= ONE // 2 else (low, middle - 1)
    return low


def power(base: int, exponent: int) -> int:
    """Return base^exponent by squaring, each product rounded down. [ONE]"""
    result = ONE
    while exponent:
        if exponent & 1:
            result = result * base // ONE
        base = base * base // ONE
        exponent >>= 1
    return result
