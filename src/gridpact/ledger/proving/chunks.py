"""The digest of a long list of words that opens a piece at a time: the mirror of `chunks.vy`."""

from collections.abc import Sequence

from gridpact.crypto.keccak import keccak
from gridpact.ledger.onchain import packing
from gridpact.model.order import NONE

CHUNK = 32


def chunked(words: Sequence[int]) -> bytes:
    """Return the digest of a long list: d = keccak(d | keccak(32 words)), filled up with zeros."""
    digest = NONE
    for chunk in chunk_hashes(words):
        digest = keccak(digest + chunk)
    return digest


def chunk_hashes(words: Sequence[int]) -> list[bytes]:
    """Return the hashes of a list's chunks."""
    whole = packing.words(words)
    size = 32 * CHUNK
    return [keccak(whole[at : at + size].ljust(size, b"\0")) for at in range(0, len(whole), size)]
