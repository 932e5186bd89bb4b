"""The qualification review: who applies, who approves, what is put down, and what changes late."""

from typing import NamedTuple

import pytest
from tests import door
from tests.contracts.harness import (
    ANN,
    BOB,
    CHAIN,
    INTERVAL,
    MICRO,
    REGION,
    STRANGER,
    World,
    refused,
)
from tests.contracts.reading import Contract, artefact, call

from gridpact.crypto.eip712 import Domain, word
from gridpact.crypto.keccak import keccak
from gridpact.ledger.evm.transactions import create_address
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import Rows, arguments, numbers, pack
from gridpact.model.order import Side
from gridpact.model.participant import Account, Named, Role
from gridpact.model.record import Timing

HOUR, DELAY = 3600, 24
VAULT_PEERS = 8
REASON = keccak(b"no certificate of the installer")
METER = keccak(b"the meter's own key")[12:]


class Application(NamedTuple):
    """What `registry.apply` takes."""

    certificate: bytes = keccak(b"certificate of the stranger")
    meter: bytes = keccak(b"meter of the stranger")
    place: int = int.from_bytes(METER, "big") << 40 | 56 << 8 | int(Role.CONSUMER)
    region: bytes = REGION
    deposit: int = 3 * MICRO


ASKED = Application()


@pytest.fixture
def world(founded: World) -> World:
    founded.engine.undo()
    founded.time = 0
    return founded


@pytest.fixture
def member(world: World) -> World:
    """The stranger was approved, has 10 units and put its deposit down."""
    world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)
    world.send(Contract.REGISTRY, "approve", STRANGER, ASKED)
    world.mint(STRANGER, 10 * MICRO)
    world.send(Contract.REGISTRY, "put_deposit", sender=STRANGER)
    return world


def status(world: World, account: bytes) -> tuple[int, Role, int]:
    return packing.status(world.view(Contract.REGISTRY, "status", account))


def test_an_application_stands_on_record_and_changes_nothing_yet(world: World) -> None:
    (applied,) = world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)
    assert applied.name == "Applied"
    assert applied.values == {"account": STRANGER, **ASKED._asdict(), "starting": 0}
    assert status(world, STRANGER) == (0, Role(0), 0)
    assert not world.view(Contract.VAULT, "is_open", STRANGER)
    with refused("orders: not registered"):
        world.collect(world.order("stranger", Side.OFFER))


def test_approval_registers_what_was_applied_for(world: World) -> None:
    world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)
    (registered,) = world.send(Contract.REGISTRY, "approve", STRANGER, ASKED)
    assert registered.name == "Registered"
    word = world.view(Contract.REGISTRY, "status", STRANGER)
    assert packing.status(word) == (56, Role.CONSUMER, 3)
    assert packing.meter_key(word, STRANGER) == METER
    for name in ("certificate", "meter", "region"):
        assert world.view(Contract.REGISTRY, name, STRANGER) == getattr(ASKED, name)
    assert world.view(Contract.REGISTRY, "deposit", STRANGER) == (3 * MICRO, 0)
    with refused("orders: suspended"):
        world.collect(world.order("stranger", Side.OFFER))


def test_founding_participants_sign_for_their_own_meter_and_have_a_region(world: World) -> None:
    assert packing.meter_key(world.view(Contract.REGISTRY, "status", ANN), ANN) == ANN
    assert world.view(Contract.REGISTRY, "region", ANN) == REGION


def test_who_promised_nothing_is_active_at_once(world: World) -> None:
    free = ASKED._replace(deposit=0)
    world.send(Contract.REGISTRY, "apply", free, sender=STRANGER)
    world.send(Contract.REGISTRY, "approve", STRANGER, free)
    assert status(world, STRANGER)[2] == 1
    with refused("registry: other state"):
        world.send(Contract.REGISTRY, "put_deposit", sender=STRANGER)


def test_a_deposit_is_locked_and_makes_active(member: World) -> None:
    assert member.account(STRANGER) == Account(7 * MICRO, 0, 3 * MICRO)
    assert status(member, STRANGER)[2] == 1
    assert member.view(Contract.REGISTRY, "deposit", STRANGER) == (3 * MICRO, 3 * MICRO)
    member.collect(member.order("stranger", Side.OFFER))


