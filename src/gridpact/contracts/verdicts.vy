# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Verdicts
@notice What sensors said of an interval, under salted hashes, and how much of which fills they
        hold. The settlement keeps to it, whoever settles; so a hold needs the council's word where
        one holds office.
"""

import clearing
import clock
import council
import keyed
import settlement

initializes: clock
initializes: keyed
exports: keyed.written

MAX_HOLDS: constant(uint256) = 128
MASK_128: constant(uint256) = 2**128 - 1
HOLDS_TYPE: constant(bytes32) = keccak256("Holds(bytes32 region,uint64 interval,bytes32 holds)")


struct Hold:
    fill: bytes32
    word: uint256  # energy [Wh] 128 | since when [s since 1970, UTC] 128
    reason: bytes32  # hash of its words


OPERATOR: public(immutable(address))
COUNCIL: public(immutable(address))
CLEARING: public(immutable(address))
SETTLEMENT: public(immutable(address))


event Judged:
    key: indexed(bytes32)
    until: uint256
    root: bytes32
    rows: uint256
    measured: bytes32


event Held:
    fill: indexed(bytes32)
    energy: uint256
    since: uint256
    reason: bytes32


@deploy
def __init__(
    operator: address,
    council_: address,
    clearing_: address,
    settlement_: address,
    begins: uint256,
    seconds: uint256,
):
    """
    @notice Fix the peers, and when interval 0 begins.
    """
    clock.__init__(begins, seconds)
    OPERATOR = operator
    COUNCIL = council_
    CLEARING = clearing_
    SETTLEMENT = settlement_


@external
def judge(
    write: keyed.Write,
    until: uint256,
    root: bytes32,
    rows: uint256,
    measured: bytes32,
    holds: DynArray[Hold, MAX_HOLDS],
):
    """
    @notice Post what sensors said up to a moment, and the fills that they stop. Before the meters
            are: nobody invents a hold for what a meter shows.
    @param root Of the salted verdicts that are not ok; rows: how many there are.
    @param measured Salted hash of the measurements that they follow from.
    """
    assert msg.sender == OPERATOR, "verdicts: not the operator"
    if not keyed.begin(write, 3):
        return
    assert not staticcall clearing.__interface__(CLEARING).is_metered(
        write.region, write.interval
    ), "verdicts: the meters have spoken"
    if len(holds) > 0:
        self._hold(write.region, write.interval, holds)
    log Judged(
        key=keyed.packed(write), until=until, root=root, rows=rows, measured=measured
    )


@external
def hold(region: bytes32, interval: uint64, holds: DynArray[Hold, MAX_HOLDS]):
    """
    @notice Keep holds that the council signed, also without the operator: anybody, until the
            parties may settle by themselves.
    """
    assert staticcall council.__interface__(COUNCIL).home() != empty(bytes32), "verdicts: no council"
    assert not clock.ended(interval, 1), "verdicts: too late"
    self._hold(region, interval, holds)


@internal
def _hold(region: bytes32, interval: uint64, holds: DynArray[Hold, MAX_HOLDS]):
    list: bytes32 = keccak256(abi_encode(holds))
    assert staticcall council.__interface__(COUNCIL).stands(
        region, keccak256(abi_encode(HOLDS_TYPE, region, interval, list))
    ), "verdicts: not the council's word"
    for hold: Hold in holds:
        if extcall settlement.__interface__(SETTLEMENT).stop(hold.fill, hold.word >> 128):
            log Held(
                fill=hold.fill,
                energy=hold.word >> 128,
                since=hold.word & MASK_128,
                reason=hold.reason,
            )
