"""An authority and its people for tests: fixed secrets, fixed times."""

from gridpact.crypto.keccak import keccak, name_hash
from gridpact.crypto.keys import Key
from gridpact.identity.authority import Authority, found
from gridpact.identity.certificate import Certificate, Claims
from gridpact.identity.check import Checker
from gridpact.identity.commitment import commitment
from gridpact.identity.revocation import Revocations, Revoked
from gridpact.model.participant import Role

BEGINS = 1_780_272_000
"""1 June 2026, 00:00 UTC."""
HOUR, YEAR = 3_600, 365 * 86_400
REGION = name_hash("north")


def authority(name: str = "operator of north") -> Authority:
    return found(name, keccak(name.encode()), 1, BEGINS - YEAR, BEGINS + 10 * YEAR)


def device(name: str) -> Key:
    return Key.derive(b"test", name)


def claims(name: str, days: int = 30, roles: Role = Role.CONSUMER, begins: int = BEGINS) -> Claims:
    """Return what a certificate of `name` binds, for some days from `begins` on."""
    return Claims(
        public_key=device(name).public,
        identity=commitment("identity", name, keccak(b"identity salt" + name.encode())),
        meter=commitment("meter", f"meter of {name}", keccak(b"meter salt" + name.encode())),
        meter_key=device(name).address,
        region=REGION,
        roles=roles,
        not_before=begins,
        not_after=begins + days * 86_400 - 1,
    )


def certified(name: str, serial: int, days: int = 30) -> Certificate:
    return authority().issue(claims(name, days), serial)


def listed(number: int, *revoked: Revoked, at: int = BEGINS, hours: int = 1) -> Revocations:
    return authority().revocations(number, at, at + hours * HOUR, revoked)


def checker(*revoked: Revoked) -> Checker:
    return Checker(authority().root, listed(1, *revoked))
