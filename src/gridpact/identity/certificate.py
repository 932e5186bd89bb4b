"""What a certificate of the operator says: the profile, from X.509 to a record and back.

One certificate binds one device key (secp256k1) to the commitments of an identity and of a meter,
to a region and to roles, for a time. It names nobody: subject is the device's address, the rest
stands in the subject's alternative names as URIs (`names`), which every X.509 tool shows.
A certificate of any other form is not read. Whether it is genuine and counts asks `check`.
"""

import datetime
import hashlib
import warnings
from functools import cached_property

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID, NameOID, SignatureAlgorithmOID

from gridpact.crypto.recovery import address_of
from gridpact.errors import UnreadableCertificate
from gridpact.identity.names import LENGTHS, point, understood, written
from gridpact.model.participant import Role

_EXTENSIONS = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
}


_BITS = bytes.fromhex("034100")
"""What stands before a signature: a string of 65 bytes of which no bit is unused."""

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)
"""What the library raises at bytes that are not a certificate as we know it."""


class Claims(msgspec.Struct, frozen=True):
    """What is bound to a device: its key (65 bytes, 4 || x || y), and since and until when.

    `not_before`, `not_after`: both included. [seconds since 1970, UTC]
    """

    public_key: bytes
    identity: bytes
    meter: bytes
    meter_key: bytes
    region: bytes
    roles: Role
    not_before: int
    not_after: int

    @property
    def address(self) -> bytes:
        """The device's address: its account, and whom its signatures recover to."""
        return address_of(self.public_key)

    @property
    def names(self) -> tuple[str, ...]:
        """The URIs of the alternative names, in order."""
        values = (self.identity, self.meter, self.meter_key, self.region)
        return written(dict(zip(LENGTHS, values, strict=True)), self.roles)


class Certificate(msgspec.Struct, frozen=True, dict=True):
    """A certificate as it was read: what it claims, its serial number, its bytes."""

    claims: Claims
    serial: int
    der: bytes

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of the bytes: what the registry keeps, and what every X.509 tool prints."""
        return hashlib.sha256(self.der).digest()

    @cached_property
    def address(self) -> bytes:
        return self.claims.address

    @property
    def pem(self) -> str:
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM).decode()


def read(der: bytes) -> Certificate:
    """Return what a certificate says, believed or not.

    Raises
    ------
    UnreadableCertificate
        It is no certificate, or not one of this profile.
    """
    return said(load(der))


def load(der: bytes) -> x509.Certificate:
    """Return an X.509 certificate as the library knows it.

    Raises
    ------
    UnreadableCertificate
        It is none.
    """
    try:
        with warnings.catch_warnings():
            # what RFC 5280 forbids and the library still reads, we do not
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            return x509.load_der_x509_certificate(der)
    except UNREADABLE as error:
        raise UnreadableCertificate(f"no X.509 certificate: {error}") from error


def said(found: x509.Certificate) -> Certificate:
    """Return what an X.509 certificate of the profile says, believed or not.

    Raises
    ------
    UnreadableCertificate
        It is not of this profile.
    """
    try:
        claims = _claims(found)
        subject = found.subject.rfc4514_string()
    except UNREADABLE as error:
        raise UnreadableCertificate(f"no certificate of this profile: {error}") from error
    if subject != f"CN={subject_of(claims.address)}":
        raise UnreadableCertificate(f"subject {subject!r} is not the address of the key")
    return Certificate(claims, found.serial_number, found.public_bytes(Encoding.DER))


def read_pem(text: str) -> Certificate:
    """Return what the certificate of a PEM text says.

    Raises
    ------
    UnreadableCertificate
        See `read`.
    """
    try:
        found = x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise UnreadableCertificate(f"no certificate in PEM form: {error}") from error
    return read(found.public_bytes(Encoding.DER))


def subject_of(address: bytes) -> str:
    """Return the common name of a device's certificate."""
    return "0x" + address.hex()


def named(common_name: str) -> x509.Name:
    """Return an X.509 name of one common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def usage(signs_messages: bool) -> x509.KeyUsage:
    """Return what a key may do: a device's signs messages, the authority's signs certificates."""
    return x509.KeyUsage(
        digital_signature=signs_messages,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs_messages,
        crl_sign=not signs_messages,
        encipher_only=False,
        decipher_only=False,
    )


def utc(seconds: int) -> datetime.datetime:
    """Return a time as X.509 builders take it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def device_key(public_key: bytes) -> ec.EllipticCurvePublicKey:
    """Return a device's public key as the library knows it."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public_key)


def _claims(found: x509.Certificate) -> Claims:
    if found.signature_algorithm_oid != SignatureAlgorithmOID.ED25519:
        raise ValueError("not signed with Ed25519")
    if not found.public_bytes(Encoding.DER).endswith(_BITS + found.signature):
        raise ValueError("its signature is not written in the one form that DER allows")
    extensions = found.extensions
    present = {one.oid for one in extensions}
    if found.version is not x509.Version.v3 or present != _EXTENSIONS:
        raise ValueError("other extensions than the profile's four")
    if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise ValueError("a device's certificate that could issue others")
    if extensions.get_extension_for_class(x509.KeyUsage).value != usage(signs_messages=True):
        raise ValueError("another use than signing messages")
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    values, roles = understood(names, tuple(LENGTHS))
    return Claims(
        public_key=point(found.public_key()),
        identity=values["identity"],
        meter=values["meter"],
        meter_key=values["meter-key"],
        region=values["region"],
        roles=roles,
        not_before=int(found.not_valid_before_utc.timestamp()),
        not_after=int(found.not_valid_after_utc.timestamp()),
    )