def test_a_deposit_needs_the_money(world: World) -> None:
    world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)
    world.send(Contract.REGISTRY, "approve", STRANGER, ASKED)
    with refused("vault: not enough free"):
        world.send(Contract.REGISTRY, "put_deposit", sender=STRANGER)


def test_a_refusal_has_a_reason_and_leaves_the_way_open(world: World) -> None:
    world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)
    with refused("registry: no reason"):
        world.send(Contract.REGISTRY, "refuse", STRANGER, bytes(32))
    (said,) = world.send(Contract.REGISTRY, "refuse", STRANGER, REASON)
    assert (said.name, said.values) == ("Refused", {"account": STRANGER, "reason": REASON})
    with refused("registry: no application"):
        world.send(Contract.REGISTRY, "approve", STRANGER, ASKED)
    with refused("registry: no application"):
        world.send(Contract.REGISTRY, "refuse", STRANGER, REASON)
    world.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"certificate": bytes(32)}, "registry: no certificate"),
        ({"place": 1 << 200}, "registry: place too wide"),
        ({"region": bytes(32)}, "registry: no region"),
        ({"deposit": 2**80}, "registry: deposit"),
    ],
)
def test_an_application_has_a_form(world: World, change: dict[str, object], reason: str) -> None:
    with refused(reason):
        world.send(Contract.REGISTRY, "apply", ASKED._replace(**change), sender=STRANGER)


def test_nobody_applies_who_takes_part(world: World) -> None:
    with refused("registry: registered before"):
        world.send(Contract.REGISTRY, "apply", ASKED, sender=ANN)


def test_who_leaves_in_good_standing_has_its_deposit_back_after_the_delay(member: World) -> None:
    member.time = HOUR * INTERVAL
    (leaving,) = member.send(Contract.REGISTRY, "leave", sender=STRANGER)
    assert leaving.values == {"account": STRANGER, "starting": INTERVAL + DELAY}
    with refused("orders: suspended"):
        member.collect(member.order("stranger", Side.OFFER))
    member.time = HOUR * (INTERVAL + DELAY) - 1
    with refused("registry: too early"):
        member.send(Contract.REGISTRY, "return_deposit", STRANGER)
    member.time += 1
    (returned,) = member.send(Contract.REGISTRY, "return_deposit", STRANGER, sender=BOB)
    assert returned.values == {"account": STRANGER, "amount": 3 * MICRO}
    assert member.account(STRANGER) == Account(10 * MICRO)
    with refused("registry: other state"):
        member.send(Contract.REGISTRY, "return_deposit", STRANGER)
    member.send(Contract.VAULT, "withdraw", 10 * MICRO, sender=STRANGER)
    member.send(Contract.REGISTRY, "apply", ASKED, sender=STRANGER)


def test_who_is_suspended_does_not_leave(member: World) -> None:
    member.send(Contract.REGISTRY, "suspend", STRANGER, REASON)
    with refused("registry: other state"):
        member.send(Contract.REGISTRY, "leave", sender=STRANGER)
    assert member.account(STRANGER).locked == 3 * MICRO


