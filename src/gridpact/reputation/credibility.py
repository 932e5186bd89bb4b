"""How far a participant is believed by what it kept and broke ([Yu23]; sign structure is ours).

The rule is 5-decisions, section 9 (A). Volumes count in units of the participant's own reference
volume, so size does not matter; a broken promise takes five times what a kept one gives; what is
long ago fades with the clock. All numbers are whole: standing S and decay d have `ONE` for 1.
`contracts/credibility.vy` repeats `rated` to the last unit.

    S <- max(0, d S + w (kept - 5 broken) / V0)        Credit = S / (S + 100)
"""

from collections.abc import Sequence

from msgspec.structs import replace

from gridpact.model.rating import ONE, CredibilityTerms, Standing, power
from gridpact.quantities import PPM, Score, Wh

BREACH = 5
MOST = 2**96 - 1
"""Points beyond which nobody rises: what a contract's word holds. [ONE]"""


def faded(standing: Standing, interval: int, per_interval: int) -> int:
    """Return what the clock has left of the points by an interval. [ONE]"""
    passed = max(0, interval - standing.interval)
    return standing.points * power(per_interval, passed) // ONE


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
    What is gained is rounded down, what is lost up. An earlier interval that is rated later counts
    in full, and the clock stays.
    """
    if kept == 0 and broken == 0:
        return before
    points = faded(before, interval, per_interval)
    gain = terms.weight * kept * ONE // (PPM * volume)
    loss = -(-terms.weight * BREACH * broken * ONE // (PPM * volume))
    return Standing(
        max(0, min(points + gain, MOST) - loss),
        max(interval, before.interval),
        before.kept + (broken == 0),
        before.broken + (broken > 0),
        before.volume,
    )


def rated(
    before: Standing,
    interval: int,
    agreed: Wh,
    sent: Wh,
    per_interval: int,
    terms: CredibilityTerms,
) -> Standing:
    """Return a seller's standing after what it agreed and sent in an interval."""
    volume = before.volume or terms.reference_wh
    referred = replace(before, volume=volume)
    return update(referred, interval, *judged(agreed, sent, terms), volume, per_interval, terms)


def paper(credit: int, kept: Wh, broken: Wh, weight: Score) -> int:
    """Return the paper's literal credit, Credit +- w volume: no bound, no clock. [10^-6]"""
    return credit + weight * (kept - broken)
