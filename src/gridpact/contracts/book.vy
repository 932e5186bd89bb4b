# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Book
@notice What an order says and what it is called: the EIP-712 struct that a participant's device
        signs. Everything signed is brought again with each call and bound by this name; a
        contract keeps of an order only what changes.
"""

BID: constant(uint8) = 0
OFFER: constant(uint8) = 1
MOST: constant(uint64) = 2**36 - 1  # Wh of an order: the settlement counts a seller's in 36 bits
ORDER_TYPE: constant(bytes32) = keccak256(
    "Order(address participant,uint8 side,uint8 tier,bytes32 region,uint64 interval,uint64 energyWh,uint64 price,uint32 minReputation,bytes32 terms,bytes32 parent,uint64 expires,uint256 salt)"
)
POSTING_TYPE: constant(bytes32) = keccak256(
    "Posting(bytes32 orderHash,uint64 charge,uint32 fills)"
)


struct Order:
    participant: address
    side: uint8
    tier: uint8
    region: bytes32
    interval: uint64
    energy: uint64
    price: uint64
    min_reputation: uint32
    terms: bytes32
    parent: bytes32
    expires: uint64
    salt: uint256


@internal
@pure
def digest(domain: bytes32, order: Order) -> bytes32:
    """
    @notice The digest of an order: what is signed, and its name everywhere.
    """
    return keccak256(concat(0x1901, domain, keccak256(abi_encode(ORDER_TYPE, order))))


@internal
@pure
def posting(domain: bytes32, name: bytes32, charge: uint64, fills: uint32) -> bytes32:
    """
    @notice The digest of a posting: an order, and what may be reserved for it.
    """
    return keccak256(
        concat(0x1901, domain, keccak256(abi_encode(POSTING_TYPE, name, charge, fills)))
    )
