"""Keccak-256, the hash of every Ethereum chain.

It is called several times per transaction, so where the small C extension of `safe-pysha3` is
installed (Linux) it is used: 1 µs a call against 8 through pycryptodome, which serves elsewhere.
"""

import importlib.util

if importlib.util.find_spec("sha3") is not None:
    from sha3 import keccak_256

    def keccak(data: bytes) -> bytes:
        """Return the 32-byte Keccak-256 digest of `data`."""
        digest: bytes = keccak_256(data).digest()
        return digest

else:
    from eth_hash.auto import keccak as _keccak

    def keccak(data: bytes) -> bytes:
        """Return the 32-byte Keccak-256 digest of `data`."""
        return _keccak(data)


def name_hash(name: str) -> bytes:
    """Return the 32-byte identifier of a name: a region, a named account, a contract."""
    return keccak(name.encode())
