"""The digest of a long list of words that opens a piece at a time: the mirror of `chunks.vy`."""

from collections.abc import Sequence

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.ledger.onchain.abi import WORD, Tail
from gridpact.model.order import NONE

CHUNK = 32
_SIZE = WORD * CHUNK


def chunked(words: Sequence[int]) -> bytes:
    """Return the digest of a long list: d = keccak(d | keccak(32 words)), filled up with zeros."""
    return digest(packing.words(words))


def digest(packed: bytes) -> bytes:
    """Return the digest of a long list that is packed already."""
    found = NONE
    for chunk in _hashes(packed):
        found = keccak(found + chunk)
    return found


def opened(words: Sequence[int], index: int) -> Tail:
    """Return `chunks.Opening` of a word of a long list."""
    return opened_at(packing.words(words), index)


def opened_at(packed: bytes, index: int) -> Tail:
    """Return `chunks.Opening` of a word of a long list that is packed already."""
    hashes = _hashes(packed)
    first = index // CHUNK * _SIZE
    chunk = packed[first : first + _SIZE].ljust(_SIZE, b"\0")
    behind = packing.words((WORD * (CHUNK + 2), len(hashes)))
    return Tail(packing.words((index,)) + chunk + behind + b"".join(hashes))


def _hashes(packed: bytes) -> list[bytes]:
    """Return the hashes of a list's chunks."""
    return [
        keccak(packed[at : at + _SIZE].ljust(_SIZE, b"\0")) for at in range(0, len(packed), _SIZE)
    ]
