# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Clearing
@notice What was posted of an interval before and after delivery: prices, the roots of book and
        fills, the root and the balance of the meters, what the network operator stopped. Other
        contracts read their numbers here, so a settlement cannot use other prices than those
        posted. A clearing is kept as its hash; who challenges it brings the words again. One that
        was proven wrong is never committed.
@dev Deadlines count back from the beginning of the interval, when delivery starts. A chain with a
     simulated clock switches them off: `commit_closes` 0.
"""

import clock
import council
import keyed
import packing
import posting
import registry

initializes: clock
initializes: keyed
exports: keyed.written

PPM: constant(uint256) = 1_000_000
CONDEMNED: constant(uint256) = 2
MAX_RANKS: constant(uint256) = 64
MAX_BATCH: constant(uint256) = 128
MASK_128: constant(uint256) = 2**128 - 1


struct Tariffs:
    retail: uint256
    network_share: uint256
    feed_in: uint256
    loss_share: uint256


struct Balance:
    loss: uint256
    weighed: uint256
    before: uint256


struct Costs:
    # micro-units per kWh, and the Merkle root of (bus, locational price)
    margin: uint256
    local: uint256
    zonal: uint256
    root: bytes32


OPERATOR: public(immutable(address))
REGISTRY: public(immutable(address))
COUNCIL: public(immutable(address))
SETTLEMENT: public(immutable(address))
CHALLENGE_BOOK: public(immutable(address))
CHALLENGE_FILLS: public(immutable(address))
COMMIT_CLOSES: public(immutable(uint256))  # seconds before delivery; 0: no deadline

prices: HashMap[bytes32, HashMap[uint64, uint256]]  # retail 48 | share 48 | feed-in 48 | loss 32 | condemned 1 | 1
charges: public(HashMap[bytes32, HashMap[uint64, bytes32]])  # posting.charges_hash
balances: HashMap[bytes32, HashMap[uint64, uint256]]  # loss 64 | weighed 64 | before 64 | 1
posted: public(HashMap[bytes32, HashMap[uint64, bytes32]])  # posting.clearing_hash
readings: public(HashMap[bytes32, HashMap[uint64, bytes32]])  # root of the signed readings
# what the network operator stopped of a seller and no fill left out yet [Wh]
curtailed: public(HashMap[uint64, HashMap[address, uint256]])


event Priced:
    key: indexed(bytes32)
    retail: uint256
    network_share: uint256
    feed_in: uint256
    loss_share: uint256
    root: bytes32


event Posted:
    key: indexed(bytes32)
    order_root: bytes32
    fill_root: bytes32
    seed: bytes32
    count: uint256
    volume: uint256


event Condemned:
    region: indexed(bytes32)
    interval: indexed(uint64)


event Curtailed:
    seller: indexed(address)
    interval: indexed(uint64)
    energy: uint256


event Delivered:
    key: indexed(bytes32)
    root: bytes32
    loss: uint256
    weighed: uint256
    before: uint256


event Ordered:
    words: uint256


@deploy
def __init__(
    operator: address,
    registry_: address,
    council_: address,
    settlement: address,
    challenge_book: address,
    challenge_fills: address,
    begins: uint256,
    seconds: uint256,
    commit_closes: uint256,
):
    """
    @notice Fix who posts, who judges, and when interval 0 begins and a commit comes too late.
    """
    clock.__init__(begins, seconds)
    OPERATOR = operator
    REGISTRY = registry_
    COUNCIL = council_
    SETTLEMENT = settlement
    CHALLENGE_BOOK = challenge_book
    CHALLENGE_FILLS = challenge_fills
    COMMIT_CLOSES = commit_closes


@external
def price(write: keyed.Write, tariffs: Tariffs, costs: Costs):
    """
    @notice Post an interval's tariffs [micro-units per kWh] and expected loss share [ppm], once,
            and not before the founding is over: nothing is traded among people still being added.
    @param costs Margin, charges of the tiers, and the root of the locational prices per bus.
    """
    assert msg.sender == OPERATOR, "clearing: not the operator"
    assert write.content != empty(bytes32), "clearing: no content"
    digest: bytes32 = posting.charges_hash(
        posting.Charges(
            content=write.content,
            margin=costs.margin,
            local=costs.local,
            zonal=costs.zonal,
            root=costs.root,
        )
    )
    word: uint256 = (
        tariffs.retail << 208
        | tariffs.network_share << 160
        | tariffs.feed_in << 112
        | tariffs.loss_share << 80
        | 1
    )
    first: uint256 = self.prices[write.region][write.interval]
    if first & ~CONDEMNED != 0:
        assert (
            first & ~CONDEMNED == word and self.charges[write.region][write.interval] == digest
        ), "clearing: priced before"
        return
    assert tariffs.retail < 2**48 and tariffs.feed_in < 2**48, "clearing: price too large"
    assert tariffs.network_share <= tariffs.retail, "clearing: network share above retail"
    assert tariffs.loss_share <= PPM, "clearing: loss share above one"
    assert (
        costs.margin < 2**48 and costs.local < 2**48 and costs.zonal < 2**48
    ), "clearing: price too large"
    assert staticcall registry.__interface__(REGISTRY).founded(), "clearing: not founded"
    self.prices[write.region][write.interval] = word | first
    self.charges[write.region][write.interval] = digest
    log Priced(
        key=keyed.packed(write),
        retail=tariffs.retail,
        network_share=tariffs.network_share,
        feed_in=tariffs.feed_in,
        loss_share=tariffs.loss_share,
        root=costs.root,
    )


@external
def post(
    write: keyed.Write,
    order_root: bytes32,
    fill_root: bytes32,
    seed: bytes32,
    count: uint256,
    volume: uint256,
):
    """
    @notice Post a clearing, once: the roots of the sealed book and of the fills, the seed of the
            draw, number and volume [Wh] of the fills. Where a council holds office, the operator
            has a bond to lose. Where deadlines count, not before the book is closed: else an order
            that was refused rightly could still come to stand, as if it had been refused wrongly.
    """
    assert msg.sender == OPERATOR, "clearing: not the operator"
    assert write.content != empty(bytes32), "clearing: no content"
    digest: bytes32 = posting.clearing_hash(
        write.region,
        write.interval,
        posting.Clearing(
            content=write.content,
            order_root=order_root,
            fill_root=fill_root,
            seed=seed,
            count=count,
            volume=volume,
        ),
    )
    first: bytes32 = self.posted[write.region][write.interval]
    if first != empty(bytes32):
        assert first == digest, "clearing: posted before"
        return
    assert self._in_time(write.interval), "clearing: too late"
    assert COMMIT_CLOSES == 0 or not clock.book_open(write.interval), "clearing: the book is open"
    assert staticcall council.__interface__(COUNCIL).may_post(
        write.region, msg.sender
    ), "clearing: no bond"
    self.posted[write.region][write.interval] = digest
    log Posted(
        key=keyed.packed(write),
        order_root=order_root,
        fill_root=fill_root,
        seed=seed,
        count=count,
        volume=volume,
    )


@external
def condemn(region: bytes32, interval: uint64):
    """
    @notice Mark a clearing that was proven wrong. Only the contracts that judge challenges.
    """
    assert msg.sender in [CHALLENGE_BOOK, CHALLENGE_FILLS], "clearing: not the challenges"
    word: uint256 = self.prices[region][interval]
    assert word & CONDEMNED == 0, "clearing: condemned before"
    self.prices[region][interval] = word | CONDEMNED
    log Condemned(region=region, interval=interval)


@external
def deliver(write: keyed.Write, root: bytes32, balance: Balance):
    """
    @notice Post the root of the signed readings and the region's balance [Wh], once.
    @param balance loss: of the region; weighed: imports + loss, over which it is shared; before:
           sent by fills settled on another chain in this interval.
    """
    assert msg.sender == OPERATOR, "clearing: not the operator"
    if not keyed.begin(write, 2):
        return
    assert self.balances[write.region][write.interval] == 0, "clearing: delivered before"
    assert balance.weighed < 2**64, "clearing: energy too large"
    assert balance.loss <= balance.weighed, "clearing: loss above what it is shared over"
    assert balance.before <= balance.weighed, "clearing: before above what it is shared over"
    self.balances[write.region][write.interval] = (
        balance.loss << 192 | balance.weighed << 128 | balance.before << 64 | 1
    )
    self.readings[write.region][write.interval] = root
    log Delivered(
        key=keyed.packed(write),
        root=root,
        loss=balance.loss,
        weighed=balance.weighed,
        before=balance.before,
    )


@external
def curtail(write: keyed.Write, rows: DynArray[uint256, MAX_BATCH]):
    """
    @notice Post what the network operator stopped of sellers' generation: only so much may fills
            leave out beyond what sensors hold.
    @param rows Per seller: account 160 | energy 64. [Wh]
    """
    assert msg.sender == OPERATOR, "clearing: not the operator"
    if not keyed.begin(write, 5):
        return
    for row: uint256 in rows:
        seller: address = convert(convert(row >> 64, uint160), address)
        energy: uint256 = row & packing.MASK_64
        self.curtailed[write.interval][seller] += energy
        log Curtailed(seller=seller, interval=write.interval, energy=energy)


@external
def leave_out(interval: uint64, seller: address, energy: uint256):
    """
    @notice Use up what was curtailed by what a fill leaves out. Only the settlement.
    """
    assert msg.sender == SETTLEMENT, "clearing: not the settlement"
    left: uint256 = self.curtailed[interval][seller]
    assert energy <= left, "clearing: nobody held it"
    self.curtailed[interval][seller] = left - energy


@external
def check_order(ranks: DynArray[uint256, MAX_RANKS]):
    """
    @notice Check that offers, sorted off chain, stand in merit order: each rank above the last.
            Anybody may call; the list stands on record in the call.
    @param ranks Two to a word, the earlier above: price 48 | one less reputation 32 | first 48 bits
           of the order's name; an odd number ends with the highest rank there is.
    """
    last: uint256 = 0
    for pair: uint256 in ranks:
        second: uint256 = pair & MASK_128
        assert last < pair >> 128 and pair >> 128 < second, "clearing: out of order"
        last = second
    log Ordered(words=len(ranks))


@external
@view
def is_posted(region: bytes32, interval: uint64) -> bool:
    """
    @notice Say whether a clearing is posted: its book is closed.
    """
    return self.posted[region][interval] != empty(bytes32)


@external
@view
def condemned(region: bytes32, interval: uint64) -> bool:
    """
    @notice Say whether a clearing was proven wrong.
    """
    return self.prices[region][interval] & CONDEMNED != 0


@external
@view
def tariffs(region: bytes32, interval: uint64) -> Tariffs:
    """
    @notice The tariffs of an interval; refused when none are posted.
    """
    return self._tariffs(self.prices[region][interval])


@external
@view
def priced(region: bytes32, interval: uint64) -> (bytes32, Tariffs):
    """
    @notice The hash of an interval's charges, and its tariffs; refused when none are posted.
    """
    return self.charges[region][interval], self._tariffs(self.prices[region][interval])


@external
@view
def trading(region: bytes32, interval: uint64) -> Tariffs:
    """
    @notice The tariffs of an interval in which fills may be committed; refused when its clearing
            was proven wrong, or too late.
    """
    word: uint256 = self.prices[region][interval]
    assert word & CONDEMNED == 0, "clearing: condemned"
    assert self._in_time(interval), "clearing: too late"
    return self._tariffs(word)


@external
@view
def is_metered(region: bytes32, interval: uint64) -> bool:
    """
    @notice Say whether the meters' balance of an interval is posted.
    """
    return self.balances[region][interval] != 0


@external
@view
def metered(region: bytes32, interval: uint64) -> Balance:
    """
    @notice The meters' balance of an interval; refused when none is posted.
    """
    word: uint256 = self.balances[region][interval]
    assert word != 0, "clearing: no readings"
    return Balance(
        loss=word >> 192,
        weighed=(word >> 128) & packing.MASK_64,
        before=(word >> 64) & packing.MASK_64,
    )


@internal
@pure
def _tariffs(word: uint256) -> Tariffs:
    assert word & 1 == 1, "clearing: no prices"
    return Tariffs(
        retail=word >> 208,
        network_share=(word >> 160) & packing.MASK_48,
        feed_in=(word >> 112) & packing.MASK_48,
        loss_share=(word >> 80) & packing.MASK_32,
    )


@internal
@view
def _in_time(interval: uint64) -> bool:
    return COMMIT_CLOSES == 0 or clock.is_before(interval, COMMIT_CLOSES)
