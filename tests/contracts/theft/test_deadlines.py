"""A consortium's chain, where deadlines count: what comes too early, what too late, what in time.

The book closes 20 minutes before delivery, commits 10, challenges 5. A clearing that was proven
wrong in time leaves its victims whole: their locks come back at once.
"""

import pytest
from msgspec.structs import replace
from tests.contracts.clearings import SCORE, Cleared5, signed
from tests.contracts.fills import Hands
from tests.contracts.harness import (
    BEGINS,
    INTERVAL,
    REGION,
    SECONDS,
    World,
    delivery,
    fill,
    refused,
)
from tests.contracts.parts import CHALLENGER, TERMS
from tests.contracts.reading import Contract

from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.attest import batches
from gridpact.ledger.proving import challenges
from gridpact.ledger.proving.challenges import Served
from gridpact.ledger.proving.part import Place
from gridpact.model.challenge import CONSORTIUM
from gridpact.model.interval import Key, Phase
from gridpact.model.order import MAX_FILLS, Accepted, Code, Refusal, Side
from gridpact.model.record import Settlement, Timing
from gridpact.model.trade import Fill
from gridpact.quantities import amount

CHARGE = 40_000
BOOK, COMMIT, CHALLENGES = 1_200, 600, 300  # seconds before delivery


@pytest.fixture(scope="module")
def consortium() -> World:
    return World(timing=Timing(BEGINS, SECONDS), challenge=CONSORTIUM)


@pytest.fixture
def market(consortium: World) -> Cleared5:
    """A market whose book has just closed."""
    consortium.engine.undo()
    consortium.time = 0
    made = Cleared5.of(consortium)
    before(made, BOOK)
    return made


def before(market: Cleared5, seconds: int) -> None:
    """Let so many seconds be left until delivery begins."""
    market.net.world.time = BEGINS + INTERVAL * SECONDS - seconds


def on_chain(market: Cleared5) -> None:
    """Collect the whole book, with the reservations of its bids."""
    world = market.net.world
    for one in market.book:
        world.book[one.hash] = one.order
    world.collect(*map(reserved, market.book))


def reserved(one: Accepted) -> Accepted:
    """Return an order with what its collection reserves."""
    order = one.order
    if order.side is Side.OFFER:
        return one
    parts = amount(order.price, order.energy_wh), amount(CHARGE, order.energy_wh)
    return replace(one, reserved=sum(parts) + MAX_FILLS, charge=CHARGE)


def passed_over(market: Cleared5) -> tuple[Served, challenges.Challenge]:
    """Post a clearing that leaves an order out; return it with the proof."""
    orders, fills = market.leaves()
    lost = market.offers[2]
    served = market.serve([leaf for leaf in orders if leaf.order != lost.hash], fills)
    return served, challenges.omitted(served, lost)


# when


def test_a_clearing_is_posted_between_the_books_close_and_the_commits(market: Cleared5) -> None:
    before(market, BOOK + 1)
    with refused("clearing: the book is open"):
        market.serve()
    before(market, COMMIT - 1)
    with refused("clearing: too late"):
        market.serve()
    before(market, COMMIT)
    market.serve()


def test_nothing_is_committed_in_the_last_ten_minutes(market: Cleared5) -> None:
    on_chain(market)
    market.serve()
    first, second = market.fills[:2]
    before(market, COMMIT)
    market.net.world.commit(first)
    before(market, COMMIT - 1)
    with refused("clearing: too late"):
        market.net.world.commit(second)
    with refused("clearing: too late"):
        market.net.world.cross(b"\1" * 32, second)


def test_a_wrong_clearing_is_proven_until_five_minutes_before_delivery(market: Cleared5) -> None:
    _, proof = passed_over(market)
    before(market, CHALLENGES - 1)
    with refused("challenging: too late"):
        market.challenge(proof)
    before(market, CHALLENGES)
    market.challenge(proof)
    assert market.condemned


