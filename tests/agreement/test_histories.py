"""Ten thousand histories of each rule of reputation: Python and contract to the last unit.

A history is up to sixteen intervals in which a seller agreed and sent something, near the limits
as often as within them; each carries on from what the one before it left.
"""

from random import Random

from tests.agreement.conftest import Ask

from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, pack
from gridpact.model.rating import (
    ComprehensiveTerms,
    CredibilityTerms,
    FeedbackTerms,
    Standing,
    decay,
)
from gridpact.quantities import PPM, Wh
from gridpact.reputation import comprehensive, credibility, feedback
from gridpact.reputation.credibility import MOST, faded
from gridpact.reputation.sanctions import exposure

CASES = 10_000
LONGEST = 16

History = list[tuple[int, Wh, Wh]]
"""(interval, agreed, sent), not always in the order of the clock."""


def _history(chance: Random) -> History:
    interval, made = chance.randrange(10_000), []
    for _ in range(chance.choice((1, 3, LONGEST))):
        interval = max(0, interval + chance.choice((0, 1, 1, 1, 24, 5_000, -2)))
        agreed = chance.randrange(1, chance.choice((30, 20_000, 2**40)))
        sent = chance.choice((0, agreed, agreed * 3 // 4, chance.randrange(agreed + 1)))
        made.append((interval, agreed, sent))
    return made


def _rows(history: History) -> Rows:
    return Rows([pack(*one) for one in history])


def test_histories_of_feedback(rule: Ask) -> None:
    chance = Random(60)
    for _ in range(CASES):
        terms = FeedbackTerms(
            gain=chance.randrange(PPM + 1),
            loss=chance.randrange(PPM + 1),
            floor=chance.randrange(PPM + 1),
            reference_wh=chance.randrange(1, chance.choice((100, 20_000, 2**39))),
        )
        history, score = _history(chance), chance.randrange(PPM + 1)
        numbers = terms.gain, terms.loss, terms.prior, terms.floor, terms.reference_wh
        there = rule("feedback_after", score, _rows(history), *numbers)
        for _, agreed, sent in history:
            score = feedback.update(score, agreed, sent, terms)
        assert there == (score,)


def test_histories_of_comprehensive(rule: Ask) -> None:
    chance, above = Random(61), 0
    for _ in range(CASES):
        most = chance.choice((0, PPM, chance.randrange(1, PPM + 1)))
        terms = ComprehensiveTerms(weight=chance.randrange(PPM + 1), most=most)
        history, score = _history(chance), chance.randrange(PPM + 1)
        there = rule("comprehensive_after", score, _rows(history), terms.weight, terms.most)
        for _, agreed, sent in history:
            score = comprehensive.rated(score, [(agreed, sent)], terms)
        assert there == (score,)
        above += score > most > 0
    assert above > CASES // 100


def _terms(chance: Random) -> CredibilityTerms:
    if chance.random() < 0.5:
        return CredibilityTerms()
    return CredibilityTerms(
        weight=chance.choice((1, PPM, chance.randrange(1, 2**32))),
        half_life_days=chance.choice((1, 7, 30, 365)),
        tolerance=chance.choice((0, 100_000, PPM, chance.randrange(PPM + 1))),
        reference_wh=chance.randrange(1, chance.choice((2, 20_000, 2**40))),
    )


def _standing(chance: Random) -> Standing:
    if chance.random() < 0.3:
        return Standing()
    return Standing(
        points=chance.choice((0, MOST, chance.randrange(2**45), chance.randrange(2**96))),
        interval=chance.randrange(20_000),
        kept=chance.randrange(2**31),
        broken=chance.randrange(2**31),
        volume=chance.choice((0, 1, chance.randrange(20_000), 2**40 - 1)),
    )


def test_histories_of_credibility(rule: Ask) -> None:
    chance, fallen, capped, breached = Random(62), 0, 0, 0
    for _ in range(CASES):
        terms, standing, history = _terms(chance), _standing(chance), _history(chance)
        seconds = chance.choice((900, 3600))
        fades = decay(terms.half_life_days, seconds)
        numbers = terms.weight, fades, terms.tolerance, terms.reference_wh
        later = chance.choice((0, history[-1][0], history[-1][0] + 720, 2**32 - 1))
        there = rule("credible_after", packing.believed(standing), _rows(history), *numbers, later)
        before = standing
        for interval, agreed, sent in history:
            standing = credibility.rated(standing, interval, agreed, sent, fades, terms)
        left = faded(standing, later, fades)
        volume = standing.volume or terms.reference_wh
        opens = exposure(Standing(left), volume, terms)
        assert there == (packing.believed(standing), standing.credit, left, opens)
        assert packing.standing(there[0]) == standing
        fallen += standing.points == 0
        capped += standing.points == MOST
        breached += standing.broken > before.broken
    assert min(fallen, capped, breached) > CASES // 100
