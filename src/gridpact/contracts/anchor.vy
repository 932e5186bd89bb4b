# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Anchor
@notice The heads of the regions' chains, kept on the zonal chain: one per region and interval, in
        order, each naming its predecessor, so that no region can quietly rewrite its past.
"""

import keyed

initializes: keyed
exports: keyed.written

OPERATOR: public(immutable(address))

heads: public(HashMap[bytes32, HashMap[uint64, bytes32]])
latest: public(HashMap[bytes32, bytes32])
place: HashMap[bytes32, uint256]  # of the latest: interval 64 | block number 64 | 1


event Anchored:
    region: indexed(bytes32)
    interval: indexed(uint64)
    number: uint64
    head: bytes32
    previous: bytes32


@deploy
def __init__(operator: address):
    """
    @notice Fix who posts.
    """
    OPERATOR = operator


@external
def post(
    write: keyed.Write,
    region: bytes32,
    interval: uint64,
    number: uint64,
    head: bytes32,
    previous: bytes32,
):
    """
    @notice Keep the head of a region's chain after an interval.
    @param number The block's number, higher than the one before.
    @param previous The head anchored before; zero for the first.
    """
    assert msg.sender == OPERATOR, "anchor: not the operator"
    if not keyed.begin(write, 0):
        return
    assert head != empty(bytes32), "anchor: no head"
    assert self.heads[region][interval] == empty(bytes32), "anchor: written before"
    assert previous == self.latest[region], "anchor: other predecessor"
    last: uint256 = self.place[region]
    if last != 0:
        assert convert(interval, uint256) > last >> 65, "anchor: earlier interval"
        assert convert(number, uint256) > (last >> 1) & (2**64 - 1), "anchor: older block"
    self.heads[region][interval] = head
    self.latest[region] = head
    self.place[region] = convert(interval, uint256) << 65 | convert(number, uint256) << 1 | 1
    log Anchored(region=region, interval=interval, number=number, head=head, previous=previous)
