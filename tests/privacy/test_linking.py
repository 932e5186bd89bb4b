"""A copy of the ledger links no address to a person, nor to its address in another period.

The same adversary is let loose on a market that rotates carelessly, where it finds everybody.
"""

import random
from dataclasses import dataclass

import pytest
from tests.contracts.harness import REGION
from tests.contracts.reading import Contract
from tests.privacy.adversary import (
    Guess,
    Watched,
    by_amounts,
    by_turn,
    by_words,
    hits,
    places,
)
from tests.unit.identity.authorities import BEGINS, authority

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key
from gridpact.identity.commitment import commitment
from gridpact.identity.enrolment import DAY, Clerk, Draw, apply, erase, issue, renew, review
from gridpact.identity.person import Person, Review
from gridpact.identity.pseudonym import carried, in_turn, period_key
from gridpact.identity.register import Issued, Register, new_register
from gridpact.identity.request import Request
from gridpact.model.participant import Participant, Role
from gridpact.quantities import Money

PEOPLE, BUSES, STANDARD = 24, 3, 50_000_000
NAMES = [f"Person Number {n}" for n in range(PEOPLE)]


@dataclass
class Rotated:
    """A market over two periods, its operator's register, and who is who."""

    world: Watched
    register: Register
    old: list[bytes]
    new: list[bytes]
    certificates: list[tuple[Issued, Issued]]

    @property
    def truth(self) -> dict[bytes, bytes]:
        return dict(zip(self.old, self.new, strict=True))


def drawing(seed: bytes) -> Draw:
    count = iter(range(10_000))
    return lambda size: keccak(seed + next(count).to_bytes(4, "big"))[:size]


def _enrol(register: Register, number: int) -> int:
    person = Person("person", "CH", f"P{number}", NAMES[number])
    given = apply(register, person, f"meter {number}", "clerk", BEGINS)
    review(register, given, Review("clerk", BEGINS, "passport", True))
    return given


def _asked(key: Key) -> Request:
    meter_key = Key.derive(key.secret, "meter").address
    return Request(key.public, meter_key, name_hash("region north"), Role.CONSUMER)


def _participant(issued: Issued, number: int) -> Participant:
    one, claims = issued.certificate, issued.certificate.claims
    bus = 1 + number % BUSES
    return Participant(
        "", one.address, bus, claims.roles, one.fingerprint, claims.meter, claims.meter_key
    )


def _join(world: Watched, people: list[Participant], sums: dict[bytes, Money], chance: str) -> None:
    world.register(people)
    for one in people:
        world.mint(one.address, sums[one.address], f"{chance} {one.address.hex()}")


def _leave(world: Watched, who: bytes, balance: Money, spent: Money) -> None:
    """Spend something, then take all money out through the door."""
    world.send(Contract.VAULT, "withdraw", balance, sender=who)
    world.send(Contract.CURRENCY, "burn", balance - spent, keccak(who + b"bank"), sender=who)


