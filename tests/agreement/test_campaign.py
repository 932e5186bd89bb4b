"""Ten thousand settlements and incentives: Python and contracts to the last unit."""

from random import Random

from tests.agreement.conftest import Ask

from gridpact.ledger.onchain import packing
from gridpact.model.delivery import Delivery
from gridpact.model.order import Tier
from gridpact.model.statement import Case, SettlementTerms
from gridpact.model.trade import Fill
from gridpact.quantities import MAX_PRICE, PPM, part
from gridpact.settlement.incentive import bonus_rate
from gridpact.settlement.split import split

CASES = 10_000
NAMES = ("paid", "charge", "fee_seller", "fee_network", "refund", "reward", "claim")
NUMBERS = ("tau", "eps", "eps_floor_wh", "kappa", "reward", "unused_fee", "feed_in")


def _terms(chance: Random) -> SettlementTerms:
    if chance.random() < 0.7:
        return SettlementTerms()
    return SettlementTerms(
        tau=chance.randrange(PPM + 1),
        eps=chance.randrange(PPM + 1),
        eps_floor_wh=chance.randrange(10_000),
        kappa=chance.randrange(3 * PPM),
        reward=chance.randrange(PPM + 1),
        unused_fee=chance.randrange(400_000),
        feed_in=chance.randrange(400_000),
        loss_fund_share=chance.randrange(PPM + 1),
    )


def _numbers(terms: SettlementTerms) -> tuple[int, ...]:
    return (*(getattr(terms, name) for name in NUMBERS), terms.loss_fund_share)


def _traded(chance: Random) -> tuple[Fill, Delivery]:
    """Return a fill and what became of it, often near the limits between two cases."""
    most = chance.choice((20, 10_000, 2**38))
    agreed, unused, held = (chance.randrange(most) * chance.randrange(2) for _ in range(3))
    agreed += 1
    sent = agreed - chance.choice((0, chance.randrange(agreed // 40 + 1), chance.randrange(agreed)))
    lost = chance.randrange(-15, agreed // 12 + 15)
    unused_sent = chance.randrange(unused + 1)
    price, charge = (chance.choice((MAX_PRICE, 400_000)) for _ in range(2))
    name = bytes(32)
    fill = Fill(
        *(name, 1, Tier.LOCAL, 0, name, name, bytes(20), bytes(20), agreed + unused + held),
        *(chance.randrange(price), chance.randrange(charge)),
    )
    disputed = chance.random() < 0.05
    received = max(0, sent - lost)
    return fill, Delivery(name, agreed, sent, received, unused, unused_sent, held, disputed)


def test_ten_thousand_settlements(rule: Ask) -> None:
    chance, seen = Random(56), dict.fromkeys(Case, 0)
    for _ in range(CASES):
        (fill, made), terms, loss = _traded(chance), _terms(chance), chance.randrange(100_000)
        there = rule("settle", fill.terms, packing.delivery(made), *_numbers(terms), loss)
        here = split(fill, made, terms, loss)
        assert there == (int(here.case), *(getattr(here, name) for name in NAMES), 0, 0)
        seen[here.case] += 1
    assert min(seen.values()) > CASES // 100


def test_ten_thousand_settlements_by_two_meters(rule: Ask) -> None:
    """What two meters decide is the five cases of a delivery that lost what was expected."""
    chance, seen, whole = Random(57), dict.fromkeys((Case.FULL, Case.SHORT), 0), 0
    for _ in range(CASES):
        (fill, drawn), terms, loss = _traded(chance), _terms(chance), chance.randrange(100_000)
        received = drawn.sent - part(drawn.sent, loss)
        numbers = drawn.agreed, drawn.sent, received, drawn.unused, drawn.unused_sent, drawn.held
        here = split(fill, Delivery(fill.bid, *numbers), terms, loss)
        energies = fill.energy_wh - drawn.held, drawn.agreed, drawn.sent, drawn.unused_sent
        there = rule("by_meters", fill.terms, *energies, *_numbers(terms))
        seller = here.paid + here.fee_seller
        amounts = seller, here.charge, here.fee_network, here.refund, here.reward
        assert there == (int(here.case), *amounts)
        assert here.claim == 0
        seen[here.case] += 1
        if drawn.sent == fill.energy_wh:
            assert rule("whole", fill.terms, terms.reward) == there
            whole += 1
    assert min(whole, *seen.values()) > CASES // 100


def test_ten_thousand_incentives(rule: Ask) -> None:
    chance = Random(59)
    for _ in range(CASES):
        reference = chance.randrange(chance.choice((400_000, MAX_PRICE)))
        steadiness = chance.randrange(chance.choice((PPM, 10**9, 2**119)))
        difficulty = chance.choice((2, 10_000, chance.randrange(2, 2**63)))
        there = rule("bonus_rate", reference, steadiness, difficulty)
        assert there == (bonus_rate(reference, steadiness, difficulty),)
