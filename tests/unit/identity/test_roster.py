"""Who may speak."""

import msgspec
import pytest

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keys import Key
from gridpact.errors import BadInput
from gridpact.identity.roster import Roster, verify_order, verify_reading
from gridpact.model.delivery import Reading, SignedReading
from gridpact.model.order import Order, Side, SignedOrder, Tier
from gridpact.model.participant import Participant, Role

DOMAIN = Domain(3, b"\x04" * 20)
REGION = b"\x05" * 32
ANNA, BEN, EVE = (Key.derive(b"roster", name) for name in ("anna", "ben", "eve"))


def member(name: str, key: Key, bus: int, roles: Role = Role.CONSUMER) -> Participant:
    return Participant(name, key.address, bus, roles, b"", b"")


def roster(*suspended: Key) -> Roster:
    return Roster.of(
        [member("anna", ANNA, 2), member("ben", BEN, 3, Role.CONSUMER | Role.PLANT)],
        [key.address for key in suspended],
    )


def order(key: Key, signer: Key, domain: Domain = DOMAIN) -> SignedOrder:
    one = Order(key.address, Side.BID, Tier.LOCAL, REGION, 1, 100, 200_000)
    return SignedOrder(one, signer.sign(one.digest(domain)))


def reading(key: Key, signer: Key) -> SignedReading:
    one = Reading(key.address, REGION, 1, 100, 0)
    return SignedReading(one, signer.sign(one.digest(DOMAIN)))


def test_a_participants_own_order_is_heard() -> None:
    assert verify_order(roster(), order(ANNA, ANNA), DOMAIN)


def test_strangers_forgers_and_suspended_are_not_heard() -> None:
    assert not verify_order(roster(), order(EVE, EVE), DOMAIN)
    assert not verify_order(roster(), order(ANNA, BEN), DOMAIN)
    assert not verify_order(roster(ANNA), order(ANNA, ANNA), DOMAIN)


def test_an_order_for_another_chain_is_not_heard() -> None:
    assert not verify_order(roster(), order(ANNA, ANNA, Domain(4, b"\x04" * 20)), DOMAIN)


def test_a_reading_is_its_meters_own() -> None:
    assert verify_reading(roster(), reading(ANNA, ANNA), DOMAIN)
    assert not verify_reading(roster(), reading(ANNA, BEN), DOMAIN)
    assert not verify_reading(roster(), reading(EVE, EVE), DOMAIN)


def test_the_meter_of_a_suspended_participant_still_counts() -> None:
    assert verify_reading(roster(ANNA), reading(ANNA, ANNA), DOMAIN)


def test_a_changed_reading_is_not_the_meters() -> None:
    good = reading(ANNA, ANNA)
    more = msgspec.structs.replace(good.reading, export_wh=1)
    assert not verify_reading(roster(), SignedReading(more, good.signature), DOMAIN)


def test_signatures_can_be_replaced_for_studies_but_not_membership() -> None:
    unsigned = SignedOrder(order(ANNA, ANNA).order, b"")
    assert verify_order(roster(), unsigned, DOMAIN, check=lambda *_: True)
    stranger = SignedOrder(order(EVE, EVE).order, b"")
    assert not verify_order(roster(), stranger, DOMAIN, check=lambda *_: True)


def test_a_roster_knows_addresses_roles_and_buses() -> None:
    known = roster()
    assert known.find(ANNA.address) == member("anna", ANNA, 2)
    assert known.find(EVE.address) is None
    assert [one.name for one in known.with_role(Role.CONSUMER)] == ["anna", "ben"]
    assert [one.name for one in known.with_role(Role.PLANT)] == ["ben"]
    assert known.buses == {ANNA.address: 2, BEN.address: 3}


def test_suspending_leaves_the_old_roster_as_it_was() -> None:
    before = roster()
    after = before.suspend(ANNA.address)
    assert before.may_speak(ANNA.address)
    assert not after.may_speak(ANNA.address)
    assert after.may_speak(BEN.address)
    assert not after.suspend(BEN.address).may_speak(ANNA.address)


def test_two_participants_cannot_share_an_address() -> None:
    with pytest.raises(BadInput, match="'anna' and 'anne' share the address 0x"):
        Roster.of([member("anna", ANNA, 2), member("anne", ANNA, 3)])


def test_only_participants_can_be_suspended() -> None:
    with pytest.raises(BadInput, match="not registered"):
        roster(EVE)
