"""A hold that no sensor gave, and one that is concealed: the contracts keep to what stands.

Whoever is not held delivers or is short; whoever is held owes nothing and is blamed for nothing.
"""

from collections.abc import Iterator

import pytest
from tests.contracts.fills import Hands
from tests.contracts.harness import (
    ANN,
    BOB,
    INTERVAL,
    MICRO,
    OPERATOR,
    STRANGER,
    World,
    delivery,
    refused,
)
from tests.contracts.harness import fill as filled
from tests.contracts.holds import bring, curtail, hold, judge, names
from tests.contracts.parts import NetWorld
from tests.contracts.reading import Contract, Event
from tests.contracts.theft.test_fills import locked, posted

from gridpact.model.interval import Phase
from gridpact.model.order import Side
from gridpact.model.participant import Named
from gridpact.model.statement import Case
from gridpact.model.trade import Fill
from gridpact.quantities import Wh, amount

ENERGY, HELD = 1000, 250
LEFT = ENERGY - HELD


@pytest.fixture
def hands(world: World) -> Iterator[Hands]:
    """Yield hands in a market without a council: the operator's word on holds stands."""
    yield _hands(world)
    world.time = 0


@pytest.fixture
def office(world: World) -> Iterator[NetWorld]:
    """Yield a market with a council of four; ann and bob have money."""
    yield NetWorld.of(world, people=2, now=INTERVAL)
    world.time = 0


def _hands(world: World) -> Hands:
    for account in (ANN, BOB, Named.REWARD.address):
        world.mint(account, MICRO)
    world.price()
    hands = Hands(world)
    hands.at(INTERVAL, -7_200)
    return hands


def settle(world: World, fill: Fill, held: Wh, sent: Wh = ENERGY) -> list[Event]:
    """Settle by a batch that leaves out so much of a fill."""
    write = world.write(Phase.SETTLE)
    return world.settle((fill, delivery(fill, min(sent, ENERGY - held), held=held)), write=write)


def rated(world: World) -> tuple[Wh, Wh]:
    """Return what counts for the seller's reputation: agreed and sent."""
    Hands(world).at(INTERVAL + 6)
    (event,) = [one for one in Hands(world).rate(BOB) if one.name == "Rated"]
    return event.values["agreed"], event.values["sent"]


# an invented hold


def test_a_batch_cannot_refund_energy_that_nobody_held(hands: Hands) -> None:
    """The operator spares a short seller, or gives a buyer back what it owes for a delivery."""
    _, _, fill = locked(hands)
    hands.world.deliver(loss=0)
    for held in (1, HELD, ENERGY):
        with refused("clearing: nobody held it"):
            settle(hands.world, fill, held)
    with refused("verdicts: the meters have spoken"):
        judge(hands.world, hold(fill))
    settle(hands.world, fill, 0)
    assert hands.world.free(BOB) > MICRO + amount(fill.price, ENERGY) - 1


def test_a_batch_leaves_out_what_was_curtailed_and_only_once(hands: Hands) -> None:
    _, _, fill = locked(hands)
    other = locked_more(hands)
    hands.world.deliver(loss=0)
    with refused("clearing: not the operator"):
        curtail(hands.world, BOB, HELD, sender=BOB)
    (said,) = curtail(hands.world, BOB, HELD)
    assert (said.values["interval"], said.values["energy"]) == (INTERVAL, HELD)
    with refused("clearing: nobody held it"):
        settle(hands.world, fill, HELD + 1)
    settle(hands.world, fill, HELD)
    with refused("clearing: nobody held it"):
        settle(hands.world, other, 1)
    with refused("clearing: not the settlement"):
        hands.world.send(Contract.CLEARING, "leave_out", INTERVAL, "0x" + BOB.hex(), 1)
    assert hands.world.view(Contract.CLEARING, "curtailed", INTERVAL, "0x" + BOB.hex()) == 0
    assert hands.world.holds()


def locked_more(hands: Hands) -> Fill:
    """Return a second fill of the same seller, locked."""
    hands.at(INTERVAL, -7_200)
    return locked(hands)[2]


