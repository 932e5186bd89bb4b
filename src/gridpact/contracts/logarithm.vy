# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Logarithm
@notice log_k(x + 1) in parts per million by binary logarithm in fixed point; the same integers as
        `settlement/incentive.py: log2_fixed`, within 1 ppm of the real number.
"""

import rounding

PPM: constant(uint256) = 1_000_000
SCALE: constant(uint256) = 64
BITS: constant(uint256) = 40


@internal
@pure
def log2_fixed(number: uint256) -> uint256:
    """
    @notice log2(number / 2^64) in units of 2^-40, rounded down; number >= 2^64.
    """
    assert number >> SCALE > 0, "logarithm: below one"
    integer: uint256 = self._bit_length(number) - 1 - SCALE
    mantissa: uint256 = number >> integer
    result: uint256 = integer
    for i: uint256 in range(BITS):
        mantissa = mantissa * mantissa >> SCALE
        result <<= 1
        if mantissa >> (SCALE + 1) > 0:
            mantissa >>= 1
            result |= 1
    return result


@internal
@pure
def of_one_plus(x: uint256) -> uint256:
    """
    @notice log2(x + 1) in units of 2^-40, x in ppm.
    """
    assert x < 2**120, "logarithm: too large"
    return self.log2_fixed(((x + PPM) << SCALE) // PPM)


@internal
@pure
def bonus_rate(reference: uint256, x: uint256, log_k: uint256) -> uint256:
    """
    @notice C_d' - C_REG per kWh at x ppm, at most C_REG; `log_k` as `log2_fixed` of k gives it.
    """
    share: uint256 = self.of_one_plus(x) * PPM // log_k
    return rounding.part(reference, min(share, PPM))


@internal
@pure
def _bit_length(number: uint256) -> uint256:
    rest: uint256 = number
    length: uint256 = 0
    step: uint256 = 128
    for i: uint256 in range(8):
        if rest >> step > 0:
            rest >>= step
            length += step
        step >>= 1
    return length + rest
