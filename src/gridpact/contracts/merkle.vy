# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Merkle
@notice Whether a leaf stands at a place of an indexed tree: leaf prefix 0x00, inner 0x01, and a
        crown 0x02 that binds the number of leaves. The mirror of `crypto/merkle.py`.
"""

DEPTH: constant(uint256) = 14
MOST: constant(uint256) = 70  # siblings that one call brings: of five leaves at most
COUNT: constant(uint256) = 2**128 - 1


@internal
@pure
def stands(
    leaf: bytes32, index: uint256, count: uint256, siblings: bytes32[14], root: bytes32
) -> bool:
    """
    @notice Say whether the leaf hash is number `index` of `count` under the root. Siblings come
            from below upwards, as many as the place needs; what follows them is not read.
    """
    if index >= count or count > 2**DEPTH:
        return False
    node: bytes32 = leaf
    place: uint256 = index
    last: uint256 = unsafe_sub(count, 1)
    used: uint256 = 0
    for _: uint256 in range(DEPTH):
        if last == 0:
            break
        if place & 1 == 1:
            node = keccak256(concat(0x01, siblings[used], node))
            used = unsafe_add(used, 1)
        elif place < last:
            node = keccak256(concat(0x01, node, siblings[used]))
            used = unsafe_add(used, 1)
        place = place >> 1
        last = last >> 1
    return keccak256(concat(0x02, convert(count, bytes32), node)) == root


@internal
@pure
def after(
    leaf: bytes32,
    place: uint256,
    root: bytes32,
    siblings: DynArray[bytes32, MOST],
    first: uint256,
) -> uint256:
    """
    @notice Refuse a leaf hash that does not stand at its place under the root. The same climb as
            above, with the siblings of several leaves in one list.
    @param place index 128 | count 128.
    @param first Where in the list this leaf's siblings begin.
    @return Where those of the next leaf begin.
    """
    count: uint256 = place & COUNT
    at: uint256 = place >> 128
    assert at < count and count <= 2**DEPTH, "merkle: no such place"
    node: bytes32 = leaf
    last: uint256 = unsafe_sub(count, 1)
    used: uint256 = first
    for _: uint256 in range(DEPTH):
        if last == 0:
            break
        if at & 1 == 1:
            assert used < len(siblings), "merkle: too few siblings"
            node = keccak256(concat(0x01, siblings[used], node))
            used = unsafe_add(used, 1)
        elif at < last:
            assert used < len(siblings), "merkle: too few siblings"
            node = keccak256(concat(0x01, node, siblings[used]))
            used = unsafe_add(used, 1)
        at = at >> 1
        last = last >> 1
    assert (
        keccak256(concat(0x02, convert(count, bytes32), node)) == root
    ), "merkle: not under this root"
    return used
