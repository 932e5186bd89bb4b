# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Rules
@notice Shows the pure rules that the contracts share, so that a test can ask them one by one.
"""

import breach
import comprehensive
import credibility
import feedback
import keyed
import logarithm
import packing
import rounding
import split


@external
@pure
def divide_half_even(numerator: uint256, denominator: uint256) -> uint256:
    return rounding.divide_half_even(numerator, denominator)


@external
@pure
def amount(price: uint256, energy: uint256) -> uint256:
    return rounding.amount(price, energy)


@external
@pure
def part(whole: uint256, share: uint256) -> uint256:
    return rounding.part(whole, share)


@external
@pure
def log2_fixed(number: uint256) -> uint256:
    return logarithm.log2_fixed(number)


@external
@pure
def key(write: keyed.Write) -> bytes32:
    return keyed.packed(write)


@external
@pure
def fill_hash(region: bytes32, interval: uint64, fill: packing.Fill) -> bytes32:
    return packing.fill_hash(region, interval, fill)


@external
@pure
def settle(
    terms: uint256, delivery: uint256, rules: split.Rules, loss_share: uint256
) -> split.Statement:
    return split.split(packing.terms(terms), packing.delivery(delivery), rules, loss_share)


@external
@pure
def by_meters(
    terms: uint256,
    energy: uint256,
    agreed: uint256,
    sent: uint256,
    unused_sent: uint256,
    rules: split.Rules,
) -> split.Short:
    return split.by_meters(terms, energy, agreed, sent, unused_sent, rules)


@external
@pure
def whole(terms: uint256, reward: uint256) -> split.Short:
    return split.whole(terms, reward)


@external
@pure
def bonus_rate(reference: uint256, steadiness: uint256, difficulty: uint256) -> uint256:
    return logarithm.bonus_rate(
        reference, steadiness, logarithm.log2_fixed(difficulty << 64)
    )


@external
@pure
def comprehensive_after(
    score: uint256, history: DynArray[uint256[3], 16], rules: comprehensive.Rules
) -> uint256:
    now: uint256 = score
    for one: uint256[3] in history:
        now = comprehensive.update(now, one[1], one[2], rules)
    return now


@external
@pure
def credible_after(
    word: uint256, history: DynArray[uint256[3], 16], rules: credibility.Rules, at: uint256
) -> (uint256, uint256, uint256, uint256):
    now: uint256 = word
    for one: uint256[3] in history:
        now = credibility.update(now, one[0], one[1], one[2], rules)
    return (
        now,
        credibility.credit(now),
        credibility.faded(now, at, rules.decay),
        credibility.exposure(now, at, rules),
    )


@external
@pure
def feedback_after(
    score: uint256, history: DynArray[uint256[3], 16], rules: feedback.Rules
) -> uint256:
    now: uint256 = score
    for one: uint256[3] in history:
        now = feedback.update(now, one[1], one[2], rules)
    return now


@external
@pure
def broken(promised: uint256, kept: uint256, rate: uint256, tolerance: uint256) -> (uint256, uint256):
    return (
        breach.broken(promised, kept, tolerance),
        breach.fine(promised, kept, rate, tolerance),
    )
