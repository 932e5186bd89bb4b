"""Does a certificate count now? Genuine, within its time, not revoked by a list that is fresh.

A genuine signature stays genuine, so it is verified once per certificate and remembered; time and
revocation are asked each time, so a revocation counts from the list that names it, at once.
"""

from typing import Final

from gridpact.crypto.keccak import keccak
from gridpact.errors import (
    CertificateExpired,
    CertificateRevoked,
    ForgedCertificate,
    RolledBack,
    StaleRevocations,
)
from gridpact.identity.certificate import Certificate, load, said
from gridpact.identity.revocation import Revocations
from gridpact.identity.root import Root

REMEMBERED: Final = 100_000
"""Certificates whose signature is remembered; the oldest is forgotten first."""


class Checker:
    """Who may speak: one authority's root, its newest revocation list, what was verified before.

    Forged certificates are never remembered: they cannot push genuine ones out.
    """

    def __init__(self, root: Root, revocations: Revocations, remembered: int = REMEMBERED) -> None:
        self.root = root
        self.revocations = revocations
        self._remembered = remembered
        self._genuine: dict[bytes, Certificate] = {}

    def update(self, revocations: Revocations) -> None:
        """Go by a newer revocation list (`revocation.read_revocations` verified it).

        Raises
        ------
        RolledBack
            The list is older than the one in use: somebody withholds what was revoked since.
        """
        if revocations.number < self.revocations.number:
            raise RolledBack(revocations.number, self.revocations.number)
        self.revocations = revocations

    def check(self, der: bytes, at: int) -> Certificate:
        """Return what a certificate says when it counts at a time [seconds since 1970, UTC].

        Raises
        ------
        UnreadableCertificate, ForgedCertificate, CertificateExpired, CertificateRevoked
            It does not count; the error says why.
        StaleRevocations
            The revocation list is out of date: nobody can be let in by it.
        """
        certificate = self._verified(der)
        self.require(certificate, at)
        return certificate

    def require(self, certificate: Certificate, at: int) -> None:
        """See that a genuine certificate is within its time and not revoked.

        Raises
        ------
        CertificateExpired, CertificateRevoked, StaleRevocations
            See `check`.
        """
        claims, known = certificate.claims, self.revocations
        if not claims.not_before <= at <= claims.not_after:
            raise CertificateExpired(certificate.serial, claims.not_before, claims.not_after, at)
        if not known.this_update <= at <= known.next_update:
            raise StaleRevocations(known.number, known.this_update, known.next_update, at)
        row = known.by_serial.get(certificate.serial)
        if row is not None and row.at <= at:
            raise CertificateRevoked(certificate.serial, row.at, row.reason.value)

    def _verified(self, der: bytes) -> Certificate:
        name = keccak(der)
        known = self._genuine.get(name)
        if known is None:
            known = verified(der, self.root)
            if len(self._genuine) >= self._remembered:
                self._genuine.pop(next(iter(self._genuine)))
            self._genuine[name] = known
        return known


def verified(der: bytes, root: Root) -> Certificate:
    """Return what a certificate says when this authority signed it.

    Raises
    ------
    UnreadableCertificate
        It is no certificate of the profile.
    ForgedCertificate
        Another authority, or nobody, signed it.
    """
    found = load(der)
    if not root.signed(found.tbs_certificate_bytes, found.signature):
        raise ForgedCertificate(found.serial_number, root.name)
    return said(found)