def test_a_demand_is_made_before_commits_close_and_answered_before_challenges_do(
    market: Cleared5,
) -> None:
    served = market.serve()
    before(market, COMMIT - 1)
    with refused("challenge_book: too late"):
        market.challenge(challenges.demand(served, False, 1))
    before(market, COMMIT)
    market.challenge(challenges.demand(served, False, 1))
    market.challenge(challenges.demand(served, False, 0))
    before(market, CHALLENGES)
    with refused("challenge_book: time to answer"):
        market.challenge(challenges.expire(served, False, 1))
    market.challenge(challenges.answer_fill(served, 0))
    before(market, CHALLENGES - 1)
    bond = market.bond()
    market.challenge(challenges.expire(served, False, 1))
    assert market.condemned
    assert market.bond() == bond - TERMS.bond
    assert market.net.holds()


# proven in time


def _locked(market: Cleared5) -> list[Fill]:
    """Commit a wrong clearing's fills, and have it condemned."""
    on_chain(market)
    _, proof = passed_over(market)
    market.net.world.commit(*market.fills)
    market.challenge(proof)
    return list(market.fills)


def test_a_condemned_clearings_locks_come_back_before_delivery(market: Cleared5) -> None:
    world = market.net.world
    buyers = {one.order.participant for one in market.bids}
    had = {one: world.account(one) for one in buyers}
    fills = _locked(market)
    hands = Hands(world)
    before(market, 1)
    for one in fills:
        lock = world.account(one.buyer).locked
        (back,) = hands.take_back(one, sender=CHALLENGER.address)
        assert back.values == {"fill": one.hash, "amount": one.lock}
        assert world.account(one.buyer).locked == lock - one.lock
        with refused("settlement: not locked"):
            hands.take_back(one)
    for buyer in buyers:
        now, then = world.account(buyer), had[buyer]
        assert (now.locked, now.free + now.reserved) == (0, then.free + then.reserved)
    assert market.net.holds()


def test_once_delivery_began_a_condemned_clearing_is_not_unwound(market: Cleared5) -> None:
    fills = _locked(market)
    hands = Hands(market.net.world)
    before(market, -1)
    with refused("settlement: too early"):
        hands.take_back(fills[0])


def test_without_a_proof_no_lock_comes_back_before_its_time(market: Cleared5) -> None:
    on_chain(market)
    market.serve()
    market.net.world.commit(*market.fills)
    with refused("settlement: too early"):
        Hands(market.net.world).take_back(market.fills[0])


# reputations


def _relabelled(market: Cleared5, score: int) -> tuple[Accepted, Served]:
    """Post a clearing in which an offer's leaf states this reputation."""
    mine = market.offers[0]
    orders, fills = market.leaves()
    place = next(n for n, leaf in enumerate(orders) if leaf.order == mine.hash)
    orders[place] = orders[place]._replace(reputation=score)
    return mine, market.serve(orders, fills)


def _rate(market: Cleared5, *intervals: int) -> list[int]:
    """Rate the first offer's seller for deliveries of earlier intervals; return the scores."""
    world, scores = market.net.world, []
    seller = market.offers[0].order.participant
    for interval in intervals:
        world.send(Contract.REPUTATION, "rate_one", seller, interval)
        scores.append(world.view(Contract.REPUTATION, "score", seller))
    return scores


