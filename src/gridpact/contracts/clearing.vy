# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Clearing
@notice What was posted of an interval before and after delivery: prices, the roots of book and
        fills, the roots and the balance of the meters. Other contracts read their numbers here,
        so a settlement cannot use other prices than those posted.
"""

import keyed
import packing

initializes: keyed
exports: keyed.written

PPM: constant(uint256) = 1_000_000


struct Tariffs:
    retail: uint256
    network_share: uint256
    feed_in: uint256
    loss_share: uint256


struct Balance:
    loss: uint256
    weighed: uint256
    before: uint256


OPERATOR: public(immutable(address))

prices: HashMap[bytes32, HashMap[uint64, uint256]]  # retail 48 | share 48 | feed-in 48 | loss 32 | 1
balances: HashMap[bytes32, HashMap[uint64, uint256]]  # loss 64 | weighed 64 | before 64 | 1
order_roots: HashMap[bytes32, HashMap[uint64, bytes32]]
fill_roots: HashMap[bytes32, HashMap[uint64, bytes32]]
sizes: HashMap[bytes32, HashMap[uint64, uint256]]  # volume 64 | count 64 | 1


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
    count: uint256
    volume: uint256


event Delivered:
    key: indexed(bytes32)
    root: bytes32
    loss: uint256
    weighed: uint256
    before: uint256


@deploy
def __init__(operator: address):
    """
    @notice Fix who posts.
    """
    OPERATOR = operator


@external
def price(write: keyed.Write, tariffs: Tariffs, root: bytes32):
    """
    @notice Post an interval's tariffs [micro-units per kWh] and expected loss share [ppm], once.
    @param root Merkle root of the locational charges per bus.
    """
    assert msg.sender == OPERATOR, "clearing: not the operator"
    if not keyed.begin(write, 0):
        return
    assert self.prices[write.region][write.interval] == 0, "clearing: priced before"
    assert tariffs.retail < 2**48 and tariffs.feed_in < 2**48, "clearing: price too large"
    assert tariffs.network_share <= tariffs.retail, "clearing: network share above retail"
    assert tariffs.loss_share <= PPM, "clearing: loss share above one"
    self.prices[write.region][write.interval] = (
        tariffs.retail << 208
        | tariffs.network_share << 160
        | tariffs.feed_in << 112
        | tariffs.loss_share << 80
        | 1
    )
    log Priced(
        key=keyed.packed(write),
        retail=tariffs.retail,
        network_share=tariffs.network_share,
        feed_in=tariffs.feed_in,
        loss_share=tariffs.loss_share,
        root=root,
    )


@external
def post(
    write: keyed.Write, order_root: bytes32, fill_root: bytes32, count: uint256, volume: uint256
):
    """
    @notice Post a clearing, once: the roots of the sealed book and of the fills, their number and
            volume [Wh].
    """
    assert msg.sender == OPERATOR, "clearing: not the operator"
    if not keyed.begin(write, 1):
        return
    assert self.sizes[write.region][write.interval] == 0, "clearing: posted before"
    assert count < 2**64 and volume < 2**64, "clearing: too large"
    self.sizes[write.region][write.interval] = volume << 128 | count << 64 | 1
    self.order_roots[write.region][write.interval] = order_root
    self.fill_roots[write.region][write.interval] = fill_root
    log Posted(
        key=keyed.packed(write),
        order_root=order_root,
        fill_root=fill_root,
        count=count,
        volume=volume,
    )


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
    log Delivered(
        key=keyed.packed(write),
        root=root,
        loss=balance.loss,
        weighed=balance.weighed,
        before=balance.before,
    )


@external
@view
def posted(region: bytes32, interval: uint64) -> (bytes32, bytes32, uint256, uint256):
    """
    @return Order root, fill root, number and volume [Wh] of a clearing; refused when none is.
    """
    word: uint256 = self.sizes[region][interval]
    assert word != 0, "clearing: none posted"
    return (
        self.order_roots[region][interval],
        self.fill_roots[region][interval],
        (word >> 64) & packing.MASK_64,
        word >> 128,
    )


@external
@view
def is_posted(region: bytes32, interval: uint64) -> bool:
    """
    @notice Say whether a clearing is posted: its book is closed.
    """
    return self.sizes[region][interval] != 0


@external
@view
def tariffs(region: bytes32, interval: uint64) -> Tariffs:
    """
    @notice The tariffs of an interval; refused when none are posted.
    """
    word: uint256 = self.prices[region][interval]
    assert word != 0, "clearing: no prices"
    return Tariffs(
        retail=word >> 208,
        network_share=(word >> 160) & packing.MASK_48,
        feed_in=(word >> 112) & packing.MASK_48,
        loss_share=(word >> 80) & packing.MASK_32,
    )


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
