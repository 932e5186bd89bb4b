"""One person, one participant; nothing without a review; erasing leaves nothing that names."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.identity.authorities import BEGINS, HOUR, REGION, authority, device

from gridpact.crypto.keccak import keccak
from gridpact.errors import (
    BadInput,
    CertificateRevoked,
    EnrolmentRefused,
    UnreadableCertificate,
)
from gridpact.identity.check import Checker
from gridpact.identity.commitment import commitment
from gridpact.identity.enrolment import (
    DAY,
    Clerk,
    Draw,
    apply,
    erase,
    issue,
    renew,
    review,
    revocation_list,
    revoke,
    suspend,
)
from gridpact.identity.person import Person, Review
from gridpact.identity.register import Issued, Register, new_register, open_register
from gridpact.identity.request import Request, make_request, read_request
from gridpact.identity.revocation import Reason
from gridpact.model.participant import Role

ADA = Person("person", "CH", "X-12 345", "Ada Lovelace")
GOOD = Review("clerk", BEGINS, "passport", True)


@pytest.fixture(name="register")
def _register() -> Iterator[Register]:
    register = new_register(":memory:", bytes(32))
    yield register
    register.close()


def drawing(seed: bytes = b"") -> Draw:
    """Return randomness that repeats."""
    count = iter(range(10_000))

    def draw(size: int) -> bytes:
        return keccak(seed + next(count).to_bytes(4, "big"))[:size]

    return draw


def asked(name: str, roles: Role = Role.CONSUMER) -> Request:
    return read_request(make_request(device(name), REGION, roles))


def enrolled(register: Register, person: Person = ADA, meter: str = "M-1") -> int:
    number = apply(register, person, meter, "clerk", BEGINS)
    review(register, number, GOOD)
    return number


def issued(register: Register, number: int, name: str = "ada", begins: int = BEGINS) -> Issued:
    return issue(
        register,
        authority(),
        number,
        asked(name),
        begins,
        30,
        Clerk("clerk", BEGINS, drawing(name.encode())),
    )


def test_reviewed_person_gets_a_certificate_that_counts(register: Register) -> None:
    made = issued(register, enrolled(register))
    checker = Checker(authority().root, revocation_list(register, authority(), BEGINS, 1))
    found = checker.check(made.certificate.der, BEGINS)
    assert found.address == device("ada").address
    assert made.identity_salt is not None
    assert made.meter_salt is not None
    assert found.claims.identity == commitment("identity", ADA.identity, made.identity_salt)
    assert found.claims.meter == commitment("meter", "m1", made.meter_salt)


def test_nothing_is_issued_before_or_against_the_review(register: Register) -> None:
    number = apply(register, ADA, "M-1", "clerk", BEGINS)
    with pytest.raises(EnrolmentRefused, match="applied; nothing is issued"):
        issued(register, number)
    review(register, number, Review("clerk", BEGINS, "passport", False, "photo of another"))
    with pytest.raises(EnrolmentRefused, match="refused; nothing is issued"):
        issued(register, number)


@pytest.mark.parametrize(
    "again",
    [ADA, Person("person", "ch", "x12345", "A. King"), Person("person", "C H", "X 12-345", "Ada")],
)
def test_second_application_of_one_person_is_refused_by_name(
    register: Register, again: Person
) -> None:
    enrolled(register)
    with pytest.raises(EnrolmentRefused, match=f"{again.name}: the same person is participant 1"):
        apply(register, again, "M-2", "clerk", BEGINS)


def test_company_of_the_same_number_is_somebody_else(register: Register) -> None:
    enrolled(register)
    assert apply(register, Person("company", "CH", "X-12 345", "Co"), "M-2", "clerk", BEGINS) == 2


def test_meter_belongs_to_one_participant(register: Register) -> None:
    enrolled(register)
    with pytest.raises(EnrolmentRefused, match="meter m 1: belongs to participant 1"):
        apply(register, Person("person", "CH", "7", "Bob"), "m 1", "clerk", BEGINS)


@pytest.mark.parametrize(
    ("person", "said"),
    [
        (Person("person", "Switzerland", "7", "Bob"), "country"),
        (Person("person", "CH", "--", "Bob"), "number"),
        (Person("person", "CH", "7", " "), "name"),
    ],
)
def test_unusable_application_is_refused(register: Register, person: Person, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        apply(register, person, "M-1", "clerk", BEGINS)
    with pytest.raises(EnrolmentRefused, match="number of a meter"):
        apply(register, Person("person", "CH", "8", "Cid"), "-", "clerk", BEGINS)


def test_review_says_who_looked_at_what_and_why_not(register: Register) -> None:
    number = apply(register, ADA, "M-1", "clerk", BEGINS)
    with pytest.raises(EnrolmentRefused, match="reviewer and document"):
        review(register, number, Review("clerk", BEGINS, " ", True))
    with pytest.raises(EnrolmentRefused, match="says its reason"):
        review(register, number, Review("clerk", BEGINS, "passport", False))


def test_nobody_has_two_certificates_at_one_time(register: Register) -> None:
    number = enrolled(register)
    first = issued(register, number)
    with pytest.raises(EnrolmentRefused, match=f"{first.certificate.serial:x} counts"):
        issued(register, number, "ada's other device", BEGINS + 29 * DAY)
    revoke(register, first.certificate.serial, Reason.KEY_COMPROMISE, "clerk", BEGINS + DAY)
    with pytest.raises(EnrolmentRefused, match="a new one needs a new key"):
        issued(register, number, "ada", BEGINS + DAY)
    assert issued(register, number, "ada's other device", BEGINS + DAY).revoked is None


def test_renewal_begins_when_the_last_ends_and_shares_nothing_with_it(register: Register) -> None:
    number = enrolled(register)
    first = issued(register, number).certificate
    other = asked("ada in july")
    later = renew(
        register, authority(), number, other, 30, Clerk("clerk", BEGINS, drawing(b"2"))
    ).certificate
    assert later.claims.not_before == first.claims.not_after + 1
    before, after = first.claims, later.claims
    assert {before.identity, before.meter, before.public_key, before.meter_key}.isdisjoint(
        {after.identity, after.meter, after.public_key, after.meter_key}
    )
    assert first.serial != later.serial
    assert {one.at for one in register.accesses()} == {BEGINS}


def test_revoked_certificate_is_not_renewed(register: Register) -> None:
    number = enrolled(register)
    with pytest.raises(EnrolmentRefused, match="there is none"):
        renew(register, authority(), number, asked("x"), 30, Clerk("clerk", BEGINS, drawing()))
    one = issued(register, number).certificate
    revoke(register, one.serial, Reason.LEFT, "clerk", BEGINS)
    with pytest.raises(EnrolmentRefused, match="was revoked"):
        renew(register, authority(), number, asked("x"), 30, Clerk("clerk", BEGINS, drawing()))


def test_list_names_what_was_revoked_and_has_not_run_out(register: Register) -> None:
    one = issued(register, enrolled(register)).certificate
    before = revocation_list(register, authority(), BEGINS, 1)
    revoke(register, one.serial, Reason.LEFT, "clerk", BEGINS + HOUR)
    revoke(register, one.serial, Reason.CHANGED, "clerk", BEGINS + 2 * HOUR)
    after = revocation_list(register, authority(), BEGINS + HOUR, 1)
    assert (before.rows, before.number, after.number) == ((), 1, 2)
    assert [(row.serial, row.at, row.reason) for row in after.rows] == [
        (one.serial, BEGINS + HOUR, Reason.LEFT)
    ]
    assert revocation_list(register, authority(), BEGINS + 31 * DAY, 1).rows == ()


def test_certificate_that_was_not_issued_here_is_not_revoked(register: Register) -> None:
    with pytest.raises(BadInput, match="was not issued here"):
        revoke(register, 7, Reason.LEFT, "clerk", BEGINS)


def test_suspended_participant_returns_by_a_review_of_the_same_identity(
    register: Register,
) -> None:
    number = enrolled(register)
    one = issued(register, number).certificate
    suspend(register, number, "clerk", BEGINS + DAY)
    checker = Checker(authority().root, revocation_list(register, authority(), BEGINS + DAY, 1))
    with pytest.raises(CertificateRevoked, match="privilegeWithdrawn"):
        checker.check(one.der, BEGINS + DAY)
    with pytest.raises(EnrolmentRefused, match="suspended"):
        issued(register, number, "new device", BEGINS + 2 * DAY)
    with pytest.raises(EnrolmentRefused, match="participant 1 already \\(suspended\\)"):
        apply(register, ADA, "M-9", "clerk", BEGINS)
    review(register, number, GOOD)
    assert issued(register, number, "new device", BEGINS + 2 * DAY).person == number


def test_erased_record_leaves_nothing_that_names(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    register = new_register(file, keccak(b"secret"))
    number = enrolled(register)
    made = issued(register, number)
    assert b"Lovelace" in file.read_bytes()
    erase(register, number, "clerk", BEGINS + DAY)
    register.close()
    left = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    for word in (b"Lovelace", b"12 345", b"x12345", b"M-1", b"passport"):
        assert word not in left
    assert made.identity_salt is not None
    assert made.meter_salt is not None
    assert made.identity_salt not in left
    assert made.meter_salt not in left
    again = open_register(file)
    assert again.look(number, "clerk", BEGINS).person is None
    [kept] = again.certificates(number)
    assert (kept.identity_salt, kept.meter_salt) == (None, None)
    assert kept.revoked is not None
    assert enrolled(again) == 2
    again.close()


def test_erasing_is_no_way_off_the_blacklist(register: Register) -> None:
    number = enrolled(register)
    suspend(register, number, "clerk", BEGINS)
    erase(register, number, "clerk", BEGINS)
    with pytest.raises(EnrolmentRefused, match="was erased"):
        review(register, number, GOOD)
    assert apply(register, ADA, "M-1", "clerk", BEGINS) == number
    assert register.state(number) == "suspended"
    with pytest.raises(EnrolmentRefused, match="suspended"):
        issued(register, number)


def test_every_look_at_a_person_is_written_down(register: Register) -> None:
    number = enrolled(register)
    issued(register, number)
    register.look(number, "auditor", BEGINS + 5)
    seen = [(one.who, one.what, one.person) for one in register.accesses()]
    assert seen == [
        ("clerk", "entered", 1),
        ("clerk", "review", 1),
        ("clerk", "approved", 1),
        ("clerk", "issue", 1),
        ("clerk", "issued", 1),
        ("auditor", "read", 1),
    ]


def test_person_is_not_printed_by_accident() -> None:
    assert "Lovelace" not in repr(ADA)


def test_unknown_participant_is_refused(register: Register) -> None:
    with pytest.raises(BadInput, match="participant 9: is not in the register"):
        register.look(9, "clerk", BEGINS)


def test_register_is_made_once_and_opened_as_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "register.db"
    new_register(file, bytes(32)).close()
    with pytest.raises(BadInput, match="is there already"):
        new_register(file, bytes(32))
    with pytest.raises(BadInput, match="expected 32"):
        new_register(tmp_path / "b.db", b"")
    with pytest.raises(BadInput, match="there is no register"):
        open_register(tmp_path / "c.db")
    (tmp_path / "d.db").write_text("hello " * 100)
    with pytest.raises(BadInput, match="is no register"):
        open_register(tmp_path / "d.db")


def test_request_proves_that_the_device_holds_its_key() -> None:
    pem = make_request(device("ada"), REGION, Role.CONSUMER | Role.PRODUCER)
    found = read_request(pem)
    assert (found.address, found.region) == (device("ada").address, REGION)
    assert found.roles == Role.CONSUMER | Role.PRODUCER
    for bad in ("", "hello", pem.replace("MII", "MIJ", 1)):
        with pytest.raises(UnreadableCertificate, match="certificate request"):
            read_request(bad)


def test_request_with_a_bit_changed_is_refused_or_says_the_same() -> None:
    pem = make_request(device("ada"), REGION, Role.CONSUMER)
    body = base64.b64decode("".join(pem.splitlines()[1:-1]))
    taken, same = read_request(pem), 0
    for bit in range(0, 8 * len(body), 3):
        bad = bytearray(body)
        bad[bit // 8] ^= 1 << bit % 8
        name = "CERTIFICATE REQUEST"
        text = f"-----BEGIN {name}-----\n{base64.b64encode(bad).decode()}\n-----END {name}-----\n"
        try:
            assert read_request(text) == taken
            same += 1
        except UnreadableCertificate:
            pass
    assert same < 8
