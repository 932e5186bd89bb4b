"""How a seller's reputation moves with what its meter says it delivered.

[Wang23]: the consumer's feedback, made by the meter, raises or lowers the producer's reputation;
the rule is 5-decisions, section 9 (B). `contracts/reputation.vy` repeats `update` to the last
unit. Who may trade at which reputation is for `market` to say.
"""

from collections.abc import Mapping, Sequence

from gridpact.model.delivery import Delivery
from gridpact.model.record import Rated, RatingTerms
from gridpact.model.trade import Fill
from gridpact.quantities import PPM, Score, Wh


def update(score: Score, agreed: Wh, sent: Wh, terms: RatingTerms) -> Score:
    """Return the reputation after one interval's trade; without trade it stays.

    Notes
    -----
    r' = r + g (1 - r) q w - b r (1 - q) w with q = sent / agreed and w = min(1, E / E_ref),
    E = agreed. Gain and loss are each rounded down once; never below the floor, which lets a
    newcomer win a first trade. sent <= agreed.
    """
    if agreed == 0:
        return score
    weighed = min(agreed, terms.reference_wh)
    unit = PPM * agreed * terms.reference_wh
    gain = terms.gain * (PPM - score) * sent * weighed // unit
    loss = terms.loss * score * (agreed - sent) * weighed // unit
    return max(score + gain - loss, terms.floor)


def rate(
    scores: Mapping[bytes, Score],
    fills: Sequence[Fill],
    deliveries: Sequence[Delivery],
    terms: RatingTerms,
) -> tuple[Rated, ...]:
    """Return the sellers of an interval with their new reputation, in order of first fill.

    Each seller is rated once over the sums of its fills, so that splitting energy over many
    buyers changes nothing. A disputed fill does not count before it is resolved; a seller of
    nothing else is left out. Sellers missing in `scores` start from the prior.
    """
    sums: dict[bytes, tuple[Wh, Wh]] = {}
    for fill, delivery in zip(fills, deliveries, strict=True):
        if not delivery.disputed and delivery.agreed:
            agreed, sent = sums.get(fill.seller, (0, 0))
            sums[fill.seller] = (agreed + delivery.agreed, sent + delivery.sent)
    return tuple(
        _rated(seller, scores.get(seller, terms.prior), *sums[seller], terms) for seller in sums
    )


def _rated(seller: bytes, before: Score, agreed: Wh, sent: Wh, terms: RatingTerms) -> Rated:
    return Rated(seller, agreed, sent, before, update(before, agreed, sent, terms))
