# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Challenges of the fills
@notice Proofs that the fills of a posted clearing are wrong: more than an order says, a sum that
        does not follow, one energy on both tiers, an offer passed over or shut out by a cap that
        it does not exceed. One or two leaves of what was posted decide (5-decisions, section 17).
@dev Only the local tier's merit order is judged: the zonal one weighs losses that no chain knows.
"""

import book
import challenging
import clearing
import clock
import leaves
import packing
import posting
import registry
import rounding

initializes: clock
initializes: challenging[clock := clock]

PPM: constant(uint256) = 1_000_000
LOCAL: constant(uint256) = 0


struct Wires:
    # what a pair of buses pays: an interval's charges, opened, and both locational prices
    charges: posting.Charges
    buyer: leaves.AtBus
    seller: leaves.AtBus


@deploy
def __init__(
    operator: address,
    peers: challenging.Peers,
    terms: challenging.Terms,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers, the deadlines.
    """
    clock.__init__(begins, seconds)
    challenging.__init__(operator, peers, terms)


@external
def capped(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    offer: book.Order,
    shown: leaves.Placed,
    bid: leaves.Placed,
    wires: Wires,
):
    """
    @notice An offer was refused as above every cap, but there is a bid in the book at whose bus it
            is not.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    challenging.shown_order(posted, offer, shown)
    assert shown.leaf.refusal == leaves.PRICE_FORM, "challenge_fills: not refused for its price"
    assert offer.side == book.OFFER, "challenge_fills: not an offer"
    leaves.require_order(bid, posted.order_root)
    assert bid.leaf.refusal == leaves.ADMITTED, "challenge_fills: not in the market"
    assert self._may_trade(
        region,
        interval,
        convert(offer.tier, uint256),
        convert(offer.price, uint256),
        bid.leaf.participant,
        offer.participant,
        wires,
    ), "challenge_fills: above the cap"
    challenging.condemn(region, interval, name, keccak256("capped"), offer.participant)


@external
def overfilled(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    order: book.Order,
    shown: leaves.Filled,
):
    """
    @notice A fill takes more than its bid or offer says, together with the fills before it; or
            names another participant, another tier, another price.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    leaves.require_fill(interval, shown, posted.fill_root)
    wanted: bytes32 = book.digest(challenging.DOMAIN, order)
    fill: packing.Fill = shown.leaf.fill
    terms: packing.Terms = packing.terms(fill.terms)
    price: uint256 = convert(order.price, uint256)
    before: uint256 = shown.leaf.bid_before
    wrong: bool = False
    if wanted == fill.bid:
        wrong = (
            order.side != book.BID or fill.buyer != order.participant or terms.price > price
        )
    else:
        assert wanted == fill.offer, "challenge_fills: another order"
        before = shown.leaf.offer_before
        tariffs: clearing.Tariffs = challenging.tariffs(region, interval)
        wrong = (
            order.side != book.OFFER
            or fill.seller != order.participant
            or terms.price != max(price, tariffs.feed_in)
        )
    assert (
        wrong
        or terms.tier != convert(order.tier, uint256)
        or before + terms.energy > convert(order.energy, uint256)
    ), "challenge_fills: nothing wrong"
    challenging.condemn(region, interval, name, keccak256("overfilled"), order.participant)


