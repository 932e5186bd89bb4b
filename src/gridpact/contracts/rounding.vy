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
    product: uint256 = price * energy
    quotient: uint256 = product // 1000
    # half a unit less one, and one more above an odd quotient: so a tie goes to the even one. No
    # overflow: the rest is below 1000, the quotient a thousandth of a word
    rest: uint256 = unsafe_add(unsafe_add(product % 1000, 499), quotient & 1)
    return unsafe_add(quotient, rest // 1000)


@internal
@pure
def part(whole: uint256, share: uint256) -> uint256:
    """
    @notice `share` (ppm) of a whole amount, rounded half to even.
    """
    product: uint256 = whole * share
    quotient: uint256 = product // PPM
    # as above, with a million
    rest: uint256 = unsafe_add(unsafe_add(product % PPM, 499_999), quotient & 1)
    return unsafe_add(quotient, rest // PPM)
