# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Comprehensive
@notice How a reputation follows the share that a seller delivers: [Cui22] eqs. 1 and 2 as read in
        5-decisions, section 9 (C), the same integers as `reputation/comprehensive.py: rated`; pure.
"""

PPM: constant(uint256) = 1_000_000


struct Rules:
    weight: uint256  # alpha, ppm
    most: uint256  # where a delivered share stops, ppm; 0 for nowhere


@internal
@pure
def update(score: uint256, agreed: uint256, sent: uint256, rules: Rules) -> uint256:
    """
    @notice The reputation after one interval's trade, agreed > 0.
    @dev RC(T) = alpha C(T) + (1 - alpha) RC(T - 1), C = sent / agreed, each rounded down.
    """
    share: uint256 = PPM * sent // agreed
    if rules.most > 0:
        share = min(share, rules.most)
    return (rules.weight * share + (PPM - rules.weight) * score) // PPM
