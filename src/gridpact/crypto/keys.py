"""secp256k1 keys: signing with low s, and recovering who signed.

A signature is 65 bytes r || s || v with v in {27, 28}. A high s is refused: every signature would
otherwise have a valid twin.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

from coincurve import PrivateKey, PublicKey

from gridpact.crypto.keccak import keccak

_THREADS = min(4, os.cpu_count() or 1)
_WORTH_THREADS = 64
"""Signatures below which starting threads costs more than it saves."""

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
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
    def address(self) -> bytes:
        return _address(self._private.public_key)

    def sign(self, digest: bytes) -> bytes:
        """Return the deterministic (RFC 6979), low-s signature of a 32-byte digest."""
        raw = self._private.sign_recoverable(digest, hasher=None)
        return raw[:64] + bytes([27 + raw[64]])


def compact(signature: bytes) -> bytes:
    """Return a signature as contracts take it (EIP-2098): r || s with the parity in its top bit."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")


def _address(public: PublicKey) -> bytes:
    return keccak(public.format(compressed=False)[1:])[12:]


def recover(digest: bytes, signature: bytes) -> bytes | None:
    """Return the address that signed `digest`, or None when the signature is no valid one."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    if not 0 < int.from_bytes(signature[32:64], "big") <= _HALF_ORDER:
        return None
    raw = signature[:64] + bytes([signature[64] - 27])
    try:
        return _address(PublicKey.from_signature_and_message(raw, digest, hasher=None))
    except ValueError:
        return None
    except Exception as error:
        # coincurve raises bare Exception when no point fits r; anything else is a defect
        if type(error) is Exception:
            return None
        raise


def signed_by(address: bytes, digest: bytes, signature: bytes) -> bool:
    """Say whether `address` signed `digest`, with low s."""
    return recover(digest, signature) == address


def recover_many(signed: Sequence[tuple[bytes, bytes]]) -> list[bytes | None]:
    """Return who signed each (digest, signature), as `recover` does, on several cores.

    The C library lets other threads run while it computes; the threads live for this call only.
    """
    if len(signed) < _WORTH_THREADS or _THREADS == 1:
        return _recover_all(signed)
    size = -(-len(signed) // _THREADS)
    parts = [signed[at : at + size] for at in range(0, len(signed), size)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return [address for part in pool.map(_recover_all, parts) for address in part]


def _recover_all(signed: Sequence[tuple[bytes, bytes]]) -> list[bytes | None]:
    return [recover(digest, signature) for digest, signature in signed]
