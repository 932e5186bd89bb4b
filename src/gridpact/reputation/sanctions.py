"""What follows a breach, and the way back (5-decisions, section 9, A).

Who has little standing trades on a deposit; a breach costs a fine from it (`ReviewTerms.owed`),
which goes to the market's fines and not to the other side, who would else profit from provoking
breaches. Below the floor one is suspended; the way back is a new review of the same real identity,
which keeps its record: a new name is no new start.
"""

import msgspec

from gridpact.model.rating import ONE, CredibilityTerms, Standing
from gridpact.quantities import PPM, Money, Price, Score, Wh, amount
from gridpact.reputation.credibility import BREACH


class SanctionTerms(msgspec.Struct, frozen=True):
    """The numbers of sanctions.

    Attributes
    ----------
    floor
        Credit below which somebody who once stood above it is suspended. [ppm]
    away
        Intervals after which a suspended participant may ask for a new review.
    """

    floor: Score = 20_000
    away: int = 24 * 7


def exposure(standing: Standing, volume: Wh, terms: CredibilityTerms) -> Wh:
    """Return how much may stand open without a deposit: S V0 / (5 w), rounded down.

    Breaking all of it takes the whole standing, and no more could be lost.
    """
    return standing.points * volume * PPM // (BREACH * terms.weight * ONE)


def deposit_due(open_volume: Wh, allowed: Wh, cap: Price) -> Money:
    """Return the deposit for what stands open beyond the allowed exposure, at the cap price."""
    return amount(cap, max(0, open_volume - allowed))


def suspended(before: Standing, after: Standing, terms: SanctionTerms) -> bool:
    """Say whether an interval's breach suspends a participant.

    A newcomer has credit 0 and is not suspended for it; it trades on its deposit.
    """
    return after.broken > before.broken and after.credit < terms.floor


def shut_out(standing: Standing, interval: int, terms: CredibilityTerms) -> bool:
    """Say whether a chain's operator takes no orders of a participant for an interval.

    It broke its word, stands below the floor, and its last rating is not long enough ago for a new
    review.
    """
    fallen = standing.broken > 0 and standing.credit < terms.floor
    return fallen and interval < standing.interval + terms.away


def may_return(standing: Standing, interval: int, terms: SanctionTerms) -> bool:
    """Say whether a suspended participant may ask for a new review by now."""
    return interval >= standing.interval + terms.away


def returned(standing: Standing, interval: int) -> Standing:
    """Return the standing after a review: no points, and the record of the same real identity."""
    return Standing(0, interval, standing.kept, standing.broken, standing.volume)
