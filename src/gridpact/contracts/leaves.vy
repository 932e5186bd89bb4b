# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Leaves
@notice What the two trees of a posted clearing say: of every order, sorted by hash between two
        sentinels, and of every fill in the order of the clearing. The same bytes as
        `ledger/onchain/roots.py`; the trees are those of `merkle.vy`.
@dev Numbers are hashed as the words that a call brings, so that nobody can show a leaf with other
     numbers than it has. A fill names the fill of the same bid, and of the same offer, before it:
     so that two leaves show a sum that does not follow, or two fills that follow the same one.
"""

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
    said: uint256  # participant 160 | sequence 32 | reputation 32 | refusal 32
    filled: uint256  # energy 128 | 1 + index of its last fill 128, 0: none


struct FillLeaf:
    region: bytes32  # of the bid
    fill: packing.Fill
    # what the earlier fills of the bid took 64 | of the offer 64 | 1 + index of the bid's fill
    # before 64 | of the offer's 64, 0: none
    links: uint256


struct Placed:
    leaf: OrderLeaf
    place: uint256  # see merkle.after


struct Filled:
    leaf: FillLeaf
    place: uint256


struct AtBus:
    locational: int256  # micro-units per kWh
    place: uint256


@internal
@pure
def of_order(shown: OrderLeaf) -> bytes32:
    """
    @return The hash of an order's leaf.
    """
    return keccak256(
        concat(
            0x00, shown.order, convert(shown.said, bytes32), convert(shown.filled, bytes32)
        )
    )


@internal
@pure
def of_fill(interval: uint64, shown: FillLeaf) -> bytes32:
    """
    @return The hash of a fill's leaf.
    """
    name: bytes32 = packing.fill_hash(shown.region, interval, shown.fill)
    return keccak256(concat(0x00, name, convert(shown.links, bytes32)))


@internal
@pure
def of_bus(bus: uint256, locational: int256) -> bytes32:
    """
    @return The hash of the leaf of a bus and its price.
    """
    return keccak256(concat(0x00, convert(bus, bytes32), convert(locational, bytes32)))


@internal
@pure
def participant(said: uint256) -> address:
    """
    @return Whose order it is said to be.
    """
    return convert(convert(said >> 96, uint160), address)


@internal
@pure
def reputation(said: uint256) -> uint256:
    """
    @return By which reputation an order was cleared. [ppm]
    """
    return (said >> 32) & packing.MASK_32


@internal
@pure
def refusal(said: uint256) -> uint256:
    """
    @return Why an order was refused.
    """
    return said & packing.MASK_32


@internal
@pure
def energy(filled: uint256) -> uint256:
    """
    @return What an order's fills are said to come to. [Wh]
    """
    return filled >> 128


@internal
@pure
def last(filled: uint256) -> uint256:
    """
    @return 1 + the index of an order's last fill, 0 for none.
    """
    return filled & (2**128 - 1)


@internal
@pure
def index(place: uint256) -> uint256:
    """
    @return Which leaf it is.
    """
    return place >> 128


@internal
@pure
def link(leaf: FillLeaf, of_bid: bool) -> (bytes32, uint256, uint256):
    """
    @return Of a fill's bid or offer: its name, what its earlier fills took, 1 + the last of them.
    """
    if of_bid:
        return leaf.fill.bid, leaf.links >> 192, (leaf.links >> 64) & packing.MASK_64
    return leaf.fill.offer, (leaf.links >> 128) & packing.MASK_64, leaf.links & packing.MASK_64
