"""Ethereum's Merkle Patricia trie: the root over given items, and proofs under a root.

What a block's header says of its transactions, receipts and accounts is the root of such a trie.
Only roots and proofs: a trie is never kept. Tests hold it to the `trie` package and to a node.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile

import rlp

from gridpact.crypto.keccak import keccak

Nibbles = tuple[int, ...]

EMPTY = keccak(rlp.encode(b""))
"""The root of a trie without items."""


class Unproven(ValueError):
    """The nodes of a proof do not lead from the root to the key."""


def root(items: Mapping[bytes, bytes]) -> bytes:
    """Return the root over items; an empty value is no item."""
    pairs = sorted((_nibbles(key), value) for key, value in items.items() if value)
    return keccak(rlp.encode(_node(pairs, 0))) if pairs else EMPTY


def ordered_root(values: Sequence[bytes]) -> bytes:
    """Return the root over a block's list: the keys are the positions, RLP encoded."""
    return root({rlp.encode(position): value for position, value in enumerate(values)})


def secure_root(items: Mapping[bytes, bytes]) -> bytes:
    """Return the root over items whose keys are hashed first, as accounts and storage slots are."""
    return root({keccak(key): value for key, value in items.items()})


def proven(state_root: bytes, key: bytes, nodes: Sequence[bytes]) -> bytes:
    """Return the value that a proof shows under a key, empty where it shows that there is none.

    Raises
    ------
    Unproven
        A node is not the one that the hash above it names.
    """
    left, rest = list(nodes), _nibbles(key)
    due: object = state_root
    while True:
        node = _opened(left, due)
        if len(node) == 17:
            if not rest:
                return _value(node[16])
            child, rest = node[rest[0]], rest[1:]
        elif len(node) == 2:
            path, ends = _path(node[0])
            if rest[: len(path)] != path:
                return b""
            child, rest = node[1], rest[len(path) :]
            if ends:
                return _value(child) if not rest else b""
        else:
            raise Unproven(f"a node of {len(node)} items")
        if child == b"":
            return b""
        due = child


def _opened(left: list[bytes], due: object) -> list[object]:
    """Return the node that is due: the next of the proof, or one that stands inside its parent."""
    if isinstance(due, list):
        return due
    if not left or not isinstance(due, bytes) or keccak(left[0]) != due:
        raise Unproven("a node does not have the hash that the one above it names")
    try:
        node = rlp.decode(left.pop(0))
    except rlp.exceptions.DecodingError as error:
        raise Unproven(f"a node is no RLP: {error}") from error
    if not isinstance(node, list):
        raise Unproven("a node is no list")
    return node


def _value(item: object) -> bytes:
    if not isinstance(item, bytes):
        raise Unproven("a node where a value is due")
    return item


def _node(pairs: Sequence[tuple[Nibbles, bytes]], depth: int) -> list[object]:
    """Return the node over sorted pairs that share the first `depth` nibbles of their keys."""
    first, value = pairs[0]
    if len(pairs) == 1:
        return [_compact(first[depth:], True), value]
    shared = len(_common(first[depth:], pairs[-1][0][depth:]))
    if shared:
        path = first[depth : depth + shared]
        return [_compact(path, False), _reference(_node(pairs, depth + shared))]
    branch: list[object] = [b""] * 17
    start = 0
    if len(first) == depth:
        branch[16], start = value, 1
    while start < len(pairs):
        nibble, end = pairs[start][0][depth], start
        while end < len(pairs) and pairs[end][0][depth] == nibble:
            end += 1
        branch[nibble] = _reference(_node(pairs[start:end], depth + 1))
        start = end
    return branch


def _reference(node: list[object]) -> object:
    """Return how a parent names a node: itself when it is short, else its hash."""
    encoded = rlp.encode(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _common(one: Nibbles, other: Nibbles) -> Nibbles:
    same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return tuple(nibble for nibble, _ in same)


def _nibbles(key: bytes) -> Nibbles:
    return tuple(half for byte in key for half in (byte >> 4, byte & 15))


def _compact(path: Nibbles, ends: bool) -> bytes:
    flag = 2 if ends else 0
    whole = (flag + 1, *path) if len(path) % 2 else (flag, 0, *path)
    return bytes(16 * high + low for high, low in zip(whole[::2], whole[1::2], strict=True))


def _path(item: object) -> tuple[Nibbles, bool]:
    """Return the nibbles of a node's path, and whether a value follows rather than a node."""
    if not isinstance(item, bytes) or not item or item[0] >> 4 > 3:
        raise Unproven("a path that is none")
    nibbles = _nibbles(item)
    return nibbles[1:] if nibbles[0] & 1 else nibbles[2:], nibbles[0] >= 2