def _delivered(market: Cleared5, *intervals: int) -> None:
    """Have the first offer's seller deliver half of what it sold in some intervals, unrated."""
    world, people = market.net.world, market.net.people
    now = world.time
    for interval in intervals:
        world.time = BEGINS + interval * SECONDS - 2 * SECONDS
        world.price_of(interval)
        bid = reserved(signed(world, people[0], Side.BID, 1_000, 200_000, 70, interval=interval))
        offer = signed(world, people[4], Side.OFFER, 1_000, 100_000, 71, interval=interval)
        for one in (bid, offer):
            world.book[one.hash] = one.order
        rows = [packing.collection(one) for one in (bid, offer)]
        world.rows(Contract.ORDERS, "collect", rows, write=world.write(interval=interval))
        trade = fill(bid, offer, 1_000, 150_000, 30_000)
        world.commit(trade, write=world.write(interval=interval))
        world.deliver(0, 1_000, interval=interval)
        made, key = delivery(trade, 500), Key(REGION, interval, Phase.COLLECT)
        names = batches(key, Settlement((trade,), (made,), (), ()))
        market.net.attest(names, place=Place(REGION, interval))
        world.settle((trade, made), write=world.write(interval=interval, number=0))
    world.time = now


def test_another_reputation_than_stands_is_proven(market: Cleared5) -> None:
    mine, served = _relabelled(market, SCORE + 1)
    other = market.offers[1]
    with refused("challenge_book: nothing wrong"):
        market.challenge(challenges.mislabelled(served, other.hash, other.order))
    before_bond, injured = market.bond(), market.free(mine.order.participant)
    market.challenge(challenges.mislabelled(served, mine.hash, mine.order))
    assert market.condemned
    assert market.bond() == before_bond - TERMS.bond
    assert market.free(mine.order.participant) == injured + TERMS.bond // 4


def test_a_rating_after_the_clearing_does_not_make_it_wrong(market: Cleared5) -> None:
    """Anybody may rate what the operator forgot, and would have its bond."""
    _delivered(market, 3, 4, 5)
    (first,) = _rate(market, 3)
    mine, served = _relabelled(market, first)
    second, third = _rate(market, 4, 5)
    assert len({SCORE, first, second, third}) == 4
    with refused("challenge_book: nothing wrong"):
        market.challenge(challenges.mislabelled(served, mine.hash, mine.order))
    stood = [
        market.net.world.view(Contract.REPUTATION, "stood", mine.order.participant, score)
        for score in (SCORE, first, second, third, third - 1, 0)
    ]
    assert stood == [True, True, True, True, False, False]


def test_a_reputation_of_an_earlier_interval_is_wrong(market: Cleared5) -> None:
    _delivered(market, 3)
    before(market, 2 * SECONDS)
    _rate(market, 3)
    before(market, BOOK)
    mine, served = _relabelled(market, SCORE)
    market.challenge(challenges.mislabelled(served, mine.hash, mine.order))
    assert market.condemned


def test_no_number_of_ratings_lets_a_reputation_pass_that_never_stood(market: Cleared5) -> None:
    """An operator that rates a seller often in one interval can name no score of its own choice."""
    rated = range(1, 8)
    _delivered(market, *rated)
    seller = market.offers[0].order.participant

    def stood(score: int, who: bytes = seller) -> bool:
        return bool(market.net.world.view(Contract.REPUTATION, "stood", who, score))

    scores = [SCORE, *_rate(market, *rated)]
    assert len(set(scores)) == len(rated) + 1
    assert [stood(score) for score in scores] == [True] * len(scores)
    beside = [
        score + off for score in scores for off in (-1, 1, 2**31) if score + off not in scores
    ]
    assert not any(stood(score) for score in (0, 1, 1_000_000, *beside))
    assert not stood(scores[1], market.offers[1].order.participant)
    before(market, BOOK - SECONDS)  # an interval later
    assert [score for score in scores if stood(score)] == scores[-1:]


# funds


def test_an_order_that_comes_to_stand_after_the_clearing_condemns_nobody(
    market: Cleared5,
) -> None:
    """It was refused for want of money; its owner gets some and posts it itself, too late."""
    out = market.offers.pop()
    market.refusals = (Refusal(out.hash, out.order.participant, Code.FUNDS, "no money"),)
    market.fills = ()
    served = market.serve()
    with refused("orders: the book is closed"):
        Hands(market.net.world).post(out)
    with refused("signing: signature form"):
        market.challenge(challenges.refused(served, out.hash, out.order))
    assert not market.condemned
