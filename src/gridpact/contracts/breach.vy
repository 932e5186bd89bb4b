# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Breach
@notice What a broken word costs (5-decisions, section 9, A): a rate for each kWh that was promised
        and not kept, when more is missing than is tolerated. The same integers as
        `model/participant.py: ReviewTerms.owed`; pure.
"""

import rounding

PPM: constant(uint256) = 1_000_000


@internal
@pure
def broken(promised: uint256, kept: uint256, tolerance: uint256) -> uint256:
    """
    @notice What of the promised energy was broken [Wh]; within the tolerance nothing.
    @param tolerance Missing share that is no breach, at most a million. [ppm]
    """
    if kept * PPM >= promised * (PPM - tolerance):
        return 0
    return promised - kept


@internal
@pure
def fine(promised: uint256, kept: uint256, rate: uint256, tolerance: uint256) -> uint256:
    """
    @notice What the breach costs, rounded once. [micro-units]
    @param rate Micro-units per kWh that was broken.
    """
    return rounding.amount(rate, self.broken(promised, kept, tolerance))
