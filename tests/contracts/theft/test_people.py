"""Who tries to come in unasked, to fine, or to promote itself: refused, nobody loses."""

import pytest
from tests.contracts.harness import (
    ANN,
    BOB,
    INTERVAL,
    MICRO,
    OPERATOR,
    REGION,
    STRANGER,
    World,
    refused,
)
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.participant import Account, Participant, Role

ASKED = (keccak(b"certificate"), keccak(b"meter"), 56 << 8 | int(Role.CONSUMER), REGION, 3 * MICRO)
REASON = keccak(b"reason")
HOUR = 3600


@pytest.fixture
def member(world: World) -> World:
    """The stranger is a member with a deposit of three units."""
    world.time = 0
    world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)
    world.send(Contract.REGISTRY, "approve", STRANGER, ASKED)
    world.mint(STRANGER, 5 * MICRO)
    world.send(Contract.REGISTRY, "put_deposit", sender=STRANGER)
    return world


def test_a_stranger_registers_or_approves_itself(world: World) -> None:
    with refused("registry: not the operator"):
        world.rows(Contract.REGISTRY, "register", [], after=bytes(32), sender=STRANGER)
    world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)
    for sender in (STRANGER, ANN):
        with refused("registry: not the operator"):
            world.send(Contract.REGISTRY, "approve", STRANGER, ASKED, sender=sender)
    assert world.view(Contract.REGISTRY, "status", STRANGER) == 0


def test_operator_registers_a_puppet_with_a_meter_key_of_its_own(world: World) -> None:
    papers = (keccak(b"certificate"), keccak(b"meter"))
    puppet = Participant("puppet", STRANGER, 7, Role.PRODUCER, *papers, meter_key=OPERATOR)
    for last in (False, True):
        with refused("registry: founded"):
            world.found([puppet], last=last)
    with refused("registry: no application"):
        asked = (*papers, packing.place(puppet), REGION, 0)
        world.send(Contract.REGISTRY, "approve", STRANGER, asked)
    assert world.view(Contract.REGISTRY, "status", STRANGER) == 0


def test_operator_leaves_the_founding_open_and_lets_people_trade() -> None:
    world = World(ends_founding=False)
    with refused("clearing: not founded"):
        world.price()


def test_operator_approves_another_thing_than_was_applied_for(world: World) -> None:
    world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)
    for other in (
        (keccak(b"other"), *ASKED[1:]),
        (*ASKED[:2], ASKED[2] | int(Role.REGION), *ASKED[3:]),
        (*ASKED[:4], 0),
    ):
        with refused("registry: other application"):
            world.send(Contract.REGISTRY, "approve", STRANGER, other)
    with refused("registry: no application"):
        world.send(Contract.REGISTRY, "approve", keccak(b"nobody")[12:], ASKED)


def test_operator_approves_itself(world: World) -> None:
    world.send(Contract.REGISTRY, "apply", ASKED, sender=OPERATOR)
    with refused("registry: one's own application"):
        world.send(Contract.REGISTRY, "approve", OPERATOR, ASKED)
    assert world.view(Contract.REGISTRY, "status", OPERATOR) == 0


@pytest.mark.parametrize("role", [Role.REGION, Role.AGGREGATOR, 128])
def test_a_puppet_comes_in_overnight_with_power_over_others(world: World, role: int) -> None:
    """As long as a role takes to change, all can see who asks for one."""
    asked = (*ASKED[:2], 56 << 8 | int(Role.CONSUMER | role), REGION, 0)
    world.time = HOUR * INTERVAL
    (applied,) = world.send(Contract.REGISTRY, "apply", asked, sender=STRANGER)
    assert applied.values["starting"] == INTERVAL + world.review.delay
    world.time = HOUR * applied.values["starting"] - 1
    with refused("registry: too early"):
        world.send(Contract.REGISTRY, "approve", STRANGER, asked)
    world.time += 1
    world.send(Contract.REGISTRY, "approve", STRANGER, asked)
    assert packing.status(world.view(Contract.REGISTRY, "status", STRANGER))[2] == 1
    world.time = 0


def test_a_deposit_is_fined_from_outside(member: World) -> None:
    for sender in (OPERATOR, ANN, STRANGER):
        with refused("registry: not who fines"):
            member.send(Contract.REGISTRY, "fine", STRANGER, MICRO, sender=sender)
        with refused("vault: not the registry"):
            member.send(Contract.VAULT, "fine", STRANGER, MICRO, sender=sender)
    assert member.account(STRANGER) == Account(2 * MICRO, 0, 3 * MICRO)


def test_a_member_takes_its_deposit_and_stays(member: World) -> None:
    with refused("vault: not enough free"):
        member.send(Contract.VAULT, "withdraw", 2 * MICRO + 1, sender=STRANGER)
    with refused("registry: other state"):
        member.send(Contract.REGISTRY, "return_deposit", STRANGER, sender=STRANGER)
    assert member.account(STRANGER).locked == 3 * MICRO


def test_a_member_leaves_with_its_deposit_before_it_can_be_fined(member: World) -> None:
    member.time = HOUR * INTERVAL
    member.send(Contract.REGISTRY, "leave", sender=STRANGER)
    with refused("registry: too early"):
        member.send(Contract.REGISTRY, "return_deposit", STRANGER)
    with refused("registry: other state"):
        member.send(Contract.REGISTRY, "leave", sender=STRANGER)
    assert member.account(STRANGER).locked == 3 * MICRO


def test_somebody_makes_itself_an_aggregator_or_the_operator(world: World) -> None:
    for sender in (ANN, STRANGER):
        with refused("registry: not the operator"):
            world.send(Contract.REGISTRY, "propose_roles", ANN, int(Role.AGGREGATOR), sender=sender)
        with refused("registry: not the operator"):
            world.send(Contract.REGISTRY, "propose_operator", sender, sender=sender)


def test_operator_changes_a_role_overnight(world: World) -> None:
    world.time = HOUR * INTERVAL
    world.send(Contract.REGISTRY, "propose_roles", BOB, int(Role.REGION))
    world.time += 23 * HOUR
    with refused("registry: too early"):
        world.send(Contract.REGISTRY, "change_roles", BOB)
    world.time = 0


def test_operator_takes_money_by_suspending(member: World) -> None:
    member.send(Contract.REGISTRY, "suspend", STRANGER, REASON)
    member.send(Contract.VAULT, "withdraw", 2 * MICRO, sender=STRANGER)
    assert member.view(Contract.CURRENCY, "balanceOf", STRANGER) == 2 * MICRO
    assert member.account(STRANGER).locked == 3 * MICRO
