"""What a device asks a certificate for: a PKCS#10 request that its own key signs.

The signature proves that whoever asks holds the key. The request says region, roles and the
meter's signing key, and nothing about the person: that is told to the operator apart (`person`).
"""

import warnings

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning

from gridpact.crypto.keys import Key
from gridpact.crypto.recovery import address_of
from gridpact.errors import UnreadableCertificate
from gridpact.identity.certificate import UNREADABLE, named, subject_of
from gridpact.identity.names import alternative_names, point, understood, written
from gridpact.model.participant import Role

KINDS = ("meter-key", "region")


class Request(msgspec.Struct, frozen=True):
    """What a device asks for; its key is 65 bytes, 4 || x || y."""

    public_key: bytes
    meter_key: bytes
    region: bytes
    roles: Role

    @property
    def address(self) -> bytes:
        return address_of(self.public_key)

    @property
    def names(self) -> tuple[str, ...]:
        """The URIs of the alternative names, in order."""
        return written(dict(zip(KINDS, (self.meter_key, self.region), strict=True)), self.roles)


def make_request(key: Key, region: bytes, roles: Role, meter_key: bytes = b"") -> str:
    """Return a device's request in PEM form; its own key signs the readings unless given."""
    request = Request(key.public, meter_key or key.address, region, roles)
    signer = ec.derive_private_key(int.from_bytes(key.secret, "big"), ec.SECP256K1())
    built = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(named(subject_of(key.address)))
        .add_extension(alternative_names(request.names), critical=True)
        .sign(signer, hashes.SHA256(), ecdsa_deterministic=True)
    )
    return built.public_bytes(Encoding.PEM).decode()


def read_request(pem: str) -> Request:
    """Return what a device asks for; it has proven that it holds its key.

    Raises
    ------
    UnreadableCertificate
        It is no request of this form, or its signature does not hold.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            found = x509.load_pem_x509_csr(pem.encode())
        request = _request(found)
        holds, subject = found.is_signature_valid, found.subject.rfc4514_string()
    except (*UNREADABLE, x509.AttributeNotFound) as error:
        raise UnreadableCertificate(f"no certificate request of this profile: {error}") from error
    if not holds:
        raise UnreadableCertificate("certificate request: its own signature does not hold")
    if subject != f"CN={subject_of(request.address)}":
        raise UnreadableCertificate(f"certificate request: subject {subject!r} is not its key's")
    return request


def _request(found: x509.CertificateSigningRequest) -> Request:
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    values, roles = understood(names, KINDS)
    if not roles:
        raise ValueError("asks for no role")
    return Request(point(found.public_key()), values["meter-key"], values["region"], roles)