class Bench:
    """Registry, vault and currency alone, with plain addresses in place of who may fine."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reputation, self.wallets = (keccak(one)[12:] for one in (b"reputation", b"wallets"))
        registry, vault, currency = (create_address(BOB, n) for n in range(3))
        self.at = {"registry": registry, "vault": vault}
        nobody, terms = bytes(20), door.TERMS
        keepers = Rows([word(keeper) for keeper in terms.keepers])
        for name, given in (
            ("registry", pack(BOB, vault, self.reputation, self.wallets, DELAY, 0, HOUR)),
            ("vault", pack(currency, registry, *[nobody] * VAULT_PEERS)),
            ("currency", arguments(pack(vault, 0, HOUR, 1, terms.daily_cap), keepers)),
        ):
            world._run(BOB, b"", artefact(Contract(name)).bytecode + given)
        self.currency = Domain(CHAIN, currency)

    def send(self, name: str, function: str, *given: object, sender: bytes) -> bytes:
        contract = Contract(name)
        output: bytes = self.world._run(
            sender, self.at[name], call(contract, function, *given)
        ).output
        return output

    def view(self, name: str, function: str, *given: object) -> tuple[int, ...]:
        output = self.send(name, function, *given, sender=STRANGER)
        return numbers(output)


def test_a_fine_takes_at_most_the_deposit_and_only_for_who_may_fine(world: World) -> None:
    alone = Bench(world)
    alone.send("registry", "apply", ASKED, sender=STRANGER)
    alone.send("registry", "approve", STRANGER, ASKED, sender=BOB)
    said = door.word_of(alone.currency, STRANGER, 10 * MICRO, REASON, keepers=door.KEEPERS[:1])
    signatures = [(one[:32], one[32:]) for one in said.signatures]
    alone.send("vault", "mint", STRANGER, 10 * MICRO, REASON, 0, signatures, sender=BOB)
    alone.send("registry", "put_deposit", sender=STRANGER)
    for asked, taken, by in (
        (MICRO, MICRO, alone.reputation),
        (9 * MICRO, 2 * MICRO, alone.wallets),
        (1, 0, alone.reputation),
    ):
        output = alone.send("registry", "fine", STRANGER, asked, sender=by)
        assert int.from_bytes(output, "big") == taken
    assert alone.view("vault", "account", STRANGER) == (7 * MICRO, 0, 0)
    assert alone.view("vault", "account", Named.FINES.address) == (3 * MICRO, 0, 0)
    assert alone.view("registry", "deposit", STRANGER) == (3 * MICRO, 0)
    for sender in (BOB, STRANGER, ANN):
        with refused("registry: not who fines"):
            alone.send("registry", "fine", STRANGER, 1, sender=sender)


def test_roles_change_after_a_public_delay(world: World) -> None:
    new = Role.CONSUMER | Role.AGGREGATOR
    world.time = HOUR * INTERVAL
    (proposed,) = world.send(Contract.REGISTRY, "propose_roles", ANN, int(new))
    assert proposed.values == {"account": ANN, "roles": int(new), "starting": INTERVAL + DELAY}
    before = world.view(Contract.REGISTRY, "status", ANN)
    with refused("registry: too early"):
        world.send(Contract.REGISTRY, "change_roles", ANN)
    world.time = HOUR * (INTERVAL + DELAY)
    (changed,) = world.send(Contract.REGISTRY, "change_roles", ANN, sender=BOB)
    assert changed.values == {"account": ANN, "roles": int(new)}
    after = world.view(Contract.REGISTRY, "status", ANN)
    assert packing.status(after) == (7, new, 1)
    assert after ^ before == (int(Role.CONSUMER) ^ int(new)) << 8
    with refused("registry: nothing proposed"):
        world.send(Contract.REGISTRY, "change_roles", ANN)


def test_roles_are_those_of_participants(world: World) -> None:
    with refused("registry: not registered"):
        world.send(Contract.REGISTRY, "propose_roles", STRANGER, 1)
    with refused("registry: roles"):
        world.send(Contract.REGISTRY, "propose_roles", ANN, 256)


def test_the_operator_changes_after_a_public_delay(world: World) -> None:
    with refused("registry: nothing proposed"):
        world.send(Contract.REGISTRY, "change_operator")
    with refused("registry: no operator"):
        world.send(Contract.REGISTRY, "propose_operator", bytes(20))
    (proposed,) = world.send(Contract.REGISTRY, "propose_operator", BOB)
    assert proposed.values == {"operator": BOB, "starting": DELAY}
    with refused("registry: too early"):
        world.send(Contract.REGISTRY, "change_operator")
    world.time = HOUR * DELAY
    (changed,) = world.send(Contract.REGISTRY, "change_operator", sender=STRANGER)
    assert changed.values == {"operator": BOB}
    with refused("registry: not the operator"):
        world.send(Contract.REGISTRY, "suspend", ANN, REASON)
    world.send(Contract.REGISTRY, "suspend", ANN, REASON, sender=BOB)


def test_the_delay_is_that_of_the_founding(world: World) -> None:
    assert world.view(Contract.REGISTRY, "DELAY") == DELAY
    assert world.timing == Timing()
