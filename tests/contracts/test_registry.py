"""The registry: who takes part, and whose right to place orders was taken."""

import pytest
from tests.contracts.harness import (
    ANN,
    BOB,
    CHAIN,
    OPERATOR,
    REGION,
    STRANGER,
    World,
    decoded,
    refused,
)
from tests.contracts.reading import Contract

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.order import Side
from gridpact.model.participant import Participant, Role

NEW = Participant(
    name="new",
    address=keccak(b"new")[12:],
    bus=56,
    roles=Role.PRODUCER | Role.CONSUMER,
    certificate=keccak(b"certificate"),
    meter=keccak(b"meter"),
)
REASON = keccak(b"blacklist")


@pytest.fixture(scope="module")
def begun() -> World:
    return World(ends_founding=False)


@pytest.fixture
def founding(begun: World) -> World:
    """A market that takes founding participants still."""
    begun.engine.undo()
    return begun


def test_registration_opens_the_account_and_keeps_what_was_certified(founding: World) -> None:
    world = founding
    (registered,) = world.found([NEW])
    assert registered.values == {
        "account": NEW.address,
        "certificate": NEW.certificate,
        "meter": NEW.meter,
        "place": packing.place(NEW),
    }
    status = packing.status(world.view(Contract.REGISTRY, "status", NEW.address))
    assert status == (56, Role.PRODUCER | Role.CONSUMER, 1)
    assert world.view(Contract.REGISTRY, "certificate", NEW.address) == NEW.certificate
    assert world.view(Contract.REGISTRY, "meter", NEW.address) == NEW.meter
    assert world.view(Contract.VAULT, "is_open", NEW.address)


def test_nobody_is_registered_twice(founding: World) -> None:
    founding.found([NEW])
    with refused("registry: registered before"):
        founding.found([NEW])


def test_registration_needs_a_certificate_and_a_place_that_fits(founding: World) -> None:
    row = packing.registration(NEW)
    for wrong, reason in (
        (row[:32] + bytes(32) + row[64:], "registry: no certificate"),
        (row[:96] + packing.words((1 << 200,)), "registry: place too wide"),
    ):
        with refused(reason):
            founding.rows(Contract.REGISTRY, "register", [wrong], after=bytes(32))


def test_only_the_operator_registers(founding: World) -> None:
    with refused("registry: not the operator"):
        founding.rows(Contract.REGISTRY, "register", [], after=bytes(32), sender=STRANGER)


def test_the_last_founding_batch_ends_the_founding(founding: World) -> None:
    founding.found([NEW])
    assert not founding.view(Contract.REGISTRY, "founded")
    (founded,) = founding.found([], last=True)
    assert (founded.name, founded.values) == ("Founded", {"region": REGION})
    assert founding.view(Contract.REGISTRY, "founded")
    for last in (False, True):
        with refused("registry: founded"):
            founding.found([], last=last)


def test_nothing_has_a_price_before_the_founding_is_over(founding: World) -> None:
    with refused("clearing: not founded"):
        founding.price()
    founding.found([], last=True)
    assert [one.name for one in founding.price()] == ["Priced"]


def test_who_comes_later_applies(world: World) -> None:
    applied, registered = world.register([NEW])
    assert (applied.name, registered.name) == ("Applied", "Registered")
    assert packing.status(world.view(Contract.REGISTRY, "status", NEW.address)) == (
        56,
        Role.PRODUCER | Role.CONSUMER,
        1,
    )


def test_suspended_participant_places_no_order_but_keeps_its_money(world: World) -> None:
    world.mint(ANN, 1_000_000)
    (suspended,) = world.send(Contract.REGISTRY, "suspend", ANN, REASON)
    assert (suspended.name, suspended.values) == ("Suspended", {"account": ANN, "reason": REASON})
    with refused("orders: suspended"):
        world.collect(world.order("ann", Side.BID))
    assert world.free(ANN) == 1_000_000
    (reinstated,) = world.send(Contract.REGISTRY, "reinstate", ANN, REASON)
    assert reinstated.values == {"account": ANN, "reason": REASON}
    world.collect(world.order("ann", Side.BID))


def test_suspension_needs_an_active_and_reinstatement_a_suspended_one(world: World) -> None:
    with refused("registry: not active"):
        world.send(Contract.REGISTRY, "suspend", STRANGER, REASON)
    with refused("registry: not suspended"):
        world.send(Contract.REGISTRY, "reinstate", BOB, REASON)
    world.send(Contract.REGISTRY, "suspend", BOB, REASON)
    with refused("registry: not active"):
        world.send(Contract.REGISTRY, "suspend", BOB, REASON)


@pytest.mark.parametrize("name", ["suspend", "reinstate"])
def test_only_the_operator_judges(world: World, name: str) -> None:
    with refused("registry: not the operator"):
        world.send(Contract.REGISTRY, name, ANN, REASON, sender=BOB)


def test_domain_is_this_chain_and_this_registry(world: World) -> None:
    domain = Domain(CHAIN, world.at[Contract.REGISTRY])
    assert world.view(Contract.REGISTRY, "DOMAIN") == domain.separator
    assert world.view(Contract.ORDERS, "DOMAIN") == domain.separator


def test_the_same_batch_again_changes_nothing(founding: World) -> None:
    write = founding.write()
    assert len(founding.found([NEW], last=True, write=write)) == 2
    assert founding.found([NEW], last=True, write=write) == []


def test_another_content_under_a_taken_key_is_refused(founding: World) -> None:
    founding.found([NEW])
    with refused("keyed: written otherwise"):
        founding.found([], write=founding.write(content=keccak(b"another")))


def test_a_write_needs_a_content(founding: World) -> None:
    with refused("keyed: no content"):
        founding.found([], write=founding.write(content=bytes(32)))


def test_the_content_of_a_key_is_on_the_chain(founding: World) -> None:
    write = founding.write(content=keccak(b"record"))
    founding.found([], write=write)
    region, interval, phase, part, _, content = decoded(write)
    key = keccak(region + packing.words((interval, phase, part)))
    assert founding.view(Contract.REGISTRY, "written", key) == content
    assert founding.view(Contract.REGISTRY, "written", keccak(key)) == bytes(32)


def test_operator_is_the_deployer(world: World) -> None:
    assert bytes.fromhex(world.view(Contract.REGISTRY, "operator")[2:]) == OPERATOR
