"""Anchors under a council: the member in turn writes; a wrong one is corrected, for its bond."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from tests.contracts.harness import OPERATOR, REGION, World, refused
from tests.contracts.parts import CHALLENGER, INTERVAL, TERMS, NetWorld
from tests.contracts.reading import Contract, Event

from gridpact.crypto.keccak import keccak
from gridpact.crypto.keys import Key as Device
from gridpact.crypto.keys import compact
from gridpact.errors import Reverted
from gridpact.model.challenge import ChallengeTerms
from gridpact.model.order import NONE
from gridpact.model.typed import HEAD

WINDOW = ChallengeTerms().anchor_window
REACH = 64
"""So many intervals a correction reaches forward."""
OVER = INTERVAL - 1
"""The newest interval that is over when the tests begin."""


def head(of: object) -> bytes:
    """Return a head by any name."""
    return keccak(repr(of).encode())


@dataclass
class Anchors:
    """A region's anchors, and the council that answers for them."""

    net: NetWorld

    @property
    def council(self) -> list[bytes]:
        return [one.address for one in self.net.council]

    @property
    def now(self) -> int:
        timing = self.net.world.timing
        return (self.net.world.time - timing.begins) // timing.seconds

    @property
    def in_turn(self) -> Device:
        """Return the member whose turn it is: by the interval that ended last."""
        return self.net.council[(self.now - 1) % len(self.net.council)]

    def post(
        self,
        interval: int,
        number: int,
        said: bytes,
        previous: bytes = NONE,
        sender: bytes | None = None,
        epoch: int = 0,
        members: Sequence[bytes] | None = None,
    ) -> list[Event]:
        given = (REGION, interval, number, said, previous, epoch, members or self.council)
        who = sender or self.in_turn.address
        return self.net.world.send(Contract.ANCHOR, "post", *given, sender=who)

    def digest(self, interval: int, number: int, said: bytes, previous: bytes = NONE) -> bytes:
        return self.net.world.domain.digest(
            HEAD.struct_hash((REGION, interval, number, said, previous))
        )

    def correct(
        self,
        interval: int,
        number: int,
        said: bytes,
        previous: bytes = NONE,
        signers: Sequence[Device] | None = None,
        signed: bytes | None = None,
    ) -> list[Event]:
        digest = self.digest(interval, number, said, previous) if signed is None else signed
        quorum = [_halves(one) for one in self.net.quorum(digest, signers)]
        given = (REGION, interval, number, said, previous, 0, self.council, quorum)
        return self.net.world.send(Contract.ANCHOR, "correct", *given, sender=CHALLENGER.address)

    def strike(
        self, writer: Device, interval: int, number: int, said: bytes, previous: bytes = NONE
    ) -> list[Event]:
        signature = _halves(compact(writer.sign(self.digest(interval, number, said, previous))))
        given = (REGION, interval, number, said, previous, signature)
        return self.net.world.send(Contract.ANCHOR, "strike", *given, sender=CHALLENGER.address)

    def kept(self, interval: int) -> bytes:
        found: bytes = self.net.world.view(Contract.ANCHOR, "heads", REGION, interval)
        return found

    def final(self, interval: int) -> bool:
        return bool(self.net.world.view(Contract.ANCHOR, "is_final", REGION, interval))

    @property
    def latest(self) -> bytes:
        found: bytes = self.net.world.view(Contract.ANCHOR, "latest", REGION)
        return found

    def bond(self, account: bytes) -> int:
        return int(self.net.world.view(Contract.COUNCIL, "pledged", account)[0])


def _halves(signature: bytes) -> tuple[bytes, bytes]:
    return signature[:32], signature[32:]


@pytest.fixture
def anchors(world: World) -> Anchors:
    return Anchors(NetWorld.of(world))


def slashed(anchors: Anchors, writer: Device, act: Any) -> list[Event]:
    """Prove a writer wrong; check who pays, what is burned, and that money is conserved."""
    bond, free = anchors.bond(writer.address), anchors.net.world.free(CHALLENGER.address)
    burned = anchors.net.world.view(Contract.VAULT, "totals")[1]
    events: list[Event] = act()
    assert anchors.bond(writer.address) == bond - TERMS.bond
    assert anchors.net.world.free(CHALLENGER.address) == free + TERMS.bond // 4
    assert anchors.net.world.view(Contract.VAULT, "totals")[1] == burned + TERMS.bond * 3 // 4
    assert anchors.net.holds()
    return events


# whose turn it is


