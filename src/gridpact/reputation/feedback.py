"""How a seller's reputation moves with what its meter says it delivered.

[Wang23]: the consumer's feedback, made by the meter, raises or lowers the producer's reputation;
the rule is 5-decisions, section 9 (B). `contracts/feedback.vy` repeats `update` to the last
unit. Who may trade at which reputation is for `market` to say.
"""

from gridpact.model.rating import FeedbackTerms
from gridpact.quantities import PPM, Score, Wh


def update(score: Score, agreed: Wh, sent: Wh, terms: FeedbackTerms) -> Score:
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
