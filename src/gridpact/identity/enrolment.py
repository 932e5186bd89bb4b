"""How somebody comes to take part: apply, be reviewed, get a certificate, renew it, lose it.

One person or company is one participant, and one meter belongs to one: who applies a second time,
under whatever name, is told so. The authority issues after an approved review only. Each
certificate has salts and a serial number of its own, so two of one participant share
nothing: a device that renews with a new key is a stranger on the ledger.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from gridpact.errors import EnrolmentRefused
from gridpact.identity.authority import MAX_SERIAL, Authority
from gridpact.identity.certificate import Claims
from gridpact.identity.commitment import SALT, commitment
from gridpact.identity.person import Person, Review, blind, plain, required
from gridpact.identity.register import Issued, Register, Row
from gridpact.identity.request import Request
from gridpact.identity.revocation import Reason, Revocations, Revoked

Draw: TypeAlias = Callable[[int], bytes]
"""Returns so many random bytes."""

DAY = 86_400


class Clerk(NamedTuple):
    """Who issues and when (both are logged), and with what randomness."""

    name: str
    at: int
    draw: Draw


def apply(register: Register, person: Person, meter: str, who: str, at: int) -> int:
    """Write down who wants to take part with which meter; return its number.

    Who was suspended and then erased is recognised by its mark, and is still suspended.

    Raises
    ------
    EnrolmentRefused
        The person or company, or the meter, is in the register already.
    BadInput
        A field is empty or of another form.
    """
    required(person)
    mark = blind(register.secret, person.identity)
    meter_mark = blind(register.secret, f"meter:{plain(meter)}")
    if (known := register.holder_of(mark)) is not None:
        if register.is_forgotten(known):
            register.refill(known, person, meter, who, at)
            return known
        raise EnrolmentRefused(
            f"{person.name}: the same {person.kind} is participant {known} already"
            f" ({register.state(known)}); one {person.kind} is one participant"
        )
    if not plain(meter):
        raise EnrolmentRefused(f"{person.name}: expected the number of a meter")
    if (known := register.holder_of(meter_mark)) is not None:
        raise EnrolmentRefused(f"meter {meter}: belongs to participant {known} already")
    return register.enter(mark, meter_mark, person, meter, who, at)


def review(register: Register, number: int, found: Review) -> str:
    """Keep what a review found and return the participant's new state, approved or refused.

    Who is suspended comes back by an approved review, as the same participant.

    Raises
    ------
    EnrolmentRefused
        There is nothing to review: erased, or a refusal that says no reason.
    """
    state = register.state(number)
    if (
        state == "erased"
        or register.look(number, found.reviewer, found.at, "review").person is None
    ):
        raise EnrolmentRefused(f"participant {number}: its record was erased, it applies anew")
    if not found.reviewer.strip() or not found.document.strip():
        raise EnrolmentRefused(f"participant {number}: a review names reviewer and document")
    if not found.approved and not found.reason.strip():
        raise EnrolmentRefused(f"participant {number}: a refusal says its reason")
    made = "approved" if found.approved else "refused"
    register.reviewed(number, found, made)
    return made


def issue(
    register: Register,
    authority: Authority,
    number: int,
    request: Request,
    begins: int,
    days: int,
    clerk: Clerk,
) -> Issued:
    """Issue a certificate to a reviewed participant, for `days` from `begins` on.

    It is a renewal where an earlier one ends before: two never count at one time, so nobody speaks
    with two voices.

    Raises
    ------
    EnrolmentRefused
        No approved review; another certificate still counts then; the key had one before.
    BadInput
        Times outside the root's.
    """
    row = register.look(number, clerk.name, clerk.at, "issue")
    person, meter = _approved(row)
    ends = begins + days * DAY - 1
    for one in register.certificates(number):
        claims = one.certificate.claims
        until = min(claims.not_after, one.revoked.at - 1) if one.revoked else claims.not_after
        if claims.not_before <= ends and begins <= until:
            raise EnrolmentRefused(
                f"participant {number}: certificate {one.certificate.serial:x} counts at that time;"
                " revoke it, or begin after it ends"
            )
    salts = clerk.draw(SALT), clerk.draw(SALT)
    claims = Claims(
        public_key=request.public_key,
        identity=commitment("identity", person.identity, salts[0]),
        meter=commitment("meter", plain(meter), salts[1]),
        meter_key=request.meter_key,
        region=request.region,
        roles=request.roles,
        not_before=begins,
        not_after=ends,
    )
    serial = int.from_bytes(clerk.draw(16), "big") % (MAX_SERIAL - 1) + 1
    issued = Issued(authority.issue(claims, serial), number, *salts, None)
    register.keep(issued, clerk.name, clerk.at)
    return issued


def renew(
    register: Register,
    authority: Authority,
    number: int,
    request: Request,
    days: int,
    clerk: Clerk,
) -> Issued:
    """Issue the certificate that begins when the participant's last one ends.

    Raises
    ------
    EnrolmentRefused
        There is none to renew, or the last one was revoked: that takes a new review and `issue`.
    """
    last = max(
        register.certificates(number),
        key=lambda one: one.certificate.claims.not_after,
        default=None,
    )
    if last is None or last.revoked is not None:
        why = "was revoked" if last else "there is none"
        raise EnrolmentRefused(f"participant {number}: no certificate to renew, {why}")
    begins = last.certificate.claims.not_after + 1
    return issue(register, authority, number, request, begins, days, clerk)


def revoke(register: Register, serial: int, reason: Reason, who: str, at: int) -> None:
    """Take a certificate back from `at` on: the next list names it.

    Raises
    ------
    BadInput
        It was not issued here.
    """
    register.revoke(Revoked(serial, at, reason), who, at)


def suspend(register: Register, number: int, who: str, at: int) -> None:
    """Take back every certificate of a participant; it returns by a new review."""
    register.state(number)
    register.suspend(number, who, at)
    for one in register.certificates(number):
        if one.certificate.claims.not_after >= at:
            revoke(register, one.certificate.serial, Reason.SUSPENDED, who, at)


def erase(register: Register, number: int, who: str, at: int) -> None:
    """Overwrite what is personal of a participant; its certificates end with it.

    What the ledger holds of it then stands for nobody. Of who is suspended the two marks stay (no
    name, no number): else everybody could leave the blacklist by being forgotten.
    """
    banned = register.state(number) == "suspended"
    for one in register.certificates(number):
        if one.certificate.claims.not_after >= at:
            revoke(register, one.certificate.serial, Reason.LEFT, who, at)
    register.erase(number, banned, who, at)


def revocation_list(register: Register, authority: Authority, at: int, hours: int) -> Revocations:
    """Return the next revocation list: what was taken back up to now and has not run out.

    It holds for `hours`. Certificates that ended by themselves need no row.
    """
    rows = [
        one.revoked
        for one in register.certificates()
        if one.revoked is not None and one.certificate.claims.not_after >= at
    ]
    return authority.revocations(register.next_list(), at, at + hours * 3600, rows)


def _approved(row: Row) -> tuple[Person, str]:
    if row.state != "approved" or row.person is None or row.meter is None:
        raise EnrolmentRefused(
            f"participant {row.id}: {row.state}; nothing is issued without an approved review"
        )
    return row.person, row.meter
