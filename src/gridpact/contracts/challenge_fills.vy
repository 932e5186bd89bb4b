# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Challenges of the fills
@notice Proofs that the fills of a posted clearing are wrong: more than an order says, a sum that
        does not follow, one energy on both tiers, an offer passed over or shut out by a cap that
        it does not exceed. One or two leaves of what was posted decide (5-decisions, section 17).
@dev Rank is judged of the local tier only, and only where it is cleared in merit order: the zonal
     one weighs losses that no chain knows. Under another mechanism a local fill is priced between
     its offer and its bid, and who came first is for the audit, which computes the clearing again.
     `path`, the last argument, holds the siblings of all leaves that a call shows and reads, in
     their order.
"""

import book
import challenging
import clearing
import clock
import leaves
import merkle
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
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice An offer was refused as above every cap, but there is a bid in the book at whose bus it
            is not.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    leaf: bytes32 = challenging.shown_order(offer, shown.leaf)
    used: uint256 = merkle.after(leaf, shown.place, posted.order_root, path, 0)
    assert (
        leaves.refusal(shown.leaf.said) == leaves.PRICE_FORM
    ), "challenge_fills: not refused for its price"
    assert offer.side == book.OFFER, "challenge_fills: not an offer"
    used = merkle.after(leaves.of_order(bid.leaf), bid.place, posted.order_root, path, used)
    assert leaves.refusal(bid.leaf.said) == leaves.ADMITTED, "challenge_fills: not in the market"
    assert self._may_trade(
        region,
        interval,
        convert(offer.tier, uint256),
        convert(offer.price, uint256),
        leaves.participant(bid.leaf.said),
        offer.participant,
        wires,
        path,
        used,
    ), "challenge_fills: above the cap"
    challenging.condemn(region, interval, name, keccak256("capped"), offer.participant)


@external
def overfilled(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    order: book.Order,
    shown: leaves.Filled,
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice A fill takes more than its bid or offer says, together with the fills before it; or
            names another participant, another tier, another price.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    merkle.after(leaves.of_fill(interval, shown.leaf), shown.place, posted.fill_root, path, 0)
    wanted: bytes32 = book.digest(challenging.DOMAIN, order)
    fill: packing.Fill = shown.leaf.fill
    terms: packing.Terms = packing.terms(fill.terms)
    price: uint256 = convert(order.price, uint256)
    before: uint256 = shown.leaf.links >> 192
    wrong: bool = False
    if wanted == fill.bid:
        wrong = (
            order.side != book.BID or fill.buyer != order.participant or terms.price > price
        )
    else:
        assert wanted == fill.offer, "challenge_fills: another order"
        before = (shown.leaf.links >> 128) & packing.MASK_64
        tariffs: clearing.Tariffs = challenging.tariffs(region, interval)
        wrong = (
            order.side != book.OFFER
            or fill.seller != order.participant
            or self._is_mispriced(terms, max(price, tariffs.feed_in))
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
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice What the fills of one order took does not add up: a fill does not follow from the one it
            names, or two fills follow the same one.
    @param of_bid Whether the order is the later fill's bid, or its offer.
    @param earlier Not read when the later fill is wrong by itself.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    used: uint256 = merkle.after(
        leaves.of_fill(interval, later.leaf), later.place, posted.fill_root, path, 0
    )
    order: bytes32 = empty(bytes32)
    before: uint256 = 0
    previous: uint256 = 0
    order, before, previous = leaves.link(later.leaf, of_bid)
    wrong: bool = previous > leaves.index(later.place) or (previous == 0 and before != 0)
    if not wrong:
        merkle.after(
            leaves.of_fill(interval, earlier.leaf), earlier.place, posted.fill_root, path, used
        )
        other: bytes32 = empty(bytes32)
        other_before: uint256 = 0
        other_previous: uint256 = 0
        other, other_before, other_previous = leaves.link(earlier.leaf, of_bid)
        if previous == leaves.index(earlier.place) + 1:
            taken: uint256 = packing.terms(earlier.leaf.fill.terms).energy
            wrong = other != order or other_before + taken != before
        else:
            wrong = (
                other == order
                and other_previous == previous
                and leaves.index(earlier.place) != leaves.index(later.place)
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
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice What an order's leaf says is filled is not what its last fill comes to, or there is a
            later one, or a refused order is filled.
    @param fill Not read when the leaf is wrong by itself.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    used: uint256 = merkle.after(
        leaves.of_order(shown.leaf), shown.place, posted.order_root, path, 0
    )
    code: uint256 = leaves.refusal(shown.leaf.said)
    filled: uint256 = leaves.energy(shown.leaf.filled)
    last: uint256 = leaves.last(shown.leaf.filled)
    wrong: bool = (last == 0) != (filled == 0)
    if code != leaves.ADMITTED and code != leaves.GRID:
        wrong = wrong or filled > 0
    if not wrong:
        merkle.after(
            leaves.of_fill(interval, fill.leaf), fill.place, posted.fill_root, path, used
        )
        of_bid: bool = fill.leaf.fill.bid == shown.leaf.order
        order: bytes32 = empty(bytes32)
        before: uint256 = 0
        previous: uint256 = 0
        order, before, previous = leaves.link(fill.leaf, of_bid)
        if leaves.index(fill.place) + 1 == last:
            taken: uint256 = packing.terms(fill.leaf.fill.terms).energy
            wrong = order != shown.leaf.order or before + taken != filled
        else:
            wrong = order == shown.leaf.order and leaves.index(fill.place) >= last
    assert wrong, "challenge_fills: nothing wrong"
    injured: address = leaves.participant(shown.leaf.said)
    challenging.condemn(region, interval, name, keccak256("misstated"), injured)


@external
def both_tiers(
    region: bytes32,
    interval: uint64,
    posted: posting.Clearing,
    child: book.Order,
    shown: leaves.Placed,
    parent: book.Order,
    above: leaves.Placed,
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice A bid and its child together are filled above what the parent says: one energy on both
            tiers.
    """
    name: bytes32 = challenging.open(region, interval, posted)
    leaf: bytes32 = challenging.shown_order(child, shown.leaf)
    used: uint256 = merkle.after(leaf, shown.place, posted.order_root, path, 0)
    leaf = challenging.shown_order(parent, above.leaf)
    merkle.after(leaf, above.place, posted.order_root, path, used)
    assert above.leaf.order == child.parent, "challenge_fills: not its parent"
    assert leaves.energy(shown.leaf.filled) + leaves.energy(above.leaf.filled) > convert(
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
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice A bid had to take a worse offer, while a better one, which it could have had, went to a
            bid that the draw puts after it.
    @param worse The bid's own fill.
    @param better The other bid's fill.
    @param worse_offer Read only when both offers cost the same.
    """
    assert challenging.TERMS.by_merit, "challenge_fills: another mechanism"
    name: bytes32 = challenging.open(region, interval, posted)
    leaf: bytes32 = self._own_fill(interval, bid, worse.leaf)
    used: uint256 = merkle.after(leaf, worse.place, posted.fill_root, path, 0)
    leaf = leaves.of_fill(interval, better.leaf)
    used = merkle.after(leaf, better.place, posted.fill_root, path, used)
    leaf = leaves.of_order(better_offer.leaf)
    used = merkle.after(leaf, better_offer.place, posted.order_root, path, used)
    assert better_offer.leaf.order == better.leaf.fill.offer, "challenge_fills: another offer"
    assert self._draw(posted.seed, worse.leaf.fill.bid) < self._draw(
        posted.seed, better.leaf.fill.bid
    ), "challenge_fills: not drawn before"
    terms: packing.Terms = packing.terms(better.leaf.fill.terms)
    assert terms.tier == LOCAL, "challenge_fills: not the local tier"
    if self._is_tie(terms.price, better_offer.leaf, worse.leaf.fill, worse_offer.leaf):
        leaf = leaves.of_order(worse_offer.leaf)
        used = merkle.after(leaf, worse_offer.place, posted.order_root, path, used)
    seller: address = better.leaf.fill.seller
    self._require_willing(bid, terms.price, seller, leaves.reputation(better_offer.leaf.said))
    assert self._may_trade(
        region, interval, LOCAL, terms.price, bid.participant, seller, wires, path, used
    ), "challenge_fills: above the cap"
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
    path: DynArray[bytes32, merkle.MOST],
):
    """
    @notice A bid took a worse offer while a better one, which it could have had, has energy left.
    @param worse_offer Read only when both offers cost the same.
    """
    assert challenging.TERMS.by_merit, "challenge_fills: another mechanism"
    name: bytes32 = challenging.open(region, interval, posted)
    leaf: bytes32 = self._own_fill(interval, bid, worse.leaf)
    used: uint256 = merkle.after(leaf, worse.place, posted.fill_root, path, 0)
    leaf = challenging.shown_order(offer, better_offer.leaf)
    used = merkle.after(leaf, better_offer.place, posted.order_root, path, used)
    assert (
        leaves.refusal(better_offer.leaf.said) == leaves.ADMITTED
    ), "challenge_fills: not in the market"
    assert offer.side == book.OFFER and offer.tier == 0, "challenge_fills: not the local tier"
    assert leaves.energy(better_offer.leaf.filled) < convert(
        offer.energy, uint256
    ), "challenge_fills: no energy left"
    price: uint256 = max(
        convert(offer.price, uint256), challenging.tariffs(region, interval).feed_in
    )
    if self._is_tie(price, better_offer.leaf, worse.leaf.fill, worse_offer.leaf):
        leaf = leaves.of_order(worse_offer.leaf)
        used = merkle.after(leaf, worse_offer.place, posted.order_root, path, used)
    self._require_willing(bid, price, offer.participant, leaves.reputation(better_offer.leaf.said))
    assert self._may_trade(
        region, interval, LOCAL, price, bid.participant, offer.participant, wires, path, used
    ), "challenge_fills: above the cap"
    challenging.condemn(region, interval, name, keccak256("skipped"), offer.participant)


@internal
@view
def _is_mispriced(terms: packing.Terms, asked: uint256) -> bool:
    # `asked` is the offer's price, lifted to the floor
    if terms.tier == LOCAL and not challenging.TERMS.by_merit:
        return terms.price < asked
    return terms.price != asked


@internal
@view
def _own_fill(interval: uint64, bid: book.Order, worse: leaves.FillLeaf) -> bytes32:
    # the hash of a fill's leaf, which is to be a bid's local one
    assert worse.fill.bid == book.digest(challenging.DOMAIN, bid), "challenge_fills: another order"
    assert bid.tier == 0, "challenge_fills: not the local tier"
    return leaves.of_fill(interval, worse)


@internal
@pure
def _is_tie(
    price: uint256, better: leaves.OrderLeaf, worse: packing.Fill, against: leaves.OrderLeaf
) -> bool:
    # merit: lower price, higher reputation, lower hash; whether more than the price decides
    other: uint256 = packing.terms(worse.terms).price
    if price != other:
        assert price < other, "challenge_fills: not better"
        return False
    assert against.order == worse.offer, "challenge_fills: another offer"
    mine: uint256 = leaves.reputation(better.said)
    theirs: uint256 = leaves.reputation(against.said)
    assert mine > theirs or (
        mine == theirs
        and convert(better.order, uint256) < convert(against.order, uint256)
    ), "challenge_fills: not better"
    return True


@internal
@pure
def _require_willing(bid: book.Order, price: uint256, seller: address, score: uint256):
    # both sides accept each other; whether the wires leave room for the price, `_may_trade` says.
    # What stands behind a bid's terms no chain knows: it may well have passed an offer over.
    assert bid.terms == empty(bytes32), "challenge_fills: terms of its own"
    assert price <= convert(bid.price, uint256), "challenge_fills: above the bid"
    assert score >= convert(bid.min_reputation, uint256), "challenge_fills: not trusted"
    assert seller != bid.participant, "challenge_fills: trade with oneself"


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
    path: DynArray[bytes32, merkle.MOST],
    used: uint256,
) -> bool:
    # the cap of a pair, as `market/caps.py: Pairs.ceiling`
    posted: bytes32 = empty(bytes32)
    tariffs: clearing.Tariffs = empty(clearing.Tariffs)
    posted, tariffs = challenging.priced(region, interval)
    assert posting.charges_hash(wires.charges) == posted, "challenge_fills: other charges"
    root: bytes32 = wires.charges.root
    leaf: bytes32 = leaves.of_bus(self._bus(buyer), wires.buyer.locational)
    next: uint256 = merkle.after(leaf, wires.buyer.place, root, path, used)
    leaf = leaves.of_bus(self._bus(seller), wires.seller.locational)
    merkle.after(leaf, wires.seller.place, root, path, next)
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
