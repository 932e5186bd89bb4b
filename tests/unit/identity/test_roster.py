"""Who may speak."""

import pytest

from gridpact.crypto.keys import Key
from gridpact.errors import BadInput
from gridpact.identity.roster import Roster
from gridpact.model.participant import Participant, Role

ANNA, BEN, EVE = (Key.derive(b"roster", name) for name in ("anna", "ben", "eve"))


def member(name: str, key: Key, bus: int, roles: Role = Role.CONSUMER) -> Participant:
    return Participant(name, key.address, bus, roles, b"", b"")


def roster(*suspended: Key) -> Roster:
    return Roster.of(
        [member("anna", ANNA, 2), member("ben", BEN, 3, Role.CONSUMER | Role.PLANT)],
        [key.address for key in suspended],
    )


def test_a_roster_knows_its_participants_by_address() -> None:
    known = roster()
    assert known.participants[ANNA.address] == member("anna", ANNA, 2)
    assert EVE.address not in known.participants


def test_suspending_leaves_the_old_roster_as_it_was() -> None:
    before = roster()
    after = before.suspend(ANNA.address)
    assert not before.suspended
    assert after.suspended == {ANNA.address}
    assert after.suspend(BEN.address).suspended == {ANNA.address, BEN.address}


def test_two_participants_cannot_share_an_address() -> None:
    with pytest.raises(BadInput, match="'anna' and 'anne' share the address 0x"):
        Roster.of([member("anna", ANNA, 2), member("anne", ANNA, 3)])


def test_only_participants_can_be_suspended() -> None:
    with pytest.raises(BadInput, match="not registered"):
        roster(EVE)
