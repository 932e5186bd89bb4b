"""Indexed Merkle trees: one root for an ordered list of leaves, with proofs that name the place.

A leaf is hashed with prefix 0x00, an inner node with 0x01, so no inner node passes for a leaf.
The root covers the number of leaves too: a proof for index >= count cannot be made. An odd node
at the end of a level is carried up unchanged. Mirrored by `contracts/merkle.vy`.
"""

from collections.abc import Sequence

from gridpact.crypto.keccak import keccak

EMPTY = b"\0" * 32
MAX_DEPTH = 14


def leaf_hash(content: bytes) -> bytes:
    return keccak(b"\x00" + content)


def _inner(left: bytes, right: bytes) -> bytes:
    return keccak(b"\x01" + left + right)


def _crown(count: int, top: bytes) -> bytes:
    return keccak(b"\x02" + count.to_bytes(32, "big") + top)


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        level = list(map(_inner, below[::2], below[1::2]))
        levels.append(level + below[len(below) - len(below) % 2 :])
    return levels


def root(contents: Sequence[bytes]) -> bytes:
    """Return the root of a list of leaf contents; 32 zero bytes for an empty list."""
    if not contents:
        return EMPTY
    return _crown(len(contents), _levels(list(map(leaf_hash, contents)))[-1][0])


def proof(contents: Sequence[bytes], index: int) -> list[bytes]:
    """Return the sibling hashes from leaf `index` upwards."""
    siblings = []
    for level in _levels([leaf_hash(content) for content in contents])[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            siblings.append(level[sibling])
        index //= 2
    return siblings


def verify(content: bytes, index: int, count: int, siblings: Sequence[bytes], top: bytes) -> bool:
    """Say whether `content` is leaf `index` of the `count` leaves under root `top`."""
    if not 0 <= index < count:
        return False
    node, width, left = leaf_hash(content), count, list(siblings)
    while width > 1:
        if index ^ 1 < width:
            if not left:
                return False
            sibling = left.pop(0)
            node = _inner(sibling, node) if index & 1 else _inner(node, sibling)
        index, width = index // 2, (width + 1) // 2
    return not left and _crown(count, node) == top
