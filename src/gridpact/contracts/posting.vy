# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Posting
@notice What a posted clearing and an interval's prices consist of, for the contract that keeps
        their hashes and for those that judge challenges: the same words as `ledger/onchain/roots.py`.
"""


struct Clearing:
    content: bytes32  # hash of the record
    order_root: bytes32
    fill_root: bytes32
    seed: bytes32  # of the draw among equal bids
    count: uint256  # fills
    volume: uint256  # Wh


struct Charges:
    # micro-units per kWh, and the Merkle root of (bus, locational price)
    content: bytes32  # hash of the record
    margin: uint256
    local: uint256
    zonal: uint256
    root: bytes32


@internal
@pure
def clearing_hash(region: bytes32, interval: uint64, posted: Clearing) -> bytes32:
    """
    @notice The name of a posted clearing.
    """
    return keccak256(abi_encode(region, interval, posted))


@internal
@pure
def charges_hash(charges: Charges) -> bytes32:
    """
    @notice What is kept of an interval's charges.
    """
    return keccak256(abi_encode(charges))
