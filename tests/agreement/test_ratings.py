"""Ratings of net settlement: the sums of a part, the scores on chain and the rule are the same."""

from random import Random

import pytest
from tests.contracts.harness import MICRO, World
from tests.contracts.parts import INTERVAL, NOW, NetWorld
from tests.contracts.reading import Contract

from gridpact.ledger.onchain import packing
from gridpact.ledger.proving import ratings
from gridpact.ledger.proving.part import Part, Rating
from gridpact.model.rating import (
    ComprehensiveTerms,
    CredibilityTerms,
    FeedbackTerms,
    RatingTerms,
    Standing,
)
from gridpact.model.statement import Case
from gridpact.reputation.feedback import update
from gridpact.reputation.rule import rate

PEOPLE, PARTS, MOST = 400, 8, 2**40


def _final(market: NetWorld, part: Part) -> Part:
    market.reserve(part)
    market.commit(part)
    market.post(part)
    market.after_window(part)
    market.finalise(part)
    return part


def _score(market: NetWorld, seller: bytes) -> int:
    found: int = market.world.view(Contract.REPUTATION, "score", seller)
    return found


@pytest.mark.parametrize("rule", [FeedbackTerms(), ComprehensiveTerms(), CredibilityTerms()])
@pytest.mark.parametrize("seed", range(4))
def test_a_part_rates_sellers_as_its_fills_do(seed: int, rule: RatingTerms) -> None:
    market = NetWorld.of(World(rating=rule), people=10 + 8 * seed, now=NOW)
    settled = market.market(trades=20 + 30 * seed, seed=seed, disputed=seed, shortfall=0.6)
    fills = [fill for _, fill, *_ in settled.trades]
    deliveries = [delivery for *_, delivery, _ in settled.trades]
    assert any(s.case is Case.DISPUTE for *_, s in settled.trades) == (seed > 0)
    due = rate({}, fills, deliveries, rule, INTERVAL, 3600)
    part = _final(market, market.part(settled))
    for chunk in ratings.to_rate(part):
        market.rate(part, chunk)
    assert due
    sold = [one for chunk in range(2) for one in ratings.sold(part, chunk)]
    assert {tuple(one) for one in sold} == {(r.participant, r.agreed_wh, r.sent_wh) for r in due}
    for one in due:
        assert one.after == _score(market, one.participant)
        (word,) = market.world.view(Contract.REPUTATION, "believed", [one.participant])
        assert packing.standing(word) == (one.standing or Standing())


def test_contract_and_rule_agree_on_any_volumes() -> None:
    """Two thousand ratings, as a part may state them: from nothing to more than the rule weighs."""
    chance = Random(17)
    market = NetWorld.of(World(), people=PEOPLE, now=NOW, funds=1_000 * MICRO)
    settled = market.market(trades=PEOPLE)
    rules, scores, rated = market.world.rating, {}, 0
    for number in range(PARTS):
        said = []
        part = market.part(settled, number)
        for row in part.rows:
            agreed = chance.randrange(chance.choice((1, 30, 10_000, MOST)))
            sent = chance.choice((0, agreed, chance.randrange(agreed + 1)))
            said.append(Rating(agreed, sent, 0))
            if agreed:
                before = scores.get(row.account, rules.prior)
                scores[row.account] = update(before, agreed, sent, rules)
                rated += 1
        part = _final(market, part._replace(ratings=tuple(said)))
        for chunk in ratings.to_rate(part):
            market.rate(part, chunk)
        market.world.go_to(NOW)
    assert rated > 2_000
    assert scores == {account: _score(market, account) for account in scores}
