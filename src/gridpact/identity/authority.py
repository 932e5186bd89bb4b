"""The operator's certificate authority: a self-signed root that issues and takes back.

One level only: the root's key (Ed25519) signs devices' certificates and the revocation list. Whom
it may issue to is decided in `enrolment`, after a review of the real identity. Times and serial
numbers are given, so the same call makes the same bytes.
"""

from collections.abc import Iterable

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding

from gridpact.errors import BadInput
from gridpact.identity.certificate import (
    Certificate,
    Claims,
    device_key,
    named,
    read,
    subject_of,
    usage,
    utc,
)
from gridpact.identity.names import alternative_names
from gridpact.identity.revocation import Revocations, Revoked, reason_flag
from gridpact.identity.root import Root, read_root

MAX_SERIAL = 2**127
"""Serial numbers are drawn below this: positive and short of X.509's 20 bytes."""


class Authority(msgspec.Struct, frozen=True):
    """The root with its secret, 32 bytes. `keystore` keeps them at rest."""

    root: Root
    secret: bytes

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)

    def __repr__(self) -> str:
        return f"Authority({self.root.name!r})"

    def issue(self, claims: Claims, serial: int) -> Certificate:
        """Return a certificate of these claims.

        Raises
        ------
        BadInput
            The claims end before they begin, or outlast the root; the key is no point of the curve.
        """
        if not 0 < serial < MAX_SERIAL:
            raise BadInput(f"serial {serial} is not within 1 and 2^127")
        root = self.root
        if not root.not_before <= claims.not_before <= claims.not_after <= root.not_after:
            raise BadInput(
                f"certificate from {claims.not_before} to {claims.not_after}: expected a time "
                f"within the root's, {root.not_before} to {root.not_after}"
            )
        try:
            key = device_key(claims.public_key)
        except ValueError as error:
            raise BadInput(f"public key {claims.public_key.hex()[:16]}…: {error}") from error
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(subject_of(claims.address)))
            .issuer_name(named(root.name))
            .public_key(key)
            .serial_number(serial)
            .not_valid_before(utc(claims.not_before))
            .not_valid_after(utc(claims.not_after))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(signs_messages=True), critical=True)
            .add_extension(alternative_names(claims.names), critical=True)
            .add_extension(_key_identifier(root.public_key), critical=False)
        )
        return read(builder.sign(self._key, None).public_bytes(Encoding.DER))

    def revocations(
        self, number: int, this_update: int, next_update: int, revoked: Iterable[Revoked]
    ) -> Revocations:
        """Return the signed list of what does not count any more; `number` rises strictly.

        Raises
        ------
        BadInput
            The list ends before it begins.
        """
        if not number > 0 or not this_update < next_update:
            raise BadInput(f"revocation list {number} from {this_update} to {next_update}: no time")
        rows = tuple(sorted(revoked, key=lambda row: row.serial))
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(named(self.root.name))
            .last_update(utc(this_update))
            .next_update(utc(next_update))
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(_key_identifier(self.root.public_key), critical=False)
        )
        for row in rows:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(row.serial)
                .revocation_date(utc(row.at))
                .add_extension(x509.CRLReason(reason_flag(row.reason)), critical=False)
                .build()
            )
        der = builder.sign(self._key, None).public_bytes(Encoding.DER)
        return Revocations(number, this_update, next_update, rows, der)


def found(name: str, secret: bytes, serial: int, not_before: int, not_after: int) -> Authority:
    """Return a new authority with its self-signed root.

    Raises
    ------
    BadInput
        No name, a secret of another length than 32 bytes, or an end before the beginning.
    """
    if not name or len(secret) != 32 or not 0 < serial < MAX_SERIAL or not_after <= not_before:
        raise BadInput("authority: expected a name, 32 bytes of secret, a serial and a time")
    key = Ed25519PrivateKey.from_private_bytes(secret)
    built = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(name))
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(utc(not_before))
        .not_valid_after(utc(not_after))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_messages=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, None)
    )
    return Authority(read_root(built.public_bytes(Encoding.DER)), secret)


def _key_identifier(public_key: bytes) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(
        Ed25519PublicKey.from_public_bytes(public_key)
    )
