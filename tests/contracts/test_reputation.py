"""Reputation: moved by settled deliveries alone, once each."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.harness import (
    ANN,
    BOB,
    CEM,
    INTERVAL,
    MICRO,
    OPERATOR,
    REGION,
    STRANGER,
    World,
    delivery,
    fill,
    refused,
)
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.order import NONE, Side
from gridpact.model.participant import Named, ReviewTerms, Role
from gridpact.model.rating import FeedbackTerms
from gridpact.model.record import Rated
from gridpact.model.trade import Fill
from gridpact.quantities import Wh
from gridpact.reputation.feedback import update


def rate(
    world: World, *sellers: bytes, expected: bytes = NONE, sender: bytes = OPERATOR
) -> list[Event]:
    rows = [seller.rjust(32, b"\0") for seller in sellers]
    return world.rows(Contract.REPUTATION, "rate", rows, after=expected, sender=sender)


def traded(world: World, energy: Wh = 1000) -> Fill:
    """Lock a fill in an interval whose region loses nothing."""
    world.mint(ANN, MICRO)
    bid = world.order("ann", Side.BID, energy=energy, price=200, charge=0)
    offer = world.order("bob", Side.OFFER, energy=energy, price=100)
    world.collect(bid, offer)
    trade = fill(bid, offer, energy, 150, 0)
    world.commit(trade)
    return trade


def delivered(world: World, energy: Wh, sent: Wh) -> None:
    trade = traded(world, energy)
    world.price(0)
    world.deliver(0, max(energy, 1))
    world.settle((trade, delivery(trade, sent)))


def test_unknown_seller_has_the_prior(world: World) -> None:
    assert world.view(Contract.REPUTATION, "score", BOB) == world.rating.prior
    assert world.view(Contract.REPUTATION, "read", [BOB, CEM]) == (world.rating.prior,) * 2


def test_seller_who_keeps_its_word_rises(world: World) -> None:
    delivered(world, 1000, 1000)
    after = update(world.rating.prior, 1000, 1000, world.rating)
    expected = packing.ratings_digest([Rated(BOB, 1000, 1000, world.rating.prior, after)])
    (rated,) = rate(world, BOB, expected=expected)
    assert rated.values == {
        "seller": BOB,
        "agreed": 1000,
        "sent": 1000,
        "before": world.rating.prior,
        "now": after,
    }
    assert world.view(Contract.REPUTATION, "score", BOB) == after > world.rating.prior


def test_nothing_settled_is_nothing_to_rate(world: World) -> None:
    with refused("reputation: nothing to rate"):
        rate(world, BOB)
    traded(world)
    with refused("reputation: nothing to rate"):
        rate(world, BOB)


def test_delivery_counts_once(world: World) -> None:
    delivered(world, 1000, 500)
    rate(world, BOB)
    with refused("reputation: nothing to rate"):
        rate(world, BOB)
    with refused("reputation: nothing to rate"):
        rate(world, CEM)


def test_dispute_resolved_later_counts_later(world: World) -> None:
    delivered(world, 1000, 1000)
    disputed = traded(world, 600)
    world.settle((disputed, delivery(disputed, 0, disputed=True)))
    rate(world, BOB)
    before = world.view(Contract.REPUTATION, "score", BOB)
    world.settle((disputed, delivery(disputed, 0)))
    (rated,) = rate(world, BOB)
    assert (rated.values["agreed"], rated.values["sent"]) == (600, 0)
    assert rated.values["now"] == update(before, 600, 0, world.rating)


def test_other_scores_than_the_records_are_refused(world: World) -> None:
    delivered(world, 1000, 1000)
    with refused("reputation: other scores"):
        rate(world, BOB, expected=keccak(b"other"))


def test_only_the_operator_rates(world: World) -> None:
    with refused("reputation: not the operator"):
        rate(world, sender=BOB)


def test_the_same_rating_again_changes_nothing(world: World) -> None:
    delivered(world, 1000, 1000)
    write = world.write()
    rows = [BOB.rjust(32, b"\0")]
    assert len(world.rows(Contract.REPUTATION, "rate", rows, after=NONE, write=write)) == 1
    assert world.rows(Contract.REPUTATION, "rate", rows, after=NONE, write=write) == []


@pytest.mark.parametrize(
    "terms",
    [
        FeedbackTerms(gain=1_000_001),
        FeedbackTerms(loss=1_000_001),
        FeedbackTerms(prior=1_000_001),
        FeedbackTerms(floor=1_000_001),
        FeedbackTerms(reference_wh=0),
    ],
)
def test_impossible_rules_are_not_founded(terms: FeedbackTerms) -> None:
    with refused("reputation: rules"):
        World(rating=terms)


def test_the_rules_are_those_of_the_founding(world: World) -> None:
    t = world.rating
    known = world.view(Contract.REPUTATION, "rules")
    numbers = (t.gain, t.loss, t.prior, t.floor, t.reference_wh)
    assert known == (0, numbers, (0, 0), (0, 0, 0, 0))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60_000), st.integers(0, 1_000_000))
def test_chain_and_rule_agree_on_every_delivery(founded: World, energy: Wh, kept: int) -> None:
    founded.engine.undo()
    sent = energy * kept // 1_000_000
    delivered(founded, energy, sent)
    rate(founded, BOB)
    now = founded.view(Contract.REPUTATION, "score", BOB)
    assert now == update(founded.rating.prior, energy, sent, founded.rating)
    assert founded.rating.floor <= now <= 1_000_000
    assert founded.view(Contract.SETTLEMENT, "volume", BOB, INTERVAL)[0] == sent


MEMBER = (keccak(b"certificate"), keccak(b"meter"), 7 << 8 | int(Role.PRODUCER), REGION, MICRO)
FINE, TOLERATED = 200_000_000, 250_000


@pytest.fixture(scope="module")
def strict() -> World:
    """A market that fines; the stranger sells there on a deposit of one unit."""
    world = World(review=ReviewTerms(fine=FINE, tolerance=TOLERATED))
    world.send(Contract.REGISTRY, "apply", MEMBER, sender=STRANGER)
    world.send(Contract.REGISTRY, "approve", STRANGER, MEMBER)
    world.mint(STRANGER, MICRO)
    world.send(Contract.REGISTRY, "put_deposit", sender=STRANGER)
    world.engine.keep()
    return world


@pytest.mark.parametrize(
    ("sent", "fined"),
    [(10, 0), (8, 0), (7, 3 * FINE // 1000), (4, MICRO)],
    ids=["kept", "tolerated", "short", "beyond the deposit"],
)
def test_a_shortfall_is_fined_from_the_deposit(strict: World, sent: Wh, fined: int) -> None:
    strict.engine.undo()
    strict.mint(ANN, MICRO)
    bid = strict.order("ann", Side.BID, energy=10, price=200, charge=0)
    offer = strict.order("stranger", Side.OFFER, energy=10, price=100)
    strict.collect(bid, offer)
    trade = fill(bid, offer, 10, 150, 0)
    strict.commit(trade)
    strict.price(0)
    strict.deliver(0, 10)
    strict.settle((trade, delivery(trade, sent)))
    rate(strict, STRANGER)
    assert strict.account(STRANGER).locked == MICRO - fined
    assert strict.free(Named.FINES.address) == fined
    assert strict.view(Contract.REGISTRY, "deposit", STRANGER) == (MICRO, MICRO - fined)


def test_who_has_no_deposit_is_not_fined(strict: World) -> None:
    strict.engine.undo()
    delivered(strict, 1000, 100)
    before = strict.account(BOB)
    rate(strict, BOB)
    assert strict.account(BOB) == before


def test_the_fine_is_that_of_the_founding(strict: World, world: World) -> None:
    assert strict.view(Contract.REPUTATION, "FINE") == FINE
    assert strict.view(Contract.REPUTATION, "TOLERANCE") == TOLERATED
    assert world.view(Contract.REPUTATION, "FINE") == 0
    with refused("reputation: fine"):
        World(review=ReviewTerms(tolerance=1_000_001))
