# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Orders
@notice The sealed book: what is left of each order and of its reservation, in one word under the
        order's name. Whatever a participant signed is brought again with each call and bound by
        that name. An order enters with its participant's own call or signature; a fill takes from
        it only within what was signed (5-decisions, sections 2 and 17).
"""

import book
import clearing
import clock
import keyed
import packing
import registry
import rounding
import signing
import vault

initializes: clock
initializes: keyed
exports: keyed.written

MAX_BATCH: constant(uint256) = 128
MAX_FILLS: constant(uint32) = 16
AS_RULED: constant(uint256) = max_value(uint256)  # reserve what the rule says
REGION: constant(uint256) = 8  # role
# left: reserved 80 | charge 48 | energy 40 | fills 16 | marks 8 | state 8
RESERVED: constant(uint256) = 120
CHARGE: constant(uint256) = 72
ENERGY: constant(uint256) = 32
FILLS: constant(uint256) = 16
MARKS: constant(uint256) = 8  # 1: its meter has the participant's own key; 2: its import is counted
OPEN: constant(uint256) = 1
CLOSED: constant(uint256) = 2
# a bid that one signed match used up: its fill's name above the lowest 8 bits
BOUND: constant(uint256) = 3


struct Entry:
    order: book.Order
    signature: signing.Signature
    charge: uint64  # highest network charge of a fill, micro-units per kWh
    fills: uint32  # most fills
    reserved: uint256


struct Taken:
    # what a fill must remember of its orders
    before: uint256  # energy that the bid's earlier fills took
    marks: uint256  # 1: both parties' meters have their own keys; 2: the buyer's import is counted


OPERATOR: public(immutable(address))
REGISTRY: public(immutable(address))
VAULT: public(immutable(address))
SETTLEMENT: public(immutable(address))
CLEARING: public(immutable(address))
CROSSING: public(immutable(address))
DOMAIN: public(immutable(bytes32))

left: HashMap[bytes32, uint256]


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


event Posted:
    order: indexed(bytes32)


event Cancelled:
    order: indexed(bytes32)
    released: uint256


event Bound:
    bid: indexed(bytes32)
    fill: indexed(bytes32)
    locked: uint256


@deploy
def __init__(
    operator: address,
    registry_: address,
    vault_: address,
    settlement: address,
    clearing_: address,
    crossing: address,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers; the registry, already deployed, knows the domain of signatures.
    """
    clock.__init__(begins, seconds)
    OPERATOR = operator
    REGISTRY = registry_
    VAULT = vault_
    SETTLEMENT = settlement
    CLEARING = clearing_
    CROSSING = crossing
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
        name: bytes32 = book.digest(DOMAIN, entry.order)
        self._check_signer(name, entry.signature, entry.order.participant)
        reserved += self._admit(name, entry.order, entry.charge, entry.fills, entry.reserved)
    log Collected(
        key=keyed.packed(write), batch=write.batch, count=len(entries), reserved=reserved
    )


@external
def post(order: book.Order, charge: uint64, fills: uint32):
    """
    @notice Place one's own order and reserve for it: no signature needed. Until the book closes.
    @param charge Highest network charge of a fill that one will bear; zero for an offer.
    @param fills Most fills, at most 16; zero for an offer.
    """
    assert msg.sender == order.participant, "orders: not one's own"
    assert fills <= MAX_FILLS, "orders: too many fills"
    assert clock.book_open(order.interval), "orders: the book is closed"
    name: bytes32 = book.digest(DOMAIN, order)
    self._admit(name, order, charge, fills, AS_RULED)
    log Posted(order=name)


@external
def relay(order: book.Order, signature: signing.Signature, charge: uint64, fills: uint32):
    """
    @notice Place an order for its participant, who signed the posting: order, charge and fills.
            Anybody may call, as the collector does.
    """
    name: bytes32 = book.digest(DOMAIN, order)
    posting: bytes32 = book.posting(DOMAIN, name, charge, fills)
    self._check_signer(posting, signature, order.participant)
    assert fills <= MAX_FILLS, "orders: too many fills"
    assert clock.book_open(order.interval), "orders: the book is closed"
    self._admit(name, order, charge, fills, AS_RULED)
    log Posted(order=name)