def test_operator_alone_holds_nothing_where_a_council_sits(office: NetWorld) -> None:
    hands = _hands(office.world)
    _, _, fill = locked(hands)
    with refused("verdicts: not the council's word"):
        judge(office.world, hold(fill))
    with refused("attested: not the council's word"):
        office.world.deliver()
        settle(office.world, fill, ENERGY)
    hands.settle(fill, ENERGY, ENERGY)
    assert hands.world.free(BOB) > MICRO


def test_the_councils_word_is_for_its_holds_alone(office: NetWorld) -> None:
    hands = _hands(office.world)
    _, _, fill = locked(hands)
    office.attest(names(hold(fill, HELD)))
    for other in (hold(fill, HELD + 1), hold(fill)):
        with refused("verdicts: not the council's word"):
            judge(office.world, other)
    with refused("verdicts: not the council's word"):
        judge(office.world, hold(fill, HELD), hold(fill, HELD))
    held, _ = judge(office.world, hold(fill, HELD))
    assert (held.values["fill"], held.values["energy"]) == (fill.hash, HELD)
    assert office.world.view(Contract.SETTLEMENT, "held", fill.hash) == HELD


def test_nobody_but_the_verdicts_stop_a_fill(hands: Hands) -> None:
    _, _, fill = locked(hands)
    for sender in (OPERATOR, BOB):
        with refused("settlement: not the verdicts"):
            hands.world.send(Contract.SETTLEMENT, "stop", fill.hash, HELD, sender=sender)


def test_what_is_held_is_not_held_otherwise(hands: Hands) -> None:
    _, _, fill = locked(hands)
    assert [one.name for one in judge(hands.world, hold(fill, HELD))] == ["Held", "Judged"]
    assert [one.name for one in judge(hands.world, hold(fill, HELD))] == ["Judged"]
    with refused("settlement: held otherwise"):
        judge(hands.world, hold(fill, HELD - 1))
    with refused("settlement: nothing held"):
        judge(hands.world, hold(fill, 0))
    with refused("settlement: nothing held"):
        judge(hands.world, hold(fill, 2**40))


# a hold that is concealed


def test_a_batch_cannot_call_short_what_was_held(hands: Hands) -> None:
    """It would cost the seller its penalty and its reputation."""
    _, _, fill = locked(hands)
    judge(hands.world, hold(fill, HELD))
    hands.world.deliver(loss=0)
    for held in (0, HELD - 1):
        with refused("settlement: a hold is left out"):
            settle(hands.world, fill, held, sent=LEFT)
    (settled,) = settle(hands.world, fill, HELD)[-1:]
    assert settled.values["case"] == Case.FULL
    assert settled.values["paid"] == amount(fill.price, LEFT)
    assert settled.values["refund"] == fill.lock - amount(fill.price, LEFT) - amount(
        fill.charge, LEFT
    )
    assert hands.world.holds()


@pytest.mark.parametrize("way", ["posted", "bound"])
def test_two_meters_cannot_call_short_what_was_held(hands: Hands, way: str) -> None:
    fill = locked(hands)[2] if way == "posted" else bound(hands)
    judge(hands.world, hold(fill, HELD))
    lock, before = fill.lock, hands.world.account(ANN)
    (paid,) = hands.settle(fill, sent=LEFT, taken=ENERGY, sender=STRANGER)[-1:]
    assert paid.values["money"] >> 240 == Case.FULL
    assert paid.values["delivery"] >> 8 & 2**40 - 1 == HELD
    due = amount(fill.price, LEFT)
    assert paid.values["money"] >> 160 & 2**80 - 1 == due
    after = hands.world.account(ANN)
    assert after.free == before.free + lock - due - amount(fill.charge, LEFT)
    assert after.locked == before.locked - lock
    assert rated(hands.world) == (LEFT, LEFT)
    with refused("orders: not bound to this fill"):
        hands.settle(fill, sent=LEFT, taken=ENERGY, sender=STRANGER)
    assert hands.world.holds()


def bound(hands: Hands) -> Fill:
    """Return a fill that its bid holds."""
    bid = hands.world.order("ann", Side.BID)
    offer = hands.world.order("bob", Side.OFFER, price=100_000)
    trade = filled(bid, offer, ENERGY, 100_000, 30_000)
    hands.bind(bid, offer, trade)
    hands.at(INTERVAL + 2)
    return trade


