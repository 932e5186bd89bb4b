# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Clock
@notice Which interval, and which day, a block lies in. The only place where a contract reads the
        time: everything else counts intervals, so that a simulated and a real chain agree
        (5-decisions, section 17). Before the market begins it is interval 0 and day 0.
"""

DAY: constant(uint256) = 86_400
BOOK_CLOSES: constant(uint256) = 1200  # seconds before an interval begins
COMMIT_CLOSES: constant(uint256) = 600

BEGINS: immutable(uint256)  # of interval 0, seconds since 1970
SECONDS: immutable(uint256)  # of an interval


@deploy
def __init__(begins: uint256, seconds: uint256):
    """
    @notice Fix when interval 0 begins and how long each one lasts.
    """
    assert seconds > 0, "clock: no interval"
    # so that no moment below overflows
    assert begins < 2**64 and seconds < 2**64, "clock: no moment"
    BEGINS = begins
    SECONDS = seconds


@internal
@view
def interval() -> uint256:
    """
    @notice The interval that the block lies in.
    """
    return self._elapsed() // SECONDS


@internal
@view
def day() -> uint256:
    """
    @notice The day that the block lies in, counted from the market's beginning.
    """
    return self._elapsed() // DAY


@internal
@view
def book_open(interval: uint64) -> bool:
    """
    @notice Whether orders of an interval may still enter and leave the book.
    """
    return block.timestamp + BOOK_CLOSES < self._begins(interval)


@internal
@view
def commit_open(interval: uint64) -> bool:
    """
    @notice Whether fills of an interval may still be made.
    """
    return block.timestamp + COMMIT_CLOSES < self._begins(interval)


@internal
@view
def ended(interval: uint64, later: uint256) -> bool:
    """
    @notice Whether an interval, and so many more, are over: less than 2^64, which settlement.vy
            sees to at the founding.
    """
    # no overflow: each factor is below 2^66
    first: uint256 = unsafe_add(unsafe_add(convert(interval, uint256), 1), later)
    return block.timestamp >= unsafe_add(BEGINS, unsafe_mul(first, SECONDS))


@internal
@view
def is_past(moment: uint256) -> bool:
    """
    @notice Whether a moment that somebody signed lies before the block. [seconds since 1970]
    """
    return block.timestamp > moment


@internal
@view
def is_before(interval: uint64, seconds: uint256) -> bool:
    """
    @notice Whether the block lies so many seconds or more before an interval begins.
    """
    return block.timestamp + seconds <= self._begins(interval)


@internal
@view
def _elapsed() -> uint256:
    return max(block.timestamp, BEGINS) - BEGINS


@internal
@view
def _begins(interval: uint64) -> uint256:
    return unsafe_add(BEGINS, unsafe_mul(convert(interval, uint256), SECONDS))
