# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Crossing
@notice What crosses between the two chains: the money of fills that are settled on the other one
        leaves under an id, and what that chain did not need comes home under another. Money comes
        home at most as it crossed, to the buyer of the fill for which it did.
"""

import book
import clearing
import keyed
import orders
import packing
import registry
import split
import vault

initializes: keyed
exports: keyed.written

MAX_BATCH: constant(uint256) = 128
REGION: constant(uint256) = 8  # role
UNKNOWN: constant(uint256) = 0
CROSSED: constant(uint256) = 2


struct CrossRow:
    offer: bytes32
    seller: address
    terms: uint256  # place of the bid 16 | of its parent 16 | terms 160, see packing.Fill


struct Refund:
    fill: bytes32
    amount: uint256


OPERATOR: public(immutable(address))
REGISTRY: public(immutable(address))
VAULT: public(immutable(address))
ORDERS: public(immutable(address))
CLEARING: public(immutable(address))

fills: HashMap[bytes32, uint256]  # buyer 160 | money not yet home 80 | state 16
crossings: public(HashMap[bytes32, bytes32])  # the packed key under which a crossing was used


event Crossed:
    key: indexed(bytes32)
    crossing: indexed(bytes32)
    batch: uint32
    count: uint256
    amount: uint256


event Refunded:
    fill: indexed(bytes32)
    crossing: indexed(bytes32)
    buyer: indexed(address)
    amount: uint256


event SentHome:
    region: indexed(address)
    crossing: indexed(bytes32)
    amount: uint256


@deploy
def __init__(
    operator: address, registry_: address, vault_: address, orders_: address, clearing_: address
):
    """
    @notice Fix the peers.
    """
    OPERATOR = operator
    REGISTRY = registry_
    VAULT = vault_
    ORDERS = orders_
    CLEARING = clearing_


@external
def cross(
    write: keyed.Write,
    orders_: DynArray[book.Order, MAX_BATCH],
    fills: DynArray[CrossRow, MAX_BATCH],
    crossing: bytes32,
):
    """
    @notice Send the reserved money of fills that are settled on the other chain on its way.
    @param orders_ Every bid of the batch and every bid that one names as parent, once.
    @param crossing Its id: used under one key only.
    """
    assert msg.sender == OPERATOR, "crossing: not the operator"
    if not keyed.begin(write, 0):
        return
    self._use_crossing(write, crossing)
    tariffs: clearing.Tariffs = staticcall clearing.__interface__(CLEARING).trading(
        write.region, write.interval
    )
    total: uint256 = 0
    for row: CrossRow in fills:
        bid_at: uint256 = (row.terms >> 176) & packing.MASK_16
        parent_at: uint256 = (row.terms >> 160) & packing.MASK_16
        assert max(bid_at, parent_at) < len(orders_), "crossing: no such order"
        bid: book.Order = orders_[bid_at]
        assert bid.region == write.region, "crossing: other region"
        assert bid.interval == write.interval, "crossing: other interval"
        assert bid.participant != row.seller, "crossing: trade with oneself"
        packed: uint256 = row.terms & (2**160 - 1)
        terms: packing.Terms = packing.terms(packed)
        assert terms.price + terms.charge <= tariffs.retail, "crossing: above retail"
        lock: uint256 = split.lock(terms)
        bid_name: bytes32 = extcall orders.__interface__(ORDERS).take_bid(
            bid, orders_[parent_at], terms, lock
        )
        name: bytes32 = packing.fill_hash(
            write.region,
            write.interval,
            packing.Fill(
                bid=bid_name,
                offer=row.offer,
                buyer=bid.participant,
                seller=row.seller,
                terms=packed,
            ),
        )
        assert self.fills[name] == UNKNOWN, "crossing: committed before"
        extcall vault.__interface__(VAULT).depart(bid.participant, lock, crossing)
        self.fills[name] = convert(bid.participant, uint256) << 96 | lock << 16 | CROSSED
        total += lock
    log Crossed(
        key=keyed.packed(write),
        crossing=crossing,
        batch=write.batch,
        count=len(fills),
        amount=total,
    )


@external
def refund(write: keyed.Write, crossing: bytes32, rows: DynArray[Refund, MAX_BATCH]):
    """
    @notice Bring home what the other chain did not need: to each fill's buyer, at most what left
            for that fill.
    @param crossing The id under which the other chain sent it: used under one key only.
    """
    assert msg.sender == OPERATOR, "crossing: not the operator"
    if not keyed.begin(write, 1):
        return
    self._use_crossing(write, crossing)
    for row: Refund in rows:
        word: uint256 = self.fills[row.fill]
        assert word & packing.MASK_16 == CROSSED, "crossing: not crossed"
        assert row.amount <= (word >> 16) & packing.MASK_80, "crossing: more than crossed"
        self.fills[row.fill] = word - (row.amount << 16)
        buyer: address = convert(convert(word >> 96, uint160), address)
        extcall vault.__interface__(VAULT).arrive(buyer, row.amount, crossing)
        log Refunded(fill=row.fill, crossing=crossing, buyer=buyer, amount=row.amount)


@external
def send_home(write: keyed.Write, region: address, amount: uint256, crossing: bytes32):
    """
    @notice Burn what a region's account has left here; it reappears at home under `crossing`.
    """
    assert msg.sender == OPERATOR, "crossing: not the operator"
    if not keyed.begin(write, 2):
        return
    self._use_crossing(write, crossing)
    status: uint256 = staticcall registry.__interface__(REGISTRY).status(region)
    assert (status >> 8) & REGION == REGION, "crossing: not a region"
    extcall vault.__interface__(VAULT).burn(region, amount, crossing)
    log SentHome(region=region, crossing=crossing, amount=amount)


@external
@view
def fill_state(fill: bytes32) -> (uint256, address, uint256):
    """
    @return state (0 none, 2 crossed), the fill's buyer and the money not yet home.
    """
    word: uint256 = self.fills[fill]
    return (
        word & packing.MASK_16,
        convert(convert(word >> 96, uint160), address),
        (word >> 16) & packing.MASK_80,
    )


@internal
def _use_crossing(write: keyed.Write, crossing: bytes32):
    assert crossing != empty(bytes32), "crossing: no crossing"
    key: bytes32 = keyed.packed(write)
    first: bytes32 = self.crossings[crossing]
    assert first == empty(bytes32) or first == key, "crossing: crossing used"
    self.crossings[crossing] = key