def test_beyond_a_hold_the_seller_answers_as_ever(hands: Hands) -> None:
    _, _, fill = locked(hands)
    judge(hands.world, hold(fill, HELD))
    (paid,) = hands.settle(fill, sent=500, taken=ENERGY)[-1:]
    assert paid.values["money"] >> 240 == Case.SHORT
    assert paid.values["delivery"] >> 208 == LEFT


def test_a_buyer_owes_nothing_unused_of_what_was_held(hands: Hands) -> None:
    _, _, fill = locked(hands)
    judge(hands.world, hold(fill, HELD))
    (paid,) = hands.settle(fill, sent=ENERGY, taken=500)[-1:]
    said = paid.values["delivery"]
    assert (said >> 208, said >> 88 & 2**40 - 1, said >> 48 & 2**40 - 1) == (500, 250, 250)


def test_what_is_held_as_a_whole_goes_back_at_once(hands: Hands) -> None:
    _, _, fill = locked(hands)
    hands.at(INTERVAL)
    with refused("settlement: too early"):
        hands.take_back(fill, sender=STRANGER)
    judge(hands.world, hold(fill))
    before = hands.world.free(ANN)
    hands.take_back(fill, sender=STRANGER)
    after = hands.world.account(ANN)
    assert (after.free, after.locked) == (before + fill.lock, 0)
    assert hands.world.view(Contract.SETTLEMENT, "volume", "0x" + BOB.hex(), INTERVAL) == (0, 0)
    hands.at(INTERVAL + 4)
    with refused("settlement: not locked"):
        hands.take_back(fill, sender=STRANGER)


def test_what_is_held_in_part_goes_back_after_the_window_as_ever(hands: Hands) -> None:
    _, _, fill = locked(hands)
    judge(hands.world, hold(fill, HELD))
    with refused("settlement: too early"):
        hands.take_back(fill)
    hands.at(INTERVAL + 4)
    hands.take_back(fill)
    assert hands.world.account(ANN).locked == 0


def test_a_dispute_does_not_lose_the_hold(hands: Hands) -> None:
    _, _, fill = locked(hands)
    judge(hands.world, hold(fill, HELD))
    two = hands.profile("bob", exported=LEFT), hands.profile("bob", exported=ENERGY)
    hands.contradict(fill, BOB, *two)
    hands.world.deliver(loss=0)
    with refused("settlement: a hold is left out"):
        settle(hands.world, fill, 0, sent=LEFT)
    settle(hands.world, fill, HELD)
    assert hands.world.account(ANN).locked == 0


def test_anybody_brings_a_hold_that_the_operator_conceals(office: NetWorld) -> None:
    hands = _hands(office.world)
    _, _, fill = locked(hands)
    hands.at(INTERVAL + 1)
    with refused("verdicts: not the council's word"):
        bring(office.world, STRANGER, hold(fill, HELD))
    office.attest(names(hold(fill, HELD)))
    office.world.deliver()  # the operator hurries on
    assert [one.name for one in bring(office.world, STRANGER, hold(fill, HELD))] == ["Held"]
    hands.at(INTERVAL + 2)
    (paid,) = hands.settle(fill, sent=LEFT, taken=ENERGY, sender=BOB)[-1:]
    assert paid.values["money"] >> 240 == Case.FULL


def test_a_hold_is_brought_before_the_parties_may_settle(office: NetWorld) -> None:
    hands = _hands(office.world)
    _, _, fill = locked(hands)
    office.attest(names(hold(fill)))
    hands.at(INTERVAL + 2)
    with refused("verdicts: too late"):
        bring(office.world, STRANGER, hold(fill))


def test_without_a_council_nobody_brings_a_hold(hands: Hands) -> None:
    _, _, fill = locked(hands)
    with refused("verdicts: no council"):
        bring(hands.world, BOB, hold(fill))


def test_a_hold_of_a_fill_that_nobody_locked_pays_nobody(hands: Hands) -> None:
    _, _, fill = posted(hands)
    judge(hands.world, hold(fill))
    with refused("orders: not bound to this fill"):
        hands.take_back(fill)
    hands.at(INTERVAL + 2)
    with refused("orders: not bound to this fill"):
        hands.settle(fill, ENERGY, ENERGY)