@external
def forked(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    of_bid: bool,
    later: leaves.Filled,
    earlier: leaves.Filled,
):
    """
    @notice What the fills of one order took does not add up: a fill does not follow from the one it
            names, or two fills follow the same one.
    @param of_bid Whether the order is the later fill's bid, or its offer.
    @param earlier Not read when the later fill is wrong by itself.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    leaves.require_fill(interval, later, posted.fill_root)
    order: bytes32 = empty(bytes32)
    before: uint256 = 0
    previous: uint256 = 0
    order, before, previous = leaves.link(later.leaf, of_bid)
    wrong: bool = previous > later.proof.index or (previous == 0 and before != 0)
    if not wrong:
        leaves.require_fill(interval, earlier, posted.fill_root)
        other: bytes32 = empty(bytes32)
        other_before: uint256 = 0
        other_previous: uint256 = 0
        other, other_before, other_previous = leaves.link(earlier.leaf, of_bid)
        if previous == earlier.proof.index + 1:
            taken: uint256 = packing.terms(earlier.leaf.fill.terms).energy
            wrong = other != order or other_before + taken != before
        else:
            wrong = (
                other == order
                and other_previous == previous
                and earlier.proof.index != later.proof.index
            )
    assert wrong, "challenge_fills: nothing wrong"
    injured: address = later.leaf.fill.seller
    if of_bid:
        injured = later.leaf.fill.buyer
    challenging.condemn(region, interval, name, keccak256("forked"), injured)


@external
def misstated(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    shown: leaves.Placed,
    fill: leaves.Filled,
):
    """
    @notice What an order's leaf says is filled is not what its last fill comes to, or there is a
            later one, or a refused order is filled.
    @param fill Not read when the leaf is wrong by itself.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    leaves.require_order(shown, posted.order_root)
    leaf: leaves.OrderLeaf = shown.leaf
    wrong: bool = (leaf.last == 0) != (leaf.filled == 0)
    if leaf.refusal != leaves.ADMITTED and leaf.refusal != leaves.GRID:
        wrong = wrong or leaf.filled > 0
    if not wrong:
        leaves.require_fill(interval, fill, posted.fill_root)
        of_bid: bool = fill.leaf.fill.bid == leaf.order
        order: bytes32 = empty(bytes32)
        before: uint256 = 0
        previous: uint256 = 0
        order, before, previous = leaves.link(fill.leaf, of_bid)
        if fill.proof.index + 1 == leaf.last:
            taken: uint256 = packing.terms(fill.leaf.fill.terms).energy
            wrong = order != leaf.order or before + taken != leaf.filled
        else:
            wrong = order == leaf.order and fill.proof.index >= leaf.last
    assert wrong, "challenge_fills: nothing wrong"
    challenging.condemn(region, interval, name, keccak256("misstated"), leaf.participant)


@external
def both_tiers(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    child: book.Order,
    shown: leaves.Placed,
    parent: book.Order,
    above: leaves.Placed,
):
    """
    @notice A bid and its child together are filled above what the parent says: one energy on both
            tiers.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    challenging.shown_order(posted, child, shown)
    assert challenging.shown_order(posted, parent, above) == child.parent, "challenge_fills: not its parent"
    assert shown.leaf.filled + above.leaf.filled > convert(
        parent.energy, uint256
    ), "challenge_fills: nothing wrong"
    challenging.condemn(region, interval, name, keccak256("both tiers"), parent.participant)


@external
def outranked(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    bid: book.Order,
    worse: leaves.Filled,
    better: leaves.Filled,
    better_offer: leaves.Placed,
    worse_offer: leaves.Placed,
    wires: Wires,
):
    """
    @notice A bid had to take a worse offer, while a better one, which it could have had, went to a
            bid that the draw puts after it.
    @param worse The bid's own fill.
    @param better The other bid's fill.
    @param worse_offer Read only when both offers cost the same.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    self._own_fill(interval, posted, bid, worse)
    leaves.require_fill(interval, better, posted.fill_root)
    leaves.require_order(better_offer, posted.order_root)
    assert better_offer.leaf.order == better.leaf.fill.offer, "challenge_fills: another offer"
    assert self._draw(posted.seed, worse.leaf.fill.bid) < self._draw(
        posted.seed, better.leaf.fill.bid
    ), "challenge_fills: not drawn before"
    terms: packing.Terms = packing.terms(better.leaf.fill.terms)
    assert terms.tier == LOCAL, "challenge_fills: not the local tier"
    self._require_better(posted, terms.price, better_offer.leaf, worse, worse_offer)
    self._require_willing(
        region, interval, bid, terms.price, better.leaf.fill.seller, better_offer.leaf, wires
    )
    challenging.condemn(region, interval, name, keccak256("outranked"), bid.participant)


