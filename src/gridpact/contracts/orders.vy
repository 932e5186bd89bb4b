# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Orders
@notice The sealed book: whose order it is, what is left of it and what is reserved for it. An
        order enters only with its participant's own signature; a fill takes from it only within
        what was signed (5-decisions, sections 2 and 17).
"""

import keyed
import packing
import registry
import rounding
import vault

initializes: keyed
exports: keyed.written

MAX_BATCH: constant(uint256) = 128
MAX_CLOSED: constant(uint256) = 512
MAX_FILLS: constant(uint32) = 16
BID: constant(uint8) = 0
OFFER: constant(uint8) = 1
REGION: constant(uint256) = 8  # role
HALF_ORDER: constant(bytes32) = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
ORDER_TYPE: constant(bytes32) = keccak256(
    "Order(address participant,uint8 side,uint8 tier,bytes32 region,uint64 interval,uint64 energyWh,uint64 price,uint32 minReputation,bytes32 terms,bytes32 parent,uint64 expires,uint256 salt)"
)
# rights: participant 160 | energy left 40 | price 48 | side 8
PARTY: constant(uint256) = 96
ENERGY: constant(uint256) = 56
PRICE: constant(uint256) = 8
# funds: reserved left 80 | charge 48 | fills left 32 | interval 64 | tier 16 | state 16
RESERVED: constant(uint256) = 176
CHARGE: constant(uint256) = 128
FILLS: constant(uint256) = 96
INTERVAL: constant(uint256) = 32
TIER: constant(uint256) = 16
OPEN: constant(uint256) = 1
CLOSED: constant(uint256) = 2


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


struct Entry:
    order: Order
    r: bytes32
    s: bytes32
    v: uint8
    charge: uint64  # highest network charge of a fill, micro-units per kWh
    fills: uint32  # most fills
    reserved: uint256


OPERATOR: public(immutable(address))
REGISTRY: public(immutable(address))
VAULT: public(immutable(address))
SETTLEMENT: public(immutable(address))
DOMAIN: public(immutable(bytes32))

rights: HashMap[bytes32, uint256]
funds: HashMap[bytes32, uint256]
parents: HashMap[bytes32, bytes32]  # of an order that may only take what another left


event Collected:
    key: indexed(bytes32)
    batch: uint32
    count: uint256
    reserved: uint256


event Closed:
    key: indexed(bytes32)
    batch: uint32
    count: uint256
    released: uint256


@deploy
def __init__(operator: address, registry_: address, vault_: address, settlement: address):
    """
    @notice Fix the peers; the registry, already deployed, knows the domain of signatures.
    """
    OPERATOR = operator
    REGISTRY = registry_
    VAULT = vault_
    SETTLEMENT = settlement
    DOMAIN = staticcall registry.__interface__(registry_).DOMAIN()


@external
def collect(write: keyed.Write, entries: DynArray[Entry, MAX_BATCH]):
    """
    @notice Take signed orders into the book and reserve the bids' money.
    @dev A bid reserves amount(price, energy) + amount(charge, energy) + one micro-unit per
         possible fill; a region's bid, backed by its participants' own, at most that.
    """
    assert msg.sender == OPERATOR, "orders: not the operator"
    if not keyed.begin(write, 0):
        return
    reserved: uint256 = 0
    for entry: Entry in entries:
        assert entry.order.region == write.region, "orders: other region"
        assert entry.order.interval == write.interval, "orders: other interval"
        reserved += self._admit(entry)
    log Collected(
        key=keyed.packed(write), batch=write.batch, count=len(entries), reserved=reserved
    )


@external
def take(
    bid: bytes32,
    offer: bytes32,
    buyer: address,
    seller: address,
    interval: uint64,
    terms: packing.Terms,
    lock: uint256,
):
    """
    @notice Use up bid and offer by one fill. Only the settlement, which locks `lock`.
    """
    assert msg.sender == SETTLEMENT, "orders: not the settlement"
    self._take_bid(bid, buyer, interval, terms, lock)
    self._take_offer(offer, seller, interval, terms)


@external
def take_bid(
    bid: bytes32, buyer: address, interval: uint64, terms: packing.Terms, lock: uint256
):
    """
    @notice Use up a bid by a fill whose offer stands on the other chain. Only the settlement.
    """
    assert msg.sender == SETTLEMENT, "orders: not the settlement"
    self._take_bid(bid, buyer, interval, terms, lock)


@external
def close(write: keyed.Write, hashes: DynArray[bytes32, MAX_CLOSED]):
    """
    @notice Free what no fill needs of orders' reservations; they can be filled no more.
    """
    assert msg.sender == OPERATOR, "orders: not the operator"
    if not keyed.begin(write, 1):
        return
    released: uint256 = 0
    for order: bytes32 in hashes:
        funds: uint256 = self.funds[order]
        assert funds & packing.MASK_16 == OPEN, "orders: not open"
        left: uint256 = funds >> RESERVED
        self.funds[order] = (funds & (2**RESERVED - 1)) ^ (OPEN | CLOSED)
        if left > 0:
            released += left
            extcall vault.__interface__(VAULT).release(self._party(order), left)
    log Closed(key=keyed.packed(write), batch=write.batch, count=len(hashes), released=released)


@external
@view
def state(order: bytes32) -> (address, uint256, uint256, uint256, uint256):
    """
    @return participant, energy left, reserved left, fills left, state (0 none, 1 open, 2 closed).
    """
    funds: uint256 = self.funds[order]
    return (
        self._party(order),
        (self.rights[order] >> ENERGY) & packing.MASK_40,
        funds >> RESERVED,
        (funds >> FILLS) & packing.MASK_32,
        funds & packing.MASK_16,
    )


@external
@view
def digest(order: Order) -> bytes32:
    """
    @notice The EIP-712 digest of an order: what is signed, and its name everywhere.
    """
    return self._digest(order)


@internal
def _admit(entry: Entry) -> uint256:
    # returns what was reserved
    order: Order = entry.order
    assert order.side <= OFFER, "orders: no such side"
    assert 0 < order.energy and order.energy < 2**40, "orders: energy"
    assert order.price < 2**48 and entry.charge < 2**48, "orders: price"
    assert order.expires == 0 or order.expires > order.interval, "orders: expired"
    name: bytes32 = self._digest(order)
    self._check_signature(entry, name)
    assert self.funds[name] == 0, "orders: seen before"
    if order.parent != empty(bytes32):
        self._check_parent(order)
        self.parents[name] = order.parent
    reserved: uint256 = self._reserve(entry)
    self.rights[name] = (
        convert(order.participant, uint256) << PARTY
        | convert(order.energy, uint256) << ENERGY
        | convert(order.price, uint256) << PRICE
        | convert(order.side, uint256)
    )
    self.funds[name] = (
        reserved << RESERVED
        | convert(entry.charge, uint256) << CHARGE
        | convert(entry.fills, uint256) << FILLS
        | convert(order.interval, uint256) << INTERVAL
        | convert(order.tier, uint256) << TIER
        | OPEN
    )
    return reserved


@internal
@view
def _digest(order: Order) -> bytes32:
    return keccak256(concat(x"1901", DOMAIN, keccak256(abi_encode(ORDER_TYPE, order))))


@internal
@view
def _check_signature(entry: Entry, name: bytes32):
    assert convert(entry.s, uint256) <= convert(
        HALF_ORDER, uint256
    ), "orders: signature not low"
    assert entry.v == 27 or entry.v == 28, "orders: signature form"
    signer: address = ecrecover(name, entry.v, entry.r, entry.s)
    assert signer != empty(address), "orders: signature form"
    assert signer == entry.order.participant, "orders: not the participant's signature"


@internal
@view
def _check_parent(order: Order):
    # a child may only be filled to what its parent has left: see _take_bid
    assert self._party(order.parent) == order.participant, "orders: not one's own parent"
    assert self.rights[order.parent] & packing.MASK_8 == convert(BID, uint256), "orders: parent"
    assert order.side == BID, "orders: parent"
    assert self.parents[order.parent] == empty(bytes32), "orders: parent has a parent"
    assert (
        convert((self.funds[order.parent] >> INTERVAL) & packing.MASK_64, uint64) == order.interval
    ), "orders: parent of another interval"


@internal
def _reserve(entry: Entry) -> uint256:
    order: Order = entry.order
    status: uint256 = staticcall registry.__interface__(REGISTRY).status(order.participant)
    assert status != 0, "orders: not registered"
    assert status & packing.MASK_8 == 1, "orders: suspended"
    if order.side == OFFER:
        assert entry.reserved == 0, "orders: an offer reserves nothing"
        return 0
    energy: uint256 = convert(order.energy, uint256)
    full: uint256 = (
        rounding.amount(convert(order.price, uint256), energy)
        + rounding.amount(convert(entry.charge, uint256), energy)
        + convert(entry.fills, uint256)
    )
    if (status >> 8) & REGION == 0:
        assert entry.fills <= MAX_FILLS, "orders: too many fills"
        assert entry.reserved == full, "orders: other reservation"
    else:
        assert entry.reserved <= full, "orders: other reservation"
    extcall vault.__interface__(VAULT).reserve(order.participant, entry.reserved)
    return entry.reserved


@internal
def _take_bid(
    bid: bytes32, buyer: address, interval: uint64, terms: packing.Terms, lock: uint256
):
    rights: uint256 = self._take_energy(bid, buyer, interval, BID, terms)
    assert terms.price <= (rights >> PRICE) & packing.MASK_48, "orders: above the bid's price"
    funds: uint256 = self.funds[bid]
    assert terms.charge <= (funds >> CHARGE) & packing.MASK_48, "orders: above the bid's charge"
    assert (funds >> FILLS) & packing.MASK_32 > 0, "orders: too many fills"
    assert lock <= funds >> RESERVED, "orders: above the reservation"
    self.funds[bid] = funds - (lock << RESERVED) - (1 << FILLS)
    parent: bytes32 = self.parents[bid]
    if parent != empty(bytes32):
        # one energy on both tiers: what the child takes, the parent has no more
        above: uint256 = self.rights[parent]
        assert terms.energy <= (above >> ENERGY) & packing.MASK_40, "orders: parent is filled"
        self.rights[parent] = above - (terms.energy << ENERGY)


@internal
def _take_offer(offer: bytes32, seller: address, interval: uint64, terms: packing.Terms):
    rights: uint256 = self._take_energy(offer, seller, interval, OFFER, terms)
    assert terms.price >= (rights >> PRICE) & packing.MASK_48, "orders: below the offer's price"


@internal
def _take_energy(
    order: bytes32, party: address, interval: uint64, side: uint8, terms: packing.Terms
) -> uint256:
    rights: uint256 = self.rights[order]
    funds: uint256 = self.funds[order]
    assert funds & packing.MASK_16 == OPEN, "orders: not open"
    assert rights >> PARTY == convert(party, uint256), "orders: another participant's"
    assert rights & packing.MASK_8 == convert(side, uint256), "orders: other side"
    assert (funds >> INTERVAL) & packing.MASK_64 == convert(
        interval, uint256
    ), "orders: other interval"
    assert (funds >> TIER) & packing.MASK_16 == terms.tier, "orders: other tier"
    assert terms.energy <= (rights >> ENERGY) & packing.MASK_40, "orders: above the order's energy"
    self.rights[order] = rights - (terms.energy << ENERGY)
    return rights


@internal
@view
def _party(order: bytes32) -> address:
    return convert(convert(self.rights[order] >> PARTY, uint160), address)
