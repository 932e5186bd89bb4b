# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Rounding
@notice Energy in Wh, price in micro-units per kWh, money in micro-units, shares in parts per
        million. The same three rules as `quantities.py`; nothing else in the contracts rounds.
"""

PPM: constant(uint256) = 1_000_000


@internal
@pure
def divide_half_even(numerator: uint256, denominator: uint256) -> uint256:
    """
    @notice `numerator / denominator` to the nearest whole number, ties to even.
    """
    quotient: uint256 = numerator // denominator
    twice: uint256 = 2 * (numerator % denominator)
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient


@internal
@pure
def amount(price: uint256, energy: uint256) -> uint256:
    """
    @notice What `energy` costs at `price`, rounded half to even once.
    """
    # half a unit less one, and one more above an odd quotient: so a tie goes to the even one
    product: uint256 = price * energy
    return (product + unsafe_add(499, product // 1000 & 1)) // 1000


@internal
@pure
def part(whole: uint256, share: uint256) -> uint256:
    """
    @notice `share` (ppm) of a whole amount, rounded half to even.
    """
    # as above, with a million
    product: uint256 = whole * share
    return (product + unsafe_add(499_999, product // PPM & 1)) // PPM
