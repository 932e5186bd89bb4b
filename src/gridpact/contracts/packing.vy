# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Packing
@notice Words and records that several contracts share, and the masks of all. Fields are named
        from the highest bit down; a contract's own words are laid out where its state is. Mirrored
        by `ledger/onchain/packing.py`; `tests/vectors/packing.json` holds both to one layout.
"""

MASK_8: constant(uint256) = 2**8 - 1
MASK_16: constant(uint256) = 2**16 - 1
MASK_32: constant(uint256) = 2**32 - 1
MASK_40: constant(uint256) = 2**40 - 1
MASK_48: constant(uint256) = 2**48 - 1
MASK_64: constant(uint256) = 2**64 - 1
MASK_80: constant(uint256) = 2**80 - 1


struct Fill:
    # one bilateral trade without region and interval, which a call states once
    bid: bytes32
    offer: bytes32
    buyer: address
    seller: address
    terms: uint256  # energy 40 | price 48 | charge 48 | index 16 | tier 8


struct Terms:
    energy: uint256
    price: uint256
    charge: uint256
    tier: uint256


struct Delivery:
    agreed: uint256
    sent: uint256
    received: uint256
    unused: uint256
    unused_sent: uint256
    held: uint256
    disputed: bool


@internal
@pure
def terms(word: uint256) -> Terms:
    """
    @notice energy 40 | price 48 | charge 48 | index 16 | tier 8; nothing above.
    """
    assert word >> 160 == 0, "packing: terms too wide"
    return Terms(
        energy=word >> 120,
        price=(word >> 72) & MASK_48,
        charge=(word >> 24) & MASK_48,
        tier=word & MASK_8,
    )


@internal
@pure
def meter_key(status: uint256, participant: address) -> address:
    """
    @notice Who signs for a participant's meter: the participant itself where no key is set.
    @param status The registry's word: meter key 160 | bus 32 | roles 8 | state 8.
    """
    key: uint256 = status >> 48
    return participant if key == 0 else convert(convert(key, uint160), address)


@internal
@pure
def fill_hash(region: bytes32, interval: uint64, fill: Fill) -> bytes32:
    """
    @notice The fill's name: the same as `model/trade.py: Fill.hash`.
    """
    return keccak256(
        abi_encode(region, interval, fill.bid, fill.offer, fill.buyer, fill.seller, fill.terms)
    )


@internal
@pure
def delivery(word: uint256) -> Delivery:
    """
    @notice agreed 40 | sent 40 | received 40 | unused 40 | unused_sent 40 | held 40 | disputed 8.
    """
    assert word >> 248 == 0, "packing: delivery too wide"
    return Delivery(
        agreed=word >> 208,
        sent=(word >> 168) & MASK_40,
        received=(word >> 128) & MASK_40,
        unused=(word >> 88) & MASK_40,
        unused_sent=(word >> 48) & MASK_40,
        held=(word >> 8) & MASK_40,
        disputed=word & MASK_8 != 0,
    )
