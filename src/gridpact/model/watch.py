"""What sensors decide of trades: which are held and why, and which an operator let flow anyway.

Verdicts name people's meters and stay off chain with the readings; the ledger holds their salted
roots, and of each held trade the class of the hazard and the public asset that it concerns.
"""

import msgspec

from gridpact.crypto.eip712 import Domain
from gridpact.crypto.keccak import keccak
from gridpact.model.typed import VERDICT
from gridpact.quantities import Wh

STALE = "stale"
"""The cause of a hold where a sensor was not heard: the gate fails closed."""


class WatchTerms(msgspec.Struct, frozen=True):
    """Which sensors watch a chain's trades: the version of what they learned from clean days.

    `operator` signs whatever lets a trade flow against a verdict. No `model`: nobody watches.
    """

    model: str = ""
    operator: bytes = b""

    @property
    def on(self) -> bool:
        return bool(self.model)


class Hold(msgspec.Struct, frozen=True):
    """Energy of one trade that may not flow: owed by nobody, its money goes back to the buyer.

    `since`: the beginning of delivery, or the moment at which it was stopped. [s since 1970, UTC]
    `cause` is a hazard's class or `stale`, `target` what it is about: a station, a line or a
    transformer by name, of a meter nothing but that it is one.
    """

    fill: bytes
    energy_wh: Wh
    since: int
    cause: str
    target: str

    @property
    def reason(self) -> bytes:
        """The hash under which contracts keep why."""
        return keccak(f"{self.cause} {self.target}".encode())


class Released(msgspec.Struct, frozen=True):
    """The operator's word that a trade may flow in one interval although sensors block it."""

    fill: bytes
    reason: str
    signature: bytes

    def digest(self, domain: Domain, region: bytes, interval: int) -> bytes:
        return release_digest(domain, region, interval, self.fill, self.reason)


def release_digest(domain: Domain, region: bytes, interval: int, fill: bytes, reason: str) -> bytes:
    """Return what the operator signs: go, for one trade and interval, and why."""
    return domain.digest(
        VERDICT.struct_hash((fill, region, interval, True, keccak(reason.encode())))
    )


def held_wh(energy_wh: Wh, begins: int, ends: int, since: int) -> Wh:
    """Return what of a trade is held when it stops at a moment of its interval, rounded down.

    A trade flows evenly over its interval.
    """
    return energy_wh * (ends - since) // (ends - begins)
