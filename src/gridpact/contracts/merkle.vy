# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Merkle
@notice Whether a leaf stands at a place of an indexed tree: leaf prefix 0x00, inner 0x01, and a
        crown 0x02 that binds the number of leaves. The mirror of `crypto/merkle.py`.
"""

DEPTH: constant(uint256) = 14


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
    width: uint256 = count
    used: uint256 = 0
    for _: uint256 in range(DEPTH):
        if width == 1:
            break
        if place ^ 1 < width:
            if place & 1 == 1:
                node = keccak256(concat(0x01, siblings[used], node))
            else:
                node = keccak256(concat(0x01, node, siblings[used]))
            used = unsafe_add(used, 1)
        place = place >> 1
        width = unsafe_add(width, 1) >> 1
    return keccak256(concat(0x02, convert(count, bytes32), node)) == root