def rotate(careful: bool) -> Rotated:
    """Run two periods; a careless market keeps the order, the sums and the meter's commitment."""
    world, register = Watched(), new_register(":memory:", keccak(b"marks"))
    operator, clerk = authority(), Clerk("clerk", BEGINS, drawing(b"draw"))
    secrets = [keccak(b"device" + bytes([n])) for n in range(PEOPLE)]
    numbers = [_enrol(register, n) for n in range(PEOPLE)]
    first = [
        issue(register, operator, n, _asked(period_key(s, 0)), BEGINS, 30, clerk)
        for n, s in zip(numbers, secrets, strict=True)
    ]
    second = [
        renew(register, operator, n, _asked(period_key(s, 1)), 30, clerk)
        for n, s in zip(numbers, secrets, strict=True)
    ]
    before = [_participant(one, n) for n, one in enumerate(first)]
    after = [_participant(one, n) for n, one in enumerate(second)]
    _join(world, list(in_turn(before)) if careful else before,
          {one.address: STANDARD for one in before}, "first")  # fmt: skip
    dice = random.Random(7)
    spent = [dice.randrange(1, STANDARD // 2) for _ in range(PEOPLE)]
    left = {n: STANDARD - used for n, used in zip(numbers, spent, strict=True)}
    for one, used in zip(before, spent, strict=True):
        _leave(world, one.address, STANDARD, used)
    plan = carried(left, STANDARD)
    assert all(row.leaves == row.enters + row.outside for row in plan.values())
    if careful:
        sums = {one.address: plan[n].enters for n, one in zip(numbers, after, strict=True)}
        _join(world, list(in_turn(after)), sums, "second")
    else:
        sums = {one.address: left[n] for n, one in zip(numbers, after, strict=True)}
        kept = [
            Participant(one.name, one.address, one.bus, one.roles, one.certificate, was.meter)
            for one, was in zip(after, before, strict=True)
        ]
        _join(world, kept, sums, "second")
    pairs = list(zip(first, second, strict=True))
    return Rotated(world, register, [p.address for p in before], [p.address for p in after], pairs)


@pytest.fixture(scope="module")
def careful() -> Rotated:
    return rotate(careful=True)


@pytest.fixture(scope="module")
def careless() -> Rotated:
    return rotate(careful=False)


@pytest.mark.parametrize("attack", [by_words, by_amounts, by_turn])
def test_careless_rotation_is_seen_through_whole(attack: object, careless: Rotated) -> None:
    guess: Guess = attack(careless.world.copy, careless.old, careless.new)  # type: ignore[operator]
    assert hits(guess, careless.truth) == PEOPLE


def test_old_and_new_address_share_no_word(careful: Rotated) -> None:
    assert by_words(careful.world.copy, careful.old, careful.new) == {}


def test_sums_tell_nothing(careful: Rotated) -> None:
    assert by_amounts(careful.world.copy, careful.old, careful.new) == {}


def test_turn_tells_no_more_than_chance(careful: Rotated) -> None:
    """One right guess is what chance gives; five or more it gives once in 250 times."""
    guess = by_turn(careful.world.copy, careful.old, careful.new)
    assert hits(guess, careful.truth) < 5


def test_place_tells_one_of_those_at_the_same_bus_and_no_more(careful: Rotated) -> None:
    """What stays visible: bus and roles. With eight at a bus a guess is right once in eight."""
    was, now = (places(careful.world, people) for people in (careful.old, careful.new))
    for old, new in careful.truth.items():
        alike = [who for who in careful.new if now[who] == was[old]]
        assert new in alike
        assert len(alike) == PEOPLE // BUSES


def test_certificates_of_two_periods_share_nothing_of_their_own(careful: Rotated) -> None:
    for first, second in careful.certificates:
        one, other = first.certificate.claims, second.certificate.claims
        mine = {one.public_key, one.address, one.identity, one.meter, one.meter_key}
        assert mine.isdisjoint(
            {other.public_key, other.address, other.identity, other.meter, other.meter_key}
        )
        assert first.certificate.serial != second.certificate.serial


def test_nothing_on_the_ledger_names_a_person_or_a_meter(careful: Rotated) -> None:
    """Not even to who tries every name and number there is, for the salts are not on it."""
    held = careful.world.bytes
    for n, name in enumerate(NAMES):
        identity, meter = f"person:ch:p{n}", f"meter{n}"
        for word in (name, name.casefold(), f"P{n} ", f"meter {n}", identity):
            assert word.encode() not in held
            assert keccak(word.encode()) not in held
        for salt in (bytes(32), name_hash("region north"), REGION):
            assert commitment("identity", identity, salt) not in held
            assert commitment("meter", meter, salt) not in held


def test_operator_alone_links_and_loses_it_by_erasing(careful: Rotated) -> None:
    register, number = careful.register, 1
    kept = list(register.certificates(number))
    assert [one.certificate.address for one in kept] == [careful.old[0], careful.new[0]]
    for one in kept:
        assert one.meter_salt is not None
        known = commitment("meter", "meter0", one.meter_salt)
        assert known == one.certificate.claims.meter
        assert known in careful.world.bytes
    erase(register, number, "clerk", BEGINS + DAY)
    assert register.look(number, "clerk", BEGINS + DAY).person is None
    for one in register.certificates(number):
        assert (one.identity_salt, one.meter_salt) == (None, None)
        assert one.certificate.claims.meter in careful.world.bytes
