"""Council: pledges by signed word, and the quorum's word on the batches of a settlement."""

import pytest
from tests.contracts.harness import ANN, DEVICES, MICRO, REGION, World, refused
from tests.contracts.parts import NetWorld
from tests.contracts.reading import Contract

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import compact
from gridpact.ledger.onchain.attest import pledge_digest

REST = keccak(b"a batch")


@pytest.fixture
def office(world: World) -> NetWorld:
    return NetWorld.of(world, people=2)


def pledge(world: World, amount: int, serial: int = 0, signer: str = "ann") -> list:  # type: ignore[type-arg]
    word = compact(DEVICES[signer].sign(pledge_digest(world.domain, ANN, amount, serial)))
    return world.send(Contract.COUNCIL, "bond_for", ANN, amount, (word[:32], word[32:]))


def test_bond_is_pledged_by_signed_word(world: World) -> None:
    world.mint(ANN, MICRO)
    (bonded,) = [one for one in pledge(world, 600_000) if one.name == "Bonded"]
    assert bonded.values["amount"] == 600_000
    assert world.account(ANN).locked == 600_000
    assert world.view(Contract.COUNCIL, "pledged", ANN) == (600_000, 0)


def test_pledge_counts_once_and_for_its_signer(world: World) -> None:
    world.mint(ANN, MICRO)
    pledge(world, 300_000)
    with refused("council: not its signature"):
        pledge(world, 300_000)
    with refused("council: not its signature"):
        pledge(world, 300_000, serial=1, signer="bob")
    pledge(world, 300_000, serial=1)
    assert world.account(ANN).locked == 600_000


def test_word_of_the_quorum_stands_for_its_batches_alone(office: NetWorld) -> None:
    (attested,) = office.attest([REST])
    assert (attested.name, attested.values["region"]) == ("Attested", REGION)
    assert office.stands(REST)
    assert not office.stands(keccak(b"another"))
    assert office.attest([REST])  # the same again is no harm


def test_without_any_council_the_operator_answers_alone(world: World) -> None:
    assert world.view(Contract.COUNCIL, "stands", REGION, REST)
