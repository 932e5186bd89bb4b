"""Keccak-256, the hash of every Ethereum chain."""

from eth_hash.auto import keccak as _keccak


def keccak(data: bytes) -> bytes:
    """Return the 32-byte Keccak-256 digest of `data`."""
    return _keccak(data)


def name_hash(name: str) -> bytes:
    """Return the 32-byte identifier of a name: a region, a named account, a contract."""
    return keccak(name.encode())