@external
def cancel(order: book.Order):
    """
    @notice Take one's own order out of the book before it closes; or, when its interval is over,
            take back what no fill used and nobody freed.
    """
    assert msg.sender == order.participant, "orders: not one's own"
    if not clock.ended(order.interval, 0):
        assert clock.book_open(order.interval), "orders: the book is closed"
        assert not (
            staticcall clearing.__interface__(CLEARING).is_posted(order.region, order.interval)
        ), "orders: the book is closed"
    name: bytes32 = book.digest(DOMAIN, order)
    released: uint256 = self._close(name, order.participant)
    log Cancelled(order=name, released=released)


@external
def bind(
    bid: book.Order,
    bid_signature: signing.Signature,
    offer: book.Order,
    offer_signature: signing.Signature,
    terms: uint256,
) -> bytes32:
    """
    @notice Match two signed orders, of which the bid was never posted, and lock for their fill.
            The bid's word holds the fill: it can have no other.
    @dev The buyer signed no charge: price and charge together stay within the bid's price.
    @param terms See packing.Fill.
    @return The fill's name.
    """
    assert msg.sender == OPERATOR, "orders: not the operator"
    assert clock.commit_open(bid.interval), "orders: too late for a fill"
    assert bid.region == offer.region, "orders: other region"
    assert bid.participant != offer.participant, "orders: trade with oneself"
    assert bid.parent == empty(bytes32), "orders: a child's fill crosses"
    self._check_form(bid.side, bid.energy, bid.price, bid.interval, bid.expires)
    assert bid.side == book.BID, "orders: other side"
    asked: packing.Terms = packing.terms(terms)
    assert asked.energy > 0 and asked.energy <= convert(
        bid.energy, uint256
    ), "orders: above the order's energy"
    assert asked.price + asked.charge <= convert(bid.price, uint256), "orders: above the bid's price"
    assert convert(bid.tier, uint256) == asked.tier, "orders: other tier"
    bid_name: bytes32 = book.digest(DOMAIN, bid)
    self._check_signer(bid_name, bid_signature, bid.participant)
    assert self.left[bid_name] == 0, "orders: seen before"
    offer_name: bytes32 = book.digest(DOMAIN, offer)
    word: uint256 = self.left[offer_name]
    if word == 0:
        self._check_form(offer.side, offer.energy, offer.price, offer.interval, offer.expires)
        self._check_signer(offer_name, offer_signature, offer.participant)
        standing: uint256 = staticcall vault.__interface__(VAULT).standing(offer.participant)
        self._check_standing(standing)
        word = self._word(offer.energy, 0, 0, 0, standing)
    assert offer.side == book.OFFER, "orders: other side"
    assert offer.interval == bid.interval, "orders: other interval"
    assert asked.price >= convert(offer.price, uint256), "orders: below the offer's price"
    self.left[offer_name] = self._less_energy(word, offer.tier, asked.tier, asked.energy)
    fill: bytes32 = packing.fill_hash(
        bid.region,
        bid.interval,
        packing.Fill(
            bid=bid_name, offer=offer_name, buyer=bid.participant, seller=offer.participant, terms=terms
        ),
    )
    self.left[bid_name] = self._bound(fill)
    locked: uint256 = rounding.amount(asked.price, asked.energy) + rounding.amount(
        asked.charge, asked.energy
    )
    self._check_standing(extcall vault.__interface__(VAULT).engage(
        bid.participant, locked, skip_contract_check=True
    ))
    log Bound(bid=bid_name, fill=fill, locked=locked)
    return fill


@external
def unbind(bid: bytes32, fill: bytes32):
    """
    @notice End the fill that a bid's word holds, once. Only the settlement, which pays it.
    """
    assert msg.sender == SETTLEMENT, "orders: not the settlement"
    assert self.left[bid] == self._bound(fill), "orders: not bound to this fill"
    self.left[bid] = CLOSED


