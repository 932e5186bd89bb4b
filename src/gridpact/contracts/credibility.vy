# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Credibility
@notice How far a seller is believed by what it kept and broke: [Yu23] as read in 5-decisions,
        section 9 (A), the same integers as `reputation/credibility.py: rated`; pure.
@dev    S <- max(0, d S + w (kept - 5 broken) / V0), Credit = S / (S + 100). S and d are fixed point
        with 2^32 for 1. A standing is one word: points 96 | interval 32 | kept 32 | broken 32 |
        volume 40.
"""

PPM: constant(uint256) = 1_000_000
ONE: constant(uint256) = 2**32
HALF: constant(uint256) = 100 * ONE  # the standing at which half is believed
BREACH: constant(uint256) = 5
MOST: constant(uint256) = 2**96 - 1
POINTS: constant(uint256) = 136
AT: constant(uint256) = 104
KEPT: constant(uint256) = 72
BROKEN: constant(uint256) = 40
VOLUME: constant(uint256) = 2**40 - 1
FIELD: constant(uint256) = 2**32 - 1


struct Rules:
    weight: uint256  # w, ppm
    decay: uint256  # d, what one interval leaves of the past
    tolerance: uint256  # missing share that is no breach, ppm
    reference: uint256  # V0 of whom nothing is registered, Wh


@internal
@pure
def update(
    word: uint256, interval: uint256, agreed: uint256, sent: uint256, rules: Rules
) -> uint256:
    """
    @notice The standing after one interval's trade, sent <= agreed.
    @dev What is gained is rounded down, what is lost up. Beyond tolerance what is missing is
         broken, within it neither kept nor broken. An earlier interval that is rated later counts
         in full, and the clock stays.
    """
    assert interval <= FIELD, "credibility: interval"
    volume: uint256 = word & VOLUME
    if volume == 0:
        volume = rules.reference
    broken: uint256 = agreed - sent
    if broken * PPM <= agreed * rules.tolerance:
        broken = 0
    if sent == 0 and broken == 0:
        return word | volume
    unit: uint256 = PPM * volume
    gain: uint256 = rules.weight * sent * ONE // unit
    loss: uint256 = (rules.weight * BREACH * broken * ONE + unit - 1) // unit
    points: uint256 = min(self.faded(word, interval, rules.decay) + gain, MOST)
    points -= min(points, loss)
    kept: uint256 = (word >> KEPT) & FIELD
    breaches: uint256 = (word >> BROKEN) & FIELD
    if broken == 0:
        kept += 1
    else:
        breaches += 1
    return (
        points << POINTS
        | max(interval, (word >> AT) & FIELD) << AT
        | kept << KEPT
        | breaches << BROKEN
        | volume
    )


@internal
@pure
def credit(word: uint256) -> uint256:
    """
    @notice Credit, rounded down. [ppm]
    """
    points: uint256 = word >> POINTS
    return PPM * points // (points + HALF)


@internal
@pure
def faded(word: uint256, interval: uint256, decay: uint256) -> uint256:
    """
    @notice What the clock has left of the points by an interval: S d^n, each product rounded down.
    """
    last: uint256 = (word >> AT) & FIELD
    left: uint256 = ONE
    if interval > last:
        exponent: uint256 = interval - last
        base: uint256 = decay
        for _: uint256 in range(32):
            if exponent & 1 == 1:
                left = left * base // ONE
            exponent >>= 1
            if exponent == 0:
                break
            base = base * base // ONE
    return (word >> POINTS) * left // ONE


@internal
@pure
def exposure(word: uint256, interval: uint256, rules: Rules) -> uint256:
    """
    @notice How much may stand open without a deposit: S V0 / (5 w), rounded down; what the clock
            has left of S. [Wh]
    """
    volume: uint256 = word & VOLUME
    if volume == 0:
        volume = rules.reference
    points: uint256 = self.faded(word, interval, rules.decay)
    return points * volume * PPM // (BREACH * rules.weight * ONE)
