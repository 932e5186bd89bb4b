"""A new name on the ledger for each period, and money that does not tell who took it along.

A device has one secret and a key of its own for each period. With the key everything on the ledger
is new: address, certificate, commitments, the meter's key (`enrolment.renew`). Two things could
still give it away and are ruled here: the order in which the new ones appear, and the sums they
bring. What stays visible is said in docs/identity.md.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from gridpact.crypto.keys import Key
from gridpact.errors import BadInput
from gridpact.model.participant import Participant
from gridpact.quantities import Money

DAY = 86_400


class Carried(msgspec.Struct, frozen=True):
    """What somebody takes into the next period, by way of the door and the bank.

    `leaves` is paid out under the old address, `enters` under the new one. `outside` is what the
    bank pays to the person, or has from it where negative. Nothing is minted or lost:
    `leaves = enters + outside`.
    """

    leaves: Money
    enters: Money
    outside: int


def period_of(at: int, begins: int, days: int) -> int:
    """Return the period of a time; period 0 begins at `begins`. [seconds since 1970, UTC]

    Raises
    ------
    BadInput
        The time lies before, or a period has no day.
    """
    if days < 1 or at < begins:
        raise BadInput(f"period of {at}: expected a time from {begins} on and at least one day")
    return (at - begins) // (days * DAY)


def period_key(secret: bytes, period: int) -> Key:
    """Return a device's key of one period; who knows one of them knows no other.

    Raises
    ------
    BadInput
        The secret has another length than 32 bytes.
    """
    if len(secret) != 32 or period < 0:
        raise BadInput(f"key of period {period}: expected 32 bytes of secret, not {len(secret)}")
    digest = hmac.new(secret, f"gridpact period {period}".encode(), hashlib.sha256).digest()
    return Key.derive(digest, "period")


def in_turn(newcomers: Iterable[Participant]) -> tuple[Participant, ...]:
    """Return in which order new pseudonyms appear on the ledger: by address, which tells nothing.

    In the order of the old ones they would be the old ones.
    """
    return tuple(sorted(newcomers, key=lambda one: one.address))


def pseudonymous(participant: Participant) -> Participant:
    """Return a participant as a ledger may know it: under a word of its address for a name."""
    return replace(participant, name=f"participant {participant.address.hex()[:8]}")


def carried(balances: Mapping[int, Money], standard: Money) -> Mapping[int, Carried]:
    """Return what each participant, by number, takes along: everybody enters with the same sum.

    Balances are as different as fingerprints: whoever entered with what left would be known by it.

    Raises
    ------
    BadInput
        The standard sum is none.
    """
    if standard <= 0:
        raise BadInput(f"standard sum {standard}: expected more than nothing")
    return {
        number: Carried(balance, standard, balance - standard)
        for number, balance in balances.items()
    }
