# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Feedback
@notice How a reputation moves with what a seller agreed and sent: [Wang23] as read in 5-decisions,
        section 9 (B), the same integers as `reputation/feedback.py: update`; pure.
"""

PPM: constant(uint256) = 1_000_000


struct Rules:
    gain: uint256  # ppm
    loss: uint256  # ppm
    prior: uint256  # ppm
    floor: uint256  # ppm
    reference: uint256  # Wh


@internal
@pure
def update(score: uint256, agreed: uint256, sent: uint256, rules: Rules) -> uint256:
    """
    @notice The reputation after one interval's trade, agreed > 0.
    @dev r' = r + g (1 - r) q w - b r (1 - q) w, q = sent / agreed, w = min(1, E / E_ref).
    """
    weighed: uint256 = min(agreed, rules.reference)
    unit: uint256 = PPM * agreed * rules.reference
    gain: uint256 = rules.gain * (PPM - score) * sent * weighed // unit
    loss: uint256 = rules.loss * score * (agreed - sent) * weighed // unit
    return max(score + gain - loss, rules.floor)
