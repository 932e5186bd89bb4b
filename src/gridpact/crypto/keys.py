"""secp256k1 keys of devices; they sign with low s. `recovery` tells from a signature who signed."""

from dataclasses import dataclass
from functools import cached_property

from coincurve import PrivateKey

from gridpact.crypto.keccak import keccak
from gridpact.crypto.recovery import address_of

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Key:
    """A private key of one device; `address` is its 20-byte Ethereum address."""

    secret: bytes

    @classmethod
    def derive(cls, seed: bytes, name: str) -> "Key":
        """Return the key of `name` under a seed: simulated devices have reproducible keys."""
        scalar = int.from_bytes(keccak(seed + name.encode()), "big") % (_ORDER - 1) + 1
        return cls(scalar.to_bytes(32, "big"))

    @cached_property
    def _private(self) -> PrivateKey:
        return PrivateKey(self.secret)

    @cached_property
    def public(self) -> bytes:
        """The public key, 65 bytes: 4 || x || y."""
        return bytes(self._private.public_key.format(compressed=False))

    @cached_property
    def address(self) -> bytes:
        return address_of(self.public)

    def sign(self, digest: bytes) -> bytes:
        """Return the deterministic (RFC 6979), low-s signature of a 32-byte digest."""
        raw = self._private.sign_recoverable(digest, hasher=None)
        return raw[:64] + bytes([27 + raw[64]])


def compact(signature: bytes) -> bytes:
    """Return a signature as contracts take it (EIP-2098): r || s with the parity in its top bit."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")


def expanded(signature: bytes) -> bytes:
    """Return the 65 bytes of a compact signature."""
    s = int.from_bytes(signature[32:], "big")
    parity, low = s >> 255, s & (2**255 - 1)
    return signature[:32] + low.to_bytes(32, "big") + bytes([27 + parity])
