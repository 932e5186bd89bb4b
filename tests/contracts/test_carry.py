"""Reputation that moves to new names: only of those who leave, and never more than there was."""

import pytest
from tests.contracts.harness import ANN, BOB, CEM, OPERATOR, STRANGER, World, refused
from tests.contracts.reading import Contract, Event
from tests.contracts.test_reputation import delivered, rate

from gridpact.ledger.onchain.abi import Rows, arguments, pack
from gridpact.ledger.onchain.suite import Suite
from gridpact.model.rating import CredibilityTerms


def carry(
    world: World,
    leaving: list[bytes],
    heirs: dict[bytes, int],
    sender: bytes = OPERATOR,
    write: bytes | None = None,
) -> list[Event]:
    rows = Rows([pack(one) for one in leaving]), Rows([pack(*row) for row in heirs.items()])
    selector = Suite(OPERATOR).call("reputation", "carry", b"").data[:4]
    data = selector + arguments(write or world.write(), *rows)
    return world.raw(Contract.REPUTATION, data, sender)


def score(world: World, who: bytes) -> int:
    return int(world.view(Contract.REPUTATION, "score", who))


@pytest.fixture(name="parting")
def _parting(world: World) -> World:
    """Return a market in which Bob sold well, and leaves."""
    delivered(world, 1000, 1000)
    rate(world, BOB)
    world.send(Contract.REGISTRY, "leave", sender=BOB)
    return world


def test_heir_begins_where_the_other_stopped(parting: World) -> None:
    had = score(parting, BOB)
    assert had > parting.rating.prior
    yielded, inherited = carry(parting, [BOB], {STRANGER: had})
    assert (score(parting, STRANGER), score(parting, BOB)) == (had, 0)
    assert yielded == Event(Contract.REPUTATION, "Yielded", {"seller": BOB, "score": had})
    heir = {"seller": STRANGER, "score": had}
    assert inherited == Event(Contract.REPUTATION, "Inherited", heir)


def test_several_share_what_several_had(parting: World) -> None:
    parting.send(Contract.REGISTRY, "leave", sender=CEM)
    had = score(parting, BOB) + score(parting, CEM)
    carry(parting, [BOB, CEM], {STRANGER: had // 2, b"\1" * 20: had // 2})
    assert score(parting, STRANGER) == score(parting, b"\1" * 20) == had // 2


def test_nothing_is_dealt_out_twice_or_made(parting: World) -> None:
    had = score(parting, BOB)
    with refused("reputation: more than was left"):
        carry(parting, [BOB], {STRANGER: had + 1})
    with refused("reputation: more than was left"):
        carry(parting, [BOB], {STRANGER: had, b"\1" * 20: 1})
    with refused("reputation: more than was left"):
        carry(parting, [BOB, BOB], {STRANGER: 2 * had})
    carry(parting, [BOB], {STRANGER: had})
    with refused("reputation: more than was left"):
        carry(parting, [BOB], {b"\1" * 20: 1})


def test_who_stays_keeps_its_own(parting: World) -> None:
    with refused("reputation: not leaving"):
        carry(parting, [CEM], {STRANGER: 1})


def test_who_was_rated_inherits_nothing(parting: World) -> None:
    with refused("reputation: rated before"):
        carry(parting, [BOB], {BOB: 1})


def test_only_the_operator_deals_out(parting: World) -> None:
    with refused("reputation: not the operator"):
        carry(parting, [BOB], {STRANGER: 1}, sender=ANN)


def test_the_same_again_changes_nothing(parting: World) -> None:
    had, write = score(parting, BOB), parting.write()
    carry(parting, [BOB], {STRANGER: had}, write=write)
    assert carry(parting, [BOB], {STRANGER: had}, write=write) == []
    assert score(parting, STRANGER) == had


def test_standings_of_credibility_are_not_carried() -> None:
    world = World(rating=CredibilityTerms())
    with refused("reputation: standings are not carried"):
        carry(world, [], {STRANGER: 1})