@external
def skipped(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    bid: book.Order,
    worse: leaves.Filled,
    offer: book.Order,
    better_offer: leaves.Placed,
    worse_offer: leaves.Placed,
    wires: Wires,
):
    """
    @notice A bid took a worse offer while a better one, which it could have had, has energy left.
    @param worse_offer Read only when both offers cost the same.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    self._own_fill(interval, posted, bid, worse)
    challenging.shown_order(posted, offer, better_offer)
    assert better_offer.leaf.refusal == leaves.ADMITTED, "challenge_fills: not in the market"
    assert offer.side == book.OFFER and offer.tier == 0, "challenge_fills: not the local tier"
    assert better_offer.leaf.filled < convert(offer.energy, uint256), "challenge_fills: no energy left"
    price: uint256 = max(
        convert(offer.price, uint256), challenging.tariffs(region, interval).feed_in
    )
    self._require_better(posted, price, better_offer.leaf, worse, worse_offer)
    self._require_willing(
        region, interval, bid, price, offer.participant, better_offer.leaf, wires
    )
    challenging.condemn(region, interval, name, keccak256("skipped"), offer.participant)


@internal
@view
def _own_fill(
    interval: uint64, posted: posting.Clearing, bid: book.Order, worse: leaves.Filled
):
    assert worse.leaf.fill.bid == book.digest(challenging.DOMAIN, bid), "challenge_fills: another order"
    assert bid.tier == 0, "challenge_fills: not the local tier"
    leaves.require_fill(interval, worse, posted.fill_root)


@internal
@view
def _require_better(
    posted: posting.Clearing,
    price: uint256,
    better: leaves.OrderLeaf,
    worse: leaves.Filled,
    worse_offer: leaves.Placed,
):
    # merit: lower price, higher reputation, lower hash
    other: uint256 = packing.terms(worse.leaf.fill.terms).price
    if price == other:
        assert worse_offer.leaf.order == worse.leaf.fill.offer, "challenge_fills: another offer"
        leaves.require_order(worse_offer, posted.order_root)
        against: leaves.OrderLeaf = worse_offer.leaf
        assert better.reputation > against.reputation or (
            better.reputation == against.reputation
            and convert(better.order, uint256) < convert(against.order, uint256)
        ), "challenge_fills: not better"
    else:
        assert price < other, "challenge_fills: not better"


@internal
@view
def _require_willing(
    region: bytes32,
    interval: uint64,
    bid: book.Order,
    price: uint256,
    seller: address,
    offer: leaves.OrderLeaf,
    wires: Wires,
):
    # both sides accept each other, and the wires between them leave room for the price
    assert price <= convert(bid.price, uint256), "challenge_fills: above the bid"
    assert offer.reputation >= convert(bid.min_reputation, uint256), "challenge_fills: not trusted"
    assert seller != bid.participant, "challenge_fills: trade with oneself"
    assert self._may_trade(
        region, interval, LOCAL, price, bid.participant, seller, wires
    ), "challenge_fills: above the cap"


@internal
@view
def _may_trade(
    region: bytes32,
    interval: uint64,
    tier: uint256,
    price: uint256,
    buyer: address,
    seller: address,
    wires: Wires,
) -> bool:
    # the cap of a pair, as `market/caps.py: Pairs.ceiling`
    assert posting.charges_hash(wires.charges) == staticcall clearing.__interface__(
        challenging.CLEARING
    ).charges(region, interval), "challenge_fills: other charges"
    leaves.require_bus(self._bus(buyer), wires.buyer, wires.charges.root)
    leaves.require_bus(self._bus(seller), wires.seller, wires.charges.root)
    tariffs: clearing.Tariffs = challenging.tariffs(region, interval)
    charge: uint256 = wires.charges.local
    if tier != LOCAL:
        charge = wires.charges.zonal
    if wires.buyer.locational > wires.seller.locational:
        charge += convert(wires.buyer.locational - wires.seller.locational, uint256)
    keep: uint256 = PPM - tariffs.loss_share
    cap: uint256 = 0
    if tariffs.retail > charge + wires.charges.margin:
        cap = rounding.part(tariffs.retail - charge - wires.charges.margin, keep)
    if cap >= tariffs.feed_in:
        return price <= cap
    return price <= tariffs.feed_in and tariffs.feed_in + charge <= rounding.part(
        tariffs.retail, keep
    )


@internal
@view
def _bus(account: address) -> uint256:
    status: uint256 = staticcall registry.__interface__(challenging.REGISTRY).status(account)
    return (status >> 16) & packing.MASK_32


@internal
@pure
def _draw(seed: bytes32, order: bytes32) -> uint256:
    # the smallest is served first: `market/draw.py: place`
    return convert(keccak256(concat(seed, order)), uint256)
