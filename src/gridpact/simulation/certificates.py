"""The operator's authority in a simulated market: everybody's certificate, and who lost it when.

Secrets, serial numbers and salts follow from the scenario's seed, so that a resumed run issues the
same bytes. The reviews of a simulated market are taken for granted; certificates, revocation lists
and their checks are the real ones. A list is made for each interval and holds until its end, so
what is taken back within an interval counts from the next one on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from msgspec.structs import replace as replaced

from gridpact.crypto.keccak import keccak
from gridpact.errors import CertificateRefused
from gridpact.identity.authority import MAX_SERIAL, found
from gridpact.identity.certificate import Certificate, Claims
from gridpact.identity.check import Checker, verified
from gridpact.identity.commitment import commitment
from gridpact.identity.revocation import Reason, Revoked, read_revocations
from gridpact.model.record import Timing
from gridpact.simulation.people import Party

DAY = 86_400

Span = tuple[int, int]
"""First and last interval in which a certificate is for."""


@dataclass(frozen=True)
class Lost:
    """Somebody's certificate ends within an interval, the last in which it counts.

    It runs out there, or is taken back.
    """

    name: str
    interval: int
    revoked: bool


class SimulatedAuthority:
    """Issues to every party of a scenario and says for each interval who may not order.

    `timing`: when interval 0 begins and how long one lasts. [s]
    """

    def __init__(self, secret: bytes, timing: Timing, intervals: int, lost: Sequence[Lost]) -> None:
        self._secret, self._timing = secret, timing
        self._lost = {one.name: one for one in lost}
        self._from = timing.begins - DAY
        self._until = max(timing.begins + timing.seconds * intervals, timing.begins + DAY)
        key = self._drawn("authority", "")
        self._authority = found("operator", key, 1, self._from, self._until)
        self._issued: dict[bytes, Certificate] = {}
        self._revoked: list[Revoked] = []

    def certified(self, party: Party, region: bytes, span: Span | None = None) -> Party:
        """Return a party that is registered with its certificate's fingerprint.

        It counts from the day before the market on until its end, or from an interval before its
        `span` on until the span's end. Whose certificate was lost before is barred under every
        name that it takes later.
        """
        one = party.participant
        lost, mark = self._lost.get(one.name), one.address.hex()
        since, until = self._from, self._until
        if span is not None:
            since = self._begin(span[0] - 1) if span[0] else self._from
            until = self._begin(span[1] + 1) - 1
        ended = lost is not None and span is not None and lost.interval < span[0]
        if lost is not None and not lost.revoked and not ended:
            until = min(until, self._begin(lost.interval + 1) - 1)
        claims = Claims(
            public_key=party.key.public,
            identity=commitment("identity", one.name, self._drawn("identity", mark)),
            meter=commitment("meter", one.name, self._drawn("meter", mark)),
            meter_key=one.meter_key or one.address,
            region=region,
            roles=one.roles,
            not_before=since,
            not_after=until,
        )
        serial = int.from_bytes(self._drawn("serial", mark), "big") % (MAX_SERIAL - 1) + 1
        made = verified(self._authority.issue(claims, serial).der, self._authority.root)
        self._issued[one.address] = made
        if lost is not None and (lost.revoked or ended):
            at = since if ended else self._begin(lost.interval) + 1
            self._revoked.append(Revoked(serial, at, Reason.KEY_COMPROMISE))
        registered = replaced(one, certificate=made.fingerprint, meter=claims.meter)
        return replace(party, participant=registered)

    def barred(self, interval: int) -> Mapping[bytes, str]:
        """Return who may not order in an interval, and why (`cycle.ports.Certificates`)."""
        now = self._begin(interval)
        known = [row for row in self._revoked if row.at <= now]
        made = self._authority.revocations(interval + 2, now, self._begin(interval + 1), known)
        checker = Checker(self._authority.root, read_revocations(made.der, self._authority.root))
        found: dict[bytes, str] = {}
        for address, certificate in self._issued.items():
            try:
                checker.require(certificate, now)
            except CertificateRefused as refused:
                found[address] = str(refused)
        return found

    def _begin(self, interval: int) -> int:
        return self._timing.begins + self._timing.seconds * interval

    def _drawn(self, what: str, name: str) -> bytes:
        return keccak(f"{what} of {name}".encode() + self._secret)
