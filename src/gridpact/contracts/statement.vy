# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Statement
@notice The leaf of a part: one fill's statement with its running sums, and what is to be shown of
        it. The same words as `ledger/proving/leaf.py: Leaf`.
"""

import merkle
import netting
import packing


NEVER: constant(uint64) = max_value(uint64)  # the interval before the first: registers at zero


struct Leaf:
    fill: bytes32
    seller_meter: bytes32  # keccak(digest of the reading before | of the reading now)
    buyer_meter: bytes32
    delivery: uint256  # see packing.delivery
    amounts: uint256  # case 8 | paid 48 | charge 48 | fee_seller 48 | fee_network 48
    extras: uint256  # reward 48 | claim 48 | unpaid_reward 48 | unpaid_claim 48
    energy: uint256  # place in the clearing 192 | the region's running rho 64
    buyer: uint256  # row 16 | previous 16 | credit 48 | debit 48 | held 48 | sent 40 | agreed 40
    seller: uint256  # the same
    common: uint256  # to_loss 64 | to_network 64 | rewards 64 | claims 64
    # what each so far agreed as a seller, outside of disputes: the buyer 128 | the seller 128
    sold: uint256


struct Shown:
    index: uint256
    leaf: Leaf
    siblings: bytes32[14]


struct Reading:
    meter: address
    region: bytes32
    interval: uint64
    import_wh: uint64
    export_wh: uint64
    quality: uint8


READING_TYPE: constant(bytes32) = keccak256(
    "Reading(address meter,bytes32 region,uint64 interval,uint64 importWh,uint64 exportWh,uint8 quality)"
)


@internal
@pure
def require_shown(content: netting.Content, shown: Shown):
    """
    @notice Refuse a leaf that is not the part's.
    """
    leaf: bytes32 = keccak256(concat(0x00, abi_encode(shown.leaf)))
    count: uint256 = content.header.energy & packing.MASK_32
    assert merkle.stands(
        leaf, shown.index, count, shown.siblings, content.root
    ), "statement: not the part's leaf"


@internal
@pure
def meters(before: bytes32, now: bytes32) -> bytes32:
    """
    @notice What a leaf says of a meter, from the digests of its two readings.
    """
    return keccak256(concat(before, now))


@internal
@pure
def reading(domain: bytes32, read: Reading) -> bytes32:
    """
    @notice The EIP-712 digest that a meter signs.
    """
    return keccak256(concat(0x1901, domain, keccak256(abi_encode(READING_TYPE, read))))
