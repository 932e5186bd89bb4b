"""The profile: what is issued is read back, and nothing else is read."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.identity.authorities import BEGINS, YEAR, authority, certified, claims, device

from gridpact.errors import BadInput, UnreadableCertificate
from gridpact.identity.certificate import (
    device_key,
    named,
    read,
    read_pem,
    subject_of,
    usage,
    utc,
)
from gridpact.identity.names import alternative_names
from gridpact.identity.root import read_root, read_root_pem
from gridpact.model.participant import Role


def test_certificate_says_what_was_claimed() -> None:
    wanted = claims("ann", roles=Role.CONSUMER | Role.PRODUCER)
    issued = authority().issue(wanted, 77)
    assert issued.claims == wanted
    assert issued.serial == 77
    assert issued.address == device("ann").address
    assert read_pem(issued.pem) == issued


def test_same_claims_make_the_same_bytes() -> None:
    assert certified("ann", 5).der == certified("ann", 5).der
    assert certified("ann", 5).fingerprint != certified("ann", 6).fingerprint


def test_certificate_names_nobody() -> None:
    assert b"ann" not in certified("ann", 5).der


def test_root_is_read_back() -> None:
    root = authority().root
    assert read_root(root.der) == root == read_root_pem(root.pem)


def test_root_with_a_changed_byte_is_refused() -> None:
    root = authority().root
    changed = root.der.replace(b"operator", b"Operator")
    with pytest.raises(UnreadableCertificate, match="its own signature does not hold"):
        read_root(changed)


def test_fingerprint_is_the_one_that_every_tool_prints() -> None:
    issued = certified("ann", 5)
    seen = x509.load_pem_x509_certificate(issued.pem.encode())
    assert seen.fingerprint(hashes.SHA256()) == issued.fingerprint
    seen.verify_directly_issued_by(x509.load_pem_x509_certificate(authority().root.pem.encode()))


def _foreign(
    ca: bool = False,
    subject: str = "",
    extra: bool = False,
    weak: bool = False,
    curve: ec.EllipticCurve | None = None,
) -> bytes:
    """Return a certificate that departs from the profile in one way."""
    said = claims("ann")
    key = device_key(said.public_key)
    if curve is not None:
        key = ec.derive_private_key(7, curve).public_key()
    signer: ec.EllipticCurvePrivateKey | Ed25519PrivateKey
    signer, algorithm = Ed25519PrivateKey.from_private_bytes(bytes(32)), None
    if weak:
        signer, algorithm = ec.derive_private_key(11, ec.SECP256R1()), hashes.SHA256()
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject or subject_of(said.address)))
        .issuer_name(named("somebody"))
        .public_key(key)
        .serial_number(9)
        .not_valid_before(utc(BEGINS))
        .not_valid_after(utc(BEGINS + 60))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage(signs_messages=True), critical=True)
        .add_extension(alternative_names(said.names), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key), critical=False)
    )
    if extra:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")]), critical=False
        )
    return builder.sign(signer, algorithm).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("der", "said"),
    [
        (b"", "no X.509 certificate"),
        (b"\x30\x03\x02\x01\x01", "no X.509 certificate"),
        (_foreign(weak=True), "not signed with Ed25519"),
        (_foreign(ca=True), "could issue others"),
        (_foreign(subject="0x00"), "is not the address of the key"),
        (_foreign(extra=True), "other extensions"),
        (_foreign(curve=ec.SECP256R1()), "not on secp256k1"),
    ],
)
def test_another_form_is_not_read(der: bytes, said: str) -> None:
    with pytest.raises(UnreadableCertificate, match=said):
        read(der)


def test_pem_that_is_none_is_refused() -> None:
    with pytest.raises(UnreadableCertificate, match="in PEM form"):
        read_pem("hello")


def test_certificate_does_not_outlast_its_root() -> None:
    with pytest.raises(BadInput, match="within the root's"):
        authority().issue(claims("ann", days=11 * 365), 5)
    with pytest.raises(BadInput, match="within the root's"):
        authority().issue(claims("ann", begins=BEGINS - 2 * YEAR), 5)


def test_serial_and_key_out_of_range_are_refused() -> None:
    with pytest.raises(BadInput, match="serial 0"):
        authority().issue(claims("ann"), 0)


def test_authority_does_not_print_its_secret() -> None:
    assert authority().secret.hex() not in repr(authority())
    assert str(authority().secret) not in repr(authority())
