"""The signed list of certificates that do not count any more (X.509 CRL, RFC 5280).

It carries a number that rises with each issue, when it was made and when the next comes. Who has
no list that is still fresh cannot know who was revoked, and takes nobody: fail closed.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gridpact.errors import UnreadableCertificate
from gridpact.identity.certificate import UNREADABLE
from gridpact.identity.root import Root


class Reason(StrEnum):
    """Why a certificate was taken back; the words of RFC 5280."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    LEFT = "cessationOfOperation"
    SUSPENDED = "privilegeWithdrawn"


class Revoked(msgspec.Struct, frozen=True):
    """One certificate that does not count from `at` on. [seconds since 1970, UTC]"""

    serial: int
    at: int
    reason: Reason


class Revocations(msgspec.Struct, frozen=True, dict=True):
    """A revocation list, rows by rising serial. Times included. [seconds since 1970, UTC]"""

    number: int
    this_update: int
    next_update: int
    rows: tuple[Revoked, ...]
    der: bytes

    @cached_property
    def by_serial(self) -> Mapping[int, Revoked]:
        return {row.serial: row for row in self.rows}

    @property
    def pem(self) -> str:
        return x509.load_der_x509_crl(self.der).public_bytes(Encoding.PEM).decode()


def read_revocations(der: bytes, root: Root) -> Revocations:
    """Return a revocation list that the authority signed.

    Raises
    ------
    UnreadableCertificate
        It is no revocation list of this profile, or not signed by this authority.
    """
    try:
        found = x509.load_der_x509_crl(der)
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        rows = tuple(_row(one) for one in found)
        until = found.next_update_utc
    except UNREADABLE as error:
        raise UnreadableCertificate(f"no revocation list of this profile: {error}") from error
    if until is None:
        raise UnreadableCertificate("no revocation list of this profile: no next update")
    if not root.signed(found.tbs_certlist_bytes, found.signature):
        raise UnreadableCertificate(f"revocation list {number}: not signed by {root.name}")
    return Revocations(
        number,
        int(found.last_update_utc.timestamp()),
        int(until.timestamp()),
        tuple(sorted(rows, key=lambda row: row.serial)),
        der,
    )


def read_revocations_pem(text: str, root: Root) -> Revocations:
    """Return the revocation list of a PEM text.

    Raises
    ------
    UnreadableCertificate
        See `read_revocations`.
    """
    try:
        found = x509.load_pem_x509_crl(text.encode())
    except ValueError as error:
        raise UnreadableCertificate(f"no revocation list in PEM form: {error}") from error
    return read_revocations(found.public_bytes(Encoding.DER), root)


def reason_flag(reason: Reason) -> x509.ReasonFlags:
    """Return a reason as X.509 builders take it."""
    return x509.ReasonFlags(reason.value)


def _row(found: x509.RevokedCertificate) -> Revoked:
    reason = found.extensions.get_extension_for_class(x509.CRLReason).value.reason
    return Revoked(
        found.serial_number, int(found.revocation_date_utc.timestamp()), Reason(reason.value)
    )
