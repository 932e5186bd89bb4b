"""What certificates and requests say beside a key: URIs in X.509's alternative names.

    gridpact:identity/HEX64   salted commitment to the person or company
    gridpact:meter/HEX64      salted commitment to the meter's number
    gridpact:meter-key/HEX40  address that signs the meter's readings
    gridpact:region/HEX64     the region's identifier
    gridpact:roles/N          roles as in `model.participant.Role`

A certificate says all five, a request the last three, each in this order and in no other form.
"""

from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridpact.model.participant import Role

SCHEME = "gridpact"
ROLES = "roles"
LENGTHS = {"identity": 32, "meter": 32, "meter-key": 20, "region": 32}
"""Bytes of each kind."""
ALL_ROLES = int(Role.CONSUMER | Role.PRODUCER | Role.PLANT | Role.REGION | Role.AGGREGATOR)


def written(values: Mapping[str, bytes], roles: Role) -> tuple[str, ...]:
    """Return values by kind, in order, and then the roles, as URIs."""
    uris = (f"{SCHEME}:{kind}/{value.hex()}" for kind, value in values.items())
    return (*uris, f"{SCHEME}:{ROLES}/{int(roles)}")


def alternative_names(uris: tuple[str, ...]) -> x509.SubjectAlternativeName:
    """Return URIs as X.509 builders take them."""
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])


def understood(
    names: x509.SubjectAlternativeName, kinds: tuple[str, ...]
) -> tuple[dict[str, bytes], Role]:
    """Return what alternative names say of these kinds, and the roles.

    Raises
    ------
    ValueError
        Other kinds, another order, or a value of another form.
    """
    said: dict[str, str] = {}
    for one in names:
        kind, _, value = str(one.value).removeprefix(f"{SCHEME}:").partition("/")
        said[kind] = value
    if said.keys() != {*kinds, ROLES}:
        raise ValueError(f"alternative names are not {', '.join(kinds)} and {ROLES}")
    values = {kind: bytes.fromhex(said[kind]) for kind in kinds}
    for kind, found in values.items():
        if len(found) != LENGTHS[kind]:
            raise ValueError(f"{kind} has {len(found)} bytes, expected {LENGTHS[kind]}")
    roles = int(said[ROLES])
    if not 0 <= roles <= ALL_ROLES:
        raise ValueError(f"roles {roles} are not within 0 and {ALL_ROLES}")
    if tuple(one.value for one in names) != written(values, Role(roles)):
        raise ValueError("alternative names are not in the profile's form and order")
    return values, Role(roles)


def point(key: object) -> bytes:
    """Return a device's public key, 4 || x || y.

    Raises
    ------
    ValueError
        It is not on secp256k1.
    """
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256K1):
        raise ValueError("the device's key is not on secp256k1")
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
