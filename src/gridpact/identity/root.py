"""Whom everybody trusts: the root certificate of the operator's authority."""

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridpact.errors import UnreadableCertificate
from gridpact.identity.certificate import UNREADABLE, load


class Root(msgspec.Struct, frozen=True):
    """The authority's self-signed certificate, as it was read.

    `public_key`: Ed25519, 32 bytes. `not_before`, `not_after`: included. [seconds since 1970, UTC]
    """

    name: str
    public_key: bytes
    not_before: int
    not_after: int
    der: bytes

    @property
    def pem(self) -> str:
        return x509.load_der_x509_certificate(self.der).public_bytes(Encoding.PEM).decode()

    def signed(self, content: bytes, signature: bytes) -> bool:
        """Say whether the authority signed these bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, content)
        except InvalidSignature:
            return False
        return True


def read_root(der: bytes) -> Root:
    """Return what a root certificate says; its own signature holds.

    Raises
    ------
    UnreadableCertificate
        It is no self-signed certificate of an authority with an Ed25519 key.
    """
    try:
        found = load(der)
        basic = found.extensions.get_extension_for_class(x509.BasicConstraints).value
        key, name = found.public_key(), found.subject.rfc4514_string().removeprefix("CN=")
    except UNREADABLE as error:
        raise UnreadableCertificate(f"no root certificate: {error}") from error
    if not isinstance(key, Ed25519PublicKey) or not basic.ca or found.subject != found.issuer:
        raise UnreadableCertificate("no root certificate: not self-signed with an Ed25519 key")
    root = Root(
        name,
        key.public_bytes(Encoding.Raw, PublicFormat.Raw),
        int(found.not_valid_before_utc.timestamp()),
        int(found.not_valid_after_utc.timestamp()),
        der,
    )
    if not root.signed(found.tbs_certificate_bytes, found.signature):
        raise UnreadableCertificate("no root certificate: its own signature does not hold")
    return root


def read_root_pem(text: str) -> Root:
    """Return what the root certificate of a PEM text says.

    Raises
    ------
    UnreadableCertificate
        See `read_root`.
    """
    try:
        found = x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise UnreadableCertificate(f"no root certificate in PEM form: {error}") from error
    return read_root(found.public_bytes(Encoding.DER))
