"""A chain whose local tier is not cleared in merit order: what it still judges, and what not."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from tests.contracts.clearings import Cleared5
from tests.contracts.fills import Hands
from tests.contracts.harness import ANN, INTERVAL, MICRO, SHARE, World, fill, refused

from gridpact.ledger.onchain.roots import fill_leaves
from gridpact.ledger.proving import challenges
from gridpact.model.market import MarketTerms
from gridpact.model.order import Order, Side

HOUR = 3600


@pytest.fixture(scope="module")
def other() -> World:
    return World(market=MarketTerms("uniform_price"))


@pytest.fixture
def world(other: World) -> World:
    other.engine.undo()
    other.time = 0
    return other


@pytest.fixture
def market(world: World) -> Cleared5:
    return Cleared5.of(world)


@pytest.fixture
def hands(world: World) -> Iterator[Hands]:
    world.mint(ANN, MICRO)
    world.price()
    hands = Hands(world)
    hands.at(INTERVAL, -2 * HOUR)
    yield hands
    world.time = 0


def ends(market: Cleared5) -> tuple[Order, Order]:
    """Return bid and offer of the first fill."""
    first, book = market.fills[0], {one.hash: one.order for one in market.book}
    return book[first.bid], book[first.offer]


def test_a_price_between_offer_and_bid_stands(market: Cleared5) -> None:
    bid, offer = ends(market)
    between = replace(market.fills[0], price=(bid.price + offer.price) // 2)
    served = market.serve(market.leaves()[0], fill_leaves((between, *market.fills[1:])))
    for order in (bid, offer):
        with refused("challenge_fills: nothing wrong"):
            market.challenge(challenges.overfilled(served, order, 0))
    assert not market.condemned


@pytest.mark.parametrize("step", [-1, 1])
def test_a_price_beyond_its_orders_is_proven(market: Cleared5, step: int) -> None:
    bid, offer = ends(market)
    broken = offer if step < 0 else bid
    forged = replace(market.fills[0], price=broken.price + step)
    served = market.serve(market.leaves()[0], fill_leaves((forged, *market.fills[1:])))
    market.challenge(challenges.overfilled(served, broken, 0))
    assert market.condemned


def test_rank_is_not_judged(market: Cleared5) -> None:
    served = market.serve()
    bid, offer = market.first.order, market.offers[0]
    for proof in (
        challenges.outranked(served, bid, 0, 0, market.wires),
        challenges.skipped(served, bid, 0, offer, market.wires),
    ):
        with refused("challenge_fills: another mechanism"):
            market.challenge(proof)
    assert not market.condemned


def test_a_buyer_cannot_take_an_offer_beside_the_clearing(hands: Hands) -> None:
    bid = hands.world.order("ann", Side.BID, charge=SHARE)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    hands.post(bid)
    hands.post(offer)
    trade = fill(bid, offer, 500, 100_000, SHARE)
    with refused("settlement: not the operator or the buyer"):
        hands.match(bid, offer, trade, sender=ANN)
    (event,) = hands.match(bid, offer, fill(bid, offer, 500, 100_001, SHARE))
    assert event.name == "Matched"
