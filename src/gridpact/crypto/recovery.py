"""Who signed: the address that a signature over a digest recovers to.

A signature is 65 bytes r || s || v with v in {27, 28}. A high s is refused: every signature would
otherwise have a valid twin. libsecp256k1 is called through coincurve's own binding, below its
classes: they make six objects per signature, here one set of buffers serves all (42 µs each
instead of 48, of which the curve takes 41). Many are recovered by `signers`, on a second core.
"""

from collections.abc import Iterable

from coincurve import GLOBAL_CONTEXT
from coincurve._libsecp256k1 import ffi, lib

from gridpact.crypto.keccak import keccak

_HALF_ORDER = bytes.fromhex("7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0")
_CONTEXT = GLOBAL_CONTEXT.ctx
_UNCOMPRESSED = 65
"""Bytes of a public key: 4 || x || y."""
_KNOWN = 65_536
"""Keys whose addresses are remembered, at 0.2 kB each."""


def recover(digest: bytes, signature: bytes) -> bytes | None:
    """Return the address that signed `digest`, or None when the signature is no valid one."""
    return recover_all([(digest, signature)])[0]


def signed_by(address: bytes, digest: bytes, signature: bytes) -> bool:
    """Say whether `address` signed `digest`, with low s."""
    return recover(digest, signature) == address


def address_of(public: bytes) -> bytes:
    """Return the address of an uncompressed public key."""
    return keccak(public[1:])[12:]


def recover_all(
    signed: Iterable[tuple[bytes, bytes]], known: dict[bytes, bytes] | None = None
) -> list[bytes | None]:
    """Return who signed each (digest, signature), as `recover` does, one after another.

    `known` remembers the addresses of keys, for a caller who comes again: the same key has the
    same address, and who signed before costs no hash.
    """
    parsed = ffi.new("secp256k1_ecdsa_recoverable_signature *")
    key = ffi.new("secp256k1_pubkey *")
    recovered = ffi.buffer(key)
    parse, recovers = (
        lib.secp256k1_ecdsa_recoverable_signature_parse_compact,
        lib.secp256k1_ecdsa_recover,
    )
    addresses = {} if known is None else known
    found: list[bytes | None] = []
    for digest, signature in signed:
        if (
            len(signature) == 65
            and 27 <= signature[64] <= 28
            and len(digest) == 32
            and signature[32:64] <= _HALF_ORDER
            and parse(_CONTEXT, parsed, signature, signature[64] - 27)
            and recovers(_CONTEXT, key, parsed, digest)
        ):
            point = recovered[:]
            address = addresses.get(point)
            if address is None:
                if len(addresses) >= _KNOWN:
                    addresses.clear()
                address = addresses[point] = address_of(_uncompressed(key))
            found.append(address)
        else:
            found.append(None)
    return found


def _uncompressed(key: object) -> bytes:
    """Return a key of the library as 4 || x || y."""
    size = ffi.new("size_t *", _UNCOMPRESSED)
    written = ffi.new("unsigned char []", _UNCOMPRESSED)
    lib.secp256k1_ec_pubkey_serialize(_CONTEXT, written, size, key, lib.SECP256K1_EC_UNCOMPRESSED)
    return bytes(ffi.buffer(written))