@external
def take(
    bid: book.Order, offer: book.Order, terms: packing.Terms, lock: uint256
) -> (bytes32, bytes32, Taken):
    """
    @notice Use up bid and offer by one fill. Only the settlement, which locks `lock`.
    @return The names of both orders, and what their fill must remember.
    """
    assert msg.sender == SETTLEMENT, "orders: not the settlement"
    assert bid.parent == empty(bytes32), "orders: a child's fill crosses"
    assert bid.region == offer.region, "orders: other region"
    bid_name: bytes32 = book.digest(DOMAIN, bid)
    offer_name: bytes32 = book.digest(DOMAIN, offer)
    bought: uint256 = self.left[bid_name]
    sold: uint256 = self.left[offer_name]
    assert bid.side == book.BID and offer.side == book.OFFER, "orders: other side"
    assert offer.interval == bid.interval, "orders: other interval"
    assert terms.price <= convert(bid.price, uint256), "orders: above the bid's price"
    assert terms.price >= convert(offer.price, uint256), "orders: below the offer's price"
    left: uint256 = self._less_energy(bought, bid.tier, terms.tier, terms.energy)
    self.left[bid_name] = self._less_funds(left, terms.charge, lock)
    self.left[offer_name] = self._less_energy(sold, offer.tier, terms.tier, terms.energy)
    return bid_name, offer_name, Taken(
        before=convert(bid.energy, uint256) - ((bought >> ENERGY) & packing.MASK_40),
        marks=(bought & (sold | 2 << MARKS)) >> MARKS & packing.MASK_8,
    )


@external
def take_bid(
    bid: book.Order, parent: book.Order, terms: packing.Terms, lock: uint256
) -> bytes32:
    """
    @notice Use up a bid by a fill whose offer stands on the other chain. Only the crossing.
    @dev One energy on both tiers: what a child takes, its parent has no more.
    @param parent The bid that this one names as parent; not looked at when it names none.
    @return The bid's name.
    """
    assert msg.sender == CROSSING, "orders: not the crossing"
    name: bytes32 = book.digest(DOMAIN, bid)
    assert bid.side == book.BID, "orders: other side"
    assert terms.price <= convert(bid.price, uint256), "orders: above the bid's price"
    left: uint256 = self._less_energy(self.left[name], bid.tier, terms.tier, terms.energy)
    self.left[name] = self._less_funds(left, terms.charge, lock)
    if bid.parent != empty(bytes32):
        assert book.digest(DOMAIN, parent) == bid.parent, "orders: other parent"
        assert parent.participant == bid.participant, "orders: not one's own parent"
        assert parent.side == book.BID, "orders: parent is no bid"
        assert parent.parent == empty(bytes32), "orders: parent has a parent"
        assert parent.interval == bid.interval, "orders: parent of another interval"
        above: uint256 = self.left[bid.parent]
        assert above & packing.MASK_8 == OPEN, "orders: parent is not open"
        assert terms.energy <= (above >> ENERGY) & packing.MASK_40, "orders: parent is filled"
        self.left[bid.parent] = above - (terms.energy << ENERGY)
    return name


@external
def close(write: keyed.Write, orders: DynArray[book.Order, MAX_BATCH]):
    """
    @notice Free what no fill needs of orders' reservations; they can be filled no more.
    """
    assert msg.sender == OPERATOR, "orders: not the operator"
    if not keyed.begin(write, 1):
        return
    released: uint256 = 0
    for order: book.Order in orders:
        released += self._close(book.digest(DOMAIN, order), order.participant)
    log Closed(key=keyed.packed(write), batch=write.batch, count=len(orders), released=released)


@external
@view
def state(order: bytes32) -> (uint256, uint256, uint256, uint256):
    """
    @return energy left, reserved left, fills left, state (0 none, 1 open, 2 closed, 3 bound to one
            fill); zeros of one that is bound.
    """
    word: uint256 = self.left[order]
    if word & packing.MASK_8 == BOUND:
        return 0, 0, 0, BOUND
    return (
        (word >> ENERGY) & packing.MASK_40,
        word >> RESERVED,
        (word >> FILLS) & packing.MASK_16,
        word & packing.MASK_8,
    )


@external
@view
def digest(order: book.Order) -> bytes32:
    """
    @notice The EIP-712 digest of an order: what is signed, and its name everywhere.
    """
    return book.digest(DOMAIN, order)


