"""One door to the three rules of reputation: whoever rates, rates through `rate`.

Which rule it is, and its numbers, a chain knows from its founding; `contracts/reputation.vy` goes
by the same. Whatever the rule, a reputation is a share in ppm: markets compare those alone.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gridpact.model.delivery import Delivery
from gridpact.model.rating import (
    ComprehensiveTerms,
    CredibilityTerms,
    FeedbackTerms,
    RatingTerms,
    Standing,
    decay,
    prior,
)
from gridpact.model.record import Rated
from gridpact.model.trade import Fill
from gridpact.quantities import Score, Wh
from gridpact.reputation import comprehensive, credibility, feedback


class Known(NamedTuple):
    """What a chain knows of a seller: its reputation and, by credibility, its standing."""

    score: Score
    standing: Standing = Standing()


def rate(
    known: Mapping[bytes, Known],
    fills: Sequence[Fill],
    deliveries: Sequence[Delivery],
    terms: RatingTerms,
    interval: int,
    seconds: int,
) -> tuple[Rated, ...]:
    """Return the sellers of an interval with their new reputation, in order of first fill.

    Each seller is rated once over the sums of its fills, so that splitting energy over many
    buyers changes nothing. A disputed fill does not count before it is resolved; a seller of
    nothing else is left out. Sellers missing in `known` start as newcomers. Intervals last so many
    seconds; only credibility asks when something was.
    """
    sums: dict[bytes, tuple[Wh, Wh]] = {}
    for fill, delivery in zip(fills, deliveries, strict=True):
        if not delivery.disputed and delivery.agreed:
            agreed, sent = sums.get(fill.seller, (0, 0))
            sums[fill.seller] = (agreed + delivery.agreed, sent + delivery.sent)
    newcomer = Known(prior(terms))
    return tuple(
        rated(seller, known.get(seller, newcomer), *sums[seller], terms, interval, seconds)
        for seller in sums
    )


def rated(
    seller: bytes,
    before: Known,
    agreed: Wh,
    sent: Wh,
    terms: RatingTerms,
    interval: int,
    seconds: int,
) -> Rated:
    """Return one seller's rating for the sums of an interval, agreed > 0 and sent <= agreed."""
    said = seller, agreed, sent, before.score
    match terms:
        case FeedbackTerms():
            return Rated(*said, feedback.update(before.score, agreed, sent, terms))
        case ComprehensiveTerms():
            return Rated(*said, comprehensive.rated(before.score, [(agreed, sent)], terms))
        case CredibilityTerms():
            faded = decay(terms.half_life_days, seconds)
            now = credibility.rated(before.standing, interval, agreed, sent, faded, terms)
            return Rated(*said, now.credit, now)
