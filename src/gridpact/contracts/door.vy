# pragma version 0.4.3
# SPDX-License-Identifier: Apache-2.0
"""
@title Door
@notice Where money enters: k of n keepers sign every amount, each reference counts once, and a day
        has a cap. Nobody alone makes money, the operator included (5-decisions, section 17).
"""

import clock
import quorum
import signing

uses: clock

MAX_KEEPERS: constant(uint256) = 16
MAX_SUPPLY: constant(uint256) = 2**80 - 1

KEEPERS: immutable(DynArray[address, MAX_KEEPERS])
NEEDED: immutable(uint256)
DAILY_CAP: immutable(uint256)

entered: HashMap[bytes32, bytes32]  # by reference: the digest under which money entered
day: uint256  # the last signed one
entered_that_day: uint256


@deploy
def __init__(keepers: DynArray[address, MAX_KEEPERS], needed: uint256, daily_cap: uint256):
    """
    @notice Fix who opens the door, how many of them it takes, and how much a day lets in.
    """
    assert needed > 0 and needed <= len(keepers), "door: keepers"
    last: uint256 = 0
    for keeper: address in keepers:
        assert convert(keeper, uint256) > last, "door: keepers not rising"
        last = convert(keeper, uint256)
    assert daily_cap <= MAX_SUPPLY, "door: cap"
    KEEPERS = keepers
    NEEDED = needed
    DAILY_CAP = daily_cap


@internal
def admit(
    digest: bytes32,
    amount: uint256,
    ref: bytes32,
    day: uint256,
    signatures: DynArray[signing.Signature, MAX_KEEPERS],
) -> bool:
    """
    @notice Let an amount in once. What entered under its very digest before is left alone, so that
            nobody gains by being first with another's signatures.
    @param digest What the keepers signed: chain, contract, receiver, amount, reference, day.
    @return Whether it is new.
    """
    assert ref != empty(bytes32), "door: no reference"
    first: bytes32 = self.entered[ref]
    if first == digest:
        return False
    assert first == empty(bytes32), "door: reference used"
    self._check_keepers(digest, signatures)
    self._count(amount, day)
    self.entered[ref] = digest
    return True


@internal
@view
def _check_keepers(
    digest: bytes32, signatures: DynArray[signing.Signature, MAX_KEEPERS]
):
    assert len(signatures) >= NEEDED, "door: too few signatures"
    signers: DynArray[address, quorum.MAX_COUNCIL] = quorum.signers(digest, signatures)
    for signer: address in signers:
        assert signer in KEEPERS, "door: not a keeper"


@internal
def _count(amount: uint256, day: uint256):
    # a day may be signed one ahead: what is committed before midnight for an interval after it
    assert day <= clock.day() + 1, "door: day ahead"
    assert day >= self.day, "door: day went back"
    assert amount <= DAILY_CAP, "door: daily cap"
    before: uint256 = self.entered_that_day
    if day > self.day:
        self.day = day
        before = 0
    assert before + amount <= DAILY_CAP, "door: daily cap"
    self.entered_that_day = before + amount
