# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Leaves
@notice What the two trees of a posted clearing say: of every order, sorted by hash between two
        sentinels, and of every fill in the order of the clearing. The same bytes as
        `ledger/onchain/roots.py`; the trees are those of `merkle.vy`.
@dev A fill names the fill of the same bid, and of the same offer, before it: so that two leaves
     show a sum that does not follow, or two fills that follow the same one.
"""

import merkle
import packing

# refusals: the codes of `model/order.py: Code`, counted from 1
ADMITTED: constant(uint256) = 0
SIGNATURE: constant(uint256) = 1
FUNDS: constant(uint256) = 3
EXPIRED: constant(uint256) = 4
PRICE_FORM: constant(uint256) = 8
GRID: constant(uint256) = 9
CANCELLED: constant(uint256) = 12


struct OrderLeaf:
    order: bytes32
    participant: address
    sequence: uint256
    reputation: uint256  # ppm
    filled: uint256  # Wh
    refusal: uint256
    last: uint256  # 1 + index of its last fill; 0: none


struct FillLeaf:
    region: bytes32  # of the bid
    fill: packing.Fill
    bid_before: uint256  # Wh that the bid's earlier fills took
    offer_before: uint256
    bid_previous: uint256  # 1 + index of the bid's fill before; 0: none
    offer_previous: uint256


struct Proof:
    index: uint256
    count: uint256
    siblings: bytes32[14]


struct Placed:
    leaf: OrderLeaf
    proof: Proof


struct Filled:
    leaf: FillLeaf
    proof: Proof


struct AtBus:
    locational: int256  # micro-units per kWh
    proof: Proof


@internal
@pure
def stands(leaf: bytes32, proof: Proof, root: bytes32) -> bool:
    """
    @notice Say whether a leaf stands where its proof says.
    """
    return merkle.stands(leaf, proof.index, proof.count, proof.siblings, root)


@internal
@pure
def require_order(shown: Placed, root: bytes32):
    """
    @notice Refuse an order leaf that is not in the tree.
    """
    leaf: bytes32 = keccak256(concat(0x00, abi_encode(shown.leaf)))
    assert self.stands(leaf, shown.proof, root), "leaves: not in the book"


@internal
@pure
def require_fill(interval: uint64, shown: Filled, root: bytes32):
    """
    @notice Refuse a fill leaf that is not in the tree.
    """
    leaf: bytes32 = keccak256(
        concat(
            0x00,
            packing.fill_hash(shown.leaf.region, interval, shown.leaf.fill),
            convert(
                shown.leaf.bid_before << 192
                | shown.leaf.offer_before << 128
                | shown.leaf.bid_previous << 64
                | shown.leaf.offer_previous,
                bytes32,
            ),
        )
    )
    assert self.stands(leaf, shown.proof, root), "leaves: not a fill"


@internal
@pure
def require_bus(bus: uint256, shown: AtBus, root: bytes32):
    """
    @notice Refuse a locational price that is not the posted one of a bus.
    """
    leaf: bytes32 = keccak256(concat(0x00, abi_encode(bus, shown.locational)))
    assert self.stands(leaf, shown.proof, root), "leaves: not that bus"


@internal
@pure
def link(leaf: FillLeaf, of_bid: bool) -> (bytes32, uint256, uint256):
    """
    @return Of a fill's bid or offer: its name, what its earlier fills took, 1 + the last of them.
    """
    if of_bid:
        return leaf.fill.bid, leaf.bid_before, leaf.bid_previous
    return leaf.fill.offer, leaf.offer_before, leaf.offer_previous