@internal
def _admit(
    name: bytes32, order: book.Order, charge: uint64, fills: uint32, stated: uint256
) -> uint256:
    # returns what was reserved
    self._check_form(order.side, order.energy, order.price, order.interval, order.expires)
    assert charge < 2**48, "orders: price"
    assert fills <= 65535, "orders: too many fills"
    assert self.left[name] == 0, "orders: seen before"
    reserved: uint256 = 0
    standing: uint256 = 0
    if order.side == book.OFFER:
        assert stated == 0 or stated == AS_RULED, "orders: an offer reserves nothing"
        standing = staticcall vault.__interface__(VAULT).standing(
            order.participant, skip_contract_check=True
        )
    else:
        # what its fills may cost at most, each amount rounded by itself
        energy: uint256 = convert(order.energy, uint256)
        reserved = (
            rounding.amount(convert(order.price, uint256), energy)
            + rounding.amount(convert(charge, uint256), energy)
            + convert(fills, uint256)
        )
        if stated != AS_RULED and (stated != reserved or fills > MAX_FILLS):
            self._check_region(order.participant, fills, stated, reserved)
            reserved = stated
        standing = extcall vault.__interface__(VAULT).reserve(
            order.participant, reserved, skip_contract_check=True
        )
    self._check_standing(standing)
    self.left[name] = self._word(order.energy, reserved, charge, fills, standing)
    return reserved


@internal
@pure
def _check_form(side: uint8, energy: uint64, price: uint64, interval: uint64, expires: uint64):
    assert side <= book.OFFER, "orders: no such side"
    assert 0 < energy and energy <= book.MOST, "orders: energy"
    assert price < 2**48, "orders: price"
    assert expires == 0 or expires > interval, "orders: expired"


@internal
@view
def _check_region(participant: address, fills: uint32, stated: uint256, full: uint256):
    # a region may reserve exactly what its fills lock, and have any number of them
    status: uint256 = staticcall registry.__interface__(REGISTRY).status(participant)
    if (status >> 8) & REGION == 0:
        assert fills <= MAX_FILLS, "orders: too many fills"
        assert stated == full, "orders: other reservation"
    assert stated <= full, "orders: other reservation"


@internal
@pure
def _check_standing(standing: uint256):
    assert standing != 0, "orders: not registered"
    assert standing & 1 == 1, "orders: suspended"


@internal
@view
def _check_signer(digest: bytes32, signature: signing.Signature, participant: address):
    assert (
        signing.signer(digest, signature) == participant
    ), "orders: not the participant's signature"


@internal
@pure
def _word(
    energy: uint64, reserved: uint256, charge: uint64, fills: uint32, standing: uint256
) -> uint256:
    return (
        reserved << RESERVED
        | convert(charge, uint256) << CHARGE
        | convert(energy, uint256) << ENERGY
        | convert(fills, uint256) << FILLS
        | (standing ^ 2) >> 1 << MARKS
        | OPEN
    )


@internal
@pure
def _bound(fill: bytes32) -> uint256:
    return convert(fill, uint256) & ~packing.MASK_8 | BOUND


@internal
@pure
def _less_energy(word: uint256, tier: uint8, asked: uint256, energy: uint256) -> uint256:
    assert word & packing.MASK_8 == OPEN, "orders: not open"
    assert convert(tier, uint256) == asked, "orders: other tier"
    assert 0 < energy, "orders: a fill of nothing"
    assert energy <= (word >> ENERGY) & packing.MASK_40, "orders: above the order's energy"
    return word - (energy << ENERGY)


@internal
@pure
def _less_funds(word: uint256, charge: uint256, lock: uint256) -> uint256:
    assert charge <= (word >> CHARGE) & packing.MASK_48, "orders: above the bid's charge"
    assert (word >> FILLS) & packing.MASK_16 > 0, "orders: too many fills"
    assert lock <= word >> RESERVED, "orders: above the reservation"
    return word - (lock << RESERVED) - (1 << FILLS)


@internal
def _close(name: bytes32, participant: address) -> uint256:
    # returns what was freed
    word: uint256 = self.left[name]
    assert word & packing.MASK_8 == OPEN, "orders: not open"
    self.left[name] = (word & (2**RESERVED - 1)) ^ (OPEN | CLOSED)
    reserved: uint256 = word >> RESERVED
    if reserved > 0:
        extcall vault.__interface__(VAULT).release(participant, reserved)
    return reserved
