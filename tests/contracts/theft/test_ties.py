"""Offers of one price: the higher reputation comes first, then the lower hash, and a proof says so.

Offers below the floor are lifted to it and then equal in price.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from msgspec.structs import replace
from tests.contracts.clearings import PRICES, SCORE, Cleared5, signed
from tests.contracts.harness import FEED_IN, World, refused
from tests.contracts.parts import TERMS

from gridpact.ledger.proving import challenges
from gridpact.ledger.proving.challenges import Challenge, Served
from gridpact.market import merit_order
from gridpact.market.caps import Pairs
from gridpact.market.local_book import cleared
from gridpact.model.order import Accepted, Side, Tier
from gridpact.model.trade import Fill

ENERGY = 500
CASES = {
    "lower hash": ((100_000, 100_000), (SCORE, SCORE)),
    "higher reputation": ((100_000, 100_000), (SCORE, SCORE + 1)),
    "both below the floor": ((FEED_IN - 20_000, FEED_IN - 1), (SCORE, SCORE)),
    "floor and reputation": ((FEED_IN - 20_000, FEED_IN), (SCORE, SCORE + 1)),
}


@dataclass
class Tied:
    """One or two bids, and two offers of one price in the order of their hashes."""

    market: Cleared5
    bids: list[Accepted]
    offers: list[Accepted]
    scores: tuple[int, int]

    @property
    def best(self) -> Accepted:
        return max(zip(self.scores, (1, 0), self.offers, strict=True))[2]

    @property
    def other(self) -> Accepted:
        return next(one for one in self.offers if one is not self.best)

    def fills(self) -> tuple[Fill, ...]:
        """Return what the market's own rule makes of them."""
        scores = {one.order.participant: SCORE for one in self.bids}
        scores |= {
            one.order.participant: score
            for one, score in zip(self.offers, self.scores, strict=True)
        }
        return cleared(
            merit_order.match,
            self.market.book,
            Pairs.of(PRICES, Tier.LOCAL),
            dict.fromkeys(scores, 7),
            scores,
            self.market.seed,
        )

    def serve(self, fills: Sequence[Fill]) -> Served:
        """Post a clearing of these fills, with the offers' reputations in their leaves."""
        self.market.fills = tuple(fills)
        orders, leaves = self.market.leaves()
        for one, score in zip(self.offers, self.scores, strict=True):
            place = next(n for n, leaf in enumerate(orders) if leaf.order == one.hash)
            orders[place] = orders[place]._replace(reputation=score)
        return self.market.serve(orders, leaves)

    def swapped(self) -> list[Fill]:
        """Return the rule's fills with both offers in each other's place."""
        places = {self.best.hash: self.other, self.other.hash: self.best}
        return [
            replace(one, offer=places[one.offer].hash, seller=places[one.offer].order.participant)
            for one in self.fills()
        ]

    def condemns(self, one: Challenge, injured: bytes) -> None:
        before = self.market.bond(), self.market.free(injured)
        self.market.challenge(one)
        assert self.market.condemned
        assert self.market.bond() == before[0] - TERMS.bond
        assert self.market.free(injured) == before[1] + TERMS.bond // 4


def tied(world: World, case: str, bids: int) -> Tied:
    """Return a market in which `bids` bids want as much as one offer has."""
    market = Cleared5.of(world)
    people, (prices, scores) = market.net.people, CASES[case]
    market.bids = [signed(world, people[n], Side.BID, ENERGY, 200_000, 80 + n) for n in range(bids)]
    found = [signed(world, people[4 + n], Side.OFFER, ENERGY, prices[n], 90 + n) for n in range(2)]
    market.offers = sorted(found, key=lambda one: one.hash)
    return Tied(market, market.bids, market.offers, scores)


@pytest.mark.parametrize("case", CASES)
def test_the_worse_of_two_equal_offers_was_taken(world: World, case: str) -> None:
    one = tied(world, case, bids=1)
    (honest,) = one.fills()
    assert honest.offer == one.best.hash
    served = one.serve(one.swapped())
    bid, wires = one.bids[0].order, one.market.wires
    with refused("challenge_fills: another offer"):
        one.market.challenge(challenges.skipped(served, bid, 0, one.best, wires))
    proof = challenges.skipped(served, bid, 0, one.best, wires, tie=True)
    one.condemns(proof, one.best.order.participant)


@pytest.mark.parametrize("case", CASES)
def test_the_better_of_two_equal_offers_stands(world: World, case: str) -> None:
    one = tied(world, case, bids=1)
    served = one.serve(one.fills())
    bid, wires = one.bids[0].order, one.market.wires
    with refused("challenge_fills: not better"):
        one.market.challenge(challenges.skipped(served, bid, 0, one.other, wires, tie=True))
    assert not one.market.condemned


@pytest.mark.parametrize("case", CASES)
def test_the_bid_drawn_first_was_given_the_worse_of_two_equal_offers(
    world: World, case: str
) -> None:
    one = tied(world, case, bids=2)
    first = one.market.first
    assert next(fill for fill in one.fills() if fill.bid == first.hash).offer == one.best.hash
    served = one.serve(one.swapped())
    worse = next(n for n, fill in enumerate(one.market.fills) if fill.bid == first.hash)
    wires = one.market.wires
    with refused("challenge_fills: another offer"):
        one.market.challenge(challenges.outranked(served, first.order, worse, 1 - worse, wires))
    proof = challenges.outranked(served, first.order, worse, 1 - worse, wires, tie=True)
    one.condemns(proof, first.order.participant)


@pytest.mark.parametrize("case", CASES)
def test_the_bid_drawn_later_has_no_claim_to_the_better_of_two_equal_offers(
    world: World, case: str
) -> None:
    one = tied(world, case, bids=2)
    served = one.serve(one.fills())
    first, wires = one.market.first, one.market.wires
    late = next(bid for bid in one.bids if bid is not first)
    place = {fill.bid: n for n, fill in enumerate(one.market.fills)}
    mine, other = place[late.hash], place[first.hash]
    with refused("challenge_fills: not drawn before"):
        one.market.challenge(challenges.outranked(served, late.order, mine, other, wires, tie=True))
    with refused("challenge_fills: not better"):
        one.market.challenge(
            challenges.outranked(served, first.order, other, mine, wires, tie=True)
        )
    assert not one.market.condemned