def test_the_member_in_turn_writes_and_nobody_else(anchors: Anchors) -> None:
    turn = anchors.in_turn.address
    others = [one for one in anchors.council if one != turn]
    for sender in (*others, OPERATOR, CHALLENGER.address):
        with refused("anchor: not the delegate"):
            anchors.post(OVER, 7, head(1), sender=sender)
    (posted,) = anchors.post(OVER, 7, head(1))
    assert (posted.values["interval"], posted.values["head"]) == (OVER, head(1))
    assert anchors.latest == head(1)


def test_the_turn_passes_on_when_a_member_is_silent(anchors: Anchors) -> None:
    silent = anchors.in_turn
    anchors.net.world.go_to(INTERVAL + 1)
    assert anchors.in_turn is not silent
    with refused("anchor: not the delegate"):
        anchors.post(OVER, 7, head(1), sender=silent.address)
    anchors.post(OVER, 7, head(1))


def test_an_interval_that_is_not_over_has_no_head_yet(anchors: Anchors) -> None:
    with refused("anchor: not over yet"):
        anchors.post(INTERVAL, 7, head(1))


def test_who_has_no_bond_left_writes_nothing(anchors: Anchors) -> None:
    anchors.net.world.send(Contract.COUNCIL, "leave", sender=anchors.in_turn.address)
    with refused("anchor: no bond"):
        anchors.post(OVER, 7, head(1))


def test_a_delegate_brings_the_council_that_is_in_office(anchors: Anchors) -> None:
    with refused("council: other members"):
        anchors.post(OVER, 7, head(1), members=anchors.council[:3])
    later = INTERVAL + TERMS.delay
    anchors.net.appoint(anchors.net.council[:3], begins=later, epoch=1)
    with refused("council: another epoch"):
        anchors.post(OVER, 7, head(1), epoch=1, members=anchors.council[:3])
    anchors.net.world.go_to(later + 1)
    with refused("council: another epoch"):
        anchors.post(later, 7, head(1))
    turn = anchors.council[:3][later % 3]
    anchors.post(later, 7, head(1), epoch=1, members=anchors.council[:3], sender=turn)


# written once


def test_a_delegate_writes_its_anchor_a_second_time(anchors: Anchors) -> None:
    anchors.post(OVER, 7, head(1))
    with refused("anchor: written before"):
        anchors.post(OVER, 8, head(2), head(1))
    assert anchors.post(OVER, 7, head(1)) == []
    assert anchors.kept(OVER) == head(1)


# corrections


def test_the_quorum_corrects_a_wrong_head_and_the_writer_pays(anchors: Anchors) -> None:
    writer = anchors.in_turn
    anchors.post(OVER, 7, head("wrong"))
    made = slashed(anchors, writer, lambda: anchors.correct(OVER, 6, head("right")))
    corrected = next(one for one in made if one.name == "Corrected")
    assert corrected.values["delegate"] == writer.address
    assert anchors.kept(OVER) == anchors.latest == head("right")
    with refused("anchor: corrected before"):
        anchors.correct(OVER, 5, head("another"))
    anchors.net.world.go_to(INTERVAL + 1)
    anchors.post(INTERVAL, 8, head("next"), head("right"))


def test_a_minority_does_not_correct(anchors: Anchors) -> None:
    anchors.post(OVER, 7, head("right"))
    with refused("council: no quorum"):
        anchors.correct(OVER, 6, head("wrong"), signers=anchors.net.council[:2])
    with refused("council: not a member"):
        anchors.correct(
            OVER,
            6,
            head("wrong"),
            signers=sorted([*anchors.net.council[:2], CHALLENGER], key=lambda one: one.address),
        )
    assert anchors.kept(OVER) == head("right")


def test_signatures_for_another_interval_head_or_chain_do_not_correct(anchors: Anchors) -> None:
    anchors.post(OVER, 7, head("right"))
    for signed in (
        anchors.digest(OVER - 1, 6, head("wrong")),
        anchors.digest(OVER, 6, head("else")),
        anchors.digest(OVER, 5, head("wrong")),
    ):
        with pytest.raises(Reverted, match=r"council: not a member|quorum: signers not rising"):
            anchors.correct(OVER, 6, head("wrong"), signed=signed)
    with refused("anchor: nothing wrong"):
        anchors.correct(OVER, 7, head("right"))
    with refused("anchor: other predecessor"):
        anchors.correct(OVER, 6, head("wrong"), head("before"))
    with refused("anchor: none to correct"):
        anchors.correct(OVER - 1, 6, head("wrong"))
    with refused("anchor: no head"):
        anchors.correct(OVER, 6, NONE)
    assert anchors.kept(OVER) == head("right")


def test_what_named_the_wrong_head_is_void_and_written_again(anchors: Anchors) -> None:
    world, first = anchors.net.world, anchors.in_turn
    anchors.post(OVER, 7, head("wrong"))
    for later in (1, 2):
        world.go_to(INTERVAL + later)
        anchors.post(OVER + later, 7 + later, head(later), anchors.latest)
    slashed(anchors, first, lambda: anchors.correct(OVER, 6, head("right")))
    assert [anchors.kept(OVER + later) for later in (1, 2)] == [NONE, NONE]
    assert not anchors.final(OVER + 1)
    with refused("anchor: none to correct"):
        anchors.correct(OVER + 1, 6, head("else"), head("right"))
    with refused("anchor: other predecessor"):
        anchors.post(OVER + 1, 8, head(1), head("wrong"))
    anchors.post(OVER + 1, 8, head(1), head("right"))
    assert anchors.latest == head(1)


def test_after_the_window_an_anchor_is_final(anchors: Anchors) -> None:
    writer = anchors.in_turn
    anchors.post(OVER, 7, head("wrong"))
    anchors.net.world.go_to(INTERVAL + WINDOW)
    assert not anchors.final(OVER)
    anchors.net.world.go_to(INTERVAL + WINDOW + 1)
    assert anchors.final(OVER)
    with refused("anchor: final"):
        anchors.correct(OVER, 6, head("right"))
    with refused("anchor: final"):
        anchors.strike(writer, OVER, 6, head("right"))
    assert not anchors.final(OVER - 1)


def test_a_delegate_puts_a_wrong_head_out_of_a_corrections_reach(anchors: Anchors) -> None:
    """It writes an old interval wrongly, and a far later one at once: the first stays correctable,
    because what is too old to be reached is not written at all."""
    world = anchors.net.world
    world.go_to(INTERVAL + 2 * REACH)
    now = anchors.now
    with refused("anchor: too long ago"):
        anchors.post(OVER, 7, head("wrong"))
    oldest = now - (REACH - WINDOW)
    writer = anchors.in_turn
    anchors.post(oldest, 7, head("wrong"))
    anchors.post(now - 1, 8, head("newest"), head("wrong"))
    world.go_to(now + WINDOW)
    anchors.post(now + WINDOW - 1, 9, head("newer"), head("newest"))
    slashed(anchors, writer, lambda: anchors.correct(oldest, 6, head("right")))
    assert anchors.latest == head("right")


# two heads


def test_a_writer_that_signed_another_head_is_struck(anchors: Anchors) -> None:
    writer = anchors.in_turn
    anchors.post(OVER, 7, head("one"))
    other = anchors.net.council[anchors.net.council.index(writer) - 1]
    with refused("anchor: not the writer's"):
        anchors.strike(other, OVER, 7, head("two"))
    with refused("anchor: nothing wrong"):
        anchors.strike(writer, OVER, 7, head("one"))
    made = slashed(anchors, writer, lambda: anchors.strike(writer, OVER, 7, head("two")))
    struck = next(one for one in made if one.name == "Struck")
    assert (struck.values["delegate"], struck.values["other"]) == (writer.address, head("two"))
    assert (anchors.kept(OVER), anchors.latest) == (NONE, NONE)
    with refused("anchor: none to correct"):
        anchors.strike(writer, OVER, 7, head("two"))
    with refused("anchor: no bond"):
        anchors.post(OVER, 7, head("two"))
    anchors.net.world.go_to(INTERVAL + 1)
    anchors.post(OVER, 7, head("two"))
    assert anchors.latest == head("two")


def test_a_struck_anchor_leaves_its_predecessor_standing(anchors: Anchors) -> None:
    anchors.post(OVER, 7, head("good"))
    anchors.net.world.go_to(INTERVAL + 1)
    writer = anchors.in_turn
    anchors.post(INTERVAL, 8, head("one"), head("good"))
    slashed(anchors, writer, lambda: anchors.strike(writer, INTERVAL, 8, head("two"), head("good")))
    assert anchors.latest == anchors.kept(OVER) == head("good")


# before there is a council


def test_the_operators_anchors_fall_to_a_new_councils_turns(world: World) -> None:
    given = (REGION, 3, 7, head("operator's"), NONE, 0, [])
    world.send(Contract.ANCHOR, "post", *given)
    anchors = Anchors(NetWorld.of(world))
    with refused("anchor: not the delegate"):
        anchors.post(OVER, 8, head(1), head("operator's"), sender=OPERATOR)
    anchors.post(OVER, 8, head(1), head("operator's"))
    with refused("anchor: final"):
        anchors.correct(3, 6, head("else"))
